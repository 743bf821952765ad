#include "boot.h"

#include <string.h>

#include "base/err.h"
#include "candidates.h"

static struct boot_slot slot_of(const struct table *t, uint8_t subtype)
{
    const struct partition *p = table_find(t, PART_APP, subtype);
    return p ? (struct boot_slot){.off = p->off, .size = p->size}
             : (struct boot_slot){0};
}

/* What a host tool wrote is range-checked here. In the vendor's two-slot maps
 * 2 means "the factory area". */
static unsigned existing(const struct boot *b, uint32_t slot)
{
    return slot < SLOTS && b->slot[slot].size ? slot : SLOT_FACTORY;
}

static void load_record(struct boot *b)
{
    const struct partition *p = table_find(&b->table, PART_DATA, PART_OTADATA);
    struct boot_record *r = &b->record;
    b->have_record = boot_record_load(&b->store, r, b->flash, p ? p->off : 0,
                                      p ? p->size : 0) == 0;
    r->active = existing(b, r->active);
    r->prev = existing(b, r->prev);
    /* Factory needs no trial, and a status we do not know is none. */
    if (r->status != RECORD_CHECK || r->active == SLOT_FACTORY)
        r->status = RECORD_READY;
}

int boot_open(struct boot *b, const struct flash *flash)
{
    return boot_open_for(b, flash, IMAGE_MACHINE_HERE);
}

int boot_open_for(struct boot *b, const struct flash *flash, uint16_t machine)
{
    memset(b, 0, sizeof *b);
    b->flash = flash;
    b->machine = machine;
    if (!flash->map)
        return WIPY_ENOTSUP;
    int err = table_load(&b->table, flash->map, flash->size, &b->table_source);
    if (err)
        return err;
    b->slot[0] = slot_of(&b->table, PART_FACTORY);
    b->slot[1] = slot_of(&b->table, PART_OTA_0);
    b->slot[2] = slot_of(&b->table, PART_OTA_1);
    keys_load(&b->keys, &b->keys_bad, flash->map,
              table_find(&b->table, PART_DATA, PART_KEYS));
    load_record(b);
    return b->slot[SLOT_FACTORY].size ? 0 : WIPY_ENOENT;
}

bool boot_on_trial(const struct boot *b)
{
    return b->record.status == RECORD_CHECK && b->record.attempts_used > 0;
}

enum slot_state boot_slot_state(const struct boot *b, unsigned slot)
{
    if (slot >= SLOTS || !b->slot[slot].size)
        return SLOT_EMPTY;
    if (slot == b->record.active && b->record.status == RECORD_CHECK)
        return boot_on_trial(b) ? SLOT_TRIAL : SLOT_PENDING;
    return b->record.slot[slot].state;
}

enum image_fault boot_slot_check(const struct boot *b, unsigned slot,
                                 struct image *im, uint8_t digest[SHA256_LEN])
{
    memset(im, 0, sizeof *im);
    memset(digest, 0, SHA256_LEN);
    if (slot >= SLOTS || !b->slot[slot].size)
        return IMAGE_BLANK;
    return image_check(im, b->flash->map + b->slot[slot].off,
                       b->slot[slot].size, b->machine, &b->keys, digest);
}

/* ---- choosing among what is there ---- */

bool candidate_given_up(const struct boot *b, unsigned slot)
{
    uint8_t state = b->record.slot[slot].state;
    if (state != SLOT_BAD && state != SLOT_RECEIVING && state != SLOT_EMPTY)
        return false;
    /* Given up, unless something else has been put there since. */
    return state != SLOT_BAD ||
           !slot_reflashed(b, slot, b->record.slot[slot].digest);
}

bool digest_unknown(const uint8_t digest[SHA256_LEN])
{
    uint8_t any = 0;
    for (unsigned i = 0; i < SHA256_LEN; i++)
        any |= digest[i];
    return any == 0;
}

bool slot_reflashed(const struct boot *b, unsigned slot,
                    const uint8_t digest[SHA256_LEN])
{
    struct image im;
    if (digest_unknown(digest))
        return false;
    return image_parse(&im, b->flash->map + b->slot[slot].off,
                       b->slot[slot].size) == IMAGE_FINE &&
           im.has_digest &&
           memcmp(im.data + im.hashed_len, digest, SHA256_LEN) != 0;
}

static void add(struct candidates *c, const struct boot *b, unsigned slot)
{
    for (unsigned i = 0; i < c->count; i++)
        if (c->slot[i] == slot)
            return;
    if (slot < SLOTS && b->slot[slot].size)
        c->slot[c->count++] = (uint8_t)slot;
}

/* active, previous, other, factory; `first` before all of them. */
struct candidates candidates_of(const struct boot *b, unsigned first)
{
    struct candidates c = {0};
    add(&c, b, first);
    add(&c, b, b->record.active);
    add(&c, b, b->record.prev);
    for (unsigned i = SLOTS - 1; i > 0; i--)
        if (i != b->record.active && i != b->record.prev)
            add(&c, b, i);
    add(&c, b, SLOT_FACTORY);
    return c;
}

/* The way back from the active image: the best other one that verifies. */
static unsigned way_back(const struct boot *b)
{
    struct candidates c = candidates_of(b, b->record.prev);
    for (unsigned i = 0; i < c.count; i++) {
        unsigned slot = c.slot[i];
        struct image im;
        uint8_t digest[SHA256_LEN];
        if (slot != b->record.active && !candidate_given_up(b, slot) &&
            boot_slot_check(b, slot, &im, digest) == IMAGE_FINE)
            return slot;
    }
    return SLOT_NONE;
}

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
    r->safe_taken = false;
    r->size = r->slot[slot].len ? r->slot[slot].len : 0xffffffffu;
}

bool boot_record_leave(struct boot *b, enum boot_reason reason)
{
    struct boot_record *r = &b->record;
    unsigned old = r->active, to = way_back(b);
    if (to == SLOT_NONE)
        return false;
    if (old != SLOT_FACTORY)
        r->slot[old].state = SLOT_BAD;
    boot_record_activate(r, to, SLOT_FACTORY, RECORD_READY);
    boot_record_note(r, old, reason);
    return true;
}

/* ---- the life of an image ---- */

/* Saves, and takes the old record back when that failed, so that what is in
 * memory is what is on the chip. */
static int save_or_undo(struct boot *b, const struct boot_record *old)
{
    int err = boot_record_save(&b->store, &b->record);
    if (err)
        b->record = *old;
    else
        b->have_record = true;
    return err;
}

int boot_confirm(struct boot *b, unsigned executing, enum boot_reason reason)
{
    struct boot_record *r = &b->record, old = *r;
    if (r->status != RECORD_CHECK || r->active != executing)
        return WIPY_EPERM;
    r->status = RECORD_READY;
    r->attempts_used = 0;
    r->left_once = false;
    r->slot[executing].state = SLOT_GOOD;
    boot_record_note(r, executing, reason);
    return save_or_undo(b, &old);
}

int boot_rollback(struct boot *b, enum boot_reason reason)
{
    struct boot_record old = b->record;
    if (old.active == SLOT_FACTORY || !boot_record_leave(b, reason))
        return WIPY_EPERM;
    return save_or_undo(b, &old);
}

int boot_select(struct boot *b, unsigned slot, enum image_fault *fault)
{
    struct boot_record *r = &b->record, old = *r;
    struct image im;
    uint8_t digest[SHA256_LEN];
    enum image_fault ignored;
    fault = fault ? fault : &ignored;
    *fault = IMAGE_FINE;
    if (slot >= SLOTS || !b->slot[slot].size)
        return WIPY_ENOENT;
    if (boot_on_trial(b))
        return WIPY_EPERM;
    if (r->active == slot)
        return WIPY_EEXIST;
    *fault = boot_slot_check(b, slot, &im, digest);
    if (*fault)
        return WIPY_ECORRUPT;
    bool proven = slot == SLOT_FACTORY || r->slot[slot].state == SLOT_GOOD;
    memcpy(r->slot[slot].digest, digest, SHA256_LEN);
    r->slot[slot].len = im.full_len;
    r->slot[slot].state = proven ? SLOT_GOOD : SLOT_PENDING;
    /* One that was never started is no way back. */
    unsigned prev = old.status == RECORD_CHECK ? old.prev : old.active;
    if (prev == slot)
        prev = SLOT_FACTORY;
    boot_record_activate(r, slot, prev, proven ? RECORD_READY : RECORD_CHECK);
    boot_record_note(r, slot, REASON_SELECTED);
    return save_or_undo(b, &old);
}

int boot_request_safe(struct boot *b)
{
    struct boot_record *r = &b->record, old = *r;
    r->safeboot = SAFEBOOT_SOFT;
    r->safe_taken = false;
    r->reason = REASON_SAFE_REQUEST;
    r->reason_slot = (uint8_t)r->active;
    return save_or_undo(b, &old);
}
