/* Writing a plan onto a board and selecting what was flashed to run: what
 * `wipy flash` and `wipy update` have in common. */
#ifndef WIPY_TOOL_FLASH_JOB_H
#define WIPY_TOOL_FLASH_JOB_H

#include "loader_args.h"
#include "plan.h"

struct flash_job {
    struct serial_args serial;
    struct write_options write;
    bool keep_ota; /* do not touch which image runs */
};

/* Writes all items in their order, the boot record, and says (also as JSON)
 * what the next start runs. The plan is resolved. Returns 0 or a negative enum
 * wipy_err (l->error). */
int flash_job_run(struct loader *l, const struct flash_job *job, struct plan *p,
                  struct mirror *m);

#endif
