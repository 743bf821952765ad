/* firmware/trial: when a new image is confirmed and when not, by a clock that
 * the test pushes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/trial.h"

static struct {
    bool on_trial, up;
    int tested;
    enum trial_answer answer;
    uint32_t watchdog;
    unsigned tests, looks, asks, confirms, refusals, waits, ends, pings, feeds;
} b;

static struct trial t;
static uint64_t now;

static bool on_trial(void *ctx)
{
    (void)ctx;
    return b.on_trial;
}

static bool is_up(void *ctx)
{
    (void)ctx;
    return b.up;
}

static void test(void *ctx)
{
    (void)ctx;
    b.tests++;
    b.tested = 1;
}

static int tested(void *ctx)
{
    (void)ctx;
    return b.tested;
}

static enum trial_answer ask(void *ctx)
{
    (void)ctx;
    b.asks++;
    return b.answer;
}

static uint32_t watchdog(void *ctx)
{
    (void)ctx;
    return b.watchdog;
}

#define COUNT(name, counter)                                                   \
    static void name(void *ctx)                                                \
    {                                                                          \
        (void)ctx;                                                             \
        b.counter++;                                                           \
    }
COUNT(look, looks)
COUNT(confirm, confirms)
COUNT(refused, refusals)
COUNT(waiting, waits)
COUNT(ended, ends)
COUNT(ping, pings)
COUNT(feed, feeds)

static const struct trial_board board = {.on_trial = on_trial,
                                         .is_up = is_up,
                                         .test = test,
                                         .tested = tested,
                                         .look = look,
                                         .ask = ask,
                                         .confirm = confirm,
                                         .refused = refused,
                                         .waits = waiting,
                                         .ended = ended,
                                         .watchdog = watchdog,
                                         .ping = ping,
                                         .feed = feed};

/* Board time goes on by `ms`, ticking as the trial asks for it, at least
 * once. */
static void run(uint64_t ms)
{
    uint64_t until = now + ms;
    for (;;) {
        uint32_t next = trial_tick(&t, now);
        assert_true(next > 0); /* or the loop would spin */
        if (next == UINT32_MAX || now + next > until)
            break;
        now += next;
    }
    now = until;
}

static int fresh(void **state)
{
    (void)state;
    memset(&b, 0, sizeof b);
    b.on_trial = b.up = true;
    now = 123456;
    trial_init(&t, &board);
    return 0;
}

/* To the end of the ten seconds. */
static void pass_sessions(void)
{
    run(200);
    b.tested = 0;
    run(10000);
}

static void confirmed(void)
{
    b.on_trial = false;
    trial_confirmed(&t);
}

static void nothing_to_confirm(void **state)
{
    (void)state;
    b.on_trial = false;
    trial_init(&t, &board);
    assert_int_equal(trial_tick(&t, now), UINT32_MAX);
    run(60000);
    assert_int_equal(b.tests + b.looks + b.confirms + b.ends, 0);
}

static void ten_seconds_without_trouble(void **state)
{
    (void)state;
    run(0);
    assert_int_equal(b.tests, 1);
    b.tested = 0;
    run(9999);
    assert_int_equal(b.looks, 0);
    run(201);
    assert_int_equal(b.looks, 1);
    run(60000);
    assert_int_equal(b.confirms, 0); /* the file was not looked for yet */
    trial_looked(&t, TRIAL_NO_FILE);
    assert_int_equal(b.confirms, 1);
    confirmed();
    assert_int_equal(t.state, TRIAL_CONFIRMED);
    assert_int_equal(b.ends, 1);
    assert_int_equal(trial_tick(&t, now), UINT32_MAX);
}

static void counts_from_when_all_is_up(void **state)
{
    (void)state;
    b.up = false;
    run(30000);
    assert_int_equal(b.tests, 0);
    b.up = true;
    run(200);
    assert_int_equal(b.tests, 1);
    b.tested = 0;
    run(9000);
    assert_int_equal(b.looks, 0);
    run(2000);
    assert_int_equal(b.looks, 1);
}

static void sessions_that_fail_begin_afresh(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 5; i++) {
        run(0);
        assert_int_equal(b.tests, i);
        run(4000); /* they hang: waited for */
        assert_int_equal(b.tests, i);
        b.tested = -14;
        run(1300); /* not at once again */
    }
    b.tested = 0;
    run(9000);
    assert_int_equal(b.looks, 0);
    run(2000);
    assert_int_equal(b.looks, 1);
}

static void healthy_has_the_last_word(void **state)
{
    (void)state;
    pass_sessions();
    trial_looked(&t, TRIAL_FILE);
    run(600000);
    assert_true(b.asks > 100);
    assert_int_equal(b.confirms, 0); /* never answered: never confirmed */
    b.answer = TRIAL_YES;
    run(200);
    assert_int_equal(b.confirms, 1);
    assert_int_equal(b.refusals, 0);
}

/* Said once, after 5 s; the answer counts all the same. */
static void python_that_cannot_be_asked_is_told(void **state)
{
    (void)state;
    pass_sessions();
    trial_looked(&t, TRIAL_FILE);
    b.answer = TRIAL_UNASKED;
    run(4800);
    assert_int_equal(b.waits, 0);
    b.answer = TRIAL_WAIT; /* a Ctrl-C of the user puts it off */
    run(400);
    b.answer = TRIAL_UNASKED;
    run(4600);
    assert_int_equal(b.waits, 0);
    run(800);
    assert_int_equal(b.waits, 1);
    run(600000);
    assert_int_equal(b.waits, 1);
    assert_int_equal(b.confirms + b.refusals, 0);
    b.answer = TRIAL_YES;
    run(200);
    assert_int_equal(b.confirms, 1);
}

static void services_that_do_not_come_are_told(void **state)
{
    (void)state;
    b.up = false;
    run(29000);
    assert_int_equal(b.waits, 0);
    run(2000);
    assert_int_equal(b.waits, 1);
    b.up = true;
    run(200);
    b.tested = -14; /* and fail from then on */
    run(60000);
    assert_int_equal(b.waits, 1);
}

static void a_no_is_final(void **state)
{
    (void)state;
    pass_sessions();
    trial_looked(&t, TRIAL_FILE);
    b.answer = TRIAL_NO;
    run(200);
    assert_int_equal(b.refusals, 1);
    unsigned asks = b.asks;
    b.answer = TRIAL_YES;
    run(600000);
    assert_int_equal(b.asks, asks);
    assert_int_equal(b.refusals, 1);
    assert_int_equal(b.confirms, 0);
    b.on_trial = false; /* pycom.ota_confirm() all the same */
    run(0);
    assert_int_equal(b.ends, 1);
}

static void what_cannot_be_looked_for_is_tried_again(void **state)
{
    (void)state;
    pass_sessions();
    trial_looked(&t, TRIAL_UNKNOWN);
    run(0);
    assert_int_equal(b.tests, 1);
    run(1300);
    assert_int_equal(b.tests, 2);
}

static void a_record_that_is_not_written_is_tried_again(void **state)
{
    (void)state;
    pass_sessions();
    trial_looked(&t, TRIAL_NO_FILE);
    trial_confirmed(&t); /* and it is on trial still */
    assert_int_equal(b.ends, 0);
    run(1300);
    b.tested = 0;
    run(12000);
    assert_int_equal(b.looks, 2);
    trial_looked(&t, TRIAL_NO_FILE);
    assert_int_equal(b.confirms, 2);
    confirmed();
    assert_int_equal(b.ends, 1);
}

static void decided_by_the_user(void **state)
{
    (void)state;
    run(3000);
    b.on_trial = false;
    run(0);
    assert_int_equal(t.state, TRIAL_CONFIRMED);
    assert_int_equal(b.ends, 1);
    run(60000);
    assert_int_equal(b.ends, 1);
    assert_int_equal(b.confirms, 0);
}

/* Storage that does not answer the ping has hung: the watchdog shall bite. */
static void the_watchdog(void **state)
{
    (void)state;
    b.watchdog = 10000;
    for (unsigned i = 1; i <= 8; i++) {
        run(2500);
        assert_int_equal(b.pings, i);
        trial_pinged(&t);
        assert_int_equal(b.feeds, i);
    }
    unsigned pings = b.pings;
    run(2500);
    run(60000);
    assert_int_equal(b.pings, pings + 1);
    assert_int_equal(b.feeds, 8);
}

static void the_watchdog_after_the_trial(void **state)
{
    (void)state;
    b.watchdog = 10000;
    b.on_trial = false;
    trial_init(&t, &board);
    run(2500);
    assert_int_equal(b.pings, 1);
    b.watchdog = 0; /* a script took it over */
    trial_pinged(&t);
    run(60000);
    assert_int_equal(b.pings, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, fresh)
    const struct CMUnitTest tests[] = {
        CASE(nothing_to_confirm),
        CASE(ten_seconds_without_trouble),
        CASE(counts_from_when_all_is_up),
        CASE(sessions_that_fail_begin_afresh),
        CASE(healthy_has_the_last_word),
        CASE(python_that_cannot_be_asked_is_told),
        CASE(services_that_do_not_come_are_told),
        CASE(a_no_is_final),
        CASE(what_cannot_be_looked_for_is_tried_again),
        CASE(a_record_that_is_not_written_is_tried_again),
        CASE(decided_by_the_user),
        CASE(the_watchdog),
        CASE(the_watchdog_after_the_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
