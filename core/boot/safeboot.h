/* The safe-boot windows as a push machine (spec 4.2).
 *
 * Call safeboot_step() with the pin's level; wait `wait_ms` of board time
 * with the light as told; call again, until `done`. */
#ifndef WIPY_BOOT_SAFEBOOT_H
#define WIPY_BOOT_SAFEBOOT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SAFEBOOT_DEBOUNCE_MS = 100,   /* WIPY */
    SAFEBOOT_DEBOUNCE_1_MS = 500, /* WIPY1 */
    SAFEBOOT_PIN_GP = 28,
};

struct safeboot {
    uint32_t debounce_ms;
    bool debounced;
    uint8_t toggles; /* so far */
    bool lit;
    /* What to do now. */
    bool done;
    uint32_t wait_ms;
    /* After done: 0 normal boot, 1 latest, 2 previous, 3 factory. */
    uint8_t window;
};

void safeboot_init(struct safeboot *s, uint32_t debounce_ms);
void safeboot_step(struct safeboot *s, bool pin_high);

#endif
