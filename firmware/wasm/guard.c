#define _GNU_SOURCE /* sigaltstack, SA_ONSTACK */
#include "firmware/wasm/guard.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/err.h"
#include "firmware/wasm/range.h"

enum { SIGNAL_STACK = 65536 };

struct guard {
    sigjmp_buf back;
    struct guard *outer;
};

static _Thread_local struct guard *innermost;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool initialized;
static struct sigaction before_segv, before_bus;

/* ---- faults ---- */

/* Does what would have happened without us. A default action is put back and
 * the faulting instruction runs again, so that the process dies of it. */
static void pass_on(const struct sigaction *before, int sig, siginfo_t *info,
                    void *context)
{
    if (before->sa_flags & SA_SIGINFO)
        before->sa_sigaction(sig, info, context);
    else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN)
        before->sa_handler(sig);
    else
        sigaction(sig, before, NULL);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    /* A positive code is the kernel's: a signal sent by kill() is no fault. */
    if (innermost && info->si_code > 0) {
        wasm_rt_trap_t trap = range_find((uintptr_t)info->si_addr);
        if (trap != WASM_RT_TRAP_NONE) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, sig);
            pthread_sigmask(SIG_UNBLOCK, &set, NULL);
            siglongjmp(innermost->back, (int)trap);
        }
    }
    pass_on(sig == SIGBUS ? &before_bus : &before_segv, sig, info, context);
}

static void install(void)
{
    struct sigaction action = {0};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &before_segv);
    sigaction(SIGBUS, &action, &before_bus);
    initialized = true;
}

void wasm_rt_init(void)
{
    pthread_once(&once, install);
}

bool wasm_rt_is_initialized(void)
{
    return initialized;
}

int wasm_guard_thread(void)
{
    wasm_rt_init();
    stack_t stack = {0};
    if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE))
        return 0;
    stack.ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED)
        return WIPY_ENOMEM;
    stack.ss_size = SIGNAL_STACK;
    stack.ss_flags = 0;
    return sigaltstack(&stack, NULL) ? WIPY_ENOMEM : 0;
}

int wasm_guard_stack(void *lo, size_t len)
{
    return range_add((uintptr_t)lo, len, WASM_RT_TRAP_EXHAUSTION);
}

void wasm_guard_stack_end(void *lo)
{
    range_remove((uintptr_t)lo);
}

int wasm_guard_owns(const void *address)
{
    return range_find((uintptr_t)address) != WASM_RT_TRAP_NONE;
}

/* ---- guarded calls ---- */

wasm_rt_trap_t wasm_guard_run(void (*call)(void *arg), void *arg)
{
    wasm_rt_init();
    struct guard guard;
    guard.outer = innermost;
    /* The mask is not saved: that would be a system call each time, and the
     * handler unblocks what it has to. */
    int trap = sigsetjmp(guard.back, 0);
    if (trap == 0) {
        innermost = &guard;
        call(arg);
    }
    innermost = guard.outer;
    return (wasm_rt_trap_t)trap;
}

void wasm_rt_trap(wasm_rt_trap_t trap)
{
    /* Without a guard there is nobody to tell: a defect of the firmware, and
     * a hard fault like any other. */
    if (!innermost)
        __builtin_trap();
    siglongjmp(innermost->back, (int)trap);
}

const char *wasm_rt_strerror(wasm_rt_trap_t trap)
{
    switch (trap) {
    case WASM_RT_TRAP_NONE:
        return "no trap";
    case WASM_RT_TRAP_OOB:
        return "access outside its memory";
    case WASM_RT_TRAP_INT_OVERFLOW:
        return "integer overflow";
    case WASM_RT_TRAP_DIV_BY_ZERO:
        return "integer division by zero";
    case WASM_RT_TRAP_INVALID_CONVERSION:
        return "conversion of a float to an integer it does not fit";
    case WASM_RT_TRAP_UNREACHABLE:
        return "unreachable code was reached";
    case WASM_RT_TRAP_CALL_INDIRECT:
        return "call through a wrong function pointer";
    case WASM_RT_TRAP_UNCAUGHT_EXCEPTION:
        return "exception nobody caught";
    case WASM_RT_TRAP_EXHAUSTION:
        return "call stack exhausted";
    }
    return "unknown trap";
}
