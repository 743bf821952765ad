/* Who may run. Between boot.c and decide.c, and for the tool, which shows what
 * the next start takes. */
#ifndef WIPY_BOOT_CANDIDATES_H
#define WIPY_BOOT_CANDIDATES_H

#include "boot.h"

/* Slots in the order they are tried: `first`, factory when it is the
 * fall-back asked for, active, previous, others, factory. */
struct candidates {
    unsigned count;
    uint8_t slot[SLOTS];
};

struct candidates candidates_of(const struct boot *b, unsigned first,
                                bool then_factory);

/* Only taken when nothing better is there: recorded as bad, incomplete or
 * empty, and not written since by somebody else; with lost keys also what the
 * record does not call accepted. */
bool candidate_is_poor(const struct boot *b, unsigned slot);

/* The slot holds another image than the one recorded (nothing recorded: no).
 * Looks at the appended SHA-256 only. */
bool slot_reflashed(const struct boot *b, unsigned slot);

/* The active image is given up for `to`. */
void boot_record_leave(struct boot_record *r, unsigned to,
                       enum boot_reason reason);

/* What to leave the active image for: the best other one that verifies, or
 * SLOT_NONE. */
unsigned boot_way_back(const struct boot *b);

#endif
