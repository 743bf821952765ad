/* The board's 32 lines and who drives them.
 *
 * A line is driven from outside (a wire to 3V3 or ground, by control socket
 * or keys), else by the CPU if it is an output, else pulled by the CPU's
 * pulls, else it floats, which reads as low. From outside wins over the CPU:
 * a wire is stronger than a pin. Pure: no clock, no descriptor. */
#ifndef WIPY_BOARD_PINS_H
#define WIPY_BOARD_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/pins.h"

enum pin_drive { PIN_FREE, PIN_LOW, PIN_HIGH };

struct pins {
    uint32_t outside;      /* bit n: GPn is driven from outside */
    uint32_t outside_high; /* ... to this level */
};

/* What the CPU does with its side, from its registers. */
struct pins_cpu {
    uint32_t out, dir, up, down;
    bool lit; /* the LED, seen on GP25 when nothing drives that line */
};

/* `gp` < PIN_COUNT. */
void pins_drive(struct pins *pins, unsigned gp, enum pin_drive drive);
enum pin_drive pins_driven(const struct pins *pins, unsigned gp);

/* The level of all lines, bit n is GPn. */
uint32_t pins_level(const struct pins *pins, const struct pins_cpu *cpu);

/* "free", "low", "high". */
const char *pin_drive_name(enum pin_drive drive);

/* True when the loader's strap (P2 = GP23) is held to ground. */
bool pins_strapped(const struct pins *pins);

#endif
