/* Garbage collection: live records are copied, seq and all, to the cold head;
 * the unit they leave becomes free. Both copies are equally true until the
 * old unit is erased, so a cut at any point changes nothing. */
#include <string.h>

#include "base/err.h"
#include "ftl_int.h"

/* Records of a victim on their way to the cold head, as many as are written
 * together. */
struct moves {
    uint32_t count;
    struct record r[TX_BATCH];
    uint32_t *holder[TX_BATCH]; /* who knows the place */
    uint32_t *also[TX_BATCH];   /* and who else does, or NULL */
};

static void move_done(struct ftl *ftl, const struct record *r, uint32_t *holder,
                      uint32_t *also)
{
    if (r->commit)
        mark_pin(ftl, r->place);
    live_drop(ftl, *holder);
    *holder = r->place;
    if (also)
        *also = r->place;
}

static int moves_write(struct ftl *ftl, struct moves *m)
{
    for (uint32_t done = 0; done < m->count;) {
        int put = log_put_some(ftl, HEAD_COLD, m->r + done, m->count - done);
        if (put < 0)
            return put;
        for (; put > 0; put--, done++)
            move_done(ftl, &m->r[done], m->holder[done], m->also[done]);
    }
    m->count = 0;
    return 0;
}

static int moves_add(struct ftl *ftl, struct moves *m, uint32_t *holder,
                     uint32_t *also)
{
    struct record *r = &m->r[m->count];
    int err = record_load(ftl, *holder, r);
    if (err)
        return err;
    r->from = place_at(*holder);
    r->commit = *holder == ftl->mark;
    m->holder[m->count] = holder;
    m->also[m->count] = also;
    return ++m->count == TX_BATCH ? moves_write(ftl, m) : 0;
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

static bool is_in(uint32_t place, uint32_t unit)
{
    return place != FTL_NONE && place_unit(place) == unit;
}

static int collect_all(struct ftl *ftl, uint32_t victim)
{
    struct moves m = {0};
    int err = 0;
    for (uint32_t i = 0; i < ftl->deltas && !err; i++)
        if (is_in(ftl->delta[i].place, victim))
            err = moves_add(ftl, &m, &ftl->delta[i].place, NULL);
    for (uint32_t lba = 0; lba <= ftl->sectors && !err; lba++) {
        if (!is_in(ftl->map[lba], victim))
            continue;
        struct ftl_change *change = tx_has(ftl, lba) ? tx_find(ftl, lba) : NULL;
        bool shared = change && change->old == ftl->map[lba];
        err = moves_add(ftl, &m, &ftl->map[lba], shared ? &change->old : NULL);
    }
    err = err ? err : moves_write(ftl, &m);
    for (uint32_t i = 0; i < ftl->changes && !err; i++)
        if (is_in(ftl->change[i].old, victim))
            err = moves_add(ftl, &m, &ftl->change[i].old, NULL);
    err = err ? err : moves_write(ftl, &m);
    if (!err && is_in(ftl->mark, victim))
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

/* The unit with the least to be copied; FTL_NONE when none has room for even
 * one more sector. */
static uint32_t cheapest(const struct ftl *ftl)
{
    uint32_t best = FTL_NONE;
    uint32_t least = FTL_UNIT - UNIT_HEADER - SECTOR_COST + 1;
    for (uint32_t i = 0; i < ftl->units; i++) {
        const struct ftl_unit *u = &ftl->unit[i];
        if (u->state == UNIT_CLOSED && u->live < least) {
            least = u->live;
            best = i;
        }
    }
    return best;
}

int gc_make_room(struct ftl *ftl)
{
    for (uint32_t i = 0; ftl->free_units <= RESERVE_UNITS; i++) {
        uint32_t victim = cheapest(ftl);
        if (victim == FTL_NONE || i > ftl->units)
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
    if (ftl->free_units <= RESERVE_UNITS + GC_AHEAD) {
        unit = ftl->tx_opened < 2 ? cheapest(ftl) : FTL_NONE;
        return unit == FTL_NONE ? 0 : collect(ftl, unit);
    }
    if (ftl->opened < WEAR_EVERY)
        return 0;
    unit = too_cold(ftl);
    if (unit == FTL_NONE)
        return 0;
    int err;
    ftl->opened = 0;
    ftl->stats.levelled++;
    /* Not to where it would soon be the coldest again. */
    err = log_rest(ftl);
    return err ? err : collect(ftl, unit);
}
