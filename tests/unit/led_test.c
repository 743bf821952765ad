/* core/led: the patterns, millisecond by millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "led/led.h"

/* Milliseconds of light in the first `ms` of a beat, and the flashes. */
static unsigned lit(unsigned ms, unsigned flashes, unsigned *count)
{
    unsigned on = 0;
    uint32_t before = 0;
    *count = 0;
    for (unsigned t = 0; t < ms; t++) {
        uint32_t rgb = led_beat(t, flashes, LED_BLUE).rgb;
        on += rgb != 0;
        *count += rgb && !before;
        before = rgb;
    }
    return on;
}

static void heart_beats_once_every_5_s_for_80_ms(void **state)
{
    (void)state;
    unsigned count;
    assert_int_equal(lit(5000, 1, &count), 80);
    assert_int_equal(count, 1);
    assert_int_equal(lit(50000, 1, &count), 800);
    assert_int_equal(count, 10);
    assert_int_equal(led_beat(0, 1, LED_BLUE).rgb, LED_DARK);
    assert_int_equal(led_beat(0, 1, LED_BLUE).next_ms, 4920);
    assert_int_equal(led_beat(4920, 1, LED_BLUE).rgb, LED_BLUE);
    assert_int_equal(led_beat(4920, 1, LED_BLUE).next_ms, 80);
}

static void flashes_can_be_counted(void **state)
{
    (void)state;
    unsigned count;
    assert_int_equal(lit(5000, 3, &count), 240);
    assert_int_equal(count, 3);
}

static void next_change_is_never_missed(void **state)
{
    (void)state;
    for (unsigned t = 0; t < 10000; t++) {
        struct led_view now = led_beat(t, 2, LED_BLUE);
        for (unsigned k = 1; k < now.next_ms; k += 7)
            assert_int_equal(led_beat(t + k, 2, LED_BLUE).rgb, now.rgb);
    }
}

static void script_error_toggles_24_times(void **state)
{
    (void)state;
    unsigned toggles = 1; /* dark to red at the start */
    for (unsigned t = 1; t < 1300; t++)
        toggles += led_error(t).rgb != led_error(t - 1).rgb;
    assert_int_equal(toggles, 24);
    assert_int_equal(led_error(0).rgb, LED_RED);
    assert_int_equal(led_error(49).next_ms, 1);
    assert_int_equal(led_error(1200).next_ms, LED_FOREVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heart_beats_once_every_5_s_for_80_ms),
        cmocka_unit_test(flashes_can_be_counted),
        cmocka_unit_test(next_change_is_never_missed),
        cmocka_unit_test(script_error_toggles_24_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
