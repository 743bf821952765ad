/* The diary: the last 64 starts and changes, in two sectors of its own
 * (docs/FORMATS.md, section "Diary"). 64 bytes an entry; the older sector is
 * erased when the newer one is full, so at least 64 entries remain. A torn
 * entry is skipped. */
#ifndef WIPY_BOOT_DIARY_H
#define WIPY_BOOT_DIARY_H

#include "boot/boot.h"

enum { DIARY_ENTRY_LEN = 64, DIARY_ENTRIES = 64 };

enum diary_kind {
    DIARY_START = 1,  /* a start: slot, why, cause, how long the run before */
    DIARY_CHANGE = 2, /* the record changed: slot, reason */
    DIARY_DAMAGE = 3, /* a copy of table, record or keys was damaged */
    DIARY_FAULT = 4,  /* the run before ended in a fault: code */
    DIARY_UNHEALTHY = 5, /* the user's healthy() said no: `version` is why */
};

struct diary_entry {
    uint32_t seq; /* 1, 2, … */
    uint8_t kind; /* enum diary_kind */
    uint8_t slot;
    uint8_t why;   /* START: enum boot_why; CHANGE: enum boot_reason */
    uint8_t cause; /* START: enum bus_reset_cause; FAULT: enum bus_fault_kind */
    uint32_t flags; /* START, DAMAGE: enum handover_flag; FAULT: code */
    uint32_t time;  /* of the real-time clock, Unix seconds, 0 unknown */
    uint32_t run_s; /* how long the run before lasted, UINT32_MAX unknown */
    uint8_t digest[8];
    char version[25];
};

struct diary {
    const struct flash *flash;
    uint32_t off; /* 0: the table has no diary, everything is a no-op */
    uint32_t next_seq;
    unsigned next; /* place of the next entry, 0 to 127 */
};

/* Finds the end; reads only. */
void diary_open(struct diary *d, const struct boot *b);

/* Appends; seq is filled in. */
int diary_add(struct diary *d, struct diary_entry *e);

/* The n-th latest entry, 0 = the latest; false when there is none. */
bool diary_get(const struct diary *d, unsigned n, struct diary_entry *e);

/* What the firmware calls once after its start: writes the starts waiting in
 * the retained words, damage seen by the bootloader, a fault that ended the
 * run before, and this start. Clears the waiting ones. `fault_kind` and
 * `fault_code` from bus_board_regs.last_fault, `rtc` Unix seconds or 0. */
int diary_note_start(struct diary *d, const struct boot_handover *h,
                     struct boot_retained *retained, uint32_t fault_kind,
                     uint32_t fault_code, uint32_t rtc);

/* The image in `slot` is on trial and healthy() refused it: `why` is what it
 * did, "said no", cut to what an entry holds. */
int diary_note_unhealthy(struct diary *d, unsigned slot, const char *why,
                         uint32_t rtc);

/* After confirm, rollback, select, an update: the record's last change. */
int diary_note_change(struct diary *d, const struct boot *b, uint32_t rtc);

#endif
