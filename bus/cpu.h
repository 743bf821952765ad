/* The CPU's end of the bus: what bootloader and firmware call.
 *
 * One struct bus_cpu per process. Registers may be touched from any thread
 * (single words, atomic); commands are serialized by a lock inside, so they
 * may come from any thread too, and a signal repeats the wait (EINTR) rather
 * than ending it. */
#ifndef WIPY_BUS_CPU_H
#define WIPY_BUS_CPU_H

#include <stdbool.h>

#include "bus/bus.h"
#include "flash/flash.h"

struct bus_cpu {
    struct bus_cpu_regs *regs;         /* ours to write */
    const struct bus_board_regs *board; /* read-only */
    const uint8_t *chip;               /* read-only view of the flash */
    uint32_t next_id;
    _Atomic int lock;
};

/* Maps the registers and the chip. Returns 0 or WIPY_EIO when a descriptor
 * is missing or of another version. */
int bus_open(struct bus_cpu *bus);

/* The flash interface over this bus; `map` is the mapped chip. */
struct flash bus_flash(struct bus_cpu *bus);

/* One command. `in` is the payload of `len` bytes for BUS_PROGRAM and
 * BUS_SD_WRITE, `out` the place of `len` bytes for BUS_SD_READ; NULL
 * otherwise. Returns 0 or a negative enum wipy_err; WIPY_EIO when the board
 * is gone. */
int bus_call(struct bus_cpu *bus, enum bus_op op, uint32_t addr, uint32_t len,
             const void *in, void *out);

/* No erase or program inside the range until the next reset. */
int bus_lock(struct bus_cpu *bus, uint32_t addr, uint32_t len);

/* Ends this process: the board kills it and starts the ROM. Does not return. */
_Noreturn void bus_reset(struct bus_cpu *bus, bool into_loader);

/* Board time since power-on, scaled by --speed. */
uint64_t bus_now_us(const struct bus_cpu *bus);
uint64_t bus_now_ms(const struct bus_cpu *bus);

/* Sleeps `ms` of board time; a signal does not end it. */
void bus_sleep_ms(const struct bus_cpu *bus, uint32_t ms);

/* Real nanoseconds that `ms` of board time take. */
uint64_t bus_real_ns(const struct bus_cpu *bus, uint64_t ms);

void bus_ring(struct bus_cpu *bus); /* tell the board a register changed */
void bus_set_led(struct bus_cpu *bus, uint32_t rgb);
void bus_set_state(struct bus_cpu *bus, enum bus_cpu_state state);
bool bus_pin_level(const struct bus_cpu *bus, unsigned gp);

/* Writes to the serial line without ever blocking for long: what the line
 * does not take within 50 ms of real time is dropped. */
void bus_uart_write(struct bus_cpu *bus, const void *data, size_t len);
void bus_uart_print(struct bus_cpu *bus, const char *text);

/* Says why and stops for ever with the LED solid (0x500000); the reset switch
 * and the serial loader still work. */
_Noreturn void bus_fatal(struct bus_cpu *bus, const char *why);

#endif
