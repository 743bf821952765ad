/* What the light shows, as pure functions of time.
 *
 * A pattern is asked what it shows `since_ms` milliseconds of board time after
 * it began; the answer holds until `next_ms` later. Nothing here waits, so
 * the patterns go on while a script keeps the CPU busy.
 *
 * Spec section 9 and 5.6; the heart-beat is the manual's: once every 5 s for
 * 80 ms. */
#ifndef WIPY_LED_LED_H
#define WIPY_LED_LED_H

#include <stdint.h>

enum led_colour {
    LED_DARK = 0x000000,
    LED_BLUE = 0x000050,   /* heart-beat */
    LED_RED = 0x500000,    /* script error; solid: fatal */
    LED_ORANGE = 0x2c1200, /* safe boot */
};

enum {
    LED_BEAT_PERIOD_MS = 5000,
    LED_BEAT_ON_MS = 80,
    LED_BEAT_GAP_MS = 220, /* from flash to flash of one beat */
    LED_ERROR_TOGGLE_MS = 50,
    LED_ERROR_MS = 1200,
    LED_FOREVER = UINT32_MAX,
};

struct led_view {
    uint32_t rgb;     /* 0xRRGGBB */
    uint32_t next_ms; /* until it may change; LED_FOREVER: it will not */
};

/* The heart-beat: `flashes` flashes of 80 ms at the end of each 5 s. One says
 * that all is well. Safe boot beats in orange, once for the latest image,
 * twice for the previous, three times for factory; an image on trial beats
 * twice in blue. A red beat: another image runs than the selected one, because
 * that one is damaged, or the keys are. */
struct led_view led_beat(uint64_t since_ms, unsigned flashes, uint32_t rgb);

/* A script failed: red, toggled every 50 ms for 1200 ms, then dark for ever:
 * the caller goes back to what it showed before. */
struct led_view led_error(uint64_t since_ms);

#endif
