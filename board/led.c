#include "board/led.h"

#include "led/led.h"

/* A pattern is over when nothing changed for a little more than the longest
 * of them, the heart-beat's period. */
enum { STILL_MS = LED_BEAT_PERIOD_MS + 500, BLINK_MS = 1500, SLACK_MS = 30 };

void led_init(struct led *led)
{
    led->rgb = 0;
    led->changes = 0;
}

int led_show(struct led *led, uint32_t rgb, uint64_t now_ms)
{
    if (rgb == led->rgb)
        return 0;
    led->rgb = rgb;
    led->ring[led->changes++ % LED_HISTORY] =
        (struct led_change){.ms = now_ms, .rgb = rgb};
    return 1;
}

unsigned led_kept(const struct led *led)
{
    return led->changes < LED_HISTORY ? (unsigned)led->changes : LED_HISTORY;
}

struct led_change led_at(const struct led *led, unsigned nth)
{
    uint64_t first = led->changes - led_kept(led);
    return led->ring[(first + nth) % LED_HISTORY];
}

/* How long the last but `back`-th change held, 0 when unknown. */
static uint64_t held_ms(const struct led *led, unsigned back)
{
    unsigned kept = led_kept(led);
    if (back + 2 > kept)
        return 0;
    return led_at(led, kept - 1 - back).ms - led_at(led, kept - 2 - back).ms;
}

static int is_about(uint64_t ms, uint64_t want)
{
    return ms + SLACK_MS >= want && ms <= want + SLACK_MS;
}

const char *led_pattern(const struct led *led, uint64_t now_ms)
{
    const char *still = led->rgb ? "on" : "dark";
    unsigned kept = led_kept(led);
    if (kept < 2)
        return still;
    uint64_t since = now_ms - led_at(led, kept - 1).ms;
    if (since > STILL_MS)
        return still;
    if (led->rgb == 0 && is_about(held_ms(led, 0), LED_BEAT_ON_MS))
        return "heartbeat";
    if (since > BLINK_MS)
        return still;
    if (is_about(held_ms(led, 0), LED_ERROR_TOGGLE_MS) &&
        (led->rgb == LED_RED || led_at(led, kept - 2).rgb == LED_RED))
        return "error";
    if (led->rgb && since <= LED_BEAT_ON_MS + SLACK_MS &&
        held_ms(led, 0) > BLINK_MS)
        return "heartbeat";
    return held_ms(led, 0) && held_ms(led, 0) <= BLINK_MS ? "blinking" : still;
}
