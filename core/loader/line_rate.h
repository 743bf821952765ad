/* The speed of a serial line as a token bucket (`--baud-real`).
 *
 * One direction of one line: how many bytes may pass by now. Ten bits a byte
 * (8N1). An idle line saves up at most LINE_RATE_BURST_US worth of bytes. A
 * line that bytes wait for is never idle: what a late caller did not carry
 * (a coarse timer, a loaded host) is carried later, up to LINE_RATE_LATE_US
 * of it. */
#ifndef WIPY_LOADER_LINE_RATE_H
#define WIPY_LOADER_LINE_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_RATE_BURST_US = 4000, LINE_RATE_LATE_US = 250000 };

struct line_rate {
    uint32_t baud; /* 0 = unlimited */
    bool wanted;   /* bytes had to wait the last time */
    uint64_t last_us;
    uint64_t credit; /* in 1e-6 bit */
};

void line_rate_init(struct line_rate *l, uint32_t baud);
void line_rate_set(struct line_rate *l, uint32_t baud, uint64_t now_us);

/* Bytes that may pass at `now_us`, at most `want`. */
size_t line_rate_allow(struct line_rate *l, size_t want, uint64_t now_us);

/* They passed: takes them from the bucket. */
void line_rate_spend(struct line_rate *l, size_t len);

/* Microseconds until at least `want` bytes (or a full burst) may pass; 0 =
 * now. */
uint64_t line_rate_wait_us(const struct line_rate *l, size_t want);

#endif
