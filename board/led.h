/* The LED as somebody watching it sees it: every change with its time on the
 * board's clock, the last few hundred kept, and what the pattern means.
 * Pure. */
#ifndef WIPY_BOARD_LED_H
#define WIPY_BOARD_LED_H

#include <stdint.h>

enum { LED_HISTORY = 512 };

struct led_change {
    uint64_t ms; /* board time */
    uint32_t rgb;
};

struct led {
    uint32_t rgb;
    uint64_t changes; /* so far; the last LED_HISTORY are in `ring` */
    struct led_change ring[LED_HISTORY];
};

void led_init(struct led *led);

/* Shows `rgb` from `now_ms` on. True when that is a change. */
int led_show(struct led *led, uint32_t rgb, uint64_t now_ms);

/* Number of changes kept, and the `nth` of them, oldest first. */
unsigned led_kept(const struct led *led);
struct led_change led_at(const struct led *led, unsigned nth);

/* "dark", "on", "heartbeat", "error", "blinking": what a watcher would call
 * it at `now_ms`. Never NULL. */
const char *led_pattern(const struct led *led, uint64_t now_ms);

#endif
