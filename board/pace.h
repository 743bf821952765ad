/* The serial line at its real speed (`wipy run --baud-real`): how many bytes
 * may pass now in each direction, and a call when more may. Off, everything
 * passes at once. Real time: a cable knows nothing of --speed. */
#ifndef WIPY_BOARD_PACE_H
#define WIPY_BOARD_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "loader/line_rate.h"

enum { PACE_BAUD_AT_RESET = 115200 };

struct pace {
    bool real;
    struct line_rate in, out; /* to the board, from it */
    uv_timer_t timer;
    void (*again)(void *ctx);
    void *ctx;
};

/* `again` is called on the loop when bytes that did not pass may do so. */
void pace_init(struct pace *pace, uv_loop_t *loop, void (*again)(void *ctx),
               void *ctx);

/* The speed of both directions from now on; nothing unless `real`. */
void pace_set(struct pace *pace, uint32_t baud);

/* Of `want` bytes, how many may pass now; `rate` is &pace->in or ->out. What
 * passed is told by pace_spend. */
size_t pace_allow(struct pace *pace, struct line_rate *rate, size_t want);
void pace_spend(struct pace *pace, struct line_rate *rate, size_t len);

#endif
