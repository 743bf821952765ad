/* Garbage collection: live records are copied, seq and all, to the cold head;
 * the unit they leave becomes free. Both copies are equally true until the
 * old unit is erased, so a cut at any point changes nothing. */
#include <string.h>

#include "base/err.h"
#include "ftl_int.h"

/* Copies the record at `from`; the new place in `to`. */
static int record_move(struct ftl *ftl, uint32_t from, uint32_t *to)
{
    struct record r;
    int err = record_load(ftl, from, &r);
    if (err)
        return err;
    if (r.kind == RECORD_SECTOR) {
        /* Rotten bytes keep their old check sum: reading goes on failing. */
        memset(ftl->copy, 0, FTL_SECTOR);
        record_base(ftl, &r, ftl->copy);
    } else {
        memcpy(ftl->copy, r.bytes, r.len);
    }
    r.bytes = ftl->copy;
    r.commit = from == ftl->mark;
    err = log_put(ftl, HEAD_COLD, &r);
    if (err)
        return err;
    if (from == ftl->mark)
        mark_pin(ftl, r.place);
    live_drop(ftl, from);
    *to = r.place;
    return 0;
}

/* The commit record outlives its sector: only its flag is copied. */
static int mark_move(struct ftl *ftl)
{
    struct record r = {.seq = ftl->committed_seq,
                       .kind = RECORD_MARK,
                       .commit = true,
                       .lba = 0xFFFF,
                       .bytes = ftl->copy};
    int err = log_put(ftl, HEAD_COLD, &r);
    if (err)
        return err;
    mark_pin(ftl, r.place);
    live_drop(ftl, r.place); /* a pin is all that holds it */
    return 0;
}

static int collect_sector(struct ftl *ftl, uint32_t victim, uint32_t lba)
{
    uint32_t from = ftl->map[lba];
    if (from == FTL_NONE || place_unit(from) != victim)
        return 0;
    struct ftl_change *change = tx_has(ftl, lba) ? tx_find(ftl, lba) : NULL;
    bool shared = change && change->old == from;
    int err = record_move(ftl, from, &ftl->map[lba]);
    if (!err && shared)
        change->old = ftl->map[lba];
    return err;
}

static int collect_all(struct ftl *ftl, uint32_t victim)
{
    int err = 0;
    for (uint32_t lba = 0; lba <= ftl->sectors && !err; lba++)
        err = collect_sector(ftl, victim, lba);
    for (uint32_t i = 0; i < ftl->changes && !err; i++) {
        uint32_t old = ftl->change[i].old;
        if (old != FTL_NONE && place_unit(old) == victim)
            err = record_move(ftl, old, &ftl->change[i].old);
    }
    for (uint32_t i = 0; i < ftl->deltas && !err; i++) {
        uint32_t place = ftl->delta[i].place;
        if (place_unit(place) == victim)
            err = record_move(ftl, place, &ftl->delta[i].place);
    }
    if (!err && ftl->mark != FTL_NONE && place_unit(ftl->mark) == victim)
        err = mark_move(ftl);
    return err;
}

static int collect(struct ftl *ftl, uint32_t victim)
{
    ftl->collecting = true;
    int err = collect_all(ftl, victim);
    ftl->collecting = false;
    ftl->stats.collected++;
    if (err == WIPY_ECORRUPT) {
        /* A record that cannot be parsed any more: leave the unit alone. */
        unit_retire(ftl, victim);
        ftl->unit[victim].state = UNIT_LOST;
        return 0;
    }
    return err;
}

static uint32_t cheapest(const struct ftl *ftl)
{
    uint32_t best = FTL_NONE;
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state == UNIT_CLOSED &&
            (best == FTL_NONE || ftl->unit[i].live < ftl->unit[best].live))
            best = i;
    return best;
}

int gc_make_room(struct ftl *ftl)
{
    for (uint32_t i = 0; ftl->free_units <= RESERVE_UNITS; i++) {
        uint32_t victim = cheapest(ftl);
        if (victim == FTL_NONE || i > ftl->units ||
            ftl->unit[victim].live > FTL_UNIT - UNIT_HEADER - SECTOR_COST)
            return WIPY_ENOSPC;
        int err = collect(ftl, victim);
        if (err)
            return err;
    }
    return 0;
}

static uint32_t bad_with_data(const struct ftl *ftl)
{
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state == UNIT_BAD && ftl->unit[i].live > 0)
            return i;
    return FTL_NONE;
}

/* The unit whose data has not moved for longest, when others wear much
 * faster. */
static uint32_t too_cold(const struct ftl *ftl)
{
    uint32_t coldest = FTL_NONE, most = 0;
    for (uint32_t i = 0; i < ftl->units; i++) {
        const struct ftl_unit *u = &ftl->unit[i];
        if (u->erases > most && u->state < UNIT_BAD)
            most = u->erases;
        if (u->state == UNIT_CLOSED &&
            (coldest == FTL_NONE || u->erases < ftl->unit[coldest].erases))
            coldest = i;
    }
    if (coldest == FTL_NONE || most - ftl->unit[coldest].erases <= WEAR_SPREAD)
        return FTL_NONE;
    return coldest;
}

/* At most one unit's worth of work, so that no commit waits for long. */
int gc_after_commit(struct ftl *ftl)
{
    uint32_t unit = bad_with_data(ftl);
    if (unit != FTL_NONE && ftl->free_units > 1)
        return collect(ftl, unit);
    if (ftl->opened < WEAR_EVERY || ftl->free_units <= RESERVE_UNITS)
        return 0;
    unit = too_cold(ftl);
    if (unit == FTL_NONE)
        return 0;
    ftl->opened = 0;
    ftl->stats.levelled++;
    return collect(ftl, unit);
}
