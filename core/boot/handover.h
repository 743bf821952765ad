/* What the bootloader tells the firmware, and what survives a reset
 * (docs/FORMATS.md, section "Handover").
 *
 * Both are copied out of and into the words of struct bus_cpu_regs whole;
 * both ends run on the same machine, so integers are native. */
#ifndef WIPY_BOOT_HANDOVER_H
#define WIPY_BOOT_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#define HANDOVER_MAGIC 0x314f4257u /* "WBO1" */
#define RETAINED_MAGIC 0x31544257u /* "WBT1" */
#define RETAINED_SAFE  0x45464153u /* in request_safe */

enum { SLOT_NONE = 0xff };

/* Why this image runs. */
enum boot_why {
    WHY_ACTIVE = 0,        /* the selected one */
    WHY_TRIAL = 1,         /* selected, not confirmed yet */
    WHY_SAFE_LATEST = 2,   /* safe boot, pin released in window 1 */
    WHY_SAFE_PREVIOUS = 3, /* window 2 */
    WHY_SAFE_FACTORY = 4,  /* window 3 */
    WHY_SAFE_SOFTWARE = 5, /* safe boot asked for by software */
    WHY_ROLLBACK = 6,      /* the selected one was left at this start */
    WHY_FALLBACK = 7,      /* the selected one does not verify */
    WHY_REFLASHED = 8,     /* factory was written by a serial tool */
    WHY_KEYS_LOST = 9,     /* the selected one was not accepted before the keys
                              were damaged */
};

enum handover_flag {
    HANDOVER_SAFE_BOOT = 1 << 0, /* skip boot.py and main.py */
    HANDOVER_TRIAL = 1 << 1,     /* confirm, or go back; watchdog is armed */
    HANDOVER_TABLE1_BAD = 1 << 2,
    HANDOVER_TABLE2_BAD = 1 << 3,
    HANDOVER_RECORD0_BAD = 1 << 4, /* that copy of the boot record */
    HANDOVER_RECORD1_BAD = 1 << 5,
    HANDOVER_RECORD_NEW = 1 << 6, /* there was none: written afresh */
    HANDOVER_ADOPTED = 1 << 7,    /* a host tool's record was taken over */
    HANDOVER_KEYS_SET = 1 << 8,
    HANDOVER_KEYS_BAD = 1 << 9,   /* a copy of the keys is damaged, not both */
    HANDOVER_REFLASHED = 1 << 10, /* factory is not the recorded one */
    HANDOVER_UNLOCKED = 1 << 11,  /* the board has no locks */
    HANDOVER_KEYS_LOST = 1 << 12, /* no copy of the keys is good */
    HANDOVER_DAMAGE = HANDOVER_TABLE1_BAD | HANDOVER_TABLE2_BAD |
                      HANDOVER_RECORD0_BAD | HANDOVER_RECORD1_BAD |
                      HANDOVER_KEYS_BAD | HANDOVER_KEYS_LOST,
};

struct boot_handover {
    uint32_t magic;
    uint8_t slot;          /* executing: 0 factory, 1 ota_0, 2 ota_1 */
    uint8_t why;           /* enum boot_why */
    uint8_t attempts_left; /* starts left after this one, in a trial */
    uint8_t cause;         /* enum bus_reset_cause */
    uint32_t flags;        /* enum handover_flag */
    uint8_t active, prev;  /* as recorded, after this decision */
    uint8_t left;          /* slot that was left now, or SLOT_NONE */
    uint8_t left_reason;   /* enum boot_reason, core/boot/record.h */
    uint8_t fault[4];      /* enum image_fault of each slot, if looked at */
    uint32_t image_len;    /* bytes, with signature and tail */
    uint32_t boot_us;      /* board time the decision took */
    uint32_t watchdog_ms;  /* armed with this, 0 = not armed */
    uint8_t digest[32];    /* SHA-256 of the executing image */
    char version[32];      /* of it, NUL-terminated */
    uint32_t unused[8];
};

/* How the last run ended, as far as the firmware could tell beforehand. */
enum run_end {
    RUN_UNKNOWN = 0, /* power cut, reset switch, fault */
    RUN_ORDERLY = 1, /* machine.reset() or deep sleep after the services
                        answered: no failed start of a trial */
};

enum { RETAINED_EVENTS = 8, CRASH_FAULTS = 3, CRASH_WINDOW_MS = 60000 };

struct retained_event {
    uint8_t slot, why, cause, left;
    uint32_t run_s; /* how long the run before it lasted, UINT32_MAX unknown */
};

/* The first half of the retained words; the rest is free for others. Zero
 * after a power cut: then `magic` is wrong and nothing of it counts. */
struct boot_retained {
    uint32_t magic;
    uint32_t request_safe; /* RETAINED_SAFE: next start is a safe boot */

    /* The run that is on or was before: written by the bootloader at
     * hand-over, `end` and `run_s` by the firmware as it goes. */
    uint8_t slot, safe, trial;
    uint8_t end;    /* enum run_end */
    uint32_t run_s; /* seconds this run lasts already */

    /* Board time of the latest faults of the active image; 0 = none. */
    uint32_t fault_ms[CRASH_FAULTS];

    /* Starts no firmware has put into the diary yet. */
    uint32_t event_count;
    struct retained_event event[RETAINED_EVENTS];
    uint32_t unused[8];
};

_Static_assert(sizeof(struct boot_handover) == 128, "32 words");
_Static_assert(sizeof(struct boot_retained) == 128, "32 of 64 words");

#endif
