/* Between boot.c and decide.c: who may run, and changes to the record in
 * memory that both make. */
#ifndef WIPY_BOOT_CANDIDATES_H
#define WIPY_BOOT_CANDIDATES_H

#include "boot.h"

struct candidates {
    unsigned count;
    uint8_t slot[SLOTS];
};

struct candidates candidates_of(const struct boot *b, unsigned first);

/* Recorded as bad, incomplete or empty, and not written since by somebody
 * else: only taken when nothing better is there. */
bool candidate_given_up(const struct boot *b, unsigned slot);

bool digest_unknown(const uint8_t digest[SHA256_LEN]); /* all zeros */

/* The slot holds another image than the one with this digest (all zeros: not
 * known). Looks at the appended SHA-256 only. */
bool slot_reflashed(const struct boot *b, unsigned slot,
                    const uint8_t digest[SHA256_LEN]);

void boot_record_note(struct boot_record *r, unsigned slot,
                      enum boot_reason reason);
void boot_record_activate(struct boot_record *r, unsigned slot, unsigned prev,
                          enum record_status status);

/* The active image is given up for the way back; false when there is none. */
bool boot_record_leave(struct boot *b, enum boot_reason reason);

#endif
