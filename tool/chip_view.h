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

/* Which chip, and how it is shown. */
struct chip_view_args {
    const char *flash; /* its file (NULL: wipy.flash), or */
    const char *port;  /* the serial line of its board */
    bool json;
};

/* A command line of --flash, --port, --json and at most one more option. 0, or
 * EXIT_USAGE after a message. */
int chip_view_args(struct chip_view_args *o, struct args *a,
                   const struct args_option *own);

/* Opens the file, or reads what slots and log look at over the line and starts
 * the board again (the rest of the chip is FF then). Returns an enum exit_code,
 * after a message; a chip without a table is EXIT_VERIFY. */
int chip_view_open(struct chip_view *v, const struct chip_view_args *o);

void chip_view_close(struct chip_view *v);

#endif
