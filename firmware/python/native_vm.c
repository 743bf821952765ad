/* The runtime itself: exceptions, scripts, tests. */
#include <errno.h>

#include "firmware/python/native.h"

/* raisers(os_error, value_error, ...): see native_raise(). */
static void raisers(struct native *n)
{
    for (int i = 0; i < n->count; i++)
        n->vm->exceptions[i] = native_callable(n, i);
}

/* main(name): what follows boot.py. */
static void set_main(struct native *n)
{
    native_text(n, 0, n->vm->main_name, sizeof n->vm->main_name);
}

/* gc_every(bytes): collect after that many bytes of allocation, 0 = when the
 * heap is full. */
static void gc_every(struct native *n)
{
    uint32_t bytes = native_uint(n, 0, INT32_MAX);
    vm_set_u32(n->vm, MP_GC_THRESHOLD, bytes ? bytes / MP_BLOCK : UINT32_MAX);
}

/* ---- crashes, for tests ---- */

static void access_wrongly(volatile uint8_t *volatile where)
{
    *where = 0;
}

static volatile unsigned deep = 1u << 30;

static unsigned overflow(unsigned depth)
{
    volatile unsigned frame[64];
    frame[depth % 64] = depth;
    return depth < deep ? overflow(depth + 1) + frame[depth % 64] : 0;
}

static void storage_fault(struct file_job *j)
{
    (void)j;
    access_wrongly((uint8_t *)(uintptr_t)64);
}

static void storage_overflow(struct file_job *j)
{
    j->result = (int)overflow(0);
}

/* crash(kind): 0 breaks the runtime as a script might through a defect of it,
 * 1 is a hard fault of the firmware on this thread; 2 overflows the stack
 * here, which costs the runtime; 3 and 4 are fault and overflow of the
 * storage thread. */
static void crash(struct native *n)
{
    struct file_job j = {0};
    switch (native_int(n, 0)) {
    case 0:
        access_wrongly(vm_at(n->vm, UINT32_MAX));
        break;
    case 1:
        access_wrongly((uint8_t *)(uintptr_t)64);
        break;
    case 2:
        native_return_int(n, (int)overflow(0));
        break;
    case 3:
        file_call(n->vm, &j, storage_fault);
        break;
    case 4:
        file_call(n->vm, &j, storage_overflow);
        break;
    default:
        native_value_error(n, "0 to 4");
    }
}

/* heap_room(): bytes the heap may still grow by. */
static void heap_room(struct native *n)
{
    native_return_int(n, gc_room(n->vm));
}

/* info(which) of: version, build, machine */
static void info(struct native *n)
{
    const struct vm_config *c = n->vm->config;
    const char *text[] = {c->version ? c->version : "",
                          c->build ? c->build : "",
                          c->wipy1 ? "WiPy with CC3200" : "WiPy with ESP32"};
    const char *chosen = text[native_uint(n, 0, 2)];
    native_return_str(n, chosen, strlen(chosen));
}

/* has_input(): sys.stdin would not wait. */
static void has_input(struct native *n)
{
    native_return_bool(n, !health_is_running(n->vm) &&
                              console_has_input(n->vm->config->console));
}

/* flush(): what was printed goes to the clients now. */
static void flush(struct native *n)
{
    out_flush(n->vm);
}

/* now_us() -> board time since power-on */
static void now_us(struct native *n)
{
    native_return_float(n, (double)wait_now_us(n->vm));
}

/* on_alarm(function): called by the scheduler when the alarm is due */
static void on_alarm(struct native *n)
{
    n->vm->alarm_callback = native_callable(n, 0);
}

/* alarm(us) of board time; 0 cancels */
static void alarm_at(struct native *n)
{
    double us = native_float(n, 0);
    bool sane = us > 0 && us < 1e18; /* 30,000 years */
    wait_set_alarm(n->vm, sane && n->vm->alarm_callback ? (uint64_t)us : 0);
}

/* on_trial(): healthy() will be asked */
static void on_trial(struct native *n)
{
    native_return_bool(n, n->vm->config->health != NULL);
}

/* on_healthy(function): asks it; see health.c */
static void on_healthy(struct native *n)
{
    n->vm->health.callback = native_callable(n, 0);
}

const struct native_entry native_vm[] = {
    {"raisers", 1, 6, raisers},       {"main", 1, 1, set_main},
    {"gc_every", 1, 1, gc_every},     {"crash", 1, 1, crash},
    {"heap_room", 0, 0, heap_room},   {"info", 1, 1, info},
    {"has_input", 0, 0, has_input},   {"flush", 0, 0, flush},
    {"now_us", 0, 0, now_us},         {"on_alarm", 1, 1, on_alarm},
    {"alarm", 1, 1, alarm_at},        {"on_trial", 0, 0, on_trial},
    {"on_healthy", 1, 1, on_healthy}, {0},
};
