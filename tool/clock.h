/* Monotonic time and sleep of the tool. */
#ifndef WIPY_TOOL_CLOCK_H
#define WIPY_TOOL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static inline uint64_t clock_now_ms(void)
{
    return clock_now_us() / 1000;
}

static inline void clock_sleep_ms(uint32_t ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000),
                         .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) < 0) {
    }
}

#endif
