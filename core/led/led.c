#include "led.h"

#include <stdbool.h>

struct led_view led_beat(uint64_t since_ms, unsigned flashes, uint32_t rgb)
{
    uint32_t t = (uint32_t)(since_ms % LED_BEAT_PERIOD_MS);
    uint32_t length =
        flashes ? (flashes - 1) * LED_BEAT_GAP_MS + LED_BEAT_ON_MS : 0;
    uint32_t begin = LED_BEAT_PERIOD_MS - length;

    if (t < begin)
        return (struct led_view){LED_DARK, begin - t};
    uint32_t in_flash = (t - begin) % LED_BEAT_GAP_MS;
    if (in_flash < LED_BEAT_ON_MS)
        return (struct led_view){rgb, LED_BEAT_ON_MS - in_flash};
    return (struct led_view){LED_DARK, LED_BEAT_GAP_MS - in_flash};
}

struct led_view led_error(uint64_t since_ms)
{
    if (since_ms >= LED_ERROR_MS)
        return (struct led_view){LED_DARK, LED_FOREVER};
    uint32_t t = (uint32_t)since_ms;
    uint32_t left = LED_ERROR_TOGGLE_MS - t % LED_ERROR_TOGGLE_MS;
    bool on = t / LED_ERROR_TOGGLE_MS % 2 == 0;
    return (struct led_view){on ? LED_RED : LED_DARK, left};
}
