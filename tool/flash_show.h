/* What goes where and why, and the command that does the same elsewhere: what
 * `wipy flash --show` prints. */
#ifndef WIPY_TOOL_FLASH_SHOW_H
#define WIPY_TOOL_FLASH_SHOW_H

#include "flash_job.h"

struct flash_show {
    const char *port;
    const char *images; /* folder of --all-images, or NULL */
    bool force;
};

/* In prose on standard output, or, with --json, as member "commands" of the
 * result. The plan is resolved. */
void flash_show(const struct flash_show *s, const struct flash_job *job,
                const struct plan *p);

#endif
