/* The chip: reset, watchdog, pins, clock. */
#include <errno.h>
#include <strings.h>
#include <time.h>

#include "bus/pins.h"
#include "firmware/python/native.h"

static struct bus_cpu *bus_of(struct native *n)
{
    return n->vm->config->bus;
}

static uint64_t real_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- reset and sleep ---- */

static void reset(struct native *n)
{
    const struct vm_services *s = n->services;
    files_sync(n->vm);
    out_flush(n->vm);
    if (s->reset)
        s->reset(s->ctx);
    bus_reset(bus_of(n), false);
}

static void reset_cause(struct native *n)
{
    native_return_int(n, n->vm->reset_cause);
}

static void deep_sleep(struct native *n)
{
    const struct vm_services *s = n->services;
    uint32_t ms = native_uint(n, 0, INT32_MAX);
    files_sync(n->vm);
    out_flush(n->vm);
    native_check(n, s->deep_sleep
                        ? s->deep_sleep(s->ctx, ms)
                        : bus_call(bus_of(n), BUS_SLEEP, 0, ms, NULL, NULL));
}

static void unique_id(struct native *n)
{
    native_return_bytes(n, bus_of(n)->board->mac, 6);
}

/* ---- watchdog ---- */

static void wdt_arm(struct native *n)
{
    const struct vm_services *s = n->services;
    uint32_t ms = native_uint(n, 0, INT32_MAX);
    native_check(n, s->wdt_arm
                        ? s->wdt_arm(s->ctx, ms)
                        : bus_call(bus_of(n), BUS_WDT_ARM, 0, ms, NULL, NULL));
}

static void wdt_feed(struct native *n)
{
    const struct vm_services *s = n->services;
    if (s->wdt_feed)
        s->wdt_feed(s->ctx);
    else
        bus_of(n)->regs->wdt_feed++;
}

/* ---- pins ---- */

static uint32_t pin_bit(struct native *n)
{
    return 1u << native_uint(n, 0, PIN_COUNT - 1);
}

/* pin_find(name) -> number, or -1 */
static void pin_find(struct native *n)
{
    char name[8];
    size_t len;
    native_str(n, 0, &len);
    int pin = -1;
    if (len < sizeof name) {
        native_text(n, 0, name, sizeof name);
        bool ours = !n->vm->config->wipy1 || strncasecmp(name, "GP", 2) == 0;
        pin = ours ? pin_by_name(name) : -1;
    }
    native_return_int(n, pin < 0 ? -1 : pin);
}

static void set_bit(_Atomic uint32_t *word, uint32_t bit, bool on)
{
    if (on)
        atomic_fetch_or(word, bit);
    else
        atomic_fetch_and(word, ~bit);
}

/* As at power-on: what drove a pin knows nothing of it after a soft reset. */
void pins_release(struct vm *vm)
{
    struct bus_cpu_regs *regs = vm->config->bus->regs;
    atomic_store(&regs->pin_dir, 0);
    atomic_store(&regs->pin_up, 0);
    atomic_store(&regs->pin_down, 0);
    atomic_store(&regs->pin_out, 0);
    bus_ring(vm->config->bus);
}

/* The board takes some microseconds to see a change of ours: whoever reads a
 * pin right after changing one waits until the level is what we made it, or
 * until something outside holds it otherwise. */
enum { PIN_SETTLE_US = 5000, PIN_LOOK_NS = 20000 };

static void changed(struct native *n)
{
    n->vm->pin_changed_us = real_us();
    bus_ring(bus_of(n));
}

static void settle(struct native *n, unsigned pin)
{
    const struct bus_cpu_regs *regs = bus_of(n)->regs;
    uint32_t bit = 1u << pin;
    uint32_t ours = regs->pin_dir & bit ? regs->pin_out : regs->pin_up;
    if (!((regs->pin_dir | regs->pin_up | regs->pin_down) & bit))
        return; /* floating: nothing to expect */
    while (bus_pin_level(bus_of(n), pin) != ((ours & bit) != 0) &&
           real_us() - n->vm->pin_changed_us < PIN_SETTLE_US)
        nanosleep(&(struct timespec){.tv_nsec = PIN_LOOK_NS}, NULL);
}

/* pin_mode(number, output, pull_up, pull_down) */
static void pin_mode(struct native *n)
{
    struct bus_cpu_regs *regs = bus_of(n)->regs;
    uint32_t bit = pin_bit(n);
    set_bit(&regs->pin_up, bit, native_bool(n, 2));
    set_bit(&regs->pin_down, bit, native_bool(n, 3));
    set_bit(&regs->pin_dir, bit, native_bool(n, 1));
    changed(n);
}

/* pin_drive(number, level): the output latch */
static void pin_drive(struct native *n)
{
    set_bit(&bus_of(n)->regs->pin_out, pin_bit(n), native_bool(n, 1));
    changed(n);
}

static void pin_latch(struct native *n)
{
    native_return_int(n, (bus_of(n)->regs->pin_out & pin_bit(n)) != 0);
}

static void pin_level(struct native *n)
{
    unsigned pin = native_uint(n, 0, PIN_COUNT - 1);
    settle(n, pin);
    native_return_int(n, bus_pin_level(bus_of(n), pin));
}

/* ---- clock ---- */

#define CLOCK_END_US 253402300800e6 /* the year 10000 */

/* clock_us() -> microseconds since 1970 */
static void clock_us(struct native *n)
{
    native_return_float(n, (double)wait_clock_us(n->vm));
}

static void set_clock(struct native *n)
{
    const struct vm_services *s = n->services;
    double wanted = native_float(n, 0);
    if (!(wanted >= 0 && wanted < CLOCK_END_US))
        native_value_error(n, "the clock goes from 1970 to 9999");
    int64_t us = (int64_t)wanted;
    if (s->set_now_us)
        native_check(n, s->set_now_us(s->ctx, us));
    else
        n->vm->clock_offset_us += us - wait_clock_us(n->vm);
}

/* boot_log() -> the diary as text */
static void boot_log(struct native *n)
{
    static char text[16384];
    const struct vm_services *s = n->services;
    if (!s->boot_log)
        native_unsupported(n, "boot_log");
    int len = s->boot_log(s->ctx, text, sizeof text);
    native_check(n, len);
    native_return_str(n, text,
                      (size_t)len < sizeof text ? (size_t)len : sizeof text);
}

/* log() -> the running log as text */
static void log_text(struct native *n)
{
    static char text[16384];
    const struct vm_services *s = n->services;
    if (!s->log_text)
        native_unsupported(n, "log");
    int len = s->log_text(s->ctx, text, sizeof text);
    native_check(n, len);
    native_return_str(n, text, (size_t)len);
}

const struct native_entry native_machine[] = {
    {"reset", 0, 0, reset},           {"reset_cause", 0, 0, reset_cause},
    {"deep_sleep", 1, 1, deep_sleep}, {"unique_id", 0, 0, unique_id},
    {"wdt_arm", 1, 1, wdt_arm},       {"wdt_feed", 0, 0, wdt_feed},
    {"pin_find", 1, 1, pin_find},     {"pin_mode", 4, 4, pin_mode},
    {"pin_drive", 2, 2, pin_drive},   {"pin_latch", 1, 1, pin_latch},
    {"pin_level", 1, 1, pin_level},   {"clock_us", 0, 0, clock_us},
    {"set_clock", 1, 1, set_clock},   {"boot_log", 0, 0, boot_log},
    {"log", 0, 0, log_text},          {0},
};
