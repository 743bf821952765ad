/* firmware/storage: jobs of two threads on a third. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/storage/storage.h"

enum { JOBS = 5000 };

struct note {
    struct storage_job job;
    unsigned number;
    pthread_t ran_on, done_on;
};

static struct storage s;
static unsigned ran[JOBS], ran_count, done_count;
static atomic_uint at_once;

static void run_note(struct storage_job *job)
{
    struct note *n = (struct note *)job;
    assert_int_equal(atomic_fetch_add(&at_once, 1), 0); /* one at a time */
    n->ran_on = pthread_self();
    ran[ran_count++ % JOBS] = n->number;
    atomic_fetch_sub(&at_once, 1);
}

static void done_note(struct storage_job *job)
{
    struct note *n = (struct note *)job;
    assert_true(pthread_equal(n->ran_on, s.thread));
    done_count++;
    free(n);
}

static void post(unsigned number)
{
    struct note *n = calloc(1, sizeof *n);
    *n = (struct note){.job.run = run_note, .job.done = done_note};
    n->number = number;
    storage_post(&s, &n->job);
}

static void call(unsigned number)
{
    struct note n = {.job.run = run_note, .number = number};
    storage_call(&s, &n.job);
    assert_true(pthread_equal(n.ran_on, s.thread)); /* it has run */
    assert_false(pthread_equal(n.ran_on, pthread_self()));
}

/* The loop's part until `count` jobs have ended. */
static void reap_until(unsigned count)
{
    struct pollfd fd = {.fd = s.bell, .events = POLLIN};
    while (done_count < count) {
        assert_int_equal(poll(&fd, 1, 10000), 1);
        storage_reap(&s);
    }
    assert_int_equal(done_count, count);
    assert_int_equal(poll(&fd, 1, 0), 0); /* or the loop would spin */
}

/* Its thread never ends, as on a board: one for all cases. */
static int fresh(void **state)
{
    (void)state;
    static bool started;
    if (!started && storage_start(&s))
        return -1;
    started = true;
    ran_count = done_count = 0;
    return 0;
}

/* There is no limit to the queue: what is posted runs, in its order. */
static void a_long_queue_keeps_its_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JOBS; i++)
        post(i);
    reap_until(JOBS);
    for (unsigned i = 0; i < JOBS; i++)
        assert_int_equal(ran[i], i);
}

static void waits_until_it_has_run(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        call(i);
    assert_int_equal(ran_count, 300);
    struct pollfd fd = {.fd = s.bell, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0); /* nothing for the loop */
}

static void *caller(void *arg)
{
    for (unsigned i = 0; i < 1000; i++)
        call(JOBS + i);
    return arg;
}

static void two_threads(void **state)
{
    (void)state;
    pthread_t vm;
    pthread_create(&vm, NULL, caller, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        post(i);
        if (i % 7 == 0)
            storage_reap(&s);
    }
    pthread_join(vm, NULL);
    reap_until(1000);
    unsigned posted = 0, called = JOBS;
    for (unsigned i = 0; i < 2000; i++) /* each side in its own order */
        assert_int_equal(ran[i], ran[i] < JOBS ? posted++ : called++);
}

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};
    while (nanosleep(&t, &t))
        ;
}

static void run_slowly(struct storage_job *job)
{
    sleep_ms(30);
    run_note(job);
}

static atomic_uint signals;
static atomic_bool waiting;

static void on_signal(int sig)
{
    (void)sig;
    atomic_fetch_add(&signals, 1);
}

static void *slow_caller(void *arg)
{
    atomic_store(&waiting, true);
    for (unsigned i = 0; i < 5; i++) {
        struct note n = {.job.run = run_slowly, .number = i};
        storage_call(&s, &n.job);
        assert_int_equal(ran_count, i + 1); /* not before it had run */
    }
    atomic_store(&waiting, false);
    return arg;
}

/* Ctrl-C reaches the vm thread as a signal without SA_RESTART. */
static void signals_do_not_end_the_wait(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t vm;
    pthread_create(&vm, NULL, slow_caller, NULL);
    while (!atomic_load(&waiting))
        sleep_ms(1);
    while (atomic_load(&waiting)) {
        pthread_kill(vm, SIGUSR1);
        sleep_ms(1);
    }
    pthread_join(vm, NULL);
    assert_true(atomic_load(&signals) > 20);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, fresh)
    const struct CMUnitTest tests[] = {
        CASE(a_long_queue_keeps_its_order),
        CASE(waits_until_it_has_run),
        CASE(two_threads),
        CASE(signals_do_not_end_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
