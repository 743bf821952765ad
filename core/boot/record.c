#include "record.h"

#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/fields.h"

enum {
    RECORD_VERSION = 1,
    EXTENSION_OFF = RECORD_HEAD_LEN + 4,
    VERSION_OFF = EXTENSION_OFF + 4,
    HEAD_CRC_OFF = RECORD_HEAD_LEN - 4,

    /* The second copy does not lie in the first page of its sector, nor the
     * counters in a page beside a record: erasing or programming a page may
     * disturb the page next to it. */
    COPY_STEP = RECORD_SECTOR + 0x800,
    PLACES = 2, /* for a record in each sector */
    PLACE_STEP = 0x200,
    BLOCKS_OFF = 0x400,
    ATTEMPTS_OFF = 0x600,
    SAFE_TAKEN_OFF = 0x620,
};

#define RECORD_MAGIC 0x31524257u /* "WBR1" */
#define CLEAR_WORD   0xffffffffu

/* ---- bytes ---- */

#define R struct boot_record

static const struct field head_fields[] = {
    FIELD_U32(R, active), FIELD_U32(R, status),   FIELD_U32(R, prev),
    FIELD_U32(R, size),   FIELD_U32(R, safeboot), FIELD_BYTES(R, signature),
};

#define SLOT_FIELDS(n)                                                         \
    FIELD_BYTES(R, slot[n].state), FIELD_BYTES(R, slot[n].reason),             \
        FIELD_FILL(2, 0), FIELD_U32(R, slot[n].len),                           \
        FIELD_BYTES(R, slot[n].digest)

/* Behind the head and the extension's magic. */
static const struct field extension_fields[] = {
    FIELD_U32(R, seq),
    FIELD_FILL(1, RECORD_VERSION),
    FIELD_BYTES(R, reason),
    FIELD_BYTES(R, reason_slot),
    FIELD_BYTES(R, left_once),
    SLOT_FIELDS(0),
    SLOT_FIELDS(1),
    SLOT_FIELDS(2),
    FIELD_FILL(80, 0xff),
};

/* The ROM's CRC routine inverts what it is given: the register starts at 0
 * (spec 1.4). */
static uint32_t head_crc(const uint8_t *head)
{
    return crc32_add(0xffffffffu, head, HEAD_CRC_OFF);
}

void boot_record_head_write(uint8_t to[RECORD_HEAD_LEN],
                            const struct boot_record *r)
{
    fields_write(FIELDS(head_fields), to, r);
    put_u32(to + HEAD_CRC_OFF, head_crc(to));
}

bool boot_record_head_read(const uint8_t from[RECORD_HEAD_LEN],
                           struct boot_record *r)
{
    fields_read(FIELDS(head_fields), r, from);
    return r->status != CLEAR_WORD &&
           get_u32(from + HEAD_CRC_OFF) == head_crc(from);
}

static void record_encode(uint8_t to[RECORD_LEN], const struct boot_record *r)
{
    boot_record_head_write(to, r);
    put_u32(to + RECORD_HEAD_LEN, RECORD_MAGIC);
    fields_write(FIELDS(extension_fields), to + EXTENSION_OFF, r);
    bytes_seal(to, RECORD_LEN);
}

static bool record_decode(const uint8_t from[RECORD_LEN], struct boot_record *r)
{
    *r = (struct boot_record){0};
    if (!boot_record_head_read(from, r) || !bytes_are_sealed(from, RECORD_LEN))
        return false;
    fields_read(FIELDS(extension_fields), r, from + EXTENSION_OFF);
    return get_u32(from + RECORD_HEAD_LEN) == RECORD_MAGIC &&
           from[VERSION_OFF] == RECORD_VERSION;
}

/* ---- reading ---- */

static uint32_t copy_off(const struct record_store *s, unsigned copy)
{
    return s->off + copy * COPY_STEP;
}

static bool is_clear(const uint8_t *p, size_t len)
{
    return bytes_are(p, 0xff, len);
}

/* A host tool erases the sector and writes the head at its start; ours is
 * never there without its extension. */
static bool is_of_host(const uint8_t *p, struct boot_record *r)
{
    return boot_record_head_read(p, r) &&
           is_clear(p + RECORD_HEAD_LEN, RECORD_SECTOR - RECORD_HEAD_LEN);
}

/* A torn attempt counts as used: nobody was started for free. A torn block
 * does not count (`whole`): it is received again. */
static uint8_t count_words(const uint8_t *p, unsigned max, bool whole)
{
    unsigned n = 0;
    while (n < max &&
           (whole ? get_u32(p + 4 * n) == 0 : get_u32(p + 4 * n) != CLEAR_WORD))
        n++;
    return (uint8_t)n;
}

static void read_counters(const struct record_store *s, struct boot_record *r)
{
    const uint8_t *p = s->flash->map + copy_off(s, (unsigned)s->current);
    r->blocks = count_words(p + BLOCKS_OFF, RECORD_BLOCKS, true);
    r->attempts_used = count_words(p + ATTEMPTS_OFF, RECORD_ATTEMPTS, false);
    r->safe_taken = count_words(p + SAFE_TAKEN_OFF, 1, false);
}

int boot_record_load(struct record_store *store, struct boot_record *r,
                     const struct flash *flash, uint32_t off, uint32_t size)
{
    unsigned sectors = size / RECORD_SECTOR;
    *store = (struct record_store){.flash = flash,
                                   .off = off,
                                   .copies = sectors < 2 ? sectors : 2,
                                   .current = -1};
    *r = (struct boot_record){.status = RECORD_READY, .size = CLEAR_WORD};
    memset(r->signature, 0xff, sizeof r->signature);
    for (unsigned n = 0; n < PLACES * store->copies; n++) {
        unsigned i = n / PLACES;
        const uint8_t *p =
            flash->map + copy_off(store, i) + n % PLACES * PLACE_STEP;
        struct boot_record found;
        if (record_decode(p, &found)) {
            if (store->current < 0 || (int32_t)(found.seq - r->seq) > 0) {
                store->current = (int)i;
                *r = found;
            }
        } else if (n == 0 && is_of_host(p, &found)) {
            store->host = true;
        } else if (!is_clear(p, RECORD_LEN)) {
            store->bad[i] = true;
        }
    }
    if (store->host) /* its head over what we know of the slots */
        (void)boot_record_head_read(flash->map + off, r);
    else if (store->current >= 0)
        read_counters(store, r);
    else
        return WIPY_ENOENT;
    return 0;
}

/* ---- writing ---- */

void boot_record_note(struct boot_record *r, unsigned slot,
                      enum boot_reason reason)
{
    r->reason = (uint8_t)reason;
    r->reason_slot = (uint8_t)slot;
    r->slot[slot].reason = (uint8_t)reason;
}

void boot_record_activate(struct boot_record *r, unsigned slot, unsigned prev,
                          enum record_status status)
{
    r->active = slot;
    r->prev = prev;
    r->status = status;
    r->attempts_used = 0;
    r->safeboot = SAFEBOOT_NONE;
    r->safe_taken = 0;
    r->size = r->slot[slot].len ? r->slot[slot].len : CLEAR_WORD;
}

void boot_record_image(struct boot_record *r, unsigned slot, uint32_t len,
                       const uint8_t digest[RECORD_DIGEST_LEN],
                       enum slot_state state)
{
    r->slot[slot].len = len;
    memcpy(r->slot[slot].digest, digest, RECORD_DIGEST_LEN);
    r->slot[slot].state = (uint8_t)state;
}

static int write_zeros(const struct record_store *s, uint32_t off,
                       unsigned words)
{
    static const uint8_t zeros[4 * RECORD_BLOCKS];
    return words ? flash_program(s->flash, off, zeros, 4 * words) : 0;
}

static int write_counters(const struct record_store *s, uint32_t at,
                          const struct boot_record *r)
{
    int err = write_zeros(s, at + BLOCKS_OFF, r->blocks);
    if (!err)
        err = write_zeros(s, at + ATTEMPTS_OFF, r->attempts_used);
    if (!err)
        err = write_zeros(s, at + SAFE_TAKEN_OFF, r->safe_taken);
    return err;
}

/* Extension, then the head alone and last: until it is whole this record does
 * not count. */
static int write_record(const struct record_store *s, uint32_t at,
                        const struct boot_record *r)
{
    uint8_t bytes[RECORD_LEN];
    record_encode(bytes, r);
    int err =
        flash_program(s->flash, at + RECORD_HEAD_LEN, bytes + RECORD_HEAD_LEN,
                      RECORD_LEN - RECORD_HEAD_LEN);
    if (!err)
        err = flash_program(s->flash, at, bytes, RECORD_HEAD_LEN);
    if (!err)
        err = flash_sync(s->flash);
    if (!err && memcmp(s->flash->map + at, bytes, RECORD_LEN) != 0)
        err = WIPY_EIO;
    return err;
}

/* Blocks are of an upload; without one they mean nothing. */
static void drop_blocks(struct boot_record *r)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (r->slot[i].state == SLOT_RECEIVING)
            return;
    r->blocks = 0;
}

static int erase_copy(const struct record_store *s, unsigned copy)
{
    return flash_erase(s->flash, s->off + copy * RECORD_SECTOR, RECORD_SECTOR);
}

int boot_record_save(struct record_store *store, struct boot_record *r)
{
    if (store->copies == 0)
        return WIPY_ENOTSUP;
    /* Not over the one in use, nor over a host's. */
    unsigned copy = store->copies == 2 && (store->host || store->current == 0);
    drop_blocks(r);
    r->seq++;
    int err = erase_copy(store, copy);
    if (!err)
        err = write_counters(store, copy_off(store, copy), r);
    if (!err)
        err = write_record(store, copy_off(store, copy), r);
    store->bad[copy] = err != 0;
    if (err)
        return err;
    store->current = (int)copy;
    if (store->host && copy)
        err = erase_copy(store, 0);
    store->host = err != 0;
    return err;
}

int boot_record_append(struct record_store *store, struct boot_record *r)
{
    if (store->current < 0 || store->host)
        return boot_record_save(store, r);
    uint32_t at = copy_off(store, (unsigned)store->current);
    const uint8_t *copy = store->flash->map + at;
    if (!is_clear(copy + PLACE_STEP, RECORD_LEN) ||
        !is_clear(copy + ATTEMPTS_OFF, 256))
        return boot_record_save(store, r);
    r->seq++;
    int err = write_record(store, at + PLACE_STEP, r);
    if (err)
        store->bad[store->current] = true;
    return err;
}

/* Clears the next word of a counter beside the current copy. */
static int count(struct record_store *s, uint32_t off, uint8_t *counter,
                 unsigned max)
{
    if (s->current < 0)
        return WIPY_ENOTSUP;
    if (*counter >= max)
        return WIPY_ERANGE;
    uint32_t at = copy_off(s, (unsigned)s->current) + off;
    int err = write_zeros(s, at + 4u * *counter, 1);
    if (!err)
        err = flash_sync(s->flash);
    if (!err)
        (*counter)++;
    return err;
}

int boot_record_use_attempt(struct record_store *store, struct boot_record *r)
{
    return count(store, ATTEMPTS_OFF, &r->attempts_used, RECORD_ATTEMPTS);
}

int boot_record_add_block(struct record_store *store, struct boot_record *r)
{
    return count(store, BLOCKS_OFF, &r->blocks, RECORD_BLOCKS);
}

int boot_record_take_safe(struct record_store *store, struct boot_record *r)
{
    return count(store, SAFE_TAKEN_OFF, &r->safe_taken, 1);
}
