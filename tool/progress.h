/* A progress bar with rate and time left; silent unless standard error is a
 * terminal. */
#ifndef WIPY_TOOL_PROGRESS_H
#define WIPY_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *what; /* "factory", "0x10000" */
    uint64_t total, done;
    uint64_t start_us, drawn_us;
    bool on;
};

void progress_begin(struct progress *p, const char *what, uint64_t total,
                    bool quiet);
void progress_add(struct progress *p, uint64_t bytes);
/* Wipes the bar off the terminal. */
void progress_end(struct progress *p);

/* "812,345 bytes in 1.8 s (451 kB/s)" */
void progress_text(const struct progress *p, char to[96]);

#endif
