/* Program 2 of the board: verifies and chooses the image, does the safe-boot
 * windows, locks what must not change and hands over. It writes the boot
 * record and nothing else; it trusts no length, and what it starts is the
 * memory it verified, not the chip again. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "boot/boot.h"
#include "boot/safeboot.h"
#include "bus/cpu.h"
#include "led/led.h"

_Static_assert((int)BOOT_RESET_WATCHDOG == (int)BUS_RESET_WATCHDOG,
               "core/boot knows the bus's number");

/* 8 KiB: too much for the stack of a small part. */
static struct boot boot;
static struct boot_choice choice;

/* The windows of spec 4.2, with the pin and the light of the board. */
static uint8_t safe_boot_window(struct bus_cpu *bus)
{
    struct safeboot s;
    safeboot_init(&s, bus->board->board == BUS_BOARD_WIPY1
                          ? SAFEBOOT_DEBOUNCE_1_MS
                          : SAFEBOOT_DEBOUNCE_MS);
    for (;;) {
        safeboot_step(&s, bus_pin_level(bus, SAFEBOOT_PIN_GP));
        if (s.done)
            break;
        bus_set_led(bus, s.lit ? LED_ORANGE : LED_DARK);
        bus_sleep_ms(bus, s.wait_ms);
    }
    bus_set_led(bus, LED_DARK);
    return s.window;
}

static void set_pull_down(struct bus_cpu *bus, bool on)
{
    bus->regs->pin_down = on ? 1u << SAFEBOOT_PIN_GP : 0;
    bus_ring(bus);
}

/* Images are checked where they are started from. */
static void take_memory(struct bus_cpu *bus)
{
    void *memory = mmap(NULL, boot_slot_max(&boot), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        bus_fatal(bus, "no memory for an image");
    boot.memory = memory;
}

static int lock_range(void *ctx, uint32_t off, uint32_t len)
{
    return bus_lock(ctx, off, len);
}

static void decide(struct bus_cpu *bus)
{
    struct boot_retained retained;
    struct boot_cause cause = {.reset = (uint8_t)bus->board->reset_cause};
    cause.fault = bus->board->last_fault.kind != BUS_FAULT_NONE;
    cause.window = safe_boot_window(bus);
    set_pull_down(bus, false);
    uint64_t begin = bus_now_us(bus);
    cause.now_ms = (uint32_t)(begin / 1000);
    memcpy(&retained, bus->regs->retained, sizeof retained);
    boot_decide(&boot, &cause, &retained, &choice);
    memcpy(bus->regs->retained, &retained, sizeof retained);
    choice.handover.boot_us = (uint32_t)(bus_now_us(bus) - begin);
}

/* What runs cannot destroy the way back: bootloader, tables, keys, factory
 * and the slot of what runs. */
static void lock_and_arm(struct bus_cpu *bus)
{
    struct boot_handover *h = &choice.handover;
    if (boot_lock(&boot, h->slot, lock_range, bus) != 0)
        h->flags |= HANDOVER_UNLOCKED;
    if (h->watchdog_ms &&
        bus_call(bus, BUS_WDT_ARM, 0, h->watchdog_ms, NULL, NULL) != 0)
        h->watchdog_ms = 0;
}

static void tell(struct bus_cpu *bus)
{
    const struct boot_handover *h = &choice.handover;
    memcpy(bus->regs->handover, h, sizeof *h);
    memcpy(bus->regs->image_version, h->version, sizeof h->version);
    const char *note = h->flags & HANDOVER_TRIAL       ? "on trial"
                       : h->flags & HANDOVER_SAFE_BOOT ? "safe boot"
                                                       : "";
    memset(bus->regs->image_note, 0, sizeof bus->regs->image_note);
    memcpy(bus->regs->image_note, note, strlen(note));
    bus->regs->slot = h->slot;
    bus_ring(bus);
}

static bool write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* Memory that may be executed: newer kernels want to be told. */
static int code_memory(void)
{
    enum { MFD_EXEC_FLAG = 0x10 };
    int fd = memfd_create("firmware", MFD_CLOEXEC | MFD_EXEC_FLAG);
    return fd >= 0 ? fd : memfd_create("firmware", MFD_CLOEXEC);
}

static void start(const struct image *im)
{
    static char name[] = "firmware";
    static char *const argv[] = {name, NULL}, *const envp[] = {NULL};
    int fd = code_memory();
    if (fd >= 0 && write_all(fd, im->elf, im->elf_len))
        fexecve(fd, argv, envp);
}

int main(void)
{
    struct bus_cpu bus;
    if (bus_open(&bus) != 0)
        return 1; /* started by hand: there is no board */
    bus_set_state(&bus, BUS_CPU_BOOTLOADER);
    set_pull_down(&bus, true);
    struct flash flash = bus_flash(&bus);
    int err = boot_open(&boot, &flash);
    if (err)
        bus_fatal(&bus, err == WIPY_ENOENT
                            ? "the partition table has no factory slot"
                            : "both partition tables are damaged");
    take_memory(&bus);
    decide(&bus);
    if (!choice.run)
        bus_fatal(&bus, "no slot holds a good image");
    lock_and_arm(&bus);
    tell(&bus);
    start(&choice.image);
    bus_fatal(&bus, "the image cannot be executed");
}
