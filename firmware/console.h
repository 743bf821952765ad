/* The prompt's two byte streams, shared by every way in.
 *
 * Input from telnet sessions and the serial line is merged into one ring that
 * the Python thread reads; what Python prints goes to all of them. Threads:
 * the loop feeds and drains, the vm thread reads and writes. Both rings are
 * guarded by one mutex; the vm sleeps on a condition. */
#ifndef WIPY_FIRMWARE_CONSOLE_H
#define WIPY_FIRMWARE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console;

/* One per board, made at start-up by main() and never freed on a board. */
struct console *console_new(void);
void console_free(struct console *c);

/* What an interrupt character calls: on the thread that feeds, no lock held.
 * Typically signals the vm thread. */
void console_on_interrupt(struct console *c, void (*hook)(void *ctx),
                          void *ctx);

/* ---- the vm thread ---- */

/* Waits until input is there, then takes at most `len` bytes. Returns the
 * count; 0 when `timeout_ms` (real time; -1 = for ever) ran out; WIPY_ECLOSED
 * never happens on a board; -EINTR when a signal or console_wake() came. */
int console_read(struct console *c, uint8_t *to, size_t len, int timeout_ms);

/* True when console_read would not wait (select on sys.stdin). */
bool console_has_input(struct console *c);

/* Prints to every attached session and to the serial line. Waits while the
 * ring is full, but never longer than a slow reader is allowed to take; then
 * the slow one loses output, not the program its time. */
void console_write(struct console *c, const void *from, size_t len);

/* ---- the loop thread ---- */

/* Bytes from a client. A byte equal to the interrupt character (see
 * console_set_interrupt) drops the input before it and calls the interrupt
 * hook at once, so Ctrl-C stops a script that does not read. */
void console_feed(struct console *c, const uint8_t *from, size_t len);

/* How much input fits now; more would be lost, so let the client wait. */
size_t console_room(struct console *c);

/* Output waiting for the sessions; returns how many bytes were copied. */
size_t console_take(struct console *c, uint8_t *to, size_t len);

/* ---- any thread ---- */

/* The interrupt character: 3 while a program runs, -1 (none) while the prompt
 * reads, which takes Ctrl-C as a byte in its turn. One that was typed ahead of
 * the program interrupts it now: it is dropped with all before it, and the
 * hook called. */
void console_set_interrupt(struct console *c, int character);

int console_interrupt(struct console *c); /* the character in force */

/* Readable when output waits: the loop polls it, console_take empties it. */
int console_bell(const struct console *c);

/* Makes a waiting console_read return -EINTR. */
void console_wake(struct console *c);

#endif
