/* Board time: real time since power-on, scaled by --speed. The same sum as
 * bus_now_us() on the CPU's side (bus/cpu.c). */
#ifndef WIPY_BOARD_CLOCK_H
#define WIPY_BOARD_CLOCK_H

#include <stdint.h>

enum { CLOCK_REAL_TIME = 65536 }; /* `speed` of an unscaled clock */

struct clock {
    uint64_t zero_ns; /* CLOCK_MONOTONIC at power-on */
    uint32_t speed;   /* 65536 = real time */
};

uint64_t clock_monotonic_ns(void);

/* Starts at zero now. */
void clock_start(struct clock *clock, uint32_t speed);

uint64_t clock_us(const struct clock *clock);
uint64_t clock_ms(const struct clock *clock);

/* Real time that `ms` of board time take; at least 1 ms unless `ms` is 0. */
uint64_t clock_real_ms(const struct clock *clock, uint64_t ms);
uint64_t clock_real_ns(const struct clock *clock, uint64_t us);

#endif
