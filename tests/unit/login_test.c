/* firmware/net/login: what is stored, who comes in, how guessing is slowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hex.h"
#include "firmware/net/login.h"

static struct {
    uint8_t record[LOGIN_RECORD];
    bool stored;
    unsigned saves;
} nvs;

static int load(void *ctx, uint8_t record[LOGIN_RECORD])
{
    (void)ctx;
    memcpy(record, nvs.record, LOGIN_RECORD);
    return nvs.stored ? 0 : WIPY_ENOENT;
}

static int save(void *ctx, const uint8_t record[LOGIN_RECORD])
{
    (void)ctx;
    memcpy(nvs.record, record, LOGIN_RECORD);
    nvs.stored = true;
    nvs.saves++;
    return 0;
}

/* Another one each time, but the same in each run: places of marks and turns
 * hang on it. */
static int next_salt(void *ctx, uint8_t *to, size_t len)
{
    static uint8_t count;
    (void)ctx;
    memset(to, ++count, len);
    return 0;
}

static const struct login_store store = {
    .load = load, .save = save, .random = next_salt};
static struct login l;
static uint64_t now;

static enum login_verdict try(uint32_t addr, const char *user,
                              const char *password)
{
    return login_check(&l, addr, user, strlen(user), password, strlen(password),
                       now);
}

static void fresh(void)
{
    memset(&nvs, 0, sizeof nvs);
    now = 1000;
    assert_int_equal(login_open(&l, &store), 0);
}

static void factory_login(void **state)
{
    (void)state;
    fresh();
    assert_true(login_is_factory(&l));
    assert_int_equal(try(1, "micro", "python"), LOGIN_OK);
    assert_int_equal(nvs.saves, 0); /* the default is not stored */
    static const char *const wrong[][2] = {
        {"micro", "Python"},
        {"Micro", "python"},
        {"micro", ""},
        {"", "python"},
        {"", ""},
        {"micro", "pythonx"},
        {"micr", "opython"},
        {"microx", "python"},
        {"python", "micro"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(try((uint32_t)i + 2, wrong[i][0], wrong[i][1]),
                         LOGIN_WRONG);
    /* a NUL inside is a byte like others */
    assert_int_equal(login_check(&l, 99, "micro\0", 6, "python", 6, now),
                     LOGIN_WRONG);
    assert_int_equal(login_check(&l, 98, "micro", 5, "python\0", 7, now),
                     LOGIN_WRONG);
    static char big[10000];
    assert_int_equal(login_check(&l, 97, big, sizeof big, big, sizeof big, now),
                     LOGIN_WRONG);
}

static void a_changed_login_is_kept_and_not_readable(void **state)
{
    (void)state;
    fresh();
    assert_int_equal(login_set(&l, "ada", "correct horse"), 0);
    assert_false(login_is_factory(&l));
    assert_int_equal(try(1, "micro", "python"), LOGIN_WRONG);
    assert_int_equal(try(2, "ada", "correct horse"), LOGIN_OK);
    for (int i = 0; i + 13 <= LOGIN_RECORD; i++)
        assert_memory_not_equal(nvs.record + i, "correct horse", 13);
    uint8_t first[LOGIN_RECORD];
    memcpy(first, nvs.record, sizeof first);
    assert_int_equal(login_set(&l, "ada", "correct horse"), 0);
    assert_memory_not_equal(first, nvs.record, sizeof first); /* salted */

    assert_int_equal(login_open(&l, &store), 0);
    assert_int_equal(try(3, "ada", "correct horse"), LOGIN_OK);
    assert_false(login_is_factory(&l));

    assert_int_equal(login_set(&l, "", "x"), WIPY_EINVAL);
    assert_int_equal(login_set(&l, "x", ""), WIPY_EINVAL);
    assert_int_equal(login_set(&l, "x", "123456789012345678901234567890123"),
                     WIPY_EINVAL);
    /* what no client can send would lock its owner out */
    assert_int_equal(login_set(&l, "x", "line\n"), WIPY_EINVAL);
    assert_int_equal(login_set(&l, "\tx", "secret"), WIPY_EINVAL);
    assert_int_equal(login_set(&l, "x", "del\x7f"), WIPY_EINVAL);
    assert_int_equal(login_set(&l, "\xc3\xbc x", " p\xc3\xa4ss "), 0);
    assert_int_equal(try(5, "\xc3\xbc x", " p\xc3\xa4ss "), LOGIN_OK);
    assert_int_equal(login_set(&l, "x", "12345678901234567890123456789012"), 0);
    assert_int_equal(try(4, "x", "12345678901234567890123456789012"), LOGIN_OK);
}

static void a_damaged_record_is_told(void **state)
{
    (void)state;
    fresh();
    login_set(&l, "ada", "secret");
    nvs.record[0] = 0xff;
    assert_int_equal(login_open(&l, &store), WIPY_ECORRUPT);
    assert_int_equal(try(1, "micro", "python"), LOGIN_OK);
}

static int salt(void *ctx, uint8_t *to, size_t len)
{
    (void)ctx;
    memcpy(to, "saltsaltsaltsalt", len);
    return 0;
}

/* Against another implementation: Python's
 * hashlib.pbkdf2_hmac('sha256', b'python', b'saltsaltsaltsalt', 1000) */
static void derivation_is_pbkdf2(void **state)
{
    (void)state;
    static const char want[] =
        "45a36082ed081968cce5fcc3386930808fa850f1fe22aa3161b5512c1ff51918";
    char got[2 * LOGIN_HASH + 1] = "";
    struct login_store fixed = {.load = load, .save = save, .random = salt};
    memset(&nvs, 0, sizeof nvs);
    assert_int_equal(login_open(&l, &fixed), 0);
    hex_encode(got, l.record + LOGIN_RECORD - LOGIN_HASH, LOGIN_HASH);
    assert_string_equal(got, want);
}

static void guessing_gets_slower_then_locked(void **state)
{
    (void)state;
    static const uint64_t waits[] = {250,  500,  1000, 2000,  4000,  8000,
                                     8000, 8000, 8000, 60000, 120000};
    fresh();
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        assert_int_equal(try(7, "micro", "guess"), LOGIN_WRONG);
        assert_int_equal(login_wait_ms(&l, 7, now), waits[i]);
        /* even the right one is not looked at before its time */
        assert_int_equal(try(7, "micro", "python"), LOGIN_LOCKED);
        assert_int_equal(login_wait_ms(&l, 8, now), 0); /* others are free */
        now += waits[i];
    }
    assert_int_equal(try(8, "micro", "python"), LOGIN_OK);
    assert_int_equal(try(7, "micro", "python"), LOGIN_OK);
    assert_int_equal(login_wait_ms(&l, 7, now), 0);
    assert_int_equal(try(7, "micro", "guess"), LOGIN_WRONG);
    assert_int_equal(login_wait_ms(&l, 7, now), 250); /* forgotten */
}

static void many_addresses_do_not_push_out_the_guesser(void **state)
{
    (void)state;
    fresh();
    for (int i = 0; i < 12; i++) {
        try(7, "micro", "guess");
        now += login_wait_ms(&l, 7, now);
    }
    try(7, "micro", "guess");
    uint64_t wait = login_wait_ms(&l, 7, now);
    assert_true(wait > 60000);
    for (uint32_t a = 100; a < 400; a++)
        try(a, "micro", "guess");
    assert_int_equal(login_wait_ms(&l, 7, now), wait);
    now += wait + 31 * 60000;
    try(7, "micro", "guess");
    assert_int_equal(login_wait_ms(&l, 7, now), 250); /* half an hour later */
}

/* In network order, as sessions give it. */
static uint32_t ip(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const uint8_t bytes[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};
    uint32_t addr;
    memcpy(&addr, bytes, sizeof addr);
    return addr;
}

/* A botnet: an address for each guess, as fast as it is let, for an hour. */
static void many_addresses_share_a_budget(void **state)
{
    (void)state;
    fresh();
    assert_int_equal(try(5, "micro", "python"), LOGIN_OK);
    uint64_t end = now + 3600000;
    unsigned guesses = 0;
    uint32_t addr = 1000;
    bool in = false;
    for (; now < end; now += 50) {
        for (int i = 0; i < 10; i++)
            guesses += try(addr++, "micro", "guess") == LOGIN_WRONG;
        /* the owner's address is known: nothing to wait for */
        assert_int_equal(login_wait_ms(&l, 5, now), 0);
        if (now % 60000 == 0)
            assert_int_equal(try(5, "micro", "python"), LOGIN_OK);
    }
    assert_in_range(guesses, LOGIN_BUDGET, LOGIN_BUDGET + 900);
    /* the right password is no way round the budget */
    while (try(addr, "micro", "guess") == LOGIN_WRONG)
        addr++;
    assert_int_equal(try(addr, "micro", "python"), LOGIN_LOCKED);

    /* A newcomer among eight attackers, all of whom wait as they are told. */
    uint64_t next[9] = {0}, began = now;
    for (; !in && now < began + 600000; now++)
        for (uint32_t i = 0; i < 9 && !in; i++) {
            uint32_t from = i == 8 ? 77 : addr + i;
            if (now < next[i])
                continue;
            uint64_t wait = login_wait_ms(&l, from, now);
            assert_true(wait < 8000); /* longer is told as a lock-out */
            next[i] = now + wait;
            if (wait)
                continue;
            in = try(from, "micro", i == 8 ? "python" : "guess") == LOGIN_OK;
            addr += 8; /* a fresh one each */
        }
    assert_true(in);
    assert_true(now - began < 300000);
    /* with half an hour of peace all is as before, but the last attempt is
     * kept for a cleaner network for a while */
    now += 31 * 60000;
    for (int i = 0; i < LOGIN_BUDGET - 1; i++)
        assert_int_equal(try(addr++, "micro", "guess"), LOGIN_WRONG);
    uint64_t wait = login_wait_ms(&l, addr, now);
    assert_in_range(wait, 1, LOGIN_BUDGET_MS);
    assert_int_equal(login_wait_ms(&l, ip(77, 1, 1, 1), now) / 1000, 0);
    now += wait;
    assert_int_equal(try(addr++, "micro", "guess"), LOGIN_WRONG);
}

/* Addresses of attackers: of one network, of several, of the whole world. */
static uint32_t of_a_lan(unsigned n)
{
    return ip(192, 168, 1, 2 + n % 100);
}

static uint32_t of_a_provider(unsigned n)
{
    return ip(10, 20, n / 100 % 8, 2 + n % 100);
}

static uint32_t of_the_world(unsigned n)
{
    return ip(11 + n % 80, n / 80, 1, 1);
}

/* Eight sessions guess, each from another address as soon as it was judged,
 * for `before_ms`. How long a newcomer with the right password then waits. */
static uint64_t newcomer_waits(uint32_t newcomer, uint32_t attacker(unsigned),
                               uint64_t before_ms)
{
    uint64_t at[9] = {0}, begin;
    uint32_t from[9];
    unsigned count = 0;
    fresh();
    begin = now + before_ms;
    at[8] = begin;
    for (int i = 0; i < 8; i++)
        from[i] = attacker(count++);
    from[8] = newcomer;
    for (;; now++)
        for (int i = 0; i < 9; i++) {
            if (now < at[i])
                continue;
            uint64_t wait = login_wait_ms(&l, from[i], now);
            at[i] = now + wait;
            if (wait == 0 && i == 8) {
                assert_int_equal(try(newcomer, "micro", "python"), LOGIN_OK);
                return now - begin;
            }
            if (wait == 0)
                assert_int_equal(try(from[i], "micro", "guess"), LOGIN_WRONG);
            if (wait == 0 || wait > 8000)
                from[i] = attacker(count++);
        }
}

/* The next guess that is judged is the newcomer's, unless the attackers have
 * as many fresh networks. */
static void a_newcomer_goes_before_who_failed(void **state)
{
    (void)state;
    enum { A_MINUTE = 60700, AN_HOUR = 3600700 };
    uint64_t turn = LOGIN_BUDGET_MS + 4000;
    assert_in_range(newcomer_waits(ip(77, 1, 1, 1), of_a_lan, A_MINUTE), 0,
                    turn);
    assert_in_range(newcomer_waits(ip(77, 1, 1, 1), of_a_provider, A_MINUTE), 0,
                    turn);
    /* from the same provider; from the same network, when all the attackers'
     * addresses there have failed */
    assert_in_range(newcomer_waits(ip(10, 20, 99, 1), of_a_provider, A_MINUTE),
                    0, turn);
    assert_in_range(newcomer_waits(ip(192, 168, 1, 250), of_a_lan, AN_HOUR), 0,
                    turn);
    /* nothing tells it from them: by chance */
    assert_in_range(newcomer_waits(ip(210, 1, 1, 1), of_the_world, A_MINUTE), 0,
                    300000);
}

static void ranks(void **state)
{
    (void)state;
    fresh();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(login_rank(&l, ip(1, 2, 3, (uint8_t)i), now), 1);
    /* who mistypes is no stranger for that */
    for (int i = 0; i < LOGIN_MARK_AT; i++) {
        assert_int_equal(login_rank(&l, ip(1, 2, 3, 4), now), 1);
        assert_int_equal(try(ip(1, 2, 3, 4), "micro", "guess"), LOGIN_WRONG);
        now += login_wait_ms(&l, ip(1, 2, 3, 4), now);
    }
    assert_int_equal(login_rank(&l, ip(1, 3, 3, 4), now), 1);
    assert_int_equal(login_rank(&l, ip(1, 2, 4, 4), now), 2);
    assert_int_equal(login_rank(&l, ip(1, 2, 3, 5), now), 3);
    assert_int_equal(login_rank(&l, ip(1, 2, 3, 4), now), 4);
    assert_int_equal(try(ip(1, 2, 3, 5), "micro", "python"), LOGIN_OK);
    assert_int_equal(login_rank(&l, ip(1, 2, 3, 5), now), 0);
    /* an owner's mistakes are no mark on the network */
    assert_int_equal(try(ip(9, 9, 9, 9), "micro", "python"), LOGIN_OK);
    for (int i = 0; i < LOGIN_MARK_AT; i++) {
        assert_int_equal(try(ip(9, 9, 9, 9), "micro", "typo"), LOGIN_WRONG);
        now += login_wait_ms(&l, ip(9, 9, 9, 9), now);
    }
    assert_int_equal(login_rank(&l, ip(9, 9, 9, 8), now), 1);
    now += 61 * 60000;
    assert_int_equal(login_rank(&l, ip(1, 2, 3, 4), now), 1);
}

static void known_addresses_are_slowed_too(void **state)
{
    (void)state;
    fresh();
    for (uint32_t a = 1; a <= LOGIN_KNOWN + 1; a++, now++)
        assert_int_equal(try(a, "micro", "python"), LOGIN_OK);
    for (int i = 0; i < LOGIN_LOCK_AFTER; i++) {
        assert_int_equal(try(5, "micro", "guess"), LOGIN_WRONG);
        assert_int_equal(try(5, "micro", "guess"), LOGIN_LOCKED);
        if (i + 1 < LOGIN_LOCK_AFTER)
            now += login_wait_ms(&l, 5, now);
    }
    /* not forgotten, however many fail elsewhere */
    for (uint32_t a = 1000; try(a, "micro", "guess") == LOGIN_WRONG; a++)
        now += 10;
    assert_true(login_wait_ms(&l, 5, now) > 50000);
    assert_int_equal(login_wait_ms(&l, 6, now), 0);
    assert_int_equal(login_rank(&l, 6, now), LOGIN_KNOWN_RANK);
    assert_int_equal(login_rank(&l, 1, now), 1); /* nine are one too many */
    now += login_wait_ms(&l, 5, now);
    assert_int_equal(try(5, "micro", "python"), LOGIN_OK);
    assert_int_equal(login_wait_ms(&l, 5, now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factory_login),
        cmocka_unit_test(a_changed_login_is_kept_and_not_readable),
        cmocka_unit_test(a_damaged_record_is_told),
        cmocka_unit_test(derivation_is_pbkdf2),
        cmocka_unit_test(guessing_gets_slower_then_locked),
        cmocka_unit_test(many_addresses_share_a_budget),
        cmocka_unit_test(known_addresses_are_slowed_too),
        cmocka_unit_test(a_newcomer_goes_before_who_failed),
        cmocka_unit_test(ranks),
        cmocka_unit_test(many_addresses_do_not_push_out_the_guesser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
