/* firmware/settings and firmware/radio: what is remembered, and what is said
 * when it cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "firmware/radio.h"
#include "firmware/settings.h"
#include "tests/sim/fs_chip.h"

enum { SIZE = 0x7000 };

static struct storage storage;
static struct fs_chip chip;
static struct settings s;
static const struct partition nvs = {.off = 0, .size = SIZE};

/* A start of the board. */
static int start(void)
{
    return settings_open(&s, &storage, &chip.flash, &nvs);
}

static int set_up(void **state)
{
    (void)state;
    static bool started;
    if (!started && storage_start(&storage))
        return -1;
    started = true;
    fs_chip_make(&chip, SIZE);
    return start();
}

static int tear_down(void **state)
{
    (void)state;
    fs_chip_free(&chip);
    return 0;
}

/* As on the first generation. */
static void forgotten(void **state)
{
    (void)state;
    char text[32];
    bool on = true;
    assert_int_equal(settings_set(&s, "ssid_ap", "barn"), 0);
    settings_forget(&s);
    assert_int_equal(settings_get(&s, "ssid_ap", text, sizeof text),
                     WIPY_ENOENT);
    assert_int_equal(settings_flag(&s, "heartbeat", &on), 0);
    assert_true(on);
    struct login_store store = settings_login_store(&s);
    uint8_t record[LOGIN_RECORD];
    assert_int_equal(store.load(store.ctx, record), WIPY_ENOENT);
    assert_null(store.save);
    assert_int_equal(start(), 0);
    assert_non_null(settings_login_store(&s).save);
    assert_int_equal(settings_get(&s, "ssid_ap", text, sizeof text), 4);
}

static void kept_over_a_start(void **state)
{
    (void)state;
    char text[32];
    bool on = true;
    assert_int_equal(settings_get(&s, "ssid_ap", text, sizeof text),
                     WIPY_ENOENT);
    assert_int_equal(settings_set(&s, "ssid_ap", "barn"), 0);
    assert_int_equal(settings_set(&s, "wdt_on_boot", "1"), 0);
    assert_int_equal(settings_set(&s, "wdt_on_boot_timeout", "8000"), 0);
    assert_int_equal(settings_set_flag(&s, "heartbeat", false), 0);
    assert_int_equal(start(), 0);
    assert_false(s.damaged);
    assert_int_equal(settings_get(&s, "ssid_ap", text, sizeof text), 4);
    assert_string_equal(text, "barn");
    settings_get(&s, "wdt_on_boot", text, sizeof text);
    assert_string_equal(text, "1");
    settings_get(&s, "wdt_on_boot_timeout", text, sizeof text);
    assert_string_equal(text, "8000");
    assert_int_equal(settings_flag(&s, "heartbeat", &on), 0);
    assert_false(on);
    assert_int_equal(settings_set(&s, "ssid_ap", ""), 0); /* erases it */
    assert_int_equal(settings_set(&s, "ssid_ap", ""), 0);
    assert_int_equal(settings_get(&s, "ssid_ap", text, sizeof text),
                     WIPY_ENOENT);
}

static void a_flag_never_set_stays_as_it_is(void **state)
{
    (void)state;
    bool on = true, off = false;
    assert_int_equal(settings_flag(&s, "heartbeat", &on), 0);
    assert_int_equal(settings_flag(&s, "heartbeat", &off), 0);
    assert_true(on);
    assert_false(off);
}

static void the_board_and_the_user_do_not_meet(void **state)
{
    (void)state;
    struct vm_value v = {.is_int = true, .number = -7}, got;
    bool on = true;
    settings_set_flag(&s, "heartbeat", false);
    assert_int_equal(settings_user_set(&s, "heartbeat", &v), 0);
    settings_flag(&s, "heartbeat", &on);
    assert_false(on);
    v = (struct vm_value){.len = 3, .bytes = "abc"};
    assert_int_equal(settings_user_set(&s, "text", &v), 0);
    assert_int_equal(settings_user_get(&s, "heartbeat", &got), 0);
    assert_true(got.is_int && got.number == -7);
    assert_int_equal(settings_user_get(&s, "text", &got), 0);
    assert_int_equal(got.len, 3);
    assert_memory_equal(got.bytes, "abc", 3);
    assert_int_equal(settings_user_erase(&s, "text"), 0);
    assert_int_equal(settings_user_erase(&s, "text"), WIPY_ENOENT);
    assert_int_equal(settings_user_erase_all(&s), 0);
    assert_int_equal(settings_user_get(&s, "heartbeat", &got), WIPY_ENOENT);
    on = true;
    settings_flag(&s, "heartbeat", &on);
    assert_false(on); /* erase_all is the user's only */
}

static void the_login_is_a_record(void **state)
{
    (void)state;
    struct login_store store = settings_login_store(&s);
    uint8_t in[LOGIN_RECORD], out[LOGIN_RECORD];
    assert_int_equal(store.load(store.ctx, out), WIPY_ENOENT);
    memset(in, 0x5a, sizeof in);
    assert_int_equal(store.save(store.ctx, in), 0);
    assert_int_equal(start(), 0);
    assert_int_equal(store.load(store.ctx, out), 0);
    assert_memory_equal(in, out, sizeof in);
    settings_set(&s, "login", "short");
    assert_int_equal(store.load(store.ctx, out), WIPY_ECORRUPT);
}

/* ---- trouble ---- */

/* Every call says so, none takes a default for the truth. */
static void without_a_store(void **state)
{
    (void)state;
    char text[8];
    bool on = true;
    struct vm_value v = {.is_int = true};
    assert_int_equal(settings_open(&s, &storage, &chip.flash, NULL),
                     WIPY_ENOTSUP);
    assert_int_equal(settings_set(&s, "a", "1"), WIPY_ENOTSUP);
    assert_int_equal(settings_set_flag(&s, "a", true), WIPY_ENOTSUP);
    assert_int_equal(settings_get(&s, "a", text, sizeof text), WIPY_ENOTSUP);
    assert_int_equal(settings_flag(&s, "a", &on), WIPY_ENOTSUP);
    assert_int_equal(settings_user_set(&s, "a", &v), WIPY_ENOTSUP);
}

static void a_value_of_another_kind(void **state)
{
    (void)state;
    char text[8];
    bool on = true;
    settings_set(&s, "heartbeat", "text");
    assert_int_equal(settings_flag(&s, "heartbeat", &on), WIPY_EFORMAT);
    assert_true(on);
    settings_set(&s, "long", "a value that is too long");
    assert_int_equal(settings_get(&s, "long", text, sizeof text), WIPY_ENOMEM);
}

static const char *const names[] = {"ssid_ap", "pwd_ap", "wdt_on_boot"};

static bool all_there(void)
{
    char text[32];
    for (unsigned i = 0; i < 3; i++)
        if (settings_get(&s, names[i], text, sizeof text) < 0 ||
            strcmp(text, "a value of some length") != 0)
            return false;
    return true;
}

/* A bit of any record but the last: nothing is lost, or it is said. */
static void damage_is_said(void **state)
{
    (void)state;
    unsigned losses = 0;
    for (unsigned i = 0; i < 3; i++)
        settings_set(&s, names[i], "a value of some length");
    settings_set_flag(&s, "heartbeat", false);
    size_t used = SIZE;
    while (used && chip.chip.cells[used - 1] == 0xff)
        used--;
    const size_t header = 16, last = 8 + 9 + 4 + 4 + 3;
    for (size_t at = header; at < used - last; at++)
        for (unsigned bit = 0; bit < 8; bit += 3) {
            chip.chip.cells[at] ^= (uint8_t)(1u << bit);
            assert_int_equal(start(), 0);
            assert_true(s.damaged || all_there());
            losses += s.damaged;
            chip.chip.cells[at] ^= (uint8_t)(1u << bit);
        }
    assert_true(losses > 300);
    assert_int_equal(start(), 0);
    assert_false(s.damaged);
}

/* ---- radio ---- */

static const struct vm_wlan manual = {.mode = 2,
                                      .auth = 3,
                                      .channel = 5,
                                      .ssid = "wipy-wlan-1234",
                                      .key = "www.wipy.io"};

static void the_access_point(void **state)
{
    (void)state;
    struct radio r;
    assert_int_equal(radio_init(&r, manual, &s), 0);
    assert_string_equal(r.wlan.ssid, "wipy-wlan-1234");
    settings_set(&s, "ssid_ap", "barn");
    settings_set(&s, "pwd_ap", "hayloft42");
    assert_int_equal(radio_init(&r, manual, &s), 0);
    assert_string_equal(r.wlan.ssid, "barn");
    assert_string_equal(r.wlan.key, "hayloft42");
    settings_set(&s, "pwd_ap", "short");
    assert_int_equal(radio_init(&r, manual, &s), WIPY_ECORRUPT);
    assert_string_equal(r.wlan.key, "www.wipy.io");
}

static void what_the_radio_refuses(void **state)
{
    (void)state;
    struct radio r = {manual};
    char why[100];
    struct {
        struct vm_wlan wlan;
        int err;
    } cases[] = {
        {{.mode = 0, .ssid = "x"}, WIPY_ENOTSUP},
        {{.mode = 1, .ssid = "x"}, WIPY_ENOTSUP},
        {{.mode = 3, .ssid = "x"}, WIPY_ENOTSUP},
        {{.mode = 2, .ssid = ""}, WIPY_EINVAL},
        {{.mode = 2, .ssid = "x", .auth = 3, .key = "1234567"}, WIPY_EINVAL},
        {{.mode = 2, .ssid = "x", .auth = 2, .key = ""}, WIPY_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        why[0] = 0;
        assert_int_equal(radio_set(&r, &cases[i].wlan, why, sizeof why),
                         cases[i].err);
        assert_true(strlen(why) > 10);
        assert_memory_equal(&r.wlan, &manual, sizeof manual);
    }
    struct vm_wlan open = {.mode = 2, .ssid = "x"};
    assert_int_equal(radio_set(&r, &open, why, sizeof why), 0);
    assert_string_equal(r.wlan.ssid, "x");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(forgotten),
        CASE(kept_over_a_start),
        CASE(a_flag_never_set_stays_as_it_is),
        CASE(the_board_and_the_user_do_not_meet),
        CASE(the_login_is_a_record),
        CASE(without_a_store),
        CASE(a_value_of_another_kind),
        CASE(damage_is_said),
        CASE(the_access_point),
        CASE(what_the_radio_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
