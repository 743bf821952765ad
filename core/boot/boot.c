#include "boot.h"

#include <string.h>

#include "base/err.h"
#include "base/fields.h"
#include "candidates.h"

const char *slot_name(unsigned slot)
{
    static const char *const names[SLOTS] = {"factory", "ota_0", "ota_1"};
    return slot < SLOTS ? names[slot] : "no slot";
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
    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned subtype =
            i == SLOT_FACTORY ? PART_FACTORY : PART_OTA_0 + i - 1;
        const struct partition *p =
            table_find(&b->table, PART_APP, (uint8_t)subtype);
        if (p)
            b->slot[i] = (struct boot_slot){.off = p->off, .size = p->size};
    }
    b->keys_state = (uint8_t)keys_load(
        &b->keys, flash->map, table_find(&b->table, PART_DATA, PART_KEYS));
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

uint32_t boot_slot_max(const struct boot *b)
{
    uint32_t most = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        most = b->slot[i].size > most ? b->slot[i].size : most;
    return most;
}

enum image_fault boot_slot_check(const struct boot *b, unsigned slot,
                                 struct image *im, uint8_t digest[SHA256_LEN])
{
    const struct boot_slot *s = &b->slot[slot];
    const uint8_t *data = b->flash->map + s->off;
    if (b->memory)
        data = memcpy(b->memory, data, s->size);
    return image_check(im, data, s->size, b->machine, &b->keys, digest);
}

/* ---- choosing among what is there ---- */

static bool same_digest(const struct boot *b, unsigned slot, bool when_unknown)
{
    const uint8_t *digest = b->record.slot[slot].digest;
    struct image im;
    if (bytes_are(digest, 0, SHA256_LEN) ||
        image_parse(&im, b->flash->map + b->slot[slot].off,
                    b->slot[slot].size) != IMAGE_FINE ||
        !im.has_digest)
        return when_unknown;
    return memcmp(im.data + im.hashed_len, digest, SHA256_LEN) == 0;
}

bool slot_reflashed(const struct boot *b, unsigned slot)
{
    return !same_digest(b, slot, true);
}

bool candidate_is_poor(const struct boot *b, unsigned slot)
{
    uint8_t state = b->record.slot[slot].state;
    if (b->keys_state == KEYS_LOST && slot != SLOT_FACTORY &&
        (state != SLOT_GOOD || !same_digest(b, slot, false)))
        return true;
    /* Given up, unless something else has been put there since. */
    return state == SLOT_RECEIVING || state == SLOT_EMPTY ||
           (state == SLOT_BAD && !slot_reflashed(b, slot));
}

static void add(struct candidates *c, const struct boot *b, unsigned slot)
{
    for (unsigned i = 0; i < c->count; i++)
        if (c->slot[i] == slot)
            return;
    if (b->slot[slot].size)
        c->slot[c->count++] = (uint8_t)slot;
}

struct candidates candidates_of(const struct boot *b, unsigned first,
                                bool then_factory)
{
    struct candidates c = {0};
    add(&c, b, first);
    if (then_factory)
        add(&c, b, SLOT_FACTORY);
    add(&c, b, b->record.active);
    add(&c, b, b->record.prev);
    for (unsigned i = SLOTS; i-- > 0;)
        add(&c, b, i);
    return c;
}

unsigned boot_way_back(const struct boot *b)
{
    struct candidates c = candidates_of(b, b->record.prev, false);
    for (unsigned i = 0; i < c.count; i++) {
        unsigned slot = c.slot[i];
        struct image im;
        uint8_t digest[SHA256_LEN];
        if (slot != b->record.active && !candidate_is_poor(b, slot) &&
            boot_slot_check(b, slot, &im, digest) == IMAGE_FINE)
            return slot;
    }
    return SLOT_NONE;
}

void boot_record_leave(struct boot_record *r, unsigned to,
                       enum boot_reason reason)
{
    unsigned old = r->active;
    if (old != SLOT_FACTORY)
        r->slot[old].state = SLOT_BAD;
    boot_record_activate(r, to, SLOT_FACTORY, RECORD_READY);
    boot_record_note(r, old, reason);
}

/* ---- the life of an image ---- */

static int saved(struct boot *b, int err)
{
    if (err)
        load_record(b);
    b->have_record |= !err;
    return err;
}

int boot_save(struct boot *b)
{
    return saved(b, boot_record_save(&b->store, &b->record));
}

int boot_append(struct boot *b)
{
    return saved(b, boot_record_append(&b->store, &b->record));
}

int boot_confirm(struct boot *b, unsigned executing, enum boot_reason reason)
{
    struct boot_record *r = &b->record;
    if (r->status != RECORD_CHECK || r->active != executing)
        return WIPY_EPERM;
    r->status = RECORD_READY;
    r->attempts_used = 0;
    r->left_once = 0;
    r->slot[executing].state = SLOT_GOOD;
    boot_record_note(r, executing, reason);
    return boot_save(b);
}

int boot_rollback(struct boot *b, enum boot_reason reason)
{
    unsigned to = boot_way_back(b);
    if (b->record.active == SLOT_FACTORY || to == SLOT_NONE)
        return WIPY_EPERM;
    boot_record_leave(&b->record, to, reason);
    return boot_save(b);
}

int boot_select(struct boot *b, unsigned slot, enum image_fault *fault)
{
    struct boot_record *r = &b->record;
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
    if (r->slot[slot].state == SLOT_RECEIVING)
        return WIPY_EBUSY;
    if (b->keys_state == KEYS_LOST && candidate_is_poor(b, slot))
        return WIPY_ESIGN;
    *fault = boot_slot_check(b, slot, &im, digest);
    if (*fault)
        return WIPY_ECORRUPT;
    bool proven = slot == SLOT_FACTORY || r->slot[slot].state == SLOT_GOOD;
    boot_record_image(r, slot, im.full_len, digest,
                      proven ? SLOT_GOOD : SLOT_PENDING);
    /* One that was never started is no way back. */
    unsigned prev = r->status == RECORD_CHECK ? r->prev : r->active;
    boot_record_activate(r, slot, prev == slot ? SLOT_FACTORY : prev,
                         proven ? RECORD_READY : RECORD_CHECK);
    boot_record_note(r, slot, REASON_SELECTED);
    return boot_save(b);
}

int boot_request_safe(struct boot *b)
{
    struct boot_record *r = &b->record;
    r->safeboot = SAFEBOOT_SOFT;
    r->safe_taken = 0;
    r->reason = REASON_SAFE_REQUEST;
    r->reason_slot = (uint8_t)r->active;
    return boot_save(b);
}
