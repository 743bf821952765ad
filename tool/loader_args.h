/* Arguments all serial commands share, with the public tool's names too. */
#ifndef WIPY_TOOL_LOADER_ARGS_H
#define WIPY_TOOL_LOADER_ARGS_H

#include <jansson.h>

#include "args.h"
#include "loader.h"
#include "outcome.h"

/* What the serial commands have in common. */
struct serial_args {
    struct loader_options o;
    bool json;
};

void serial_args_init(struct serial_args *s);

/* Takes the option args_next found, if it is one of these. 1 taken, 0 not
 * known, negative EXIT_USAGE after a message. */
int serial_args_take(struct serial_args *s, struct args *a);

/* The help text of these options. */
#define SERIAL_ARGS_HELP                                                       \
    "  -p, --port PORT       /dev/ttyUSB0, a pty, rfc2217://HOST:PORT,\n"      \
    "                        socket://HOST:PORT; default: WIPY_PORT, the\n"    \
    "                        running board, the only USB port there is\n"      \
    "  --flash FILE          the running board meant is that of FILE\n"        \
    "                        (wipy.flash)\n"                                   \
    "  -b, -s, --baud N      speed of the data (460800)\n"                     \
    "  --before no_reset     the board is in its loader already\n"             \
    "  --after no_reset      leave it there\n"                                 \
    "  --no-stub             only the commands of the chip's own ROM\n"        \
    "  --json                results as JSON on standard output\n"             \
    "  -q, --quiet           only errors and results\n"

/* Ends a command: prints l->error and gives the exit code. */
int serial_failed(const struct loader *l, int err);

/* Connects and says to what. 0 or an exit code after a message. */
int serial_connect(struct loader *l, const struct serial_args *s);

/* Says to what, after loader_connect(). */
void serial_connected(const struct loader *l, const struct serial_args *s);

json_t *serial_chip_json(const struct loader *l);

#endif
