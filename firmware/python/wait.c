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
#include <ucontext.h>
#include <unistd.h>

#include "firmware/python/inside.h"

enum { CTRL_C = 3, FLUSH_AFTER_MS = 5, REPEAT_MS = 5 };

static _Thread_local struct vm *current; /* for the signal handler */

/* Makes the interpreter look for pending work at its next jump backwards. */
static void request_pending(struct vm *vm)
{
    int16_t state;
    memcpy(&state, vm_at(vm, MP_SCHED_STATE), sizeof state);
    if (state == 1)
        vm_set_u16(vm, MP_SCHED_STATE, 0);
}

/* The generated code's section; see redirect.mjs. */
extern const char __start_guest_text[], __stop_guest_text[];

static bool in_guest(const void *context)
{
    const ucontext_t *c = context;
#if defined(__x86_64__)
    uintptr_t pc = (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    uintptr_t pc = (uintptr_t)c->uc_mcontext.pc;
#else
    uintptr_t pc = 0;
    (void)c;
#endif
    return pc >= (uintptr_t)__start_guest_text &&
           pc < (uintptr_t)__stop_guest_text;
}

static uint64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The runtime is lost. Only while the guest's own code runs, so that no lock
 * of the host is lost with it. */
static _Noreturn void give_up(struct vm *vm)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    vm->stuck = true;
    wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

enum { GIVE_UP_PRESSES = 3, GIVE_UP_MS = 1000 };

/* Some things never look at interrupts: 9**9**9, a regular expression that
 * backtracks for ever. Whoever insists gets a fresh runtime. */
static void interrupt(struct vm *vm, const void *context)
{
    uint64_t now = monotonic_ms();
    if (!vm_u32(vm, MP_PENDING_EXCEPTION)) {
        vm->ignored = 0;
        vm->ignored_since_ms = now;
    }
    Z_micropythonZ_mp_sched_keyboard_interrupt(&vm->wasm);
    vm->interrupts++;
    if (++vm->ignored < GIVE_UP_PRESSES ||
        now - vm->ignored_since_ms < GIVE_UP_MS || !in_guest(context))
        return;
    give_up(vm);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    struct vm *vm = current;
    if (!vm || !atomic_load(&vm->executing))
        return;
    if (atomic_exchange(&vm->interrupted, false)) {
        if (health_is_running(vm))
            vm->health.by_user = true;
        interrupt(vm, context);
    }
    if (health_is_hung(vm) && in_guest(context))
        give_up(vm);
    request_pending(vm);
}

/* 0 stops it. */
static void set_timer(timer_t timer, uint64_t ns)
{
    struct itimerspec t = {0};
    t.it_value.tv_sec = (time_t)(ns / 1000000000);
    t.it_value.tv_nsec = (long)(ns % 1000000000);
    t.it_interval.tv_nsec = ns ? REPEAT_MS * 1000000L : 0;
    timer_settime(timer, 0, &t, NULL);
}

static void late_output(struct vm *vm)
{
    if (!vm->flush_armed)
        return;
    set_timer(vm->flush_timer, 0);
    vm->flush_armed = false;
    out_flush(vm);
}

/* What was typed ahead interrupts at once, as what came between two. */
void wait_begin(struct vm *vm)
{
    atomic_store(&vm->executing, true);
    host_mp_hal_set_interrupt_char(&vm->wasm, CTRL_C);
    if (atomic_load(&vm->interrupted))
        wait_wake(vm);
}

/* What came too late is for whatever is next. */
void wait_end(struct vm *vm)
{
    atomic_store(&vm->executing, false);
    host_mp_hal_set_interrupt_char(&vm->wasm, (uint32_t)-1);
    if (vm_u32(vm, MP_PENDING_EXCEPTION))
        atomic_store(&vm->interrupted, true);
    vm_set_u32(vm, MP_PENDING_EXCEPTION, 0);
    late_output(vm);
}

/* On the loop thread. */
static void on_interrupt(void *ctx)
{
    struct vm *vm = ctx;
    atomic_store(&vm->interrupted, true);
    wait_wake(vm);
}

void wait_wake(struct vm *vm)
{
    pthread_kill(vm->thread, SIGUSR1);
    uint64_t one = 1;
    if (write(vm->wake, &one, sizeof one) < 0) {
        /* full: it is awake already */
    }
    console_wake(vm->config->console);
}

/* A timer that sends SIGUSR1 to the calling thread. */
static bool make_timer(timer_t *timer)
{
    struct sigevent event = {0};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    pid_t thread = (pid_t)syscall(SYS_gettid);
#ifdef sigev_notify_thread_id
    event.sigev_notify_thread_id = thread;
#else
    event._sigev_un._tid = thread;
#endif
    return timer_create(CLOCK_MONOTONIC, &event, timer) == 0;
}

void wait_init(struct vm *vm)
{
    current = vm;
    vm->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    /* No SA_RESTART: a wait ends with EINTR. */
    struct sigaction action = {0};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);

    vm->timers = make_timer(&vm->flush_timer) && make_timer(&vm->alarm_timer);
    console_on_interrupt(vm->config->console, on_interrupt, vm);
}

/* ---- late output and alarms ----
 *
 * Timers ask for them by SIGUSR1, again and again, since a signal that meets
 * a locked scheduler is lost; they happen at the interpreter's next safe
 * point, and during every wait. */

/* mp_handle_pending_behaviour_t: does it raise what is pending, too? */
enum { PENDING_CALLBACKS = 0, PENDING_ALL = 1 };

static uint64_t real_ns(const struct vm *vm, uint64_t us)
{
    uint32_t speed = vm->config->bus->board->speed;
    if (us > 3600u * 1000000u)
        us = 3600u * 1000000u;
    return us * 65536000 / (speed ? speed : 65536);
}

void wait_arm_flush(struct vm *vm)
{
    if (vm->flush_armed || !vm->timers || !atomic_load(&vm->executing))
        return;
    vm->flush_armed = true;
    set_timer(vm->flush_timer, FLUSH_AFTER_MS * 1000000);
}

void wait_set_alarm(struct vm *vm, uint64_t at_us)
{
    vm->alarm_us = at_us;
    if (!vm->timers)
        return;
    uint64_t now = wait_now_us(vm);
    set_timer(vm->alarm_timer,
              at_us ? real_ns(vm, at_us > now ? at_us - now : 0) + 1 : 0);
}

/* Those of the program wait until healthy() is done. */
static bool alarm_is_due(struct vm *vm)
{
    return vm->alarm_us && wait_now_us(vm) >= vm->alarm_us &&
           !health_is_running(vm);
}

/* The alarm's callback is scheduled; what else is due is Python's to tell
 * when that runs. */
static void ring_alarm(struct vm *vm)
{
    if (!alarm_is_due(vm))
        return;
    const uint32_t none = 1; /* the small int 0: some argument */
    if (mpi_mp_sched_schedule(&vm->wasm, vm->alarm_callback, none))
        wait_set_alarm(vm, 0);
}

/* The interpreter is at a safe point. */
void host_before_mp_handle_pending(Z_micropython_instance_t *in, uint32_t raise)
{
    struct vm *vm = vm_of(in);
    late_output(vm);
    ring_alarm(vm);
    if (raise)
        health_serve(vm);
}

/* At the prompt nothing runs that could look. A callback may run for ever:
 * Ctrl-C ends it as it ends a program, and the prompt sees it, too. */
int wait_prompt_ms(struct vm *vm)
{
    bool healthy = health_is_wanted(vm);
    if (!vm->alarm_us && !healthy)
        return -1;
    uint64_t now = wait_now_us(vm);
    if (now < vm->alarm_us && !healthy)
        return (int)(real_ns(vm, vm->alarm_us - now) / 1000000) + 1;
    unsigned interrupts = vm->interrupts;
    wait_begin(vm);
    health_serve(vm);
    mpi_mp_handle_pending(&vm->wasm, PENDING_CALLBACKS);
    wait_end(vm);
    if (vm->interrupts != interrupts)
        atomic_store(&vm->interrupted, true);
    out_flush(vm);
    return 0;
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
    mpi_mp_handle_pending(&vm->wasm, PENDING_ALL);
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
        uint64_t now = wait_now_us(vm);
        if (is_pending(vm) || alarm_is_due(vm))
            return false;
        if (now >= until_us)
            return true;
        uint64_t ns = real_ns(vm, until_us - now);
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
