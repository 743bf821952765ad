/* Reading the log: one pass over all headers, then one over the records of
 * the units that count, the youngest unit first: what an older one holds is
 * mostly superseded already and need not be remembered. */
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "ftl_int.h"
#include "ftl_scan.h"

static void state_clear(struct ftl *ftl)
{
    memset(ftl->unit, 0, ftl->units * sizeof ftl->unit[0]);
    memset(ftl->map, 0xFF, ftl->units * 15 * sizeof ftl->map[0]);
    memset(ftl->in_tx, 0, ftl->units * 2);
    ftl->epoch = ftl->sectors = ftl->age = 0;
    ftl->seq = ftl->committed_seq = 0;
    ftl->mark = FTL_NONE;
    ftl->free_units = ftl->bad_units = 0;
    ftl->changes = ftl->deltas = ftl->delta_bytes = 0;
    ftl->tx_bytes = ftl->tx_opened = 0;
    log_reset(ftl);
}

bool header_is_remnant(const uint8_t raw[UNIT_HEADER])
{
    static const uint8_t fixed[] = {'W', 'F', 'T', 'L', 1, 0, 0xFF, 0xFF};
    for (uint32_t i = 0; i < sizeof fixed; i++)
        if ((raw[i] & fixed[i]) != fixed[i])
            return false;
    return true;
}

/* WIPY_EIO: cannot be read. WIPY_ECORRUPT: there was one. WIPY_EFORMAT: there
 * is none that counts, or what an erase that was cut short left of it. */
static int header_read(struct ftl *ftl, uint32_t unit, struct unit_info *info)
{
    uint8_t raw[UNIT_HEADER];
    if (flash_read(ftl->flash, place_off(ftl, place_of(unit, 0)), raw,
                   sizeof raw))
        return WIPY_EIO;
    if (!unit_decode(raw, info)) {
        if (is_blank(raw, sizeof raw) || (info->dead && header_is_remnant(raw)))
            return WIPY_EFORMAT;
        if (!unit_mend(raw, info))
            return WIPY_ECORRUPT;
    }
    bool ours = info->sectors >= 64 && info->sectors < 15 * ftl->units &&
                info->epoch <= COUNT_MOST && info->age <= COUNT_MOST;
    return ours ? 0 : WIPY_EFORMAT;
}

/* A newer epoch replaces all that was found before. */
static void epoch_begin(struct ftl *ftl, const struct unit_info *info)
{
    ftl->epoch = info->epoch;
    ftl->sectors = info->sectors;
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state == UNIT_CLOSED)
            ftl->unit[i].state = UNIT_FREE;
}

/* Afterwards state is CLOSED for units of the epoch, FREE for the others, LOST
 * for those that cannot be read. */
static void scan_headers(struct ftl *ftl, struct scan *scan)
{
    uint64_t erases = 0;
    uint32_t headers = 0;
    for (uint32_t i = 0; i < ftl->units; i++) {
        struct ftl_unit *u = &ftl->unit[i];
        struct unit_info info;
        int err = header_read(ftl, i, &info);
        if (err == WIPY_EIO)
            u->state = UNIT_LOST;
        u->broken = err == WIPY_ECORRUPT;
        if (err)
            continue;
        headers++;
        erases += info.erases;
        u->erases = info.erases;
        u->age = info.age;
        if (info.age > ftl->age)
            ftl->age = info.age;
        if (info.epoch > ftl->epoch_max)
            ftl->epoch_max = info.epoch;
        if (info.dead || info.epoch > scan->epoch_limit ||
            info.epoch < ftl->epoch)
            continue;
        if (info.epoch > ftl->epoch)
            epoch_begin(ftl, &info);
        if (info.sectors == ftl->sectors)
            u->state = UNIT_CLOSED;
    }
    scan->any = headers > 0;
    for (uint32_t i = 0; i < ftl->units && headers; i++)
        if (ftl->unit[i].erases == 0)
            ftl->unit[i].erases = (uint32_t)(erases / headers);
}

/* The numbers of the closed units, youngest first, in the `live` fields of
 * the first units (which mean nothing during a scan); returns how many. */
static uint32_t sort_units(struct ftl *ftl)
{
    struct ftl_unit *u = ftl->unit;
    uint32_t count = 0;
    for (uint32_t i = 0; i < ftl->units; i++)
        if (u[i].state == UNIT_CLOSED)
            u[count++].live = (uint16_t)i;
    for (uint32_t gap = count / 2; gap > 0; gap /= 2) /* Shell's sort */
        for (uint32_t i = gap; i < count; i++) {
            uint16_t unit = u[i].live;
            uint32_t at = i;
            for (; at >= gap && u[u[at - gap].live].age < u[unit].age;
                 at -= gap)
                u[at].live = u[at - gap].live;
            u[at].live = unit;
        }
    return count;
}

uint64_t seq_at(struct ftl *ftl, uint32_t place)
{
    uint8_t raw[5];
    if (flash_read(ftl->flash, place_off(ftl, place), raw, sizeof raw))
        return 0;
    return (uint64_t)raw[4] << 32 | get_u32(raw);
}

/* ---- bases ---- */

/* Copies made by garbage collection count rather than what they were made
 * of, so that the unit that was emptied is free again after a mount. They are
 * found first. But their data may never have reached the flash (a hosted chip
 * may store writes out of order). */
static void base_found(struct ftl *ftl, const struct record *r)
{
    uint32_t old = ftl->map[r->lba];
    uint64_t seq = old == FTL_NONE ? 0 : seq_at(ftl, old);
    if (seq < r->seq ||
        (seq == r->seq && sector_base(ftl, old, ftl->copy) != 0))
        ftl->map[r->lba] = r->place;
}

/* ---- deltas ---- */

static bool is_later_copy(const struct ftl *ftl, uint32_t a, uint32_t b)
{
    return ftl->unit[place_unit(a)].age >= ftl->unit[place_unit(b)].age;
}

/* Not older than its sector's base, as far as that is known. */
static bool delta_is_current(struct ftl *ftl, uint32_t lba, uint64_t seq)
{
    return ftl->map[lba] == FTL_NONE || seq > seq_at(ftl, ftl->map[lba]);
}

static void deltas_purge(struct ftl *ftl)
{
    for (uint32_t i = 0; i < ftl->deltas;)
        if (delta_is_current(ftl, ftl->delta[i].lba, ftl->delta[i].seq))
            i++;
        else
            delta_forget(ftl, i);
}

static void delta_add(struct ftl *ftl, struct scan *scan,
                      const struct record *r)
{
    if (ftl->deltas == FTL_DELTAS_MAX && scan->only == RECORD_NONE) {
        deltas_purge(ftl);
        /* Not worth it; a hostile chip could ask for it at each record. */
        scan->crowded = ftl->deltas > FTL_DELTAS_MAX * 7 / 8;
    }
    if (ftl->deltas == FTL_DELTAS_MAX)
        scan->crowded = true;
    else
        delta_insert(ftl, r,
                     r->kind == RECORD_FIRST ? DELTA_FIRST : DELTA_KEPT);
}

/* Of what is found of a sector only the newest first delta and those above it
 * are kept. */
static void delta_found(struct ftl *ftl, struct scan *scan,
                        const struct record *r)
{
    bool first = r->kind == RECORD_FIRST, on_top = false;
    if (scan->crowded || (scan->only && scan->only != r->kind) ||
        !delta_is_current(ftl, r->lba, r->seq))
        return;
    for (uint32_t i = 0; i < ftl->deltas; i++) {
        struct ftl_delta *d = &ftl->delta[i];
        if (d->lba != r->lba)
            continue;
        if (d->seq == r->seq) {
            if (is_later_copy(ftl, r->place, d->place))
                d->place = r->place;
            return;
        }
        if (d->state == DELTA_FIRST && d->seq > r->seq)
            return;
        on_top |= d->state == DELTA_FIRST;
        if (first && d->seq < r->seq)
            delta_forget(ftl, i--);
    }
    if (first || on_top || scan->only == RECORD_NONE) /* else: nothing below */
        delta_add(ftl, scan, r);
}

/* ---- records ---- */

static void record_found(struct ftl *ftl, struct scan *scan,
                         const struct record *r)
{
    if (r->seq > scan->newest)
        scan->newest = r->seq;
    if (r->commit && r->seq > ftl->committed_seq) {
        ftl->committed_seq = r->seq;
        ftl->mark = r->place;
    }
    if (record_is_base(r))
        base_found(ftl, r);
    if (record_is_delta(r)) {
        ftl->unit[place_unit(r->place)].deltas = true;
        delta_found(ftl, scan, r);
    }
}

/* Calls `found` for each record of the unit up to the scan's limit. A torn
 * record ends the log of its unit, unless the scan goes deeper. */
static void unit_each(struct ftl *ftl, uint32_t unit,
                      void (*found)(struct ftl *ftl, struct scan *scan,
                                    const struct record *r),
                      struct scan *scan)
{
    struct ftl_unit *u = &ftl->unit[unit];
    struct record_walk walk = records_of(unit);
    for (;;) {
        struct record r;
        enum record_read got = record_next(ftl, &walk, &r);
        if (got == RECORD_TORN && head_is_torn(ftl, r.place)) {
            u->torn = true;
            if (scan->deep && record_behind(ftl, &walk, &r))
                continue;
        }
        u->unreadable |= got == RECORD_UNREADABLE;
        if (got != RECORD_OK)
            return;
        u->kills |= r.killed;
        if (!r.killed && r.seq <= scan->limit)
            found(ftl, scan, &r);
    }
}

void scan_units(struct ftl *ftl, struct scan *scan)
{
    state_clear(ftl);
    scan->newest = 0;
    scan->crowded = false;
    scan->only = RECORD_NONE;
    scan_headers(ftl, scan);
    uint32_t count = sort_units(ftl);
    for (uint32_t i = 0; i < count; i++)
        unit_each(ftl, ftl->unit[i].live, record_found, scan);
    for (uint32_t i = 0; i < count; i++)
        ftl->unit[i].live = 0;
}

static void delta_seen_again(struct ftl *ftl, struct scan *scan,
                             const struct record *r)
{
    if (record_is_delta(r))
        delta_found(ftl, scan, r);
}

/* Superseded ones filled the list before what supersedes them was found. Now
 * all bases are known: first deltas first, and only what lies above them, is
 * what a sound volume has room for. */
static void deltas_again(struct ftl *ftl, struct scan *scan)
{
    static const enum record_kind order[] = {RECORD_FIRST, RECORD_NEXT};
    scan->crowded = false;
    ftl->deltas = ftl->delta_bytes = 0;
    for (uint32_t k = 0; k < 2; k++) {
        scan->only = order[k];
        for (uint32_t i = 0; i < ftl->units; i++)
            if (ftl->unit[i].state == UNIT_CLOSED && ftl->unit[i].deltas)
                unit_each(ftl, i, delta_seen_again, scan);
    }
    if (scan->crowded) {
        ftl->readonly = true;
        ftl->reason = "more small changes than the format allows";
    }
}

/* True when a first delta of the sector comes before entry `index`. */
static bool delta_has_first(const struct ftl *ftl, uint32_t index)
{
    for (uint32_t i = 0; i <= index; i++)
        if (ftl->delta[i].lba == ftl->delta[index].lba &&
            ftl->delta[i].state == DELTA_FIRST)
            return true;
    return false;
}

void scan_deltas(struct ftl *ftl, struct scan *scan)
{
    if (scan->crowded)
        deltas_again(ftl, scan);
    deltas_purge(ftl);
    for (uint32_t i = 0; i < ftl->deltas;)
        if (ftl->map[ftl->delta[i].lba] != FTL_NONE && delta_has_first(ftl, i))
            i++;
        else
            delta_forget(ftl, i);
    for (uint32_t i = 0; i < ftl->deltas; i++)
        ftl->delta[i].state = DELTA_KEPT;
}

static void kill_put(struct ftl *ftl, flash_off off, const void *bytes,
                     uint32_t len)
{
    ftl->stats.killed++;
    if (flash_put(ftl, off, bytes, len) == 0)
        return;
    ftl->readonly = true;
    ftl->reason = "the flash cannot be written where a power cut left it";
}

/* Made invalid for ever: a later commit must not cover it. */
static void kill_uncommitted(struct ftl *ftl, struct scan *scan,
                             const struct record *r)
{
    (void)scan;
    if (r->seq <= ftl->committed_seq)
        return;
    uint8_t kind = (uint8_t)(r->kind | (r->commit ? FLAG_COMMIT : 0));
    kill_put(ftl, place_off(ftl, r->place) + 5, &kind, 1);
}

/* Its head is cleared so that it can never be taken for whole. */
static void kill_torn(struct ftl *ftl, uint32_t unit)
{
    static const uint8_t zeros[RECORD_HEAD];
    struct record_walk walk = records_of(unit);
    struct record r;
    if (log_end(ftl, &walk, &r) == RECORD_TORN)
        kill_put(ftl, place_off(ftl, r.place), zeros, sizeof zeros);
}

void scan_kill(struct ftl *ftl, struct scan *scan)
{
    bool cut = scan->limit != UINT64_MAX;
    scan->limit = UINT64_MAX;
    for (uint32_t i = 0; i < ftl->units; i++) {
        if (ftl->unit[i].state != UNIT_CLOSED)
            continue;
        if (ftl->unit[i].torn)
            kill_torn(ftl, i);
        if (cut)
            unit_each(ftl, i, kill_uncommitted, scan);
    }
}
