/* core/telnet: the dialogue to the byte, options in any segmentation, slow
 * clients, time. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "telnet/telnet.h"

#define BANNER "MicroPython 1.27 on 2026-11-21; WiPy with ESP32"
#define ASK                                                                    \
    "\xff\xfc\x01\xff\xfc\x03\xff\xfb\x22"                                     \
    "Login as: "
#define ASK_PASSWORD                                                           \
    "Password: "                                                               \
    "\xff\xfb\x01\xff\xfc\x03\xff\xfb\x22"
#define WELCOME                                                                \
    "\xff\xfb\x01\xff\xfb\x03\xff\xfc\x22\r\nLogin succeeded!\r\n"             \
    "Type \"help()\" for more information.\r\n"

static struct {
    struct telnet t;
    uint64_t now_ms;
    char out[1 << 16];
    size_t out_len;
    char input[1 << 16]; /* of the prompt */
    size_t input_len, input_room;
    uint64_t wait_until;
    bool entered, ended, boots;
    unsigned boot_keys;
} w;

static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    size_t room = w.input_room - w.input_len;
    len = len < room ? len : room;
    memcpy(w.input + w.input_len, data, len);
    w.input_len += len;
    return len;
}

static uint64_t login_wait(void *ctx)
{
    (void)ctx;
    return w.wait_until > w.now_ms ? w.wait_until - w.now_ms : 0;
}

static enum telnet_verdict login(void *ctx, const char *user, size_t user_len,
                                 const char *password, size_t password_len)
{
    (void)ctx;
    if (login_wait(ctx))
        return TELNET_LOGIN_LOCKED;
    bool right = user_len == 5 && !memcmp(user, "micro", 5) &&
                 password_len == 6 && !memcmp(password, "python", 6);
    return right ? TELNET_LOGIN_OK : TELNET_LOGIN_WRONG;
}

static void entered(void *ctx)
{
    (void)ctx;
    w.entered = true;
}

static bool safe_boot(void *ctx)
{
    (void)ctx;
    w.boot_keys++;
    return w.boots;
}

static void ended(void *ctx)
{
    (void)ctx;
    assert_false(w.ended);
    w.ended = true;
}

static const struct telnet_ops ops = {
    .input = give_input,
    .login_wait = login_wait,
    .login = login,
    .entered = entered,
    .safe_boot = safe_boot,
    .ended = ended,
};

static void take_output(void)
{
    size_t n =
        ring_get(&w.t.out, w.out + w.out_len, sizeof w.out - 1 - w.out_len);
    w.out_len += n;
    w.out[w.out_len] = '\0';
    if (n)
        telnet_sent(&w.t, w.now_ms);
}

static void start(void)
{
    struct telnet_config config = {.banner = BANNER, .idle_ms = 300000};
    memset(&w, 0, sizeof w);
    w.input_room = sizeof w.input;
    w.now_ms = 1000;
    telnet_init(&w.t, &ops, NULL, &config, w.now_ms);
    take_output();
}

static size_t feed(const void *data, size_t len)
{
    size_t n = telnet_feed(&w.t, data, len, w.now_ms);
    take_output();
    return n;
}

#define FEED(text) feed(text, sizeof text - 1)

static void expect_out(const char *text, size_t len)
{
    assert_int_equal(w.out_len, len);
    assert_memory_equal(w.out, text, len);
    w.out_len = 0;
}

#define EXPECT(text) expect_out(text, sizeof text - 1)

static void logged_in(void)
{
    start();
    FEED("micro\r\npython\r\n");
    assert_true(w.entered);
    w.out_len = w.input_len = 0;
}

static void dialogue_is_exact(void **state)
{
    (void)state;
    start();
    EXPECT(BANNER "\r\n" ASK);
    FEED("micro\r\n");
    EXPECT(ASK_PASSWORD);
    FEED("wrong\r\n");
    EXPECT("\r\nInvalid credentials, try again.\r\n" ASK);
    FEED("nobody\r\n"); /* asked even if the name was wrong */
    EXPECT(ASK_PASSWORD);
    FEED("python\r\n");
    EXPECT("\r\nInvalid credentials, try again.\r\n" ASK);
    FEED("micro\r\n");
    EXPECT(ASK_PASSWORD);
    FEED("python\r\n");
    EXPECT(WELCOME);
    assert_int_equal(w.input_len, 129); /* 128 backspaces and a CR */
    for (int i = 0; i < 128; i++)
        assert_int_equal(w.input[i], 8);
    assert_int_equal(w.input[128], '\r');
}

static void three_attempts(void **state)
{
    (void)state;
    start();
    FEED("a\rb\rc\rd\re\r");
    assert_false(w.ended);
    FEED("f\r");
    assert_true(w.ended);
    assert_false(w.entered);
}

static void fields_are_bounded(void **state)
{
    (void)state;
    static char name[10000];
    start();
    memset(name, 'a', sizeof name);
    feed(name, sizeof name);
    FEED("\rpython\r");
    assert_false(w.entered);
    /* the first 32 bytes alone must not be what counts */
    start();
    FEED("micro\rpython                                    x\r");
    assert_false(w.entered);
    start();
    FEED("\r\r"); /* empty is wrong */
    assert_non_null(memmem(w.out, w.out_len, "Invalid", 7));
    start();
    FEED("mico\bro\r\x15xx\x15python\r"); /* editing */
    assert_true(w.entered);
    start();
    FEED("micro\npython\n"); /* a bare LF, as from netcat */
    assert_true(w.entered);
}

/* The same whatever the segments: text, options, sub-negotiations. */
static void split_at_every_byte(void **state)
{
    (void)state;
    static const char talk[] =
        "\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x21\xff\xfb"
        "\x22\xff\xfb\x27\xff\xfd\x05" /* as inetutils begins */
        "mic\xff\xfa\x1f\x00\x50\x00\xff\xff\xff\xf0ro\r\n"
        "pyt\xff\xfd\x01hon\r\0"
        "\xff\xfa\x18\x00XTERM\xff\xf0print('\xff\xff')\r\n\xff\xf6"
        "\xff\xfb\x00\x00\n\r\n\x00\xff\xfc\x00\xff\xf4x\xff\xf2y\xff\xecz";
    static const char want[] = "\r"
                               "print('\xff')\r"
                               "\x00\n\r\n\x00"
                               "\x03xy\x04z";
    static char whole[4096];
    size_t len = sizeof talk - 1, whole_len = 0;
    for (size_t cut = 0; cut <= len; cut++) {
        start();
        feed(talk, cut);
        feed(talk + cut, len - cut);
        assert_int_equal(w.input_len - 128, sizeof want - 1);
        assert_memory_equal(w.input + 128, want, sizeof want - 1);
        assert_int_equal(w.t.screen.width, 80);
        assert_string_equal(w.t.terminal, "XTERM");
        if (cut == 0) {
            whole_len = w.out_len;
            memcpy(whole, w.out, whole_len);
        }
        assert_int_equal(w.out_len, whole_len);
        assert_memory_equal(w.out, whole, whole_len);
    }
    start();
    for (size_t i = 0; i < len; i++)
        feed(talk + i, 1);
    assert_int_equal(w.out_len, whole_len);
    assert_memory_equal(w.out, whole, whole_len);
}

static void options_are_answered_once(void **state)
{
    (void)state;
    logged_in();
    FEED("\xff\xfb\x1f"); /* WILL NAWS => DO; it is asked for TTYPE as well */
    EXPECT("\xff\xfd\x1f\xff\xfd\x18");
    FEED("\xff\xfb\x1f");
    EXPECT("");
    FEED("\xff\xfb\x18"); /* WILL TTYPE => which */
    EXPECT("\xff\xfa\x18\x01\xff\xf0");
    FEED("\xff\xfc\x18\xff\xfb\x18"); /* no more, and again */
    EXPECT("\xff\xfe\x18\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0");
    FEED("\xff\xfd\x00"); /* DO BINARY */
    EXPECT("\xff\xfb\x00");
    FEED("\xff\xfd\x00");
    EXPECT("");
    FEED("\xff\xfe\x00"); /* DONT BINARY */
    EXPECT("\xff\xfc\x00");
    FEED("\xff\xfb\x00\xff\xfc\x00"); /* WILL, WONT BINARY */
    EXPECT("\xff\xfd\x00\xff\xfe\x00");
    FEED("\xff\xfd\x06"); /* DO TIMING-MARK */
    EXPECT("\xff\xfb\x06");
    FEED("\xff\xfd\x63\xff\xfb\x63"); /* unknown */
    EXPECT("\xff\xfc\x63\xff\xfe\x63");
    FEED("\xff\xfd\x01\xff\xfd\x03\xff\xfe\x22"); /* answers to ours */
    EXPECT("");
    FEED("\xff\xf6"); /* AYT comes back, as ESP32 boards do */
    EXPECT("\xff\xf6");
    FEED("\xff\xf1\xff\xf9"); /* NOP, GA */
    EXPECT("");
    assert_int_equal(w.input_len, 0);
}

/* Python's telnetlib refuses all options; that is the end of it. */
static void a_refusing_client_is_asked_once(void **state)
{
    (void)state;
    start();
    FEED("\xff\xfe\x22");
    take_output();
    EXPECT(BANNER "\r\n" ASK "\xff\xfd\x1f\xff\xfd\x18");
    FEED("\xff\xfc\x1f\xff\xfc\x18\xff\xfe\x22\xff\xfe\x01");
    EXPECT("");
}

/* Sent by a client before the prompt's line is edited; NUL for the end. */
static void edited_as(const char *client, size_t len, const char *printed,
                      const char *want)
{
    logged_in();
    feed(client, len);
    telnet_print(&w.t, "\r\n>>> ", 6, w.now_ms);
    take_output();
    w.out_len = 0;
    telnet_print(&w.t, printed, strlen(printed), w.now_ms);
    take_output();
    expect_out(want, strlen(want));
}

static void window_and_terminal_count(void **state)
{
    (void)state;
    static const char line[] = "123456789\b\b\b\b\x1b[5D\x1b[31mx\x1b[K";
#define NAWS "\xff\xfb\x1f\xff\xfa\x1f\x00\x0a\x00\x18\xff\xf0"
#define DUMB                                                                   \
    "\xff\xfb\x18\xff\xfa\x18\x00"                                             \
    "DUMB\xff\xf0"
    edited_as("", 0, line, line);
    /* ten columns: over the edge it goes up, and erases what is below */
    edited_as(NAWS, sizeof NAWS - 1, line,
              "123456789\b\b\b\r\x1b[1A\x1b[9C\x1b[5D\x1b[31mx\x1b[J");
    edited_as(DUMB, sizeof DUMB - 1, line,
              "123456789\b\b\b\b\b\b\b\b\bx        "
              "\b\b\b\b\b\b\b\b");
    /* programs that ask for BINARY get what was printed; 0 is unknown */
    edited_as(NAWS "\xff\xfd\x00", sizeof NAWS + 2, line, line);
    edited_as(NAWS "\xff\xfc\x1f", sizeof NAWS + 2, line, line);
    edited_as("\xff\xfb\x1f\xff\xfa\x1f\x00\x00\x00\x00\xff\xf0", 12, line,
              line);
}

/* However output grows on its way, no byte of it is lost to lack of room. */
static void a_screen_never_overflows(void **state)
{
    (void)state;
    for (int width = 1; width < 100; width += 7) {
        char text[2000];
        char naws[] = "\xff\xfb\x1f\xff\xfa\x1f\x00w\x00\x18\xff\xf0";
        naws[7] = (char)width;
        logged_in();
        feed(naws, sizeof naws - 1);
        telnet_print(&w.t, "\r", 1, w.now_ms);
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = i % (unsigned)(width + 1) < (unsigned)width ? 'x' : '\b';
        take_output();
        w.out_len = 0;
        size_t n, printed = 0;
        while ((n = telnet_room(&w.t, w.now_ms)) > 0) {
            n = n < sizeof text ? n : sizeof text;
            telnet_print(&w.t, text, n, w.now_ms);
            for (size_t i = 0; i < n; i++)
                printed += text[i] == 'x';
        }
        assert_true(telnet_deadline(&w.t) <= w.now_ms + TELNET_PATIENCE_MS);
        take_output();
        size_t seen = 0;
        for (size_t i = 0; i < w.out_len; i++)
            seen += w.out[i] == 'x';
        assert_int_equal(seen, printed);
    }
}

static void a_broken_sub_does_not_swallow(void **state)
{
    (void)state;
    static char junk[500];
    logged_in();
    FEED("\xff\xfa\x1f");
    memset(junk, 'A', sizeof junk);
    feed(junk, sizeof junk);
    FEED("\xff\xf0ok\r");
    assert_int_equal(w.input_len, 3);
    assert_int_equal(w.t.screen.width, 0);
    FEED("\xff\xfa\x18\xff\xfdok\r"); /* no SE */
    assert_int_equal(w.input_len, 6);
}

static void typed_ahead_is_kept(void **state)
{
    (void)state;
    start();
    FEED("micro\r\npython\r\nimport os\r\n");
    assert_true(w.entered);
    assert_memory_equal(w.input + 129, "import os\r", 10);

    /* also while the login waits for its time */
    start();
    w.wait_until = w.now_ms + 500;
    const char text[] = "micro\r\npython\r\nx\r\n";
    size_t n = FEED("micro\r\npython\r\nx\r\n");
    assert_true(n < sizeof text - 1);
    assert_false(w.entered);
    assert_int_equal(telnet_deadline(&w.t), w.now_ms + 500);
    w.now_ms += 500;
    telnet_tick(&w.t, w.now_ms);
    assert_true(w.entered);
    feed(text + n, sizeof text - 1 - n);
    assert_memory_equal(w.input + 129, "x\r", 2);
}

static void a_full_prompt_loses_nothing(void **state)
{
    (void)state;
    logged_in();
    w.input_room = 5;
    assert_int_equal(FEED("hello world\r\n"), 5);
    assert_int_equal(FEED(" world\r\n"), 0);
    assert_int_equal(FEED("\xff\xf4"), 1); /* IAC taken, IP waits */
    w.input_room = 100;
    assert_int_equal(FEED("\xf4"), 1);
    assert_memory_equal(w.input, "hello\x03", 6);
}

static void locked_out_is_told(void **state)
{
    (void)state;
    start();
    w.wait_until = w.now_ms + 60000;
    FEED("micro\rpython\r");
    assert_non_null(memmem(w.out, w.out_len, "wait 61 s", 9));
    assert_true(w.ended);
}

static void idle_counts_both_ways(void **state)
{
    (void)state;
    logged_in();
    for (int i = 0; i < 10; i++) { /* a script that only prints */
        w.now_ms += 200000;
        telnet_print(&w.t, "tick", 4, w.now_ms);
        take_output();
        telnet_tick(&w.t, w.now_ms);
        assert_false(w.ended);
    }
    w.now_ms += 299999;
    telnet_tick(&w.t, w.now_ms);
    assert_false(w.ended);
    w.now_ms += 1;
    telnet_tick(&w.t, w.now_ms);
    assert_true(w.ended);
}

static void login_has_its_time(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 20 && !w.ended; i++) {
        w.now_ms += 10000;
        FEED("a");
        telnet_tick(&w.t, w.now_ms);
    }
    assert_true(w.ended);
}

static void slow_client_loses_output_not_others(void **state)
{
    (void)state;
    static char text[4000];
    logged_in();
    memset(text, 'x', sizeof text);
    size_t room;
    while ((room = telnet_room(&w.t, w.now_ms)) > 0) {
        room = room < sizeof text ? room : sizeof text;
        telnet_print(&w.t, text, room, w.now_ms);
    }
    assert_int_equal(telnet_deadline(&w.t), w.now_ms + TELNET_PATIENCE_MS);
    w.now_ms += TELNET_PATIENCE_MS;
    assert_int_equal(telnet_room(&w.t, w.now_ms), SIZE_MAX); /* behind */
    telnet_print(&w.t, "lost", 4, w.now_ms);
    take_output();
    w.out_len = 0;
    assert_true(telnet_room(&w.t, w.now_ms) < SIZE_MAX); /* back */
    telnet_print(&w.t, "here", 4, w.now_ms);
    take_output();
    EXPECT("\r\n[output lost: this client was too slow]\r\nhere");

    /* never back: it goes */
    while ((room = telnet_room(&w.t, w.now_ms)) > 0) {
        room = room < sizeof text ? room : sizeof text;
        telnet_print(&w.t, text, room, w.now_ms);
    }
    w.now_ms += TELNET_PATIENCE_MS;
    telnet_tick(&w.t, w.now_ms);
    w.now_ms += TELNET_STUCK_MS;
    telnet_tick(&w.t, w.now_ms);
    assert_true(w.ended);
}

static void output_doubles_iac(void **state)
{
    (void)state;
    logged_in();
    telnet_print(&w.t,
                 "\xff"
                 "a\xff",
                 3, w.now_ms);
    take_output();
    EXPECT("\xff\xff"
           "a\xff\xff");
}

static void ctrl_f_boots_safely(void **state)
{
    (void)state;
    start();
    FEED("\x06"); /* not before the login */
    assert_int_equal(w.boot_keys, 0);
    logged_in();
    w.boots = true;
    FEED("a\x06"
         "b");
    assert_int_equal(w.boot_keys, 1);
    assert_memory_equal(w.input, "ab", 2);
    w.boots = false; /* a board that does not know the key */
    FEED("\x06");
    assert_memory_equal(w.input, "ab\x06", 3);
    FEED("\xff\xfb\x00\x06"); /* binary: untouched */
    assert_int_equal(w.boot_keys, 2);
    assert_memory_equal(w.input, "ab\x06\x06", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogue_is_exact),
        cmocka_unit_test(three_attempts),
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(split_at_every_byte),
        cmocka_unit_test(options_are_answered_once),
        cmocka_unit_test(a_refusing_client_is_asked_once),
        cmocka_unit_test(window_and_terminal_count),
        cmocka_unit_test(a_screen_never_overflows),
        cmocka_unit_test(a_broken_sub_does_not_swallow),
        cmocka_unit_test(typed_ahead_is_kept),
        cmocka_unit_test(a_full_prompt_loses_nothing),
        cmocka_unit_test(locked_out_is_told),
        cmocka_unit_test(idle_counts_both_ways),
        cmocka_unit_test(login_has_its_time),
        cmocka_unit_test(slow_client_loses_output_not_others),
        cmocka_unit_test(output_doubles_iac),
        cmocka_unit_test(ctrl_f_boots_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
