/* The chip's cells as a file: 8 MiB (or 4 MiB), mapped, locked for us alone.
 *
 * The file is the chip, byte for byte, so any tool can make, read and copy
 * it while no board holds it. */
#ifndef WIPY_BOARD_CHIP_FILE_H
#define WIPY_BOARD_CHIP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "board/problem.h"

enum { CHIP_SIZE_4M = 4 << 20, CHIP_SIZE_8M = 8 << 20 };

struct chip_file {
    int fd;         /* read-write, exclusively locked */
    int reading_fd; /* the same file, read-only: what the CPU maps */
    uint8_t *cells;
    uint32_t size;
    bool made; /* it did not exist and came fresh from the factory */
};

/* Opens, locks, checks and maps `path`. A missing file is manufactured first
 * (board/factory.h) with `size` bytes. An existing file must have `size`
 * bytes, or either size when `size` is 0. Returns 0; else fills `problem`
 * (WIPY_EBUSY when another board has it) and leaves nothing open. */
int chip_file_open(struct chip_file *file, const char *path, uint32_t size,
                   struct problem *problem);

/* Returns when every write before it survives a loss of the host's power; may
 * be called from any thread. WIPY_EIO. */
int chip_file_sync(const struct chip_file *file);

void chip_file_close(struct chip_file *file);

#endif
