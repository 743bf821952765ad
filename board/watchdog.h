/* The watchdog: armed by the CPU, never disarmed but by a reset, fed by any
 * change of its feed register. Time is board time. */
#ifndef WIPY_BOARD_WATCHDOG_H
#define WIPY_BOARD_WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "board/clock.h"

struct watchdog {
    const struct clock *clock;
    const _Atomic uint32_t *feed;
    void (*bites)(void *ctx);
    void *ctx;
    uv_timer_t timer;
    uint32_t timeout_ms; /* 0 = not armed */
    uint32_t seen;       /* value of the register */
    uint64_t fed_ms;     /* when it was seen to change */
};

void watchdog_init(struct watchdog *dog, uv_loop_t *loop,
                   const struct clock *clock, const _Atomic uint32_t *feed,
                   void (*bites)(void *ctx), void *ctx);

/* Bites when it was not fed for `timeout_ms`; looks eight times in that time,
 * so it bites at most an eighth late and never early. Arming again changes
 * the time-out. WIPY_EINVAL for 0. */
int watchdog_arm(struct watchdog *dog, uint32_t timeout_ms);

/* Reset and power-off do this. */
void watchdog_disarm(struct watchdog *dog);

#endif
