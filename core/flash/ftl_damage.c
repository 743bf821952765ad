/* Telling damage from a power cut. A cut leaves at most one torn record at the
 * end of an open unit's log, and behind it what was programmed in the same
 * command: records without a commit, or copies of records that are still where
 * they were. Whatever else is found behind a torn record is damage. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "ftl_int.h"
#include "ftl_scan.h"

enum {
    RECORD_MAX = RECORD_MIN + INLINE_MAX,
    BEHIND_MAX = 1024, /* so far behind a torn record the next is looked for */
};

bool head_is_torn(struct ftl *ftl, uint32_t place)
{
    uint8_t head[RECORD_HEAD];
    if (flash_read(ftl->flash, place_off(ftl, place), head, sizeof head))
        return false;
    for (uint32_t i = 0; i < sizeof head; i++)
        if (head[i] != 0)
            return true;
    return false;
}

uint32_t record_behind(struct ftl *ftl, const struct record *torn,
                       uint32_t limit)
{
    uint32_t unit = place_unit(torn->place);
    uint32_t at = place_at(torn->place) % FTL_UNIT, end = at + BEHIND_MAX;
    uint32_t next = at + record_size(torn); /* if its head can be believed */
    struct record r;
    if (next < limit &&
        record_at(ftl, place_of(unit, next), limit, &r) == RECORD_OK)
        return next;
    for (at += RECORD_MIN; at < end && at < limit; at++) {
        enum record_read got = record_at(ftl, place_of(unit, at), limit, &r);
        if (got == RECORD_OK)
            return at;
        if (got != RECORD_TORN)
            return 0;
    }
    return 0;
}

enum record_read log_end(struct ftl *ftl, uint32_t unit, struct record *r,
                         uint32_t *limit)
{
    *limit = FTL_UNIT;
    for (uint32_t at = UNIT_HEADER;;) {
        enum record_read got = record_at(ftl, place_of(unit, at), *limit, r);
        if (got != RECORD_OK)
            return got;
        at += record_size(r);
        if (r->kind == RECORD_SECTOR && r->start < *limit)
            *limit = r->start;
    }
}

/* The torn record that ends the unit's log, as it would be with one bit other
 * than it is; it is in ftl->rec then. Returns that bit, or -1. */
static int wrong_bit(struct ftl *ftl, uint32_t unit, struct record *r)
{
    uint32_t limit;
    if (log_end(ftl, unit, r, &limit) != RECORD_TORN)
        return -1;
    uint32_t place = r->place;
    uint32_t avail = limit - place_at(place) % FTL_UNIT;
    if (avail > RECORD_MAX)
        avail = RECORD_MAX;
    if (flash_read(ftl->flash, place_off(ftl, place), ftl->rec, avail))
        return -1;
    for (uint32_t bit = 0; bit < avail * 8; bit++) {
        ftl->rec[bit / 8] ^= (uint8_t)(1 << bit % 8);
        bool sound = record_parse(ftl, ftl->rec, avail, r);
        r->place = place;
        if (sound)
            return (int)bit;
        ftl->rec[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    return -1;
}

/* A bit that was not programmed any more, or that lost its charge, can still
 * be programmed. If that makes a commit whole which a cut had ended, nothing
 * is wrong with it: all it stands for was stored before. */
static bool heal(struct ftl *ftl, uint32_t unit)
{
    struct record r;
    int bit = wrong_bit(ftl, unit, &r);
    if (bit < 0 || ftl->rec[bit / 8] >> bit % 8 & 1)
        return false; /* it would have to be erased */
    uint8_t byte = ftl->rec[bit / 8];
    flash_off off = place_off(ftl, r.place) + (uint32_t)bit / 8;
    return flash_put(ftl, off, &byte, 1) == 0;
}

bool damage_heal(struct ftl *ftl)
{
    bool healed = false;
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state == UNIT_CLOSED && ftl->unit[i].torn &&
            heal(ftl, i)) {
            ftl->stats.healed++;
            healed = true;
        }
    return healed;
}

/* ---- what no power cut leaves ---- */

static bool delta_is_known(const struct ftl *ftl, uint64_t seq)
{
    for (uint32_t i = 0; i < ftl->deltas; i++)
        if (ftl->delta[i].seq == seq)
            return true;
    return false;
}

/* A record where only uncommitted ones and copies may be. */
static bool is_lost(struct ftl *ftl, const struct record *r)
{
    if (r->killed)
        return false;
    if (r->seq > ftl->committed_seq)
        return r->commit;
    if (record_is_delta(r))
        return !delta_is_known(ftl, r->seq);
    if (r->kind == RECORD_MARK)
        return r->seq != ftl->committed_seq;
    uint32_t known = ftl->map[r->lba];
    return known == FTL_NONE || seq_at(ftl, known) != r->seq;
}

/* Such a record from `at` on. */
static bool hides(struct ftl *ftl, uint32_t unit, uint32_t at, uint32_t limit)
{
    struct record r;
    enum record_read got = record_at(ftl, place_of(unit, at), limit, &r);
    if (got == RECORD_TORN)
        at = record_behind(ftl, &r, limit);
    else if (got != RECORD_OK)
        return false;
    while (at && record_at(ftl, place_of(unit, at), limit, &r) == RECORD_OK) {
        if (is_lost(ftl, &r))
            return true;
        at += record_size(&r);
        if (r.kind == RECORD_SECTOR && r.start < limit)
            limit = r.start;
    }
    return false;
}

/* The torn record itself, short of a bit that no cut can have cleared. */
static bool is_rotten(struct ftl *ftl, uint32_t unit)
{
    struct record r;
    int bit = wrong_bit(ftl, unit, &r);
    return bit >= 0 && ftl->rec[bit / 8] >> bit % 8 & 1 &&
           (is_lost(ftl, &r) || (r.commit && r.seq > ftl->committed_seq));
}

static bool torn_hides(struct ftl *ftl, uint32_t unit)
{
    struct record r;
    uint32_t limit;
    return log_end(ftl, unit, &r, &limit) == RECORD_TORN &&
           hides(ftl, unit, place_at(r.place) % FTL_UNIT, limit);
}

/* Records are killed after a cut, all above the last commit then, and nothing
 * is appended to their unit ever after: none above them can be committed. */
static bool kill_is_wrong(struct ftl *ftl, uint32_t unit)
{
    uint64_t killed = UINT64_MAX, top = 0;
    uint32_t limit = FTL_UNIT;
    struct record r;
    for (uint32_t at = UNIT_HEADER;
         record_at(ftl, place_of(unit, at), limit, &r) == RECORD_OK;) {
        at += record_size(&r);
        if (r.kind == RECORD_SECTOR && r.start < limit)
            limit = r.start;
        if (r.killed && r.seq < killed)
            killed = r.seq;
        if (!r.killed && r.seq <= ftl->committed_seq && r.seq > top)
            top = r.seq;
    }
    /* Without a commit there was no mount that could have killed any. */
    return top > killed || ftl->committed_seq == 0;
}

static const char *unit_damage(struct ftl *ftl, uint32_t unit)
{
    struct ftl_unit *u = &ftl->unit[unit];
    if (u->state == UNIT_BAD)
        return NULL;
    if (u->state == UNIT_LOST || u->unreadable)
        return "unit %u cannot be read";
    if (u->broken && hides(ftl, unit, UNIT_HEADER, FTL_UNIT))
        return "the header of unit %u is damaged";
    if (u->state != UNIT_CLOSED)
        return NULL;
    if ((u->torn && (torn_hides(ftl, unit) || is_rotten(ftl, unit))) ||
        (u->kills && kill_is_wrong(ftl, unit)))
        return "records of unit %u are damaged";
    return NULL;
}

bool damage_find(struct ftl *ftl)
{
    for (uint32_t i = 0; i < ftl->units; i++) {
        const char *what = unit_damage(ftl, i);
        if (!what)
            continue;
        snprintf(ftl->damage, sizeof ftl->damage, what, (unsigned)i);
        return true;
    }
    return false;
}
