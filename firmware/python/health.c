/* healthy() of the user, asked while a new image is on trial; see vm.h.
 *
 * It is called at a safe point of the interpreter, in the middle of whatever
 * Python does, and by the host itself: in a callback of the scheduler neither
 * the time limit nor Ctrl-C could interrupt it. What it prints goes to the
 * log, the keyboard is at its end, the current directory comes back.
 *
 * Time over: first KeyboardInterrupt. Who catches that and goes on is left
 * past all handlers. Who never comes to a safe point (9**9**9) costs the
 * runtime, as three times Ctrl-C would. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "firmware/python/inside.h"

enum {
    FORCE_AFTER_MS = 1000, /* board time from the interrupt to the force */
    HUNG_AFTER_MS = 1000,  /* real time without a safe point */
    LOG_LINES_MAX = 16,    /* of one answer */
};

#define TOO_LONG "took longer than 5 s"
_Static_assert(VM_HEALTH_LIMIT_MS == 5000, "as the text says");

/* ---- loop thread ---- */

enum vm_health_state vm_health_ask(struct vm_health *h)
{
    int idle = VM_HEALTH_IDLE;
    atomic_compare_exchange_strong(&h->state, &idle, VM_HEALTH_ASKED);
    int state = atomic_load(&h->state);
    struct vm *vm = atomic_load(&h->vm);
    if (vm && (state == VM_HEALTH_ASKED || state == VM_HEALTH_RUNNING))
        wait_wake(vm);
    return (enum vm_health_state)state;
}

/* ---- vm thread ---- */

static uint64_t real_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool state_is(const struct vm *vm, enum vm_health_state state)
{
    const struct vm_health *h = vm->config->health;
    return h && atomic_load(&h->state) == (int)state;
}

bool health_is_running(const struct vm *vm)
{
    return state_is(vm, VM_HEALTH_RUNNING);
}

bool health_is_wanted(const struct vm *vm)
{
    return state_is(vm, VM_HEALTH_ASKED) && vm->health.callback;
}

static void refuse(struct vm *vm, const char *why)
{
    struct vm_health *h = vm->config->health;
    snprintf(h->reason, sizeof h->reason, "%s", why);
    atomic_store(&h->state, VM_HEALTH_NO);
}

void health_reset(struct vm *vm)
{
    vm->health.callback = 0;
    if (vm->config->health)
        atomic_store(&vm->config->health->vm, vm);
}

/* ---- what it prints ---- */

static void log_line(struct vm *vm)
{
    const struct vm_services *s = vm->config->services;
    char text[sizeof vm->health.line + 16];
    if (vm->health.line_len && vm->health.lines++ < LOG_LINES_MAX && s->log) {
        snprintf(text, sizeof text, "healthy(): %.*s", (int)vm->health.line_len,
                 vm->health.line);
        s->log(s->ctx, text);
    }
    vm->health.line_len = 0;
}

void health_print(struct vm *vm, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (from[i] == '\n' || vm->health.line_len == sizeof vm->health.line)
            log_line(vm);
        if (from[i] != '\n' && from[i] != '\r')
            vm->health.line[vm->health.line_len++] = (char)from[i];
    }
}

/* ---- its end ---- */

/* The type of an exception is the text up to the mark; see instance.c. */
static void refuse_for_exception(struct vm *vm, uint32_t at, uint32_t len)
{
    char why[VM_HEALTH_REASON];
    const char *text = vm_range(vm, at, len) ? (char *)vm_at(vm, at) : "\4";
    const char *mark = memchr(text, 4, len);
    snprintf(why, sizeof why, "raised %.*s", mark ? (int)(mark - text) : 0,
             text);
    refuse(vm, why);
    Z_micropythonZ_free(&vm->wasm, at);
}

static void refuse_for_text(struct vm *vm, uint32_t at, uint32_t len)
{
    char why[VM_HEALTH_REASON];
    size_t cut = len < sizeof why ? len : sizeof why - 1;
    if (!vm_range(vm, at, len))
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    memcpy(why, vm_at(vm, at), cut);
    why[cut] = 0;
    refuse(vm, why);
}

static void judge(struct vm *vm, uint32_t out)
{
    struct vm_health *h = vm->config->health;
    int32_t kind = (int32_t)vm_u32(vm, out);
    uint32_t len = vm_u32(vm, out + 4), at = vm_u32(vm, out + 8);
    if (vm->health.interrupted_ms)
        refuse(vm, TOO_LONG);
    else if (kind == MP_OUT_NONE)
        atomic_store(&h->state, VM_HEALTH_YES);
    else if (kind == MP_OUT_STR)
        refuse_for_text(vm, at, len);
    else if (kind == MP_OUT_EXCEPTION && vm->health.by_user)
        atomic_store(&h->state, VM_HEALTH_ASKED); /* it has not answered */
    else if (kind == MP_OUT_EXCEPTION)
        refuse_for_exception(vm, at, len);
    else
        refuse(vm, "gave no answer");
}

/* ---- the call ---- */

/* modules/_trial.py gave the function: None is yes, a text says why not. The
 * dictionaries differ afterwards only when it was left by force. A Ctrl-C of
 * the user was meant for the program, which gets it now. */
static void call(struct vm *vm)
{
    uint32_t locals = vm_u32(vm, MP_DICT_LOCALS);
    uint32_t globals = vm_u32(vm, MP_DICT_GLOBALS);
    uint32_t vfs = vm_u32(vm, MP_VFS_CURRENT);
    uint32_t out = Z_micropythonZ_malloc(&vm->wasm, MP_VALUE);
    uint32_t list = vm_u32(vm, MP_PROXY_C_REF);
    char cwd[sizeof vm->cwd];
    if (!out)
        return;
    strcpy(cwd, vm->cwd);
    uint32_t callback = vm->health.callback;
    vm->health = (struct health){.callback = callback,
                                 .outer = vm_u32(vm, MP_NLR_TOP),
                                 .begun_ms = wait_now_us(vm) / 1000,
                                 .seen_ms = real_ms()};
    atomic_store(&vm->config->health->state, VM_HEALTH_RUNNING);
    vm_set_u32(vm, vm_u32(vm, list + MP_LIST_ITEMS), callback);
    Z_micropythonZ_proxy_c_to_js_call(&vm->wasm, 0, 0, 0, out);
    vm_set_u32(vm, MP_DICT_LOCALS, locals);
    vm_set_u32(vm, MP_DICT_GLOBALS, globals);
    vm_set_u32(vm, MP_VFS_CURRENT, vfs);
    strcpy(vm->cwd, cwd);
    log_line(vm);
    judge(vm, out);
    Z_micropythonZ_free(&vm->wasm, out);
    vm_set_u32(vm, MP_PENDING_EXCEPTION, 0);
    if (vm->health.by_user)
        Z_micropythonZ_mp_sched_keyboard_interrupt(&vm->wasm);
}

/* ---- the limit ---- */

static bool is_over(const struct vm *vm)
{
    return wait_now_us(vm) / 1000 >= vm->health.begun_ms + VM_HEALTH_LIMIT_MS;
}

/* The handler of proxy_c_to_js_call() is the last one before those of the
 * program that was interrupted. */
static _Noreturn void leave_by_force(struct vm *vm)
{
    uint32_t last = vm_u32(vm, MP_NLR_TOP);
    while (vm_u32(vm, last) != vm->health.outer)
        last = vm_u32(vm, last);
    vm_set_u32(vm, MP_NLR_TOP, last);
    mpi_nlr_jump(&vm->wasm, MP_KEYBOARD_INTERRUPT);
}

/* The caller raises what is pending. */
static void watch(struct vm *vm)
{
    uint64_t now = wait_now_us(vm) / 1000;
    vm->health.seen_ms = real_ms();
    if (!is_over(vm))
        return;
    if (!vm->health.interrupted_ms) {
        vm->health.interrupted_ms = now;
        Z_micropythonZ_mp_sched_keyboard_interrupt(&vm->wasm);
    } else if (now >= vm->health.interrupted_ms + FORCE_AFTER_MS) {
        leave_by_force(vm);
    }
}

/* A callback of the scheduler runs, or an interrupt is on its way to the
 * program: later. */
void health_serve(struct vm *vm)
{
    int16_t scheduler;
    if (!vm->config->health)
        return;
    memcpy(&scheduler, vm_at(vm, MP_SCHED_STATE), sizeof scheduler);
    if (scheduler < 0)
        return;
    if (health_is_running(vm))
        watch(vm);
    else if (health_is_wanted(vm) && !vm_u32(vm, MP_PENDING_EXCEPTION))
        call(vm);
}

bool health_crashed(struct vm *vm)
{
    if (!health_is_running(vm))
        return false;
    refuse(vm, vm->stuck && is_over(vm) ? TOO_LONG : "crashed Python");
    return true;
}

/* In the signal handler. */
bool health_is_hung(const struct vm *vm)
{
    return health_is_running(vm) && is_over(vm) &&
           real_ms() >= vm->health.seen_ms + HUNG_AFTER_MS;
}
