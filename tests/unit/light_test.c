/* firmware/light: what the one light shows when several want it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/light.h"

static struct light l;

static uint32_t colour_at(uint64_t now_ms)
{
    return light_tick(&l, now_ms).rgb;
}

static int fresh(void **state)
{
    (void)state;
    light_init(&l, 1000);
    return 0;
}

static void beats_from_its_start(void **state)
{
    (void)state;
    for (uint64_t at = 1000; at < 21000; at++) {
        uint64_t phase = (at - 1000) % LED_BEAT_PERIOD_MS;
        bool on = phase >= LED_BEAT_PERIOD_MS - LED_BEAT_ON_MS;
        assert_int_equal(colour_at(at), on ? LED_BLUE : LED_DARK);
    }
}

/* Called only when it asked to be, it shows the same. */
static void holds_as_long_as_it_says(void **state)
{
    (void)state;
    light_beat_shape(&l, 3, LED_ORANGE);
    uint64_t next = 1000;
    struct led_view v = {0};
    for (uint64_t at = 1000; at < 16000; at++) {
        if (at == next) {
            v = light_tick(&l, at);
            assert_true(v.next_ms > 0);
            next = at + v.next_ms;
        }
        assert_int_equal(colour_at(at), v.rgb);
    }
}

static void the_colour_only_without_the_beat(void **state)
{
    (void)state;
    l.rgb = 0x123456;
    assert_int_equal(colour_at(2000), LED_DARK);
    light_heartbeat(&l, false);
    assert_int_equal(colour_at(5950), 0x123456); /* would be a flash */
    assert_int_equal(light_tick(&l, 5950).next_ms, LED_FOREVER);
    light_heartbeat(&l, true);
    assert_int_equal(colour_at(5950), LED_BLUE); /* in step as before */
}

static void an_error_goes_over_everything(void **state)
{
    (void)state;
    light_heartbeat(&l, false);
    l.rgb = 0x00ff00;
    assert_int_equal(colour_at(3000), 0x00ff00);
    light_error(&l);
    uint32_t before = 0;
    unsigned toggles = 0;
    for (uint64_t at = 3001; at < 3001 + LED_ERROR_MS; at++) {
        uint32_t rgb = colour_at(at);
        assert_true(rgb == LED_RED || rgb == LED_DARK);
        toggles += rgb != before;
        before = rgb;
    }
    assert_int_equal(toggles, 24);
    assert_int_equal(colour_at(3001 + LED_ERROR_MS), 0x00ff00);
}

static void an_error_during_one_begins_afresh(void **state)
{
    (void)state;
    light_error(&l);
    assert_int_equal(colour_at(2000), LED_RED);
    light_error(&l);
    assert_int_equal(colour_at(3000), LED_RED);
    assert_int_equal(colour_at(3000 + LED_ERROR_MS - 60), LED_RED);
    assert_int_equal(colour_at(3000 + LED_ERROR_MS), LED_DARK);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, fresh)
    const struct CMUnitTest tests[] = {
        CASE(beats_from_its_start),
        CASE(holds_as_long_as_it_says),
        CASE(the_colour_only_without_the_beat),
        CASE(an_error_goes_over_everything),
        CASE(an_error_during_one_begins_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
