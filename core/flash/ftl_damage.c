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

static enum record_read peek(struct ftl *ftl, struct record_walk walk)
{
    struct record r;
    return record_next(ftl, &walk, &r);
}

bool record_behind(struct ftl *ftl, struct record_walk *walk,
                   const struct record *torn)
{
    const uint32_t from = walk->at;
    walk->at = from + record_size(torn); /* if its head can be believed */
    if (peek(ftl, *walk) == RECORD_OK)
        return true;
    enum record_read got = RECORD_TORN;
    for (uint32_t i = RECORD_MIN; i < BEHIND_MAX && got == RECORD_TORN; i++) {
        walk->at = from + i;
        got = peek(ftl, *walk);
    }
    return got == RECORD_OK;
}

enum record_read log_end(struct ftl *ftl, struct record_walk *walk,
                         struct record *r)
{
    enum record_read got;
    while ((got = record_next(ftl, walk, r)) == RECORD_OK)
        ;
    return got;
}

/* The torn record that ends the unit's log, as it would be with one bit other
 * than it is; it is in ftl->rec then. Returns that bit, or -1. */
static int wrong_bit(struct ftl *ftl, uint32_t unit, struct record *r)
{
    struct record_walk walk = records_of(unit);
    if (log_end(ftl, &walk, r) != RECORD_TORN)
        return -1;
    uint32_t place = r->place;
    uint32_t avail = walk.limit - walk.at;
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

/* Such a record where the walk is, or behind a torn one there. */
static bool hides(struct ftl *ftl, struct record_walk walk)
{
    struct record r;
    struct record_walk first = walk;
    if (record_next(ftl, &first, &r) == RECORD_TORN &&
        !record_behind(ftl, &walk, &r))
        return false;
    while (record_next(ftl, &walk, &r) == RECORD_OK)
        if (is_lost(ftl, &r))
            return true;
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
    struct record_walk walk = records_of(unit);
    struct record r;
    return log_end(ftl, &walk, &r) == RECORD_TORN && hides(ftl, walk);
}

/* Records are killed after a cut, all above the last commit then, and nothing
 * is appended to their unit ever after: none above them can be committed. */
static bool kill_is_wrong(struct ftl *ftl, uint32_t unit)
{
    uint64_t killed = UINT64_MAX, top = 0;
    struct record_walk walk = records_of(unit);
    struct record r;
    while (record_next(ftl, &walk, &r) == RECORD_OK) {
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
    if (u->broken && hides(ftl, records_of(unit)))
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
