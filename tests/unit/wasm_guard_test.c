/* The fence around generated code: traps become values, on the right thread,
 * and faults that are not ours stay faults. */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/wasm/guard.h"

static void trap_with(void *arg)
{
    wasm_rt_trap(*(wasm_rt_trap_t *)arg);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void test_trap_is_a_value(void **state)
{
    (void)state;
    wasm_rt_trap_t traps[] = {WASM_RT_TRAP_OOB, WASM_RT_TRAP_DIV_BY_ZERO,
                              WASM_RT_TRAP_UNREACHABLE,
                              WASM_RT_TRAP_CALL_INDIRECT};
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        assert_int_equal(wasm_guard_run(trap_with, &traps[i]), traps[i]);
        assert_int_equal(wasm_guard_run(do_nothing, NULL), 0);
    }
}

static void nested(void *arg)
{
    wasm_rt_trap_t inner = WASM_RT_TRAP_DIV_BY_ZERO;
    *(wasm_rt_trap_t *)arg = wasm_guard_run(trap_with, &inner);
    wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

static void test_nested(void **state)
{
    (void)state;
    wasm_rt_trap_t inner = WASM_RT_TRAP_NONE;
    assert_int_equal(wasm_guard_run(nested, &inner), WASM_RT_TRAP_UNREACHABLE);
    assert_int_equal(inner, WASM_RT_TRAP_DIV_BY_ZERO);
}

struct poke {
    wasm_rt_memory_t memory;
    uint64_t at;
};

static void poke(void *arg)
{
    struct poke *p = arg;
    *(volatile uint8_t *)(p->memory.data + p->at) = 1;
}

/* cmocka puts its own SIGSEGV handler in front of each test, so whatever must
 * fault does so in a child that calls wasm_rt_init() itself. */
static void in_child(bool (*test)(void))
{
    pid_t child = fork();
    if (child == 0)
        _exit(test() ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static bool guard_pages(void)
{
    struct poke p;
    bool ok = wasm_guard_thread() == 0;
    wasm_rt_allocate_memory(&p.memory, 1, 3);
    uint64_t bad[] = {65536, 65536 + 4095, UINT32_MAX, 2 * (uint64_t)UINT32_MAX,
                      3 * 65536};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p.at = bad[i];
        ok = ok && wasm_guard_run(poke, &p) == WASM_RT_TRAP_OOB;
    }
    p.at = 65535;
    ok = ok && wasm_guard_run(poke, &p) == 0;
    ok = ok && wasm_rt_grow_memory(&p.memory, 2) == 1;
    ok = ok && wasm_rt_grow_memory(&p.memory, 1) == UINT32_MAX;
    ok = ok && p.memory.size == 3 * 65536;
    p.at = 3 * 65536 - 1;
    ok = ok && wasm_guard_run(poke, &p) == 0;
    wasm_rt_free_memory(&p.memory);
    return ok;
}

static void test_guard_pages(void **state)
{
    (void)state;
    in_child(guard_pages);
}

/* A soft reset is a new memory: a leak of the reservation would end the
 * address space here. */
static void test_no_leak(void **state)
{
    (void)state;
    for (int i = 0; i < 40000; i++) {
        wasm_rt_memory_t memory;
        wasm_rt_allocate_memory(&memory, 1, 1);
        wasm_rt_free_memory(&memory);
    }
}

static void *trap_in_thread(void *arg)
{
    wasm_guard_thread();
    for (int i = 0; i < 2000; i++)
        if (wasm_guard_run(poke, arg) != WASM_RT_TRAP_OOB)
            return NULL;
    return arg;
}

static bool threads(void)
{
    struct poke p[2];
    pthread_t thread[2];
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        wasm_rt_allocate_memory(&p[i].memory, 1, 1);
        p[i].at = 70000;
        pthread_create(&thread[i], NULL, trap_in_thread, &p[i]);
    }
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(thread[i], &result);
        ok = ok && result == &p[i];
        wasm_rt_free_memory(&p[i].memory);
    }
    return ok;
}

static void test_threads(void **state)
{
    (void)state;
    in_child(threads);
}

static void fault_elsewhere(void *arg)
{
    *(volatile uint8_t *)arg = 1;
}

static void hard_fault(int sig)
{
    (void)sig;
    _exit(42);
}

static int exit_of_fault(void (*handler)(int))
{
    pid_t child = fork();
    if (child == 0) {
        /* The firmware installs its handler before anything else. */
        struct sigaction a = {0};
        a.sa_handler = handler;
        sigaction(SIGSEGV, &a, NULL);
        void *page =
            mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        wasm_guard_run(fault_elsewhere, page);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static void test_foreign_fault(void **state)
{
    (void)state;
    int status = exit_of_fault(hard_fault);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    status = exit_of_fault(SIG_DFL);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void test_signatures(void **state)
{
    (void)state;
    uint32_t a = wasm_rt_register_func_type(1, 1, WASM_RT_I32, WASM_RT_I32);
    uint32_t b = wasm_rt_register_func_type(2, 0, WASM_RT_I32, WASM_RT_I32);
    uint32_t c = wasm_rt_register_func_type(1, 1, WASM_RT_I32, WASM_RT_I32);
    uint32_t none = wasm_rt_register_func_type(0, 0);
    assert_int_equal(a, c);
    assert_int_not_equal(a, b);
    assert_int_not_equal(a, 0);
    assert_int_not_equal(none, 0);
}

int main(void)
{
    /* Those with children first: they must find wasm_rt_init() undone. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_fault),
        cmocka_unit_test(test_guard_pages),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_trap_is_a_value),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_no_leak),
        cmocka_unit_test(test_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
