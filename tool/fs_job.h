/* Private to wipy fs: what its sub-commands share. */
#ifndef WIPY_TOOL_FS_JOB_H
#define WIPY_TOOL_FS_JOB_H

#include <stdbool.h>

#include "fs_chip.h"

struct fs_job {
    struct fs_chip_file chip;
    struct volumes *v;
    int argc;
    const char **argv; /* after CHIP */
    bool json;
};

/* Says why a call of the volumes failed; returns the exit code. */
int fs_volume_error(const struct fs_job *job, int err);

/* What was changed is in the chip file; returns the exit code. */
int fs_save(struct fs_job *job);

/* fs_image.c: the volume as a whole. */
int fs_export(struct fs_job *job);
int fs_import(struct fs_job *job);
int fs_check(struct fs_job *job);

#endif
