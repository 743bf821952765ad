#define _GNU_SOURCE
#include "firmware/fault.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/err.h"
#include "led/led.h"

static struct bus_cpu *fault_bus;

enum { FAULT_STACK = 16384, NEAR_STACK = 65536 };

static const char *name_of(int sig)
{
    switch (sig) {
    case SIGSEGV:
        return "access to an invalid address";
    case SIGBUS:
        return "bus error";
    case SIGILL:
        return "illegal instruction";
    case SIGFPE:
        return "arithmetic fault";
    case SIGABRT:
        return "the firmware gave up";
    default:
        return "fault";
    }
}

static uint64_t pc_of(void *context)
{
#if defined(__x86_64__)
    return (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uint64_t)((ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static uint64_t sp_of(void *context)
{
#if defined(__x86_64__)
    return (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uint64_t)((ucontext_t *)context)->uc_mcontext.sp;
#else
    (void)context;
    return 0;
#endif
}

/* An invalid address close to the stack pointer: below the stack's end. */
static bool is_overflow(int sig, uint64_t address, void *context)
{
    return sig == SIGSEGV &&
           address - (sp_of(context) - NEAR_STACK) < 2 * NEAR_STACK;
}

/* Ends in a stop, not in an exit: sessions freeze as on a hung board, the
 * watchdog, if armed, is no longer fed. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    struct bus_fault *fault = &fault_bus->regs->fault;
    fault->kind = BUS_FAULT_SIGNAL;
    fault->code = (uint32_t)sig;
    fault->address = (uint64_t)(uintptr_t)info->si_addr;
    fault->pc = pc_of(context);
    strncpy(fault->text,
            is_overflow(sig, fault->address, context) ? "stack overflow"
                                                      : name_of(sig),
            sizeof fault->text - 1);

    char line[160];
    snprintf(line, sizeof line,
             "\r\nhard fault: %s (address 0x%llx, pc 0x%llx)\r\n"
             "the LED stays on until the board is reset\r\n",
             fault->text, (unsigned long long)fault->address,
             (unsigned long long)fault->pc);
    bus_uart_print(fault_bus, line);
    bus_set_led(fault_bus, LED_RED);
    bus_set_state(fault_bus, BUS_CPU_FATAL);
    /* The default action ends all threads at once; the board sees it. */
    signal(sig, SIG_DFL);
    raise(sig);
}

int fault_thread(void)
{
    stack_t stack = {.ss_size = FAULT_STACK};
    stack.ss_sp = mmap(NULL, FAULT_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED)
        return WIPY_ENOMEM;
    return sigaltstack(&stack, NULL) ? WIPY_ENOMEM : 0;
}

void fault_install(struct bus_cpu *bus)
{
    fault_bus = bus;
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = on_fault;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}
