/* docs/NETWORK.md says what the code does: every figure of the page is made
 * from the constant it stands for. That the constants are obeyed is the matter
 * of the tests of sessions, logins and attacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/net/private.h"

static char page[65536];

/* Line breaks and spaces count as one space. */
static int read_page(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s", __FILE__);
    char *end = strstr(path, "tests/unit/");
    if (!end)
        return -1;
    strcpy(end, "docs/NETWORK.md");
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    size_t len = 0;
    for (int c; (c = getc(f)) != EOF && len < sizeof page - 1;) {
        bool space = c == '\n' || c == ' ';
        if (!space || (len && page[len - 1] != ' '))
            page[len++] = (char)(space ? ' ' : c);
    }
    page[len] = '\0';
    return fclose(f);
}

static void says(const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!strstr(page, text))
        fail_msg("docs/NETWORK.md does not say: %s", text);
}

static void sessions(void **state)
{
    (void)state;
    says("%d FTP sessions at a time", NET_FTP_SESSIONS);
    says("another address has all %d. ", NET_FTP_SESSIONS);
    assert_int_equal(FTP_SLOTS, NET_FTP_SESSIONS + 1 + 1); /* the self-test */
    says(" %d telnet sessions share the prompt", NET_TELNET_SESSIONS);
    says("of the same address after %d s, of another one after %g s or, when "
         "its address logged in before, after %d s",
         LOBBY_MS / 1000, LOBBY_OTHER_MS / 1000.0, LOBBY_KNOWN_MS / 1000);
    says("has been idle for %d s", TAKEOVER_MS / 1000);
    says("is tried again every %d s", RETRY_MS / 1000);
    says("two buffers of %d KiB for each FTP session", FTP_BUFFER / 1024);
    says("at most %d bytes, a path %d, a name %d", FTP_LINE_MAX - 1,
         FTP_PATH_MAX, FTP_NAME_MAX);
}

static void times(void **state)
{
    (void)state;
    says("FTP session without a command | %d s", NET_TIMEOUT_DEFAULT_S);
    says("without input and output | %d s", NET_TIMEOUT_DEFAULT_S);
    says("sets the %d s, to %d s or more", NET_TIMEOUT_DEFAULT_S,
         NET_TIMEOUT_MIN_S);
    says("FTP connection that does not log in | %d s |",
         FTP_LOGIN_TIME_MS / 1000);
    says("telnet connection that does not log in | %d s |",
         TELNET_LOGIN_TIME_MS / 1000);
    says("without a transfer | %d s |", FTP_DATA_MS / 1000);
    says("does not come | %d s |", FTP_DATA_MS / 1000);
    says("nothing moves | %d s |", FTP_DATA_MS / 1000);
    says("the %d s are %d s", FTP_DATA_MS / 1000, FTP_DATA_MS / 2 / 1000);
    says("fewer than %d bytes | %d s |", FTP_SLOW_BYTES, FTP_SLOW_MS / 1000);
    says("takes no output | %d s |", TELNET_STUCK_MS / 1000);
    says("vanished without a word | about %d s",
         KEEPALIVE_IDLE_S + KEEPALIVE_EVERY_S * KEEPALIVE_TRIES);
    says("last words to a client | %d s |", FLUSH_MS / 1000);
}

static void uploads(void **state)
{
    (void)state;
    says("up to %d bytes in one go, not a multiple of %d | not at all",
         FTP_SETTLE_NONE, FTP_SETTLE_UNIT);
    says("killed within its first %d bytes", FTP_SETTLE_NONE);
    says("an eighth of its time, %d to %d ms", FTP_SETTLE_MS,
         FTP_SETTLE_MAX_MS);
    says("a quarter of its time, %d to %d ms", FTP_SETTLE_PAUSED_MS,
         FTP_SETTLE_MAX_MS);
    says("shorter than `ALLO` announced | %d ms", FTP_SETTLE_MAX_MS);
    says("is read, up to %d MiB", FTP_DRAIN_BYTES >> 20);
    says("to no port below %d, passive", FTP_PORT_LEAST);
    says("when it is older than %d days", FTP_LIST_DAYS);
    says("wait their turn, %d at once and then one every %d ms", TLS_AT_ONCE,
         TLS_TURN_MS);
    says("of at most %d bits; each file has at most %d bytes, and %d "
         "certificates at most",
         TLS_RSA_BITS_MAX, TLS_PEM_MAX, TLS_CHAIN_MAX);
}

static void logins(void **state)
{
    (void)state;
    says("at most %d bytes each", LOGIN_MAX);
    says("A wait of more than %d s", FTP_LOGIN_PATIENCE_MS / 1000);
    assert_int_equal(TELNET_LOGIN_PATIENCE_MS, FTP_LOGIN_PATIENCE_MS);
    says("after %d wrong passwords or %d commands before the login, telnet "
         "after %d",
         FTP_LOGIN_TRIES, FTP_STRAYS, TELNET_TRIES);
    says("budget: %d wrong passwords at once, then one every %d s",
         LOGIN_BUDGET, LOGIN_BUDGET_MS / 1000);
    says("it has one line in %d s", REFUSAL_MS / 1000);
    says("a right one, or %d min without attempt", LOGIN_FORGET_MIN);
    says("where fewer than %d attempts failed in the last %d minutes",
         LOGIN_MARK_AT, LOGIN_MARK_MIN);
    says("The %d addresses that logged in last", LOGIN_KNOWN);
}

/* The waits after wrong passwords are no constants: they are tried. */
static void waits(void **state)
{
    (void)state;
    static const struct login_store store;
    static struct login l;
    uint64_t now = 1000, longest = 0, first = 0, locked = 0, most = 0;
    assert_int_equal(login_open(&l, &store), 0);
    for (int i = 1; i <= LOGIN_LOCK_AFTER + 8; i++) {
        login_check(&l, 1, "micro", 5, "guess", 5, now);
        uint64_t wait = login_wait_ms(&l, 1, now);
        first = i == 1 ? wait : first;
        longest = i < LOGIN_LOCK_AFTER && wait > longest ? wait : longest;
        locked = i == LOGIN_LOCK_AFTER ? wait : locked;
        most = wait;
        now += wait;
    }
    says("1 wrong password | waits %d ms", (int)first);
    says("twice as long, up to %d s", (int)(longest / 1000));
    says("%d wrong passwords | is refused for %d s, then %d s, up to %d min",
         LOGIN_LOCK_AFTER, (int)(locked / 1000), (int)(locked / 500),
         (int)(most / 60000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions), cmocka_unit_test(times),
        cmocka_unit_test(uploads),  cmocka_unit_test(logins),
        cmocka_unit_test(waits),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}
