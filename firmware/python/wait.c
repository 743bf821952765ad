/* Time, waiting, and what interrupts both.
 *
 * The loop thread calls on_interrupt() when Ctrl-C arrives: it marks it, sends
 * SIGUSR1 to the vm thread and wakes whatever the vm waits on. The signal
 * handler runs on the vm thread, so its three stores into the guest need no
 * lock; delivering outside of running code is left to the prompt. */
#define _GNU_SOURCE /* ppoll, SIGEV_THREAD_ID */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "firmware/python/inside.h"

enum { FLUSH_AFTER_MS = 5 };

static _Thread_local struct vm *current; /* for the signal handler */

/* Makes the interpreter look for pending work at its next jump backwards. */
static void request_pending(struct vm *vm)
{
    int16_t state;
    memcpy(&state, vm_at(vm, MP_SCHED_STATE), sizeof state);
    if (state == 1)
        vm_set_u16(vm, MP_SCHED_STATE, 0);
}

static void on_signal(int sig)
{
    (void)sig;
    struct vm *vm = current;
    if (!vm || !atomic_load(&vm->executing))
        return;
    if (atomic_exchange(&vm->interrupted, false))
        Z_micropythonZ_mp_sched_keyboard_interrupt(&vm->wasm);
    request_pending(vm);
}

/* On the loop thread. */
static void on_interrupt(void *ctx)
{
    struct vm *vm = ctx;
    atomic_store(&vm->interrupted, true);
    pthread_kill(vm->thread, SIGUSR1);
    uint64_t one = 1;
    if (write(vm->wake, &one, sizeof one) < 0) {
        /* full: it is awake already */
    }
    console_wake(vm->config->console);
}

void wait_init(struct vm *vm)
{
    current = vm;
    vm->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    /* No SA_RESTART: a wait ends with EINTR. */
    struct sigaction action = {0};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);

    struct sigevent event = {0};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
#ifdef sigev_notify_thread_id
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
#else
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
#endif
    vm->flush_armed = timer_create(CLOCK_MONOTONIC, &event, &vm->flush_timer) !=
                      0; /* without timers: never armed */
    console_on_interrupt(vm->config->console, on_interrupt, vm);
}

/* ---- late output ---- */

static void set_flush_timer(struct vm *vm, long ms)
{
    struct itimerspec t = {0};
    t.it_value.tv_nsec = ms * 1000000L;
    /* Again and again: a signal that meets a locked scheduler is lost. */
    t.it_interval = t.it_value;
    timer_settime(vm->flush_timer, 0, &t, NULL);
}

void wait_arm_flush(struct vm *vm)
{
    if (vm->flush_armed || !atomic_load(&vm->executing))
        return;
    vm->flush_armed = true;
    set_flush_timer(vm, FLUSH_AFTER_MS);
}

/* The interpreter is at a safe point. */
void host_before_mp_handle_pending(Z_micropython_instance_t *in, uint32_t raise)
{
    (void)raise;
    struct vm *vm = vm_of(in);
    if (!vm->flush_armed)
        return;
    set_flush_timer(vm, 0);
    vm->flush_armed = false;
    out_flush(vm);
}

/* ---- clocks ---- */

uint64_t wait_now_us(const struct vm *vm)
{
    return bus_now_us(vm->config->bus);
}

int64_t wait_clock_us(const struct vm *vm)
{
    const struct vm_services *s = vm->config->services;
    if (s->now_us)
        return s->now_us(s->ctx);
    return vm->config->bus->board->rtc_start * 1000000 +
           (int64_t)wait_now_us(vm) + vm->clock_offset_us;
}

uint32_t Z_envZ_mp_js_ticks_ms(struct Z_env_instance_t *env)
{
    return (uint32_t)(wait_now_us(vm_of_env(env)) / 1000);
}

uint32_t host_mp_hal_ticks_us(Z_micropython_instance_t *in)
{
    return (uint32_t)wait_now_us(vm_of(in));
}

double Z_envZ_mp_js_time_ms(struct Z_env_instance_t *env)
{
    return (double)(wait_clock_us(vm_of_env(env)) / 1000);
}

uint32_t Z_envZ_mp_js_random_u32(struct Z_env_instance_t *env)
{
    (void)env;
    uint32_t v = 0;
    while (getrandom(&v, sizeof v, 0) != sizeof v)
        continue; /* interrupted */
    return v;
}

/* ---- waiting ---- */

void wait_pending(struct vm *vm)
{
    mpi_mp_handle_pending(&vm->wasm, 1);
}

static bool is_pending(struct vm *vm)
{
    int16_t state;
    memcpy(&state, vm_at(vm, MP_SCHED_STATE), sizeof state);
    return state == 0 || vm_u32(vm, MP_PENDING_EXCEPTION);
}

bool wait_quietly(struct vm *vm, uint64_t until_us)
{
    out_flush(vm);
    for (;;) {
        if (is_pending(vm))
            return false;
        uint64_t now = wait_now_us(vm);
        if (now >= until_us)
            return true;
        uint64_t left = until_us - now;
        if (left > 3600u * 1000000u)
            left = 3600u * 1000000u;
        uint64_t ns = left * 65536000 / vm->config->bus->board->speed;
        struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
        struct pollfd fd = {.fd = vm->wake, .events = POLLIN};
        if (ppoll(&fd, 1, &t, NULL) > 0) {
            uint64_t count;
            if (read(vm->wake, &count, sizeof count) < 0)
                continue;
        }
    }
}

void wait_until(struct vm *vm, uint64_t until_us)
{
    for (;;) {
        wait_pending(vm);
        if (wait_quietly(vm, until_us))
            return;
    }
}

void host_mp_hal_delay_ms(Z_micropython_instance_t *in, uint32_t ms)
{
    struct vm *vm = vm_of(in);
    wait_until(vm, wait_now_us(vm) + (uint64_t)ms * 1000);
}

void host_mp_hal_delay_us(Z_micropython_instance_t *in, uint32_t us)
{
    struct vm *vm = vm_of(in);
    wait_until(vm, wait_now_us(vm) + us);
}

/* Something is polled that cannot wake us: look again soon. */
void host_mp_event_wait_ms(Z_micropython_instance_t *in, uint32_t ms)
{
    struct vm *vm = vm_of(in);
    wait_pending(vm);
    uint64_t us = ms > 5 ? 5000 : (uint64_t)ms * 1000;
    wait_quietly(vm, wait_now_us(vm) + us);
    wait_pending(vm);
}

void host_mp_event_wait_indefinite(Z_micropython_instance_t *in)
{
    host_mp_event_wait_ms(in, 5);
}

/* The interrupt character is 3 while programs run, -1 at the prompt, and
 * what micropython.kbd_intr() says. */
void host_mp_hal_set_interrupt_char(Z_micropython_instance_t *in, uint32_t c)
{
    struct vm *vm = vm_of(in);
    vm_set_u32(vm, MP_INTERRUPT_CHAR, c);
    console_set_interrupt(vm->config->console, (int32_t)c);
}
