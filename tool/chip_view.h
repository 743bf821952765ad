/* A chip file as slots, log and keys see it: read once, whole, while a board
 * may be running on it. */
#ifndef WIPY_TOOL_CHIP_VIEW_H
#define WIPY_TOOL_CHIP_VIEW_H

#include "boot/boot.h"
#include "file.h"
#include "loader_args.h"

struct chip_view {
    struct file_data file;
    struct flash flash; /* read-only: programming fails */
    struct boot boot;
    int open_err; /* of boot_open() */
};

/* Reads `path` (NULL: wipy.flash). Returns an enum exit_code, after a message;
 * a chip without a table is EXIT_VERIFY. */
int chip_view_open(struct chip_view *v, const char *path);
/* The same of the board at a serial line: reads what slots and log look at,
 * then starts the board again. The rest of the chip is FF. */
int chip_view_open_serial(struct chip_view *v, const struct serial_args *s);

void chip_view_close(struct chip_view *v);

#endif
