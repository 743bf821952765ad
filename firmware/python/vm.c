/* The vm thread: runtime after runtime, scripts and prompt in each. */
#define _GNU_SOURCE /* pthread_getattr_np */
#include "firmware/python/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "firmware/python/inside.h"
#include "firmware/wasm/guard.h"

enum { CTRL_B = 2, CTRL_C = 3, CTRL_F = 6, REPL_RAW = 1 };

enum { SETTLE_NS = 20000000 }; /* as the first firmware's soft reset */

static void say_log(struct vm *vm, const char *line)
{
    const struct vm_services *s = vm->config->services;
    if (s->log)
        s->log(s->ctx, line);
}

/* ---- scripts ---- */

/* `name` between quotes, as Python source. */
static void quote(const char *name, char *out, size_t size)
{
    size_t at = 0;
    for (; *name && at + 5 < size; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 32 || c == '\'' || c == '\\' || c == 127)
            at += (size_t)snprintf(out + at, size - at, "\\x%02x", c);
        else
            out[at++] = (char)c;
    }
    out[at] = 0;
}

static void stat_job(struct file_job *j)
{
    j->result = volume_stat(j->volumes, j->path, j->data);
}

static bool is_file(struct vm *vm, const char *name)
{
    struct volume_info info;
    char path[VOLUME_PATH_MAX + 1];
    if (!file_path(vm, name, path))
        return false;
    struct file_job j = {.path = path, .data = &info};
    return file_call(vm, &j, stat_job) == 0 && !info.is_dir;
}

/* Runs a file of the current directory if it is there. False asks for a soft
 * reset. */
static bool run_script(struct vm *vm, const char *name)
{
    char quoted[4 * VOLUME_NAME_MAX + 8], source[sizeof quoted + 32];
    if (!is_file(vm, name))
        return true;
    quote(name, quoted, sizeof quoted);
    int len = snprintf(source, sizeof source, "execfile('%s')", quoted);
    enum exec_result result = instance_exec(vm, source, (size_t)len, true);
    const struct vm_services *s = vm->config->services;
    if (result == EXEC_RAISED && s->script_error)
        s->script_error(s->ctx);
    return result != EXEC_EXIT;
}

/* Who types Ctrl-C before they begin wants the prompt. */
static bool is_stopped(struct vm *vm)
{
    console_set_interrupt(vm->config->console, CTRL_C);
    console_set_interrupt(vm->config->console, -1);
    if (!atomic_exchange(&vm->interrupted, false))
        return false;
    out_print(vm, "Ctrl-C: boot.py and main.py were not run\r\n");
    return true;
}

static bool run_scripts(struct vm *vm, bool raw)
{
    if (is_stopped(vm))
        return true;
    if (!run_script(vm, "boot.py"))
        return false;
    return raw || run_script(vm, vm->main_name);
}

/* ---- prompt ---- */

static uint8_t next_byte(struct vm *vm)
{
    for (;;) {
        uint8_t byte;
        int ms = wait_prompt_ms(vm);
        if (atomic_exchange(&vm->interrupted, false))
            return CTRL_C;
        if (console_read(vm->config->console, &byte, 1, ms) > 0)
            return byte;
    }
}

static void serve_prompt(struct vm *vm)
{
    const struct vm_services *s = vm->config->services;
    for (;;) {
        uint8_t byte = next_byte(vm);
        bool raw = vm_u32(vm, MP_REPL_MODE) == REPL_RAW;
        if (byte == CTRL_F && !raw && !vm->config->wipy1) {
            if (s->safe_boot)
                s->safe_boot(s->ctx);
        } else if (prompt_feed(vm, byte)) {
            return;
        }
    }
}

/* ---- one runtime ---- */

struct life {
    struct vm *vm;
    bool scripts; /* boot.py and main.py are to be run */
    bool raw;     /* the prompt stays in raw mode over a soft reset */
    bool soft;
    bool started; /* the runtime came up */
    bool exited;  /* a script ended it */
};

static void start_light(struct vm *vm)
{
    const struct vm_services *s = vm->config->services;
    bool on = true;
    if (s->heartbeat_on_boot && s->heartbeat_on_boot(s->ctx, &on))
        say_log(vm, "heartbeat_on_boot cannot be read: the heart-beat is on");
    if (s->set_heartbeat)
        s->set_heartbeat(s->ctx, on);
}

/* The board's own preparations: sys.path and what is imported for the user. */
static void run_start(struct vm *vm)
{
    const struct frozen_file *start = frozen_find("_start.py");
    instance_exec(vm, (const char *)start->text, start->len, false);
}

static void run_test(struct vm *vm)
{
    const struct vm_config *c = vm->config;
    enum exec_result r = instance_exec(vm, c->script, c->script_len, true);
    files_sync(vm);
    out_flush(vm);
    c->exit(r == EXEC_OK || r == EXEC_EXIT ? 0 : 1);
}

static void live(void *arg)
{
    struct life *life = arg;
    struct vm *vm = life->vm;
    const struct vm_services *s = vm->config->services;
    strcpy(vm->main_name, "main.py");
    instance_start(vm);
    files_reset(vm);
    run_start(vm);
    life->started = true;
    if (s->started)
        s->started(s->ctx, life->soft);
    if (vm->config->script)
        run_test(vm);
    life->exited = life->scripts && !run_scripts(vm, life->raw);
    if (!life->exited) {
        vm_set_u32(vm, MP_REPL_MODE, life->raw ? REPL_RAW : 0);
        Z_micropythonZ_mp_js_repl_init(&vm->wasm);
        out_flush(vm);
        serve_prompt(vm);
    }
    life->raw = vm_u32(vm, MP_REPL_MODE) == REPL_RAW;
}

static void soft_reset(struct vm *vm, struct life *life)
{
    out_print(vm, vm->config->wipy1 ? "MPY: soft reboot\r\n"
                                    : "PYB: soft reboot\r\n");
    life->scripts = !vm->config->safe_boot; /* a safe boot stays one */
    /* It will do so again: others have a say in between. */
    struct timespec settle = {.tv_nsec = SETTLE_NS};
    while (life->exited && nanosleep(&settle, &settle) < 0)
        continue; /* a timer of the runtime that was */
}

/* A script broke the runtime itself. The scripts are not run again: they
 * would probably do it again; healthy() will not, it has had its say. */
static void crashed(struct vm *vm, struct life *life, wasm_rt_trap_t trap)
{
    const struct vm_services *s = vm->config->services;
    char line[160];
    bool healthy = health_crashed(vm);
    vm->crashes++;
    snprintf(line, sizeof line, "Python %s (%s) and was started afresh",
             healthy     ? "crashed in healthy()"
             : vm->stuck ? "did not react to Ctrl-C"
                         : "crashed",
             vm->stuck ? "busy" : wasm_rt_strerror(trap));
    vm->stuck = false;
    atomic_store(&vm->interrupted, false);
    vm->out_swallow = 0;
    out_print(vm, "\r\n");
    out_print(vm, line);
    out_print(vm, healthy ? "\r\n" : "; boot.py and main.py were not run\r\n");
    say_log(vm, line);
    if (s->script_error)
        s->script_error(s->ctx);
    life->scripts = healthy && !vm->config->safe_boot;
    life->raw = false;
}

/* Frames of the runtime lie below this one's. */
__attribute__((noinline)) static void one_life(struct life *life)
{
    struct vm *vm = life->vm;
    vm->stack_hi = __builtin_frame_address(0);
    life->started = life->exited = false;
    wasm_rt_trap_t trap = wasm_guard_run(live, life);
    atomic_store(&vm->executing, false);
    console_set_interrupt(vm->config->console, -1);
    if (!life->started)
        bus_fatal(vm->config->bus, "Python cannot start");
    prompt_reset(vm);
    files_sync(vm);
    files_reset(vm);
    card_release(vm);
    out_flush(vm);
    instance_end(vm);
    if (trap == WASM_RT_TRAP_NONE)
        soft_reset(vm, life);
    else
        crashed(vm, life, trap);
    vm->reset_cause = BUS_RESET_SOFT;
    life->soft = true;
    start_light(vm);
}

/* How much native stack there is, and what lies below it. */
static void measure_stack(struct vm *vm)
{
    pthread_attr_t attr;
    void *lo = NULL;
    size_t size = 0, guard = 0;
    vm->stack_limit = 64 << 10;
    if (pthread_getattr_np(pthread_self(), &attr))
        return;
    pthread_attr_getstack(&attr, &lo, &size);
    pthread_attr_getguardsize(&attr, &guard);
    pthread_attr_destroy(&attr);
    long below = (char *)__builtin_frame_address(0) - (char *)lo;
    if (below > VM_STACK_RESERVE + vm->stack_limit)
        vm->stack_limit = below - VM_STACK_RESERVE;
    if (guard)
        wasm_guard_stack((char *)lo - guard, guard);
}

_Noreturn void vm_run(const struct vm_config *config)
{
    struct vm *vm = calloc(1, sizeof *vm);
    if (!vm || wasm_guard_thread())
        bus_fatal(config->bus, "no memory for Python");
    vm->config = config;
    vm->thread = pthread_self();
    vm->reset_cause = config->bus->board->reset_cause;
    measure_stack(vm);
    wait_init(vm);
    Z_micropython_init_module();
    struct life life = {.vm = vm, .scripts = !config->safe_boot};
    start_light(vm);
    for (;;)
        one_life(&life);
}
