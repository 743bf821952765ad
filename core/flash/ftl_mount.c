/* Mount: find the last commit and, for every sector, the newest record that
 * belongs to it or to an earlier one. */
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "ftl_int.h"

struct scan {
    uint32_t epoch_limit; /* newer ones are not looked at */
    bool any;             /* a header of ours was seen */
    uint32_t headers;     /* how many */
    uint64_t newest;      /* seq of any record */
};

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
    state_clear(ftl);
    return 0;
}

static void limits_set(struct ftl *ftl)
{
    uint32_t spare = 15 * ftl->units - ftl->sectors;
    ftl->tx_limit = (spare > 60 ? (spare - 60) / 2 : 0) * SECTOR_COST;
}

static int header_read(struct ftl *ftl, uint32_t unit, struct unit_info *info)
{
    uint8_t raw[UNIT_HEADER];
    if (flash_read(ftl->flash, place_off(ftl, place_of(unit, 0)), raw,
                   sizeof raw))
        return WIPY_EIO;
    if (!unit_decode(raw, info) || info->sectors < 64 ||
        info->sectors >= 15 * ftl->units)
        return WIPY_EFORMAT;
    return 0;
}

/* Copies made by garbage collection count rather than what they were made
 * of, so that the unit that was emptied is free again after a mount. */
static bool is_later_copy(const struct ftl *ftl, uint32_t a, uint32_t b)
{
    return ftl->unit[place_unit(a)].age >= ftl->unit[place_unit(b)].age;
}

/* Of two copies of one record the later made counts, unless its data never
 * reached the flash (a hosted chip may store writes out of order). */
static bool twin_wins(struct ftl *ftl, const struct record *r)
{
    struct record copy = *r;
    uint32_t old = ftl->map[r->lba];
    if (ftl->unit[place_unit(r->place)].age >= ftl->unit[place_unit(old)].age)
        return r->kind == RECORD_SPARSE || !record_base(ftl, &copy, ftl->copy);
    return sector_base(ftl, old, ftl->copy) != 0;
}

static void base_found(struct ftl *ftl, const struct record *r)
{
    uint32_t old = ftl->map[r->lba];
    struct record other;
    if (old != FTL_NONE && record_load(ftl, old, &other) == 0) {
        if (other.seq > r->seq)
            return;
        if (other.seq == r->seq && !twin_wins(ftl, r))
            return;
    }
    ftl->map[r->lba] = r->place;
}

static void record_found(struct ftl *ftl, struct scan *scan,
                         const struct record *r)
{
    if (r->killed)
        return;
    if (r->seq > scan->newest)
        scan->newest = r->seq;
    if (r->commit && (r->seq > ftl->committed_seq ||
                      (r->seq == ftl->committed_seq &&
                       is_later_copy(ftl, r->place, ftl->mark)))) {
        ftl->committed_seq = r->seq;
        ftl->mark = r->place;
    }
    if (record_is_delta(r))
        ftl->unit[place_unit(r->place)].deltas = true;
    if (record_is_base(r))
        base_found(ftl, r);
}

/* Calls `found` for each record of the unit. A torn record ends the log of
 * its unit: its head is cleared so that it can never be taken for whole. */
static void unit_each(struct ftl *ftl, uint32_t unit,
                      void (*found)(struct ftl *ftl, struct scan *scan,
                                    const struct record *r),
                      struct scan *scan)
{
    uint32_t limit = FTL_UNIT;
    for (uint32_t at = UNIT_HEADER;;) {
        struct record r;
        enum record_read got = record_at(ftl, place_of(unit, at), limit, &r);
        if (got == RECORD_TORN && !ftl->readonly) {
            static const uint8_t zeros[RECORD_HEAD];
            uint8_t head[RECORD_HEAD];
            flash_off off = place_off(ftl, place_of(unit, at));
            if (!flash_read(ftl->flash, off, head, sizeof head) &&
                memcmp(head, zeros, sizeof head) != 0) {
                ftl->stats.killed++;
                flash_put(ftl, off, zeros, sizeof zeros);
            }
        }
        if (got != RECORD_OK)
            return;
        at += record_size(&r);
        if (r.kind == RECORD_SECTOR && r.start < limit)
            limit = r.start;
        found(ftl, scan, &r);
    }
}

/* A newer epoch replaces all that was found before. */
static void epoch_begin(struct ftl *ftl, const struct unit_info *info)
{
    memset(ftl->map, 0xFF, ftl->units * 15 * sizeof ftl->map[0]);
    ftl->committed_seq = 0;
    ftl->mark = FTL_NONE;
    ftl->epoch = info->epoch;
    ftl->sectors = info->sectors;
    for (uint32_t i = 0; i < ftl->units; i++)
        ftl->unit[i].state = UNIT_FREE;
}

/* One pass over all units. Afterwards state is CLOSED for units of the
 * epoch, FREE for the others. */
static void scan_units(struct ftl *ftl, struct scan *scan)
{
    uint64_t erases = 0;
    state_clear(ftl);
    scan->any = false;
    scan->headers = 0;
    scan->newest = 0;
    for (uint32_t i = 0; i < ftl->units; i++) {
        struct unit_info info;
        if (header_read(ftl, i, &info))
            continue;
        scan->any = true;
        scan->headers++;
        erases += info.erases;
        ftl->unit[i].erases = info.erases;
        ftl->unit[i].age = info.age;
        if (info.age > ftl->age)
            ftl->age = info.age;
        if (info.epoch > ftl->epoch_max)
            ftl->epoch_max = info.epoch;
        if (info.dead || info.epoch > scan->epoch_limit ||
            info.epoch < ftl->epoch)
            continue;
        if (info.epoch > ftl->epoch) {
            epoch_begin(ftl, &info);
            scan->newest = 0;
        }
        if (info.sectors != ftl->sectors)
            continue;
        ftl->unit[i].state = UNIT_CLOSED;
        unit_each(ftl, i, record_found, scan);
    }
    for (uint32_t i = 0; i < ftl->units && scan->headers; i++)
        if (ftl->unit[i].erases == 0)
            ftl->unit[i].erases = (uint32_t)(erases / scan->headers);
}

/* Made invalid for ever: a later commit must not cover it. */
static void kill_uncommitted(struct ftl *ftl, struct scan *scan,
                             const struct record *r)
{
    (void)scan;
    if (r->killed || r->seq <= ftl->committed_seq)
        return;
    uint8_t kind = 0;
    flash_off off = place_off(ftl, r->place) + 5;
    ftl->stats.killed++;
    if (flash_read(ftl->flash, off, &kind, 1) == 0) {
        kind = (uint8_t)(kind & ~FLAG_ALIVE);
        if (flash_put(ftl, off, &kind, 1) == 0)
            return;
    }
    ftl->readonly = true;
    ftl->reason = "the flash cannot be written where a power cut left it";
}

static bool partition_is_blank(struct ftl *ftl)
{
    for (uint32_t at = 0; at < ftl->units * FTL_UNIT; at += FTL_SECTOR) {
        if (flash_read(ftl->flash, ftl->off + at, ftl->buf, FTL_SECTOR))
            return false;
        for (uint32_t i = 0; i < FTL_SECTOR; i++)
            if (ftl->buf[i] != 0xFF)
                return false;
    }
    return true;
}

/* The newest epoch that was ever committed. One of a format that a cut ended
 * is marked dead, unit by unit. */
static int find_epoch(struct ftl *ftl, struct scan *scan)
{
    scan->epoch_limit = UINT32_MAX;
    for (;;) {
        scan_units(ftl, scan);
        if (!scan->any)
            return partition_is_blank(ftl) ? WIPY_ENOENT : WIPY_EFORMAT;
        if (ftl->committed_seq > 0)
            return 0;
        if (ftl->epoch == 0) /* nothing but dead units */
            return WIPY_ENOENT;
        uint32_t units = 0;
        for (uint32_t i = 0; i < ftl->units; i++)
            units += ftl->unit[i].state == UNIT_CLOSED;
        if (units > 8) /* more than a format writes */
            return WIPY_EFORMAT;
        for (uint32_t i = 0; i < ftl->units; i++)
            if (ftl->unit[i].state == UNIT_CLOSED)
                unit_mark_dead(ftl, i);
        if (ftl->epoch == 1)
            return WIPY_ENOENT;
        scan->epoch_limit = ftl->epoch - 1;
    }
}

/* ---- deltas: two passes over the units that hold any ---- */

static bool delta_is_current(struct ftl *ftl, const struct record *r)
{
    struct record base;
    if (r->killed || ftl->map[r->lba] == FTL_NONE)
        return false;
    struct record delta = *r; /* loading the base overwrites ftl->rec */
    return record_load(ftl, ftl->map[r->lba], &base) == 0 &&
           delta.seq > base.seq;
}

/* First pass: the newest first delta of each sector. */
static void delta_first_found(struct ftl *ftl, struct scan *scan,
                              const struct record *r)
{
    (void)scan;
    if (r->kind != RECORD_FIRST || !delta_is_current(ftl, r))
        return;
    for (uint32_t i = 0; i < ftl->deltas; i++)
        if (ftl->delta[i].lba == r->lba) {
            if (ftl->delta[i].seq > r->seq ||
                (ftl->delta[i].seq == r->seq &&
                 !is_later_copy(ftl, r->place, ftl->delta[i].place)))
                return;
            delta_forget(ftl, i);
            break;
        }
    if (ftl->deltas == FTL_DELTAS_MAX) {
        ftl->readonly = true;
        ftl->reason = "more small changes than the format allows";
        return;
    }
    delta_insert(ftl, r, DELTA_KEPT);
}

/* Second pass: those on top of it. */
static void delta_next_found(struct ftl *ftl, struct scan *scan,
                             const struct record *r)
{
    (void)scan;
    bool on_top = false;
    if (r->kind != RECORD_NEXT || !delta_is_current(ftl, r))
        return;
    for (uint32_t i = 0; i < ftl->deltas; i++) {
        if (ftl->delta[i].seq == r->seq) {
            if (!is_later_copy(ftl, r->place, ftl->delta[i].place))
                return;
            delta_forget(ftl, i--);
            continue;
        }
        if (ftl->delta[i].lba == r->lba && ftl->delta[i].seq < r->seq)
            on_top = true;
    }
    if (!on_top)
        return;
    if (ftl->deltas == FTL_DELTAS_MAX) {
        ftl->readonly = true;
        ftl->reason = "more small changes than the format allows";
        return;
    }
    delta_insert(ftl, r, DELTA_KEPT);
}

static void each_delta_unit(struct ftl *ftl,
                            void (*found)(struct ftl *ftl, struct scan *scan,
                                          const struct record *r))
{
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state == UNIT_CLOSED && ftl->unit[i].deltas)
            unit_each(ftl, i, found, NULL);
}

/* ---- what is free and what is bad ---- */

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

int ftl_mount(struct ftl *ftl, const struct flash *flash, flash_off off,
              uint32_t size, void *memory, size_t memory_len)
{
    struct scan scan = {0};
    int err = attach(ftl, flash, off, size, memory, memory_len);
    if (!err)
        err = find_epoch(ftl, &scan);
    if (err)
        return err;
    if (scan.newest > ftl->committed_seq) { /* a power cut was here */
        for (uint32_t i = 0; i < ftl->units; i++)
            if (ftl->unit[i].state == UNIT_CLOSED)
                unit_each(ftl, i, kill_uncommitted, NULL);
        bool stuck = ftl->readonly;
        scan_units(ftl, &scan);
        if (stuck)
            return WIPY_EIO;
    }
    each_delta_unit(ftl, delta_first_found);
    each_delta_unit(ftl, delta_next_found);
    bad_units_load(ftl);
    ftl->seq = ftl->committed_seq;
    count_live(ftl);
    limits_set(ftl);
    return 0;
}

int ftl_format(struct ftl *ftl, const struct flash *flash, flash_off off,
               uint32_t size, void *memory, size_t memory_len)
{
    struct scan scan = {.epoch_limit = UINT32_MAX};
    int err = ftl_mount(ftl, flash, off, size, memory, memory_len);
    if (err == WIPY_EINVAL)
        return err;
    bool had_volume = err == 0;
    uint32_t epoch = ftl->epoch_max, bad = 0;
    if (had_volume) { /* keep what is known to be bad */
        bad = ftl->bad_units;
    } else {
        attach(ftl, flash, off, size, memory, memory_len);
        scan_units(ftl, &scan);
        epoch = ftl->epoch_max;
    }
    for (uint32_t i = 0; i < ftl->units; i++) {
        struct ftl_unit *u = &ftl->unit[i];
        u->live = 0;
        u->deltas = false;
        if (u->state < UNIT_BAD)
            u->state = UNIT_FREE;
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
