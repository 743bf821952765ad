#include "diary.h"

#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/text.h"

enum {
    PER_SECTOR = FLASH_SECTOR / DIARY_ENTRY_LEN,
    PLACES = 2 * PER_SECTOR,
    CRC_OFF = DIARY_ENTRY_LEN - 4,
    ENTRY_MAGIC = 0xd1,
    VERSION_LEN = 24,
};

static const uint8_t *place_view(const struct diary *d, unsigned place)
{
    return d->flash->map + d->off + place * DIARY_ENTRY_LEN;
}

static void entry_write(uint8_t to[DIARY_ENTRY_LEN],
                        const struct diary_entry *e)
{
    struct writer w = writer_of(to, DIARY_ENTRY_LEN);
    write_u32(&w, e->seq);
    write_u8(&w, ENTRY_MAGIC);
    write_u8(&w, e->kind);
    write_u8(&w, e->slot);
    write_u8(&w, e->why);
    write_u8(&w, e->cause);
    write_fill(&w, 0xff, 3);
    write_u32(&w, e->flags);
    write_u32(&w, e->time);
    write_u32(&w, e->run_s);
    write_bytes(&w, e->digest, sizeof e->digest);
    size_t len = 0;
    while (len < VERSION_LEN && e->version[len])
        len++;
    write_bytes(&w, e->version, len);
    write_fill(&w, 0, VERSION_LEN - len);
    write_fill(&w, 0xff, CRC_OFF - w.pos);
    write_u32(&w, crc32_add(0, to, CRC_OFF));
}

static bool entry_read(const uint8_t from[DIARY_ENTRY_LEN],
                       struct diary_entry *e)
{
    struct reader r = reader_of(from, DIARY_ENTRY_LEN);
    *e = (struct diary_entry){.seq = read_u32(&r)};
    if (read_u8(&r) != ENTRY_MAGIC ||
        get_u32(from + CRC_OFF) != crc32_add(0, from, CRC_OFF))
        return false;
    e->kind = read_u8(&r);
    e->slot = read_u8(&r);
    e->why = read_u8(&r);
    e->cause = read_u8(&r);
    read_skip(&r, 3);
    e->flags = read_u32(&r);
    e->time = read_u32(&r);
    e->run_s = read_u32(&r);
    read_bytes(&r, e->digest, sizeof e->digest);
    read_bytes(&r, e->version, VERSION_LEN);
    for (char *c = e->version; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return e->seq != 0;
}

static bool place_is_clear(const struct diary *d, unsigned place)
{
    const uint8_t *p = place_view(d, place);
    for (unsigned i = 0; i < DIARY_ENTRY_LEN; i++)
        if (p[i] != 0xff)
            return false;
    return true;
}

static bool sector_is_clear(const struct diary *d, unsigned sector)
{
    for (unsigned i = 0; i < PER_SECTOR; i++)
        if (!place_is_clear(d, sector * PER_SECTOR + i))
            return false;
    return true;
}

/* The place behind the latest entry and behind anything torn after it. */
void diary_open(struct diary *d, const struct boot *b)
{
    const struct partition *p = table_find(&b->table, PART_DATA, PART_DIARY);
    *d = (struct diary){.flash = b->flash, .next_seq = 1};
    if (!p || p->size < 2 * FLASH_SECTOR)
        return;
    d->off = p->off;
    unsigned last = PLACES;
    for (unsigned i = 0; i < PLACES; i++) {
        struct diary_entry e;
        if (entry_read(place_view(d, i), &e) &&
            (last == PLACES || (int32_t)(e.seq - d->next_seq) >= 0)) {
            d->next_seq = e.seq + 1;
            last = i;
        }
    }
    d->next = last == PLACES ? 0 : (last + 1) % PLACES;
    while (d->next % PER_SECTOR && !place_is_clear(d, d->next))
        d->next = (d->next + 1) % PLACES;
}

static int diary_room(struct diary *d)
{
    unsigned sector = d->next / PER_SECTOR;
    if (d->next % PER_SECTOR || sector_is_clear(d, sector))
        return 0;
    return flash_erase(d->flash, d->off + sector * FLASH_SECTOR, FLASH_SECTOR);
}

int diary_add(struct diary *d, struct diary_entry *e)
{
    if (!d->off)
        return 0;
    uint8_t bytes[DIARY_ENTRY_LEN];
    int err = diary_room(d);
    if (err)
        return err;
    e->seq = d->next_seq;
    entry_write(bytes, e);
    err = flash_program(d->flash, d->off + d->next * DIARY_ENTRY_LEN, bytes,
                        sizeof bytes);
    d->next = (d->next + 1) % PLACES;
    d->next_seq++;
    return err ? err : flash_sync(d->flash);
}

bool diary_get(const struct diary *d, unsigned n, struct diary_entry *e)
{
    if (!d->off)
        return false;
    for (unsigned back = 1; back <= PLACES; back++) {
        unsigned place = (d->next + PLACES - back) % PLACES;
        if (entry_read(place_view(d, place), e) && n-- == 0)
            return true;
    }
    return false;
}

/* ---- words ---- */

static const char *cause_text(unsigned cause)
{
    static const char *const names[] = {"power on",   "reset",
                                        "watchdog",   "deep sleep",
                                        "soft reset", "brown-out"};
    return cause < sizeof names / sizeof names[0] ? names[cause] : "unknown";
}

static void put_damage(struct text *t, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *what;
    } parts[] = {
        {HANDOVER_TABLE1_BAD, " partition table (second copy used)"},
        {HANDOVER_TABLE2_BAD, " second copy of the partition table"},
        {HANDOVER_RECORD0_BAD, " first copy of the boot record"},
        {HANDOVER_RECORD1_BAD, " second copy of the boot record"},
        {HANDOVER_KEYS_BAD, " a copy of the keys"},
    };
    const char *between = "damaged:";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (flags & parts[i].flag) {
            text_put(t, between);
            text_put(t, parts[i].what);
            between = ",";
        }
    }
}

static void put_start(struct text *t, const struct diary_entry *e)
{
    text_put(t, "start of ");
    text_put(t, slot_name(e->slot));
    if (e->version[0]) {
        text_put(t, " ");
        text_put(t, e->version);
    }
    text_put(t, ", ");
    text_put(t, cause_text(e->cause));
    text_put(t, ", ");
    text_put(t, boot_why_text(e->why));
    if (e->run_s != UINT32_MAX) {
        text_put(t, "; ran ");
        text_put_decimal(t, e->run_s);
        text_put(t, " s before");
    }
}

static void put_fault(struct text *t, const struct diary_entry *e)
{
    static const char *const kinds[] = {
        "no fault", "signal ", "ended by itself, status ", "gave up, code "};
    text_put(t, "the run before ended in a fault: ");
    text_put(t, e->cause < 4 ? kinds[e->cause] : "code ");
    text_put_decimal(t, e->flags);
}

int diary_text(const struct diary_entry *e, char *to, size_t size)
{
    struct text t = text_of(to, size);
    switch (e->kind) {
    case DIARY_START:
        put_start(&t, e);
        break;
    case DIARY_CHANGE:
        text_put(&t, slot_name(e->slot));
        text_put(&t, " ");
        if (e->version[0]) {
            text_put(&t, e->version);
            text_put(&t, " ");
        }
        text_put(&t, boot_reason_text(e->why));
        break;
    case DIARY_DAMAGE:
        put_damage(&t, e->flags);
        break;
    case DIARY_FAULT:
        put_fault(&t, e);
        break;
    case DIARY_UNHEALTHY:
        text_put(&t, slot_name(e->slot));
        text_put(&t, " stays on trial: healthy() ");
        text_put(&t, e->version);
        break;
    default:
        text_put(&t, "an entry of a later firmware");
    }
    return (int)(t.len < size ? t.len : size - 1);
}

/* ---- what the firmware notes ---- */

static int note_damage(struct diary *d, const struct boot_handover *h,
                       uint32_t rtc)
{
    const uint32_t damage = HANDOVER_TABLE1_BAD | HANDOVER_TABLE2_BAD |
                            HANDOVER_RECORD0_BAD | HANDOVER_RECORD1_BAD |
                            HANDOVER_KEYS_BAD;
    struct diary_entry e = {.kind = DIARY_DAMAGE,
                            .slot = h->slot,
                            .flags = h->flags & damage,
                            .time = rtc,
                            .run_s = UINT32_MAX};
    return e.flags ? diary_add(d, &e) : 0;
}

/* Starts before this one that no firmware lived to note. */
static int note_waiting(struct diary *d, const struct boot_retained *retained)
{
    int err = 0;
    unsigned count = retained->event_count;
    for (unsigned i = 0; i + 1 < count && i < RETAINED_EVENTS && !err; i++) {
        const struct retained_event *w = &retained->event[i];
        struct diary_entry e = {.kind = DIARY_START,
                                .slot = w->slot,
                                .why = w->why,
                                .cause = w->cause,
                                .run_s = w->run_s};
        err = diary_add(d, &e);
    }
    return err;
}

static int note_left(struct diary *d, const struct boot_handover *h,
                     uint32_t rtc)
{
    struct diary_entry e = {.kind = DIARY_CHANGE,
                            .slot = h->left,
                            .why = h->left_reason,
                            .time = rtc,
                            .run_s = UINT32_MAX};
    return h->left < SLOTS ? diary_add(d, &e) : 0;
}

static int note_this(struct diary *d, const struct boot_handover *h,
                     const struct boot_retained *retained, uint32_t rtc)
{
    unsigned count = retained->event_count;
    struct diary_entry e = {.kind = DIARY_START,
                            .slot = h->slot,
                            .why = h->why,
                            .cause = h->cause,
                            .flags = h->flags,
                            .time = rtc,
                            .run_s = UINT32_MAX};
    if (count && count <= RETAINED_EVENTS)
        e.run_s = retained->event[count - 1].run_s;
    memcpy(e.digest, h->digest, sizeof e.digest);
    memcpy(e.version, h->version, VERSION_LEN);
    return diary_add(d, &e);
}

int diary_note_start(struct diary *d, const struct boot_handover *h,
                     struct boot_retained *retained, uint32_t fault_kind,
                     uint32_t fault_code, uint32_t rtc)
{
    struct diary_entry fault = {.kind = DIARY_FAULT,
                                .slot = h->slot,
                                .cause = (uint8_t)fault_kind,
                                .flags = fault_code,
                                .time = rtc,
                                .run_s = UINT32_MAX};
    int err = note_waiting(d, retained);
    if (!err && fault_kind)
        err = diary_add(d, &fault);
    if (!err)
        err = note_damage(d, h, rtc);
    if (!err)
        err = note_left(d, h, rtc);
    if (!err)
        err = note_this(d, h, retained, rtc);
    if (!err)
        retained->event_count = 0;
    return err;
}

int diary_note_unhealthy(struct diary *d, unsigned slot, const char *why,
                         uint32_t rtc)
{
    struct diary_entry e = {.kind = DIARY_UNHEALTHY,
                            .slot = (uint8_t)slot,
                            .time = rtc,
                            .run_s = UINT32_MAX};
    for (size_t i = 0; i < VERSION_LEN && why[i]; i++)
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
