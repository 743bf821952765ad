#include "record.h"

#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"

enum {
    RECORD_VERSION = 1,
    SLOT_LEN = 40,
    CRC_OFF = RECORD_LEN - 4,
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

enum copy_kind { COPY_EMPTY, COPY_FULL, COPY_HOST, COPY_BAD };

/* ---- bytes ---- */

/* The ROM's CRC routine inverts what it is given: the register starts at 0
 * (spec 1.4). */
static uint32_t head_crc(const uint8_t *head)
{
    return crc32_add(0xffffffffu, head, HEAD_CRC_OFF);
}

void boot_record_head_write(uint8_t to[RECORD_HEAD_LEN],
                            const struct boot_record *r)
{
    struct writer w = writer_of(to, RECORD_HEAD_LEN);
    write_u32(&w, r->active);
    write_u32(&w, r->status);
    write_u32(&w, r->prev);
    write_u32(&w, r->size);
    write_u32(&w, r->safeboot);
    write_bytes(&w, r->signature, sizeof r->signature);
    write_u32(&w, head_crc(to));
}

bool boot_record_head_read(const uint8_t from[RECORD_HEAD_LEN],
                           struct boot_record *r)
{
    struct reader in = reader_of(from, RECORD_HEAD_LEN);
    r->active = read_u32(&in);
    r->status = read_u32(&in);
    r->prev = read_u32(&in);
    r->size = read_u32(&in);
    r->safeboot = read_u32(&in);
    read_bytes(&in, r->signature, sizeof r->signature);
    return r->status != CLEAR_WORD && read_u32(&in) == head_crc(from);
}

static void record_encode(uint8_t to[RECORD_LEN], const struct boot_record *r)
{
    boot_record_head_write(to, r);
    struct writer w = writer_of(to, RECORD_LEN);
    w.pos = RECORD_HEAD_LEN;
    write_u32(&w, RECORD_MAGIC);
    write_u32(&w, r->seq);
    write_u8(&w, RECORD_VERSION);
    write_u8(&w, r->reason);
    write_u8(&w, r->reason_slot);
    write_u8(&w, r->left_once);
    for (unsigned i = 0; i < SLOTS; i++) {
        write_u8(&w, r->slot[i].state);
        write_u8(&w, r->slot[i].reason);
        write_u16(&w, 0);
        write_u32(&w, r->slot[i].len);
        write_bytes(&w, r->slot[i].digest, RECORD_DIGEST_LEN);
    }
    write_fill(&w, 0xff, CRC_OFF - w.pos);
    write_u32(&w, crc32_add(0, to, CRC_OFF));
}

static bool record_decode(const uint8_t from[RECORD_LEN], struct boot_record *r)
{
    if (!boot_record_head_read(from, r) ||
        get_u32(from + CRC_OFF) != crc32_add(0, from, CRC_OFF))
        return false;
    struct reader in = reader_of(from, RECORD_LEN);
    in.pos = RECORD_HEAD_LEN;
    if (read_u32(&in) != RECORD_MAGIC)
        return false;
    r->seq = read_u32(&in);
    if (read_u8(&in) != RECORD_VERSION)
        return false;
    r->reason = read_u8(&in);
    r->reason_slot = read_u8(&in);
    r->left_once = read_u8(&in) == 1;
    for (unsigned i = 0; i < SLOTS; i++) {
        r->slot[i].state = read_u8(&in);
        r->slot[i].reason = read_u8(&in);
        read_skip(&in, 2);
        r->slot[i].len = read_u32(&in);
        read_bytes(&in, r->slot[i].digest, RECORD_DIGEST_LEN);
    }
    return true;
}

/* ---- reading ---- */

static uint32_t copy_off(const struct record_store *s, unsigned copy)
{
    return s->off + copy * COPY_STEP;
}

static bool is_clear(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0xff)
            return false;
    return true;
}

static enum copy_kind read_copy(const struct record_store *s, unsigned copy,
                                unsigned place, struct boot_record *r)
{
    const uint8_t *p = s->flash->map + copy_off(s, copy) + place * PLACE_STEP;
    *r = (struct boot_record){0};
    if (record_decode(p, r))
        return COPY_FULL;
    if (is_clear(p, RECORD_LEN))
        return COPY_EMPTY;
    /* A host tool erases the sector and writes the head at its start; ours is
     * never there without its extension. */
    if (copy + place == 0 && boot_record_head_read(p, r) &&
        is_clear(p + RECORD_HEAD_LEN, RECORD_SECTOR - RECORD_HEAD_LEN))
        return COPY_HOST;
    return COPY_BAD;
}

static unsigned count_words(const uint8_t *p, unsigned max, bool whole)
{
    unsigned n = 0;
    while (n < max &&
           (whole ? get_u32(p + 4 * n) == 0 : get_u32(p + 4 * n) != CLEAR_WORD))
        n++;
    return n;
}

/* A torn attempt counts as used: nobody was started for free. A torn block
 * does not count: it is received again. */
static void read_counters(const struct record_store *s, struct boot_record *r)
{
    const uint8_t *p = s->flash->map + copy_off(s, (unsigned)s->current);
    r->blocks = (uint8_t)count_words(p + BLOCKS_OFF, RECORD_BLOCKS, true);
    r->attempts_used =
        (uint8_t)count_words(p + ATTEMPTS_OFF, RECORD_ATTEMPTS, false);
    r->safe_taken = get_u32(p + SAFE_TAKEN_OFF) != CLEAR_WORD;
}

static void fresh(struct boot_record *r)
{
    *r = (struct boot_record){.status = RECORD_READY, .size = CLEAR_WORD};
    memset(r->signature, 0xff, sizeof r->signature);
}

/* The host's head over what we know of the slots. */
static void take_host(struct boot_record *r, const struct boot_record *host)
{
    r->active = host->active;
    r->status = host->status;
    r->prev = host->prev;
    r->size = host->size;
    r->safeboot = host->safeboot;
    memcpy(r->signature, host->signature, sizeof r->signature);
    r->attempts_used = 0;
    r->blocks = 0;
    r->safe_taken = false;
}

int boot_record_load(struct record_store *store, struct boot_record *r,
                     const struct flash *flash, uint32_t off, uint32_t size)
{
    struct boot_record host = {0};
    *store = (struct record_store){
        .flash = flash, .off = off, .current = -1, .host = -1};
    unsigned sectors = size / RECORD_SECTOR;
    store->copies = sectors > 2 ? 2 : sectors;
    fresh(r);
    for (unsigned n = 0; n < PLACES * store->copies; n++) {
        unsigned i = n / PLACES;
        struct boot_record found;
        enum copy_kind kind = read_copy(store, i, n % PLACES, &found);
        store->bad[i] |= kind == COPY_BAD;
        if (kind == COPY_HOST) {
            store->host = (int)i;
            host = found;
        } else if (kind == COPY_FULL &&
                   (store->current < 0 || (int32_t)(found.seq - r->seq) > 0)) {
            store->current = (int)i;
            *r = found;
        }
    }
    if (store->current >= 0)
        read_counters(store, r);
    if (store->host >= 0)
        take_host(r, &host);
    return store->current < 0 && store->host < 0 ? WIPY_ENOENT : 0;
}

/* ---- writing ---- */

static unsigned copy_to_write(const struct record_store *s)
{
    if (s->copies < 2)
        return 0;
    if (s->host >= 0)
        return s->host == 0;
    return s->current == 0;
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

static int write_copy(const struct record_store *s, unsigned copy,
                      const struct boot_record *r)
{
    uint32_t at = copy_off(s, copy);
    int err =
        flash_erase(s->flash, s->off + copy * RECORD_SECTOR, RECORD_SECTOR);
    if (!err)
        err = write_counters(s, at, r);
    return err ? err : write_record(s, at, r);
}

/* Blocks are of an upload; without one they mean nothing. */
static void drop_blocks(struct boot_record *r)
{
    bool receiving = false;
    for (unsigned i = 0; i < SLOTS; i++)
        receiving |= r->slot[i].state == SLOT_RECEIVING;
    if (!receiving)
        r->blocks = 0;
}

int boot_record_save(struct record_store *store, struct boot_record *r)
{
    if (store->copies == 0)
        return WIPY_ENOTSUP;
    unsigned copy = copy_to_write(store);
    drop_blocks(r);
    r->seq++;
    int err = write_copy(store, copy, r);
    if (err) {
        store->bad[copy] = true;
        return err;
    }
    store->current = (int)copy;
    store->bad[copy] = false;
    if (store->host >= 0 && store->host != (int)copy)
        err = flash_erase(store->flash,
                          store->off + (unsigned)store->host * RECORD_SECTOR,
                          RECORD_SECTOR);
    if (!err)
        store->host = -1;
    return err;
}

int boot_record_append(struct record_store *store, struct boot_record *r)
{
    if (store->current < 0 || store->host >= 0)
        return boot_record_save(store, r);
    uint32_t at = copy_off(store, (unsigned)store->current);
    const uint8_t *attempts = store->flash->map + at + ATTEMPTS_OFF;
    const uint8_t *place = store->flash->map + at + PLACE_STEP;
    if (!is_clear(place, RECORD_LEN) || !is_clear(attempts, 256))
        return boot_record_save(store, r);
    r->seq++;
    int err = write_record(store, at + PLACE_STEP, r);
    if (err)
        store->bad[store->current] = true;
    return err;
}

/* Clears word `index` beside the current copy. */
static int clear_word(struct record_store *s, uint32_t off, unsigned index)
{
    if (s->current < 0)
        return WIPY_ENOTSUP;
    int err =
        write_zeros(s, copy_off(s, (unsigned)s->current) + off + 4 * index, 1);
    return err ? err : flash_sync(s->flash);
}

int boot_record_use_attempt(struct record_store *store, struct boot_record *r)
{
    if (r->attempts_used >= RECORD_ATTEMPTS)
        return WIPY_ERANGE;
    int err = clear_word(store, ATTEMPTS_OFF, r->attempts_used);
    if (!err)
        r->attempts_used++;
    return err;
}

int boot_record_add_block(struct record_store *store, struct boot_record *r)
{
    if (r->blocks >= RECORD_BLOCKS)
        return WIPY_ERANGE;
    int err = clear_word(store, BLOCKS_OFF, r->blocks);
    if (!err)
        r->blocks++;
    return err;
}

int boot_record_take_safe(struct record_store *store, struct boot_record *r)
{
    int err = clear_word(store, SAFE_TAKEN_OFF, 0);
    if (!err)
        r->safe_taken = true;
    return err;
}
