/* board/led, board/screen, board/clock, board/efuse, board/chip_file. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "board/chip_file.h"
#include "board/clock.h"
#include "board/efuse.h"
#include "board/led.h"
#include "board/screen.h"
#include "led/led.h"

/* ---- the LED ---- */

static struct led led;

static uint64_t beat(uint64_t at)
{
    led_show(&led, LED_BLUE, at);
    led_show(&led, LED_DARK, at + 80);
    return at + 5000;
}

static void patterns_are_recognized(void **state)
{
    (void)state;
    led_init(&led);
    assert_string_equal(led_pattern(&led, 100), "dark");
    uint64_t t = beat(beat(beat(5000)));
    assert_string_equal(led_pattern(&led, t - 1000), "heartbeat");
    led_show(&led, LED_BLUE, t);
    assert_string_equal(led_pattern(&led, t + 40), "heartbeat");
    led_show(&led, LED_DARK, t + 80);
    assert_string_equal(led_pattern(&led, t + 80 + 7000), "dark");
    led_show(&led, 0x00ff00, t + 10000);
    assert_string_equal(led_pattern(&led, t + 20000), "on");
    t += 30000;
    for (int i = 0; i < 10; i++)
        led_show(&led, i % 2 ? LED_RED : LED_DARK, t + (uint64_t)i * 50);
    assert_string_equal(led_pattern(&led, t + 460), "error");
    t += 30000;
    for (int i = 0; i < 6; i++)
        led_show(&led, i % 2 ? LED_DARK : LED_ORANGE, t + (uint64_t)i * 500);
    assert_string_equal(led_pattern(&led, t + 2600), "blinking");
}

static void the_last_changes_are_kept(void **state)
{
    (void)state;
    led_init(&led);
    assert_int_equal(led_kept(&led), 0);
    assert_false(led_show(&led, 0, 5)); /* no change */
    for (uint32_t i = 1; i <= LED_HISTORY + 10; i++)
        assert_true(led_show(&led, i, i));
    assert_int_equal(led_kept(&led), LED_HISTORY);
    assert_int_equal(led_at(&led, 0).ms, 11);
    assert_int_equal(led_at(&led, LED_HISTORY - 1).ms, LED_HISTORY + 10);
    assert_int_equal(led.changes, LED_HISTORY + 10);
}

/* ---- the status line ---- */

static void text_is_not_cut_in_the_middle(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool between;
    } table[] = {
        {"abc", true},
        {"\033", false},
        {"\033[1", false},
        {"\033[1m", true},
        {"\033]0;tit", false},
        {"\033]0;tit\007", true},
        {"\033]0;t\033\\", true},
        {"\303", false},
        {"\303\244", true},
        {"\360\237\230", false},
        {"\360\237\230\200", true},
        {"\033(", false},
        {"\033(B", true},
        {"\0337", true},
        {"\303a", true}, /* not UTF-8: no trouble either */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct screen s = {0};
        /* byte by byte and at once must be the same */
        screen_text(&s, (const uint8_t *)table[i].text, strlen(table[i].text));
        assert_int_equal(screen_is_between(&s), table[i].between);
        struct screen one = {0};
        for (const char *p = table[i].text; *p; p++)
            screen_text(&one, (const uint8_t *)p, 1);
        assert_int_equal(screen_is_between(&one), table[i].between);
    }
}

static void the_line_is_drawn_at_the_bottom(void **state)
{
    (void)state;
    struct screen s = {.rows = 24, .columns = 30};
    struct screen_status status = {.rgb = 0x000050,
                                   .text = "0123456789012345678901234567890"};
    char bytes[SCREEN_DRAW_MAX];
    size_t len = screen_draw(&s, &status, bytes);
    assert_true(len > 0 && len < SCREEN_DRAW_MAX);
    bytes[len] = 0;
    assert_non_null(strstr(bytes, "\0337\033[24;1H")); /* saved, bottom */
    assert_non_null(strstr(bytes, "38;5;21m"));        /* bright blue */
    assert_non_null(strstr(bytes, "01234567890123456789012345\033")); /* cut */
    assert_string_equal(bytes + len - 2, "\0338"); /* restored */
    s.rows = 3;
    assert_int_equal(screen_draw(&s, &status, bytes), 0);
    assert_int_equal(screen_begin(&s, bytes), 0);
    s.rows = 24;
    len = screen_begin(&s, bytes);
    bytes[len] = 0;
    assert_non_null(strstr(bytes, "\033[1;23r"));
}

/* ---- time ---- */

static void board_time_is_scaled(void **state)
{
    (void)state;
    struct clock clock;
    clock_start(&clock, 50 * CLOCK_REAL_TIME);
    assert_int_equal(clock_real_ms(&clock, 4000), 80);
    assert_int_equal(clock_real_ms(&clock, 1), 1); /* never at once */
    assert_int_equal(clock_real_ms(&clock, 0), 0);
    assert_int_equal(clock_real_ns(&clock, 400), 8000);
    usleep(20000);
    assert_in_range(clock_ms(&clock), 1000, 100000);
    clock_start(&clock, CLOCK_REAL_TIME / 2);
    assert_int_equal(clock_real_ms(&clock, 100), 200);
    clock.zero_ns -= 3600ull * 24 * 365 * 1000000000u; /* a year ago */
    assert_in_range(clock_ms(&clock), 1800ull * 24 * 365 * 1000,
                    1800ull * 24 * 365 * 1000 + 1000);
}

/* ---- files ---- */

static char folder[] = "/tmp/wipy-unit-XXXXXX";
static char path[100];

static const char *file(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void make_file(const char *name, off_t size, int byte)
{
    FILE *f = fopen(file(name), "wb");
    for (off_t i = 0; byte && i < size; i++)
        fputc(byte, f);
    fclose(f);
    assert_int_equal(truncate(path, size), 0);
}

static void a_seed_gives_the_same_address(void **state)
{
    (void)state;
    struct efuse first, second;
    struct problem problem;
    char text[18];
    assert_int_equal(efuse_open(&first, file("a"), true, 5, &problem), 0);
    assert_int_equal(efuse_open(&second, file("b"), true, 5, &problem), 0);
    assert_memory_equal(first.mac, second.mac, 6);
    assert_int_equal(efuse_open(&second, file("c"), true, 6, &problem), 0);
    assert_memory_not_equal(first.mac, second.mac, 6);
    efuse_mac_text(&first, text);
    assert_memory_equal(text, "24:0a:c4:", 9);
    /* It stays, whatever the seed. */
    assert_int_equal(efuse_open(&second, file("a"), true, 99, &problem), 0);
    assert_memory_equal(first.words, second.words, sizeof first.words);
    assert_memory_equal(first.mac, second.mac, 6);
}

static void a_broken_efuse_file_is_left_alone(void **state)
{
    (void)state;
    static const char *const broken[] = {"", "{", "[]", "{\"words\":[]}",
                                         "{\"words\":[\"0x0\"]}"};
    struct efuse efuse;
    struct problem problem;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        FILE *f = fopen(file("x.efuse"), "w");
        fputs(broken[i], f);
        fclose(f);
        assert_int_equal(efuse_open(&efuse, file("x"), false, 0, &problem),
                         WIPY_EFORMAT);
        assert_non_null(strstr(problem.text, "x.efuse"));
        struct stat st;
        assert_int_equal(stat(file("x.efuse"), &st), 0);
        assert_int_equal(st.st_size, strlen(broken[i]));
    }
}

static void a_chip_file_is_locked_and_checked(void **state)
{
    (void)state;
    struct chip_file one, two;
    struct problem problem;
    make_file("good", CHIP_SIZE_4M, 0xff);
    assert_int_equal(chip_file_open(&one, file("good"), 0, &problem), 0);
    assert_int_equal(one.size, CHIP_SIZE_4M);
    assert_int_equal(chip_file_open(&two, file("good"), 0, &problem),
                     WIPY_EBUSY);
    assert_non_null(strstr(problem.text, "in use"));
    one.cells[5] = 0x12;
    assert_int_equal(chip_file_sync(&one), 0);
    chip_file_close(&one);
    assert_int_equal(chip_file_open(&two, file("good"), 0, &problem), 0);
    assert_int_equal(two.cells[5], 0x12);
    chip_file_close(&two);
    assert_int_equal(chip_file_open(&two, file("good"), CHIP_SIZE_8M, &problem),
                     WIPY_EFORMAT);
}

static void what_is_no_chip_is_refused(void **state)
{
    (void)state;
    struct chip_file chip;
    struct problem problem;
    make_file("short", 1000, 0xff);
    assert_int_equal(chip_file_open(&chip, file("short"), 0, &problem),
                     WIPY_EFORMAT);
    assert_non_null(strstr(problem.text, "1000 bytes"));
    make_file("zeros", CHIP_SIZE_8M, 0);
    assert_int_equal(chip_file_open(&chip, file("zeros"), 0, &problem),
                     WIPY_EFORMAT);
    assert_non_null(strstr(problem.text, "zeros"));
    assert_int_equal(chip_file_open(&chip, folder, 0, &problem), WIPY_EFORMAT);
    /* The folder that is missing; or there are no images beside a test. */
    assert_true(chip_file_open(&chip, file("no/such/f"), 0, &problem) < 0);
    assert_true(strlen(problem.text) > 20);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_recognized),
        cmocka_unit_test(the_last_changes_are_kept),
        cmocka_unit_test(text_is_not_cut_in_the_middle),
        cmocka_unit_test(the_line_is_drawn_at_the_bottom),
        cmocka_unit_test(board_time_is_scaled),
        cmocka_unit_test(a_seed_gives_the_same_address),
        cmocka_unit_test(a_broken_efuse_file_is_left_alone),
        cmocka_unit_test(a_chip_file_is_locked_and_checked),
        cmocka_unit_test(what_is_no_chip_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
