#include "firmware/light.h"

void light_init(struct light *l, uint64_t now_ms)
{
    l->start_ms = now_ms;
    l->error_ms = 0;
    l->errors_shown = 0;
    atomic_init(&l->errors, 0);
    atomic_init(&l->beating, true);
    atomic_init(&l->rgb, LED_DARK);
    light_beat_shape(l, 1, LED_BLUE);
}

struct led_view light_tick(struct light *l, uint64_t now_ms)
{
    if (l->errors_shown != l->errors) {
        l->errors_shown = l->errors;
        l->error_ms = now_ms;
    }
    if (l->errors_shown) {
        struct led_view error = led_error(now_ms - l->error_ms);
        if (error.next_ms != LED_FOREVER)
            return error;
    }
    if (l->beating)
        return led_beat(now_ms - l->start_ms, l->flashes, l->beat_rgb);
    return (struct led_view){l->rgb, LED_FOREVER};
}

void light_heartbeat(struct light *l, bool on)
{
    l->beating = on;
}

void light_error(struct light *l)
{
    l->errors++;
}

void light_beat_shape(struct light *l, unsigned flashes, uint32_t rgb)
{
    l->flashes = flashes;
    l->beat_rgb = rgb;
}
