/* The chip file of a board that is off, opened for `wipy fs`. */
#ifndef WIPY_TOOL_FS_CHIP_H
#define WIPY_TOOL_FS_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "board/chip.h"
#include "firmware/volume/volume.h"

struct fs_chip_file {
    const char *path;
    int fd;         /* locked exclusively, as a board locks it */
    uint8_t *cells; /* a private copy: the file changes at fs_chip_save */
    uint32_t size;
    struct chip chip;
    struct flash flash;
    uint32_t fs_off, fs_size; /* the partition `fs` */
};

/* Says on stderr what is wrong (EXIT_BUSY: a board holds the file) and
 * returns an enum exit_code. */
int fs_chip_open(struct fs_chip_file *f, const char *path);
void fs_chip_close(struct fs_chip_file *f);

/* Replaces the file by one with the changes, in one step: over a loss of the
 * computer's power it is the old one or the new one. */
int fs_chip_save(struct fs_chip_file *f);

/* The volumes on it, with `image` (may be NULL) of `len` bytes as card. */
int fs_chip_volumes(struct fs_chip_file *f, struct volumes **v, uint8_t *image,
                    size_t len);

#endif
