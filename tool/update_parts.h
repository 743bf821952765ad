/* The commands of `wipy update` beside packages: back-up and restore of parts
 * of the chip, raw writes, erasing, identifying. */
#ifndef WIPY_TOOL_UPDATE_PARTS_H
#define WIPY_TOOL_UPDATE_PARTS_H

#include "flash_job.h"

struct update_args {
    struct flash_job job;
    const char *verb, *package, *file, *partition;
    const char *address, *contents; /* of write */
    bool back_up, restore;          /* -b, -r */
    bool force, erase_fs, erase_nvs;
    int (*run)(struct loader *l, struct update_args *u);
};

/* Each connects and returns an enum exit_code, after a message. */
int update_copy(struct loader *l, struct update_args *u);
int update_copy_text(struct loader *l, struct update_args *u);
int update_write(struct loader *l, struct update_args *u);
int update_erase(struct loader *l, struct update_args *u);
int update_identify(struct loader *l, struct update_args *u);
int update_list(struct loader *l, struct update_args *u);
int update_exit(struct loader *l, struct update_args *u);

/* Writes the files of a plan that is not resolved; it is freed. */
int update_run_plan(struct loader *l, const struct update_args *u,
                    struct plan *p);

/* Why a command of the vendor's updater is not here, and what to do instead;
 * NULL when it is none of those. */
const char *update_not_here(const char *verb);

#endif
