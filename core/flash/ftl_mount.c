/* Mount: find the last commit and, for every sector, the newest record that
 * belongs to it or to an earlier one. */
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "ftl_int.h"
#include "ftl_scan.h"

enum {
    HEAL_ROUNDS = 4,
    UNDO_MAX = 4, /* units, where cuts without this have followed each other */
};

static int attach(struct ftl *ftl, const struct flash *flash, flash_off off,
                  uint32_t size, void *memory, size_t memory_len)
{
    uint32_t units = size / FTL_UNIT;
    if (units < FTL_UNITS_MIN || units > FTL_UNITS_MAX || off > flash->size ||
        size > flash->size - off || memory_len < FTL_MEMORY(size) ||
        off % FLASH_SECTOR || (uintptr_t)memory % _Alignof(struct ftl_unit))
        return WIPY_EINVAL;
    ftl->flash = flash;
    ftl->off = off;
    ftl->units = units;
    ftl->unit = memory;
    ftl->map = (uint32_t *)(void *)(ftl->unit + units);
    ftl->in_tx = (uint8_t *)(ftl->map + (size_t)units * 15);
    ftl->readonly = false;
    ftl->reason = "";
    ftl->epoch_max = 0;
    ftl->unsynced = true; /* whoever wrote last may not have synced */
    ftl->collecting = ftl->bad_dirty = false;
    ftl->opened = 0;
    ftl->clock = 0;
    memset(&ftl->stats, 0, sizeof ftl->stats);
    for (uint32_t i = 0; i < FTL_CACHE; i++)
        ftl->cache[i].lba = FTL_NONE;
    return 0;
}

static void limits_set(struct ftl *ftl)
{
    uint32_t spare = 15 * ftl->units - ftl->sectors;
    ftl->tx_limit = (spare > 60 ? (spare - 60) / 2 : 0) * SECTOR_COST;
}

/* Or there is no more than the header of the first unit that was opened, cut
 * short. */
static bool partition_is_blank(struct ftl *ftl)
{
    for (uint32_t at = 0; at < ftl->units * FTL_UNIT; at += FTL_SECTOR) {
        if (flash_read(ftl->flash, ftl->off + at, ftl->buf, FTL_SECTOR))
            return false;
        bool header = at % FTL_UNIT == 0 && header_is_remnant(ftl->buf);
        if (!is_blank(ftl->buf + (header ? UNIT_HEADER : 0),
                      FTL_SECTOR - (header ? UNIT_HEADER : 0)))
            return false;
    }
    return true;
}

/* Torn records that can be put right are; what lay behind them is seen then. */
static void scan_healing(struct ftl *ftl, struct scan *scan)
{
    scan_units(ftl, scan);
    for (int i = 0; i < HEAL_ROUNDS && damage_heal(ftl); i++)
        scan_units(ftl, scan);
}

/* The newest epoch that was ever committed. One of a format that a cut ended
 * is marked dead, unit by unit; not so when its commit may just be lost. */
static int find_epoch(struct ftl *ftl, struct scan *scan)
{
    scan->epoch_limit = UINT32_MAX;
    for (;;) {
        scan_healing(ftl, scan);
        if (!scan->any)
            return partition_is_blank(ftl) ? WIPY_ENOENT : WIPY_EFORMAT;
        if (ftl->committed_seq > 0)
            return 0;
        scan->doubt |= damage_find(ftl);
        if (ftl->epoch == 0) /* nothing but dead units */
            return scan->doubt ? WIPY_EFORMAT : WIPY_ENOENT;
        uint32_t units = 0;
        for (uint32_t i = 0; i < ftl->units; i++)
            units += ftl->unit[i].state == UNIT_CLOSED;
        if (units > 8) /* more than a format writes */
            return WIPY_EFORMAT;
        for (uint32_t i = 0; i < ftl->units; i++)
            if (ftl->unit[i].state == UNIT_CLOSED && !scan->doubt)
                unit_mark_dead(ftl, i);
        if (ftl->epoch == 1)
            return scan->doubt ? WIPY_EFORMAT : WIPY_ENOENT;
        scan->epoch_limit = ftl->epoch - 1;
    }
}

static void bad_units_load(struct ftl *ftl)
{
    uint32_t lba = bad_list_lba(ftl);
    if (ftl->map[lba] == FTL_NONE || sector_state(ftl, lba, ftl->buf))
        return;
    struct reader r = reader_of(ftl->buf, FTL_SECTOR);
    uint32_t count = read_u16(&r);
    for (uint32_t i = 0; i < count && i <= FTL_UNITS_BAD_MAX; i++) {
        uint32_t unit = read_u16(&r);
        if (r.bad || unit >= ftl->units || ftl->unit[unit].state == UNIT_BAD)
            continue;
        ftl->unit[unit].state = UNIT_BAD;
        ftl->bad_units++;
    }
}

static void count_live(struct ftl *ftl)
{
    uint32_t mark = ftl->mark;
    ftl->mark = FTL_NONE;
    mark_pin(ftl, mark);
    for (uint32_t lba = 0; lba <= ftl->sectors; lba++)
        if (ftl->map[lba] != FTL_NONE)
            live_add(ftl, ftl->map[lba]);
    for (uint32_t i = 0; i < ftl->deltas; i++)
        live_add(ftl, ftl->delta[i].place);
    for (uint32_t i = 0; i < ftl->units; i++) {
        struct ftl_unit *u = &ftl->unit[i];
        if (u->state == UNIT_CLOSED && u->live == 0)
            u->state = UNIT_FREE;
        ftl->free_units += u->state == UNIT_FREE;
    }
}

/* ---- collections that a cut ended ---- */

static bool is_copy_in(struct ftl *ftl, uint32_t place, uint32_t unit,
                       const struct record *r)
{
    return place != FTL_NONE && place_unit(place) == unit &&
           seq_at(ftl, place) == r->seq;
}

static void count_instead(struct ftl *ftl, uint32_t *holder, uint32_t place)
{
    live_add(ftl, place);
    live_drop(ftl, *holder);
    *holder = place;
}

/* If what counts is a copy of the record in `unit`, the record itself does. */
static void undo_move(struct ftl *ftl, uint32_t unit, const struct record *r)
{
    if (r->killed)
        return;
    if (r->commit && is_copy_in(ftl, ftl->mark, unit, r))
        mark_pin(ftl, r->place);
    for (uint32_t i = 0; i < ftl->deltas && record_is_delta(r); i++)
        if (is_copy_in(ftl, ftl->delta[i].place, unit, r))
            count_instead(ftl, &ftl->delta[i].place, r->place);
    if (record_is_base(r) && is_copy_in(ftl, ftl->map[r->lba], unit, r) &&
        sector_base(ftl, r->place, ftl->copy) == 0)
        count_instead(ftl, &ftl->map[r->lba], r->place);
}

/* The closed unit opened last of those opened before `age`. */
static uint32_t youngest(const struct ftl *ftl, uint32_t age)
{
    uint32_t best = FTL_NONE;
    for (uint32_t i = 0; i < ftl->units; i++) {
        const struct ftl_unit *u = &ftl->unit[i];
        if (u->state == UNIT_CLOSED && u->age < age &&
            (best == FTL_NONE || u->age > ftl->unit[best].age))
            best = i;
    }
    return best;
}

/* A cut in the middle of a collection leaves two units where one was: that
 * which was to be emptied, and the copies. Were it so again and again, there
 * would be none left to collect with. */
static void undo_collections(struct ftl *ftl)
{
    uint32_t age = UINT32_MAX;
    for (int i = 0; i < UNDO_MAX && ftl->free_units < RESERVE_UNITS; i++) {
        uint32_t unit = youngest(ftl, age);
        if (unit == FTL_NONE)
            return;
        age = ftl->unit[unit].age;
        for (uint32_t k = 0; k < ftl->units; k++) {
            struct record_walk walk = records_of(k);
            struct record r;
            while (k != unit && ftl->unit[k].state == UNIT_CLOSED &&
                   record_next(ftl, &walk, &r) == RECORD_OK)
                undo_move(ftl, unit, &r);
        }
    }
}

/* What is committed, and no more. */
static void scan_committed(struct ftl *ftl, struct scan *scan)
{
    if (scan->newest > ftl->committed_seq) { /* a power cut was here */
        scan->limit = ftl->committed_seq;
        scan_units(ftl, scan);
    }
    scan_deltas(ftl, scan);
    bad_units_load(ftl);
}

/* As much as can still be found, to be read only. */
static void scan_damaged(struct ftl *ftl, struct scan *scan)
{
    ftl->readonly = true;
    scan->deep = true;
    scan->limit = UINT64_MAX;
    scan_units(ftl, scan);
    scan_committed(ftl, scan);
    ftl->reason = ftl->damage;
}

int ftl_mount(struct ftl *ftl, const struct flash *flash, flash_off off,
              uint32_t size, void *memory, size_t memory_len)
{
    struct scan scan = {.limit = UINT64_MAX};
    int err = attach(ftl, flash, off, size, memory, memory_len);
    if (!err)
        err = find_epoch(ftl, &scan);
    if (err)
        return err;
    scan_committed(ftl, &scan);
    if (damage_find(ftl) || scan.doubt)
        scan_damaged(ftl, &scan);
    else if (!ftl->readonly)
        scan_kill(ftl, &scan);
    ftl->seq = ftl->committed_seq;
    count_live(ftl);
    limits_set(ftl);
    if (!ftl->readonly)
        undo_collections(ftl);
    return 0;
}

int ftl_format(struct ftl *ftl, const struct flash *flash, flash_off off,
               uint32_t size, void *memory, size_t memory_len)
{
    struct scan scan = {.epoch_limit = UINT32_MAX, .limit = UINT64_MAX};
    int err = ftl_mount(ftl, flash, off, size, memory, memory_len);
    if (err == WIPY_EINVAL)
        return err;
    uint32_t epoch, bad = 0;
    if (err) {
        attach(ftl, flash, off, size, memory, memory_len);
        scan_units(ftl, &scan);
    }
    epoch = ftl->epoch_max; /* and what is known to be bad is kept */
    for (uint32_t i = 0; i < ftl->units; i++) {
        struct ftl_unit *u = &ftl->unit[i];
        u->live = 0;
        u->deltas = false;
        u->former = u->state == UNIT_CLOSED;
        u->state = u->state < UNIT_BAD ? UNIT_FREE : UNIT_BAD;
        bad += u->state == UNIT_BAD;
    }
    memset(ftl->map, 0xFF, ftl->units * 15 * sizeof ftl->map[0]);
    ftl->free_units = ftl->units - bad;
    ftl->bad_units = bad;
    ftl->bad_dirty = bad > 0;
    ftl->deltas = ftl->delta_bytes = 0;
    ftl->seq = ftl->committed_seq = 0;
    ftl->mark = FTL_NONE;
    ftl->readonly = false;
    ftl->reason = "";
    ftl->epoch = epoch + 1;
    ftl->sectors = FTL_SECTORS(ftl->units);
    limits_set(ftl);
    return 0;
}
