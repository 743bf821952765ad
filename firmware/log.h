/* The running log: the last lines about logins, refusals and crashes, kept in
 * memory for machine.log(). The diary on the chip is for what must outlive a
 * reset (core/boot/diary.h). Any thread. */
#ifndef WIPY_FIRMWARE_LOG_H
#define WIPY_FIRMWARE_LOG_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINES = 64, LOG_LINE_LEN = 120 };

struct log {
    pthread_mutex_t lock;
    unsigned count; /* lines ever added */
    struct {
        uint32_t time; /* Unix seconds of the board's clock */
        char text[LOG_LINE_LEN];
    } line[LOG_LINES];
};

void log_init(struct log *l);

/* Control characters are replaced: a line may quote what a stranger sent. */
void log_add(struct log *l, uint32_t time, const char *text);

/* All lines, the oldest first, "\n" between; NUL-terminated, cut to `size`.
 * Returns the length. */
size_t log_text(struct log *l, char *to, size_t size);

#endif
