/* The light of the running firmware: heart-beat, the script's colour, the
 * error signal. Requests come from any thread; the loop calls light_tick. */
#ifndef WIPY_FIRMWARE_LIGHT_H
#define WIPY_FIRMWARE_LIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "led/led.h"

struct light {
    uint64_t start_ms;         /* the heart-beat counts from here */
    uint64_t error_ms;         /* the error signal began, loop only */
    unsigned errors_shown;     /* loop only */
    _Atomic unsigned errors;   /* requested so far */
    _Atomic bool beating;      /* heart-beat on */
    _Atomic uint32_t rgb;      /* shown while the heart-beat is off */
    _Atomic unsigned flashes;  /* of one beat: see led_beat() */
    _Atomic uint32_t beat_rgb; /* colour of the beat */
};

void light_init(struct light *l, uint64_t now_ms);

/* What it shows at `now_ms` of board time, and how long that holds. */
struct led_view light_tick(struct light *l, uint64_t now_ms);

void light_heartbeat(struct light *l, bool on);
void light_error(struct light *l);

/* How one beat looks from now on: image on trial, safe boot. */
void light_beat_shape(struct light *l, unsigned flashes, uint32_t rgb);

#endif
