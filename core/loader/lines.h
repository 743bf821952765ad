/* The auto-program circuit between the modem lines and the chip.
 *
 * EN is low when RTS is asserted and DTR is not; IO0 is low when DTR is
 * asserted and RTS is not; with both or none asserted neither is pulled. The
 * chip resets when EN rises and samples IO0 at that instant. This is a truth
 * table over levels, so every order in which tools touch the lines works and
 * opening a port (DTR, then RTS) resets nothing.
 *
 * EN carries a capacitor: coming from "EN low" through "both asserted", EN
 * stays low until IO0 is decided or LINES_EN_RISE_MS passed. Tools change the
 * two lines one after the other, over a network 50 ms apart. */
#ifndef WIPY_LOADER_LINES_H
#define WIPY_LOADER_LINES_H

#include <stdbool.h>
#include <stdint.h>

enum { LINES_EN_RISE_MS = 250 };

enum lines_event {
    LINES_NOTHING = 0,
    LINES_HELD,     /* EN fell: the chip stops */
    LINES_BOOT,     /* EN rose, IO0 high: boot from flash */
    LINES_DOWNLOAD, /* EN rose, IO0 low: serial loader */
};

struct lines {
    bool dtr, rts; /* asserted */
    bool en_low;   /* the chip is held */
    bool rising;   /* EN is about to rise, at rise_ms */
    uint64_t rise_ms;
};

/* All lines released; also when a client disconnects use lines_set(0, 0). */
void lines_init(struct lines *l);

/* New levels at `now_ms` (real time). */
enum lines_event lines_set(struct lines *l, bool dtr, bool rts,
                           uint64_t now_ms);

/* Time went on; `*next_ms` is set to the milliseconds until it wants to be
 * called again, or -1. */
enum lines_event lines_tick(struct lines *l, uint64_t now_ms, int *next_ms);

/* True while IO0 is pulled low: the strap as the board would read it. */
bool lines_io0_low(const struct lines *l);

#endif
