/* The boot record: which image is selected and what is known of each
 * (docs/FORMATS.md, section "Boot record"; spec 1.4).
 *
 * Two copies in the two sectors of otadata, written in turn: erase, then the
 * extension, then the 40-byte head the vendor's tools know. A write that is
 * torn anywhere leaves the other copy. Counters beside it are counted down by
 * clearing bits: one page program, no erase. */
#ifndef WIPY_BOOT_RECORD_H
#define WIPY_BOOT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "flash/flash.h"

enum {
    SLOTS = 3, /* factory, ota_0, ota_1 */
    SLOT_FACTORY = 0,
    RECORD_HEAD_LEN = 40,
    RECORD_LEN = 256,
    RECORD_SECTOR = 4096,
    RECORD_ATTEMPTS = 5, /* failed starts of a trial */
    RECORD_BLOCKS = 64,  /* progress words: one a 64 KiB received */
    RECORD_DIGEST_LEN = 32,
};

enum record_status {
    RECORD_CHECK = 0, /* active waits for its trial or is in it */
    RECORD_READY = 1,
    RECORD_PATCH = 2, /* vendor: a binary difference; treated as READY */
};

enum record_safeboot { SAFEBOOT_NONE = 0, SAFEBOOT_PIN = 1, SAFEBOOT_SOFT = 2 };

enum slot_state {
    SLOT_UNKNOWN = 0,   /* nothing recorded: judged by its content */
    SLOT_EMPTY = 1,     /* erased, or given up */
    SLOT_RECEIVING = 2, /* an upload has begun and not ended */
    SLOT_PENDING = 3,   /* complete, starts at the next reset */
    SLOT_TRIAL = 4,     /* started, not confirmed (derived from attempts) */
    SLOT_GOOD = 5,
    SLOT_BAD = 6, /* given up after a failed trial or crash loop */
};

/* Reason of the last change. */
enum boot_reason {
    REASON_NONE = 0,
    REASON_FIRST_START = 1,   /* there was no record */
    REASON_HOST_TOOL = 2,     /* a host tool wrote one */
    REASON_REFLASHED = 3,     /* factory written by a serial tool */
    REASON_UPLOAD = 4,        /* an upload began */
    REASON_PREPARED = 5,      /* slot erased on request */
    REASON_UPDATED = 6,       /* an upload was committed */
    REASON_SELF_TEST = 7,     /* confirmed by the self-test */
    REASON_USER_CONFIRM = 8,  /* confirmed by the user */
    REASON_USER_ROLLBACK = 9, /* rolled back by the user */
    REASON_FAULT = 10,        /* left: hard fault in its trial */
    REASON_WATCHDOG = 11,     /* left: watchdog in its trial */
    REASON_ATTEMPTS = 12,     /* left: five starts without confirmation */
    REASON_CRASH_LOOP = 13,   /* left: three faults within 60 s */
    REASON_NOT_GOOD = 14,     /* left: it does not verify */
    REASON_SELECTED = 15,     /* chosen by the user */
    REASON_SAFE_REQUEST = 16, /* safe boot at the next start asked for */
    REASON_REFUSED = 17,      /* an upload ended and was not accepted */
};

struct record_slot {
    uint8_t state;  /* enum slot_state */
    uint8_t reason; /* enum boot_reason: why it is in this state */
    uint32_t len;   /* bytes of the image, 0 unknown */
    uint8_t digest[RECORD_DIGEST_LEN]; /* zeros: unknown */
};

/* What is asked for most comes first: short offsets are short code. */
struct boot_record {
    /* The vendor's head. active and prev are always < SLOTS here. */
    uint32_t active, status, prev, size, safeboot;

    uint8_t reason;      /* enum boot_reason */
    uint8_t reason_slot; /* the slot it is about */
    uint8_t left_once;   /* 1: a crash loop was left; not a second time */

    /* Counters beside the record, of the copy in use. */
    uint8_t attempts_used; /* 0 to RECORD_ATTEMPTS */
    uint8_t blocks;        /* 64 KiB blocks of the unfinished upload */
    uint8_t safe_taken;    /* 1: the software safe boot has happened */

    uint32_t seq;
    struct record_slot slot[SLOTS];
    uint8_t signature[16]; /* of the vendor's head */
};

struct record_store {
    const struct flash *flash;
    uint32_t off;    /* of otadata */
    unsigned copies; /* 2; 1 when the partition has one sector; 0: no otadata,
                        then nothing can be saved (WIPY_ENOTSUP) */
    int current;     /* copy the record was read from, -1: none */
    bool bad[2];     /* holds something, and it is damaged */
    bool host;       /* copy 0 was written by a host tool */
};

/* Finds the record in use. Returns 0, WIPY_ENOENT when there is none (then
 * `r` is what a new board has: factory, READY). `flash` must be mapped; `size`
 * of less than a sector means no otadata. Writes nothing. When
 * store->host the record is the host's head with our knowledge of the
 * slots, and boot_record_save() is due. */
int boot_record_load(struct record_store *store, struct boot_record *r,
                     const struct flash *flash, uint32_t off, uint32_t size);

/* Writes `r` with the next sequence number to the other copy, then erases a
 * host tool's record if there was one. The counters are written as `r` has
 * them: whoever changes what they are about sets them to 0 first. */
int boot_record_save(struct record_store *store, struct boot_record *r);

/* The same without an erase: behind the record in use, in the same sector, when
 * that place is free and no attempt has been counted there; else like
 * boot_record_save(). The counters go on, so this is for a record to which
 * `blocks` mean nothing. */
int boot_record_append(struct record_store *store, struct boot_record *r);

/* Clears the next bit of a counter; 0 or the error of the flash. */
int boot_record_use_attempt(struct record_store *store, struct boot_record *r);
int boot_record_add_block(struct record_store *store, struct boot_record *r);
int boot_record_take_safe(struct record_store *store, struct boot_record *r);

/* Changes in memory, for everything that is saved afterwards: the last change
 * is about `slot`; `slot` is selected; `slot` holds that image. */
void boot_record_note(struct boot_record *r, unsigned slot,
                      enum boot_reason reason);
void boot_record_activate(struct boot_record *r, unsigned slot, unsigned prev,
                          enum record_status status);
void boot_record_image(struct boot_record *r, unsigned slot, uint32_t len,
                       const uint8_t digest[RECORD_DIGEST_LEN],
                       enum slot_state state);

/* The vendor's 40 bytes alone, for tools: head with CRC (spec 1.4). */
void boot_record_head_write(uint8_t to[RECORD_HEAD_LEN],
                            const struct boot_record *r);
/* False when the CRC is wrong or the status FFFFFFFF. Active and prev are
 * given as stored. */
bool boot_record_head_read(const uint8_t from[RECORD_HEAD_LEN],
                           struct boot_record *r);

#endif
