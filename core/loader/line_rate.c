#include "loader/line_rate.h"

/* 8N1: a start bit, eight data bits, a stop bit. */
enum { BITS_PER_BYTE = 10 };
#define UNITS_PER_BYTE ((uint64_t)BITS_PER_BYTE * 1000000)

void line_rate_init(struct line_rate *l, uint32_t baud)
{
    *l = (struct line_rate){.baud = baud};
}

/* Credit of so much time; never less than a byte, or a slow line would never
 * pass one. */
static uint64_t credit_of(const struct line_rate *l, uint64_t us)
{
    uint64_t units = l->baud * us;
    return units < UNITS_PER_BYTE ? UNITS_PER_BYTE : units;
}

static void limit(struct line_rate *l)
{
    uint64_t most =
        credit_of(l, l->wanted ? LINE_RATE_LATE_US : LINE_RATE_BURST_US);
    if (l->credit > most)
        l->credit = most;
}

static void refill(struct line_rate *l, uint64_t now_us)
{
    uint64_t gone = now_us > l->last_us ? now_us - l->last_us : 0;
    l->last_us = now_us;
    if (gone > 10000000) /* longer than any burst; keeps the product small */
        gone = 10000000;
    l->credit += gone * l->baud;
    limit(l);
}

void line_rate_set(struct line_rate *l, uint32_t baud, uint64_t now_us)
{
    refill(l, now_us);
    l->baud = baud;
    l->wanted = false;
    limit(l);
}

size_t line_rate_allow(struct line_rate *l, size_t want, uint64_t now_us)
{
    if (l->baud == 0)
        return want;
    refill(l, now_us);
    uint64_t bytes = l->credit / UNITS_PER_BYTE;
    l->wanted = bytes < want;
    return l->wanted ? (size_t)bytes : want;
}

void line_rate_spend(struct line_rate *l, size_t len)
{
    if (l->baud == 0)
        return;
    uint64_t cost = (uint64_t)len * UNITS_PER_BYTE;
    l->credit = l->credit > cost ? l->credit - cost : 0;
}

uint64_t line_rate_wait_us(const struct line_rate *l, size_t want)
{
    if (l->baud == 0)
        return 0;
    uint64_t need = (uint64_t)want * UNITS_PER_BYTE;
    uint64_t most = credit_of(l, LINE_RATE_BURST_US);
    if (need > most)
        need = most;
    if (need <= l->credit)
        return 0;
    return (need - l->credit + l->baud - 1) / l->baud;
}
