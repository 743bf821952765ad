/* Names of the pins. GP0..GP31 are the manual's names and the bits of the
 * registers; P0..P23 are the module pins of the second generation and G0..G31
 * the expansion board's, both other names of the same lines (spec 4.1: safe
 * boot is GP28 = P12 = G28). */
#ifndef WIPY_BUS_PINS_H
#define WIPY_BUS_PINS_H

enum {
    PIN_LED = 25,       /* GP25: the heart-beat LED */
    PIN_SAFE_BOOT = 28, /* GP28 = P12 */
    PIN_LOADER = 23,    /* GP23 = P2: low at reset enters the serial loader */
    PIN_COUNT = 32,
};

/* Bit number of a name ("GP28", "P12", "G28"; case does not matter), or
 * WIPY_ENOENT. */
int pin_by_name(const char *name);

#endif
