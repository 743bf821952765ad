/* The factory: what a chip holds when it is soldered onto a board.
 *
 * The images come from the folder of the running program, or from
 * ../share/wipy beside it (an installed program). */
#ifndef WIPY_BOARD_FACTORY_H
#define WIPY_BOARD_FACTORY_H

#include <stddef.h>
#include <stdint.h>

#include "board/problem.h"

/* Creates `path` with `size` bytes: FF, with the bootloader, both copies of
 * the partition table and the factory image at their places. The file appears
 * whole or not at all; one that exists meanwhile is left as it is (and that
 * is no error). */
int factory_make(const char *path, uint32_t size, struct problem *problem);

/* Path of an image that comes with the program ("appimg.bin"). WIPY_ENOENT
 * when it is in none of the folders; WIPY_ENOMEM. */
int factory_find(const char *name, char *path, size_t size);

#endif
