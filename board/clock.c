#include "clock.h"

#include <time.h>

uint64_t clock_monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void clock_start(struct clock *clock, uint32_t speed)
{
    *clock = (struct clock){.zero_ns = clock_monotonic_ns(), .speed = speed};
}

uint64_t clock_us(const struct clock *clock)
{
    uint64_t us = (clock_monotonic_ns() - clock->zero_ns) / 1000;
    return (us >> 16) * clock->speed + ((us & 0xffff) * clock->speed >> 16);
}

uint64_t clock_ms(const struct clock *clock)
{
    return clock_us(clock) / 1000;
}

uint64_t clock_real_ms(const struct clock *clock, uint64_t ms)
{
    return (ms * CLOCK_REAL_TIME + clock->speed - 1) / clock->speed;
}

uint64_t clock_real_ns(const struct clock *clock, uint64_t us)
{
    uint64_t scaled = us * CLOCK_REAL_TIME;
    return scaled / clock->speed * 1000u +
           scaled % clock->speed * 1000u / clock->speed;
}
