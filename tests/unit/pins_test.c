/* board/pins, bus/pins: names and levels of the board's lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "board/pins.h"

static void pins_have_three_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int bit;
    } table[] = {
        {"GP28", 28},
        {"P12", 28},
        {"G28", 28},
        {"gp28", 28},
        {"P2", 23},
        {"G23", 23},
        {"GP0", 0},
        {"GP31", 31},
        {"P23", 10},
        {"P0", 2},
        {"GP32", WIPY_ENOENT},
        {"P24", WIPY_ENOENT},
        {"GP", WIPY_ENOENT},
        {"", WIPY_ENOENT},
        {"28", WIPY_ENOENT},
        {"GP-1", WIPY_ENOENT},
        {"GP1x", WIPY_ENOENT},
        {"GP001", WIPY_ENOENT},
        {"P 1", WIPY_ENOENT},
        {"X1", WIPY_ENOENT},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(pin_by_name(table[i].name), table[i].bit);
}

/* One line, GP4: who drives it => its level. */
static void the_strongest_driver_wins(void **state)
{
    (void)state;
    static const struct {
        enum pin_drive outside;
        int dir, out, up, down;
        unsigned level;
    } table[] = {
        {PIN_FREE, 0, 0, 0, 0, 0}, /* floats */
        {PIN_FREE, 0, 1, 0, 0, 0}, /* an input's latch does not drive */
        {PIN_FREE, 0, 0, 1, 0, 1}, {PIN_FREE, 0, 0, 0, 1, 0},
        {PIN_FREE, 0, 0, 1, 1, 0}, {PIN_FREE, 1, 1, 0, 0, 1},
        {PIN_FREE, 1, 0, 1, 0, 0}, {PIN_HIGH, 0, 0, 0, 1, 1},
        {PIN_HIGH, 1, 0, 0, 0, 1}, {PIN_LOW, 1, 1, 1, 0, 0},
        {PIN_LOW, 0, 0, 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct pins pins = {0};
        struct pins_cpu cpu = {
            .out = (uint32_t)table[i].out << 4,
            .dir = (uint32_t)table[i].dir << 4,
            .up = (uint32_t)table[i].up << 4,
            .down = (uint32_t)table[i].down << 4,
        };
        pins_drive(&pins, 4, table[i].outside);
        assert_int_equal(pins_level(&pins, &cpu), table[i].level << 4);
        assert_int_equal(pins_driven(&pins, 4), table[i].outside);
    }
}

static void the_led_is_seen_on_gp25(void **state)
{
    (void)state;
    struct pins pins = {0};
    struct pins_cpu cpu = {.lit = true};
    assert_int_equal(pins_level(&pins, &cpu), 1u << 25);
    cpu.dir = 1u << 25; /* the user's own output, low */
    assert_int_equal(pins_level(&pins, &cpu), 0);
}

static void a_wire_to_ground_is_the_strap(void **state)
{
    (void)state;
    struct pins pins = {0};
    assert_false(pins_strapped(&pins));
    pins_drive(&pins, PIN_LOADER, PIN_HIGH);
    assert_false(pins_strapped(&pins));
    pins_drive(&pins, PIN_LOADER, PIN_LOW);
    assert_true(pins_strapped(&pins));
    pins_drive(&pins, PIN_LOADER, PIN_FREE);
    assert_false(pins_strapped(&pins));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_have_three_names),
        cmocka_unit_test(the_strongest_driver_wins),
        cmocka_unit_test(the_led_is_seen_on_gp25),
        cmocka_unit_test(a_wire_to_ground_is_the_strap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
