/* A whole telnet session. The input: records of a length byte n and n bytes
 * of the client; n = 0 takes one more byte, an event (time, output of the
 * prompt, a client that stops reading, a prompt that is full). */
#include <stdlib.h>
#include <string.h>

#include "telnet/telnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct telnet t;
static uint64_t now_ms;
static size_t room;
static bool ended, entered;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    (void)data;
    check(entered && !ended);
    size_t n = len < room ? len : room;
    room -= n;
    return n;
}

static uint64_t login_wait(void *ctx)
{
    (void)ctx;
    return now_ms & 512 ? 100 : 0;
}

static enum telnet_verdict login(void *ctx, const char *user, size_t user_len,
                                 const char *password, size_t password_len)
{
    (void)ctx;
    (void)user;
    (void)password;
    check(user_len <= TELNET_FIELD_MAX && password_len <= TELNET_FIELD_MAX);
    return user_len == 1 && password_len == 1 ? TELNET_LOGIN_OK
                                              : TELNET_LOGIN_WRONG;
}

static void on_entered(void *ctx)
{
    (void)ctx;
    check(!entered);
    entered = true;
}

static bool safe_boot(void *ctx)
{
    (void)ctx;
    check(entered);
    return now_ms & 1;
}

static void on_ended(void *ctx)
{
    (void)ctx;
    check(!ended);
    ended = true;
}

static const struct telnet_ops ops = {give_input, login_wait, login,
                                      on_entered, safe_boot,  on_ended};

static void event(uint8_t what)
{
    static const uint8_t text[2000] =
        "\xff\x01\xff\xff a line\b\b\x1b[K edited\x1b[6D\b\b\x1b[K\r\x1b[3C"
        "\t\r\n\x1b[1;31m\x1b[1;1H\x1b]0;x\a\x1b[123456789012345678D\b\r>>> "
        "\x1b[99999D\x1b[2K\x1b[";
    unsigned n = what >> 2;
    switch (what & 3) {
    case 0:
        now_ms += n * 257u;
        telnet_tick(&t, now_ms);
        break;
    case 1:
        while (n--) {
            size_t fits = telnet_room(&t, now_ms);
            fits = fits < sizeof text ? fits : sizeof text;
            fits = what & 4 && fits > 90 ? 90 : fits; /* or with zeros */
            telnet_print(&t, text, fits, now_ms);
        }
        break;
    case 2:
        ring_drop(&t.out, n * 300u);
        telnet_sent(&t, now_ms);
        break;
    default:
        room = n * 10u;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct telnet_config config = {.banner = "MicroPython", .idle_ms = 300000};
    ended = entered = false;
    now_ms = 1000;
    room = 1000;
    telnet_init(&t, &ops, NULL, &config, now_ms);
    for (size_t at = 0; at < len && !ended;) {
        size_t n = data[at++];
        if (n == 0) {
            if (at < len)
                event(data[at++]);
            continue;
        }
        n = n < len - at ? n : len - at;
        size_t took = telnet_feed(&t, data + at, n, now_ms);
        check(took <= n);
        at += n;
    }
    telnet_shutdown(&t, "bye");
    check(ended);
    check(telnet_deadline(&t) == UINT64_MAX);
    return 0;
}
