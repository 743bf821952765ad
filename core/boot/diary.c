#include "diary.h"

#include <string.h>

#include "base/err.h"
#include "base/fields.h"

enum {
    PER_SECTOR = FLASH_SECTOR / DIARY_ENTRY_LEN,
    PLACES = 2 * PER_SECTOR,
    MAGIC_OFF = 4,
    ENTRY_MAGIC = 0xd1,
};

static const uint8_t *place_view(const struct diary *d, unsigned place)
{
    return d->flash->map + d->off + place * DIARY_ENTRY_LEN;
}

static const struct field fields[] = {
    FIELD_U32(struct diary_entry, seq),
    FIELD_FILL(1, ENTRY_MAGIC),
    FIELD_BYTES(struct diary_entry, kind),
    FIELD_BYTES(struct diary_entry, slot),
    FIELD_BYTES(struct diary_entry, why),
    FIELD_BYTES(struct diary_entry, cause),
    FIELD_FILL(3, 0xff),
    FIELD_U32(struct diary_entry, flags),
    FIELD_U32(struct diary_entry, time),
    FIELD_U32(struct diary_entry, run_s),
    FIELD_BYTES(struct diary_entry, digest),
    FIELD_TEXT(struct diary_entry, version),
    FIELD_FILL(4, 0xff),
};

static bool entry_read(const struct diary *d, unsigned place,
                       struct diary_entry *e)
{
    const uint8_t *from = place_view(d, place);
    fields_read(FIELDS(fields), e, from);
    e->version[sizeof e->version - 1] = 0;
    for (char *c = e->version; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return from[MAGIC_OFF] == ENTRY_MAGIC &&
           bytes_are_sealed(from, DIARY_ENTRY_LEN) && e->seq != 0;
}

static bool is_clear(const struct diary *d, unsigned place, size_t len)
{
    return bytes_are(place_view(d, place), 0xff, len);
}

/* The place behind the latest entry and behind anything torn after it. */
void diary_open(struct diary *d, const struct boot *b)
{
    const struct partition *p = table_find(&b->table, PART_DATA, PART_DIARY);
    *d = (struct diary){.flash = b->flash, .next_seq = 1};
    if (!p || p->size < 2 * FLASH_SECTOR)
        return;
    d->off = p->off;
    bool found = false;
    for (unsigned i = 0; i < PLACES; i++) {
        struct diary_entry e;
        if (entry_read(d, i, &e) &&
            (!found || (int32_t)(e.seq - d->next_seq) >= 0)) {
            found = true;
            d->next_seq = e.seq + 1;
            d->next = (i + 1) % PLACES;
        }
    }
    while (d->next % PER_SECTOR && !is_clear(d, d->next, DIARY_ENTRY_LEN))
        d->next = (d->next + 1) % PLACES;
}

int diary_add(struct diary *d, struct diary_entry *e)
{
    uint8_t bytes[DIARY_ENTRY_LEN];
    uint32_t at = d->off + d->next * DIARY_ENTRY_LEN;
    int err = 0;
    if (!d->off)
        return 0;
    if (at % FLASH_SECTOR == 0 && !is_clear(d, d->next, FLASH_SECTOR))
        err = flash_erase(d->flash, at, FLASH_SECTOR);
    if (err)
        return err;
    e->seq = d->next_seq++;
    fields_write(FIELDS(fields), bytes, e);
    bytes_seal(bytes, sizeof bytes);
    d->next = (d->next + 1) % PLACES;
    err = flash_program(d->flash, at, bytes, sizeof bytes);
    return err ? err : flash_sync(d->flash);
}

bool diary_get(const struct diary *d, unsigned n, struct diary_entry *e)
{
    if (!d->off)
        return false;
    for (unsigned back = 1; back <= PLACES; back++) {
        unsigned place = (d->next + PLACES - back) % PLACES;
        if (entry_read(d, place, e) && n-- == 0)
            return true;
    }
    return false;
}

/* ---- what the firmware notes ---- */

/* Starts that no firmware lived to note; the last one waiting is this. */
static int note_waiting(struct diary *d, const struct boot_retained *retained)
{
    int err = 0;
    for (unsigned i = 0; i + 1 < retained->event_count; i++) {
        const struct retained_event *w = &retained->event[i];
        struct diary_entry e = {.kind = DIARY_START,
                                .slot = w->slot,
                                .why = w->why,
                                .cause = w->cause,
                                .run_s = w->run_s};
        err |= diary_add(d, &e);
    }
    return err;
}

int diary_note_start(struct diary *d, const struct boot_handover *h,
                     struct boot_retained *retained, uint32_t fault_kind,
                     uint32_t fault_code, uint32_t rtc)
{
    struct diary_entry e = {.slot = h->slot, .time = rtc, .run_s = UINT32_MAX};
    if (retained->event_count > RETAINED_EVENTS)
        retained->event_count = 0;
    int err = note_waiting(d, retained);
    if (fault_kind) {
        e.kind = DIARY_FAULT;
        e.cause = (uint8_t)fault_kind;
        e.flags = fault_code;
        err |= diary_add(d, &e);
    }
    e.cause = h->cause;
    e.flags = h->flags & HANDOVER_DAMAGE;
    if (e.flags) {
        e.kind = DIARY_DAMAGE;
        err |= diary_add(d, &e);
    }
    e.flags = h->flags;
    if (h->left < SLOTS) {
        e.kind = DIARY_CHANGE;
        e.slot = h->left;
        e.why = h->left_reason;
        err |= diary_add(d, &e);
    }
    e.kind = DIARY_START;
    e.slot = h->slot;
    e.why = h->why;
    if (retained->event_count)
        e.run_s = retained->event[retained->event_count - 1].run_s;
    memcpy(e.digest, h->digest, sizeof e.digest);
    memcpy(e.version, h->version, sizeof e.version - 1);
    err |= diary_add(d, &e);
    if (err)
        return WIPY_EIO;
    retained->event_count = 0;
    return 0;
}

int diary_note_unhealthy(struct diary *d, unsigned slot, const char *why,
                         uint32_t rtc)
{
    struct diary_entry e = {.kind = DIARY_UNHEALTHY,
                            .slot = (uint8_t)slot,
                            .time = rtc,
                            .run_s = UINT32_MAX};
    for (size_t i = 0; i + 1 < sizeof e.version && why[i]; i++)
        e.version[i] = why[i];
    return diary_add(d, &e);
}

int diary_note_change(struct diary *d, const struct boot *b, uint32_t rtc)
{
    const struct boot_record *r = &b->record;
    unsigned slot = r->reason_slot < SLOTS ? r->reason_slot : 0;
    struct diary_entry e = {.kind = DIARY_CHANGE,
                            .slot = (uint8_t)slot,
                            .why = r->reason,
                            .time = rtc,
                            .run_s = UINT32_MAX};
    memcpy(e.digest, r->slot[slot].digest, sizeof e.digest);
    return diary_add(d, &e);
}
