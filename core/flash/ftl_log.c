/* The log: units are opened, filled with records and closed. */
#include <string.h>

#include "base/err.h"
#include "ftl_int.h"

static void unit_add(struct ftl *ftl, uint32_t unit, uint32_t bytes)
{
    struct ftl_unit *u = &ftl->unit[unit];
    u->live = (uint16_t)(u->live + bytes);
}

/* Something that superseded a record of this unit may have been programmed
 * after the last sync; only then must a sync come before its erase. */
static void unit_set_free(struct ftl *ftl, struct ftl_unit *u)
{
    u->state = UNIT_FREE;
    u->blank = false;
    u->settled = !ftl->unsynced;
    ftl->free_units++;
}

/* A unit without live records is free at once; it is erased when it is next
 * opened, which is never before what emptied it was synced. */
static void unit_drop(struct ftl *ftl, uint32_t unit, uint32_t bytes)
{
    struct ftl_unit *u = &ftl->unit[unit];
    u->live = (uint16_t)(u->live - bytes);
    if (u->live == 0 && u->state == UNIT_CLOSED)
        unit_set_free(ftl, u);
    if (u->live == 0 && u->state == UNIT_BAD)
        ftl->bad_dirty = true; /* it may be listed now */
}

void live_add(struct ftl *ftl, uint32_t place)
{
    unit_add(ftl, place_unit(place), place_cost(place));
}

void live_drop(struct ftl *ftl, uint32_t place)
{
    unit_drop(ftl, place_unit(place), place_cost(place));
}

void mark_pin(struct ftl *ftl, uint32_t place)
{
    uint32_t old = ftl->mark;
    ftl->mark = place;
    unit_add(ftl, place_unit(place), 1);
    if (old != FTL_NONE)
        unit_drop(ftl, place_unit(old), 1);
}

void log_reset(struct ftl *ftl)
{
    for (int i = 0; i < 2; i++)
        ftl->head[i] = (struct ftl_head){.unit = FTL_NONE};
}

static void head_close(struct ftl *ftl, struct ftl_head *head)
{
    if (head->unit == FTL_NONE)
        return;
    struct ftl_unit *u = &ftl->unit[head->unit];
    if (u->state == UNIT_OPEN) {
        u->state = UNIT_CLOSED;
        if (u->live == 0)
            unit_set_free(ftl, u);
    }
    head->unit = FTL_NONE;
}

/* The unit keeps what it holds until garbage collection has moved it; nothing
 * is ever erased or programmed there. The next commit lists it as retired. */
void unit_retire(struct ftl *ftl, uint32_t unit)
{
    struct ftl_unit *u = &ftl->unit[unit];
    if (u->state >= UNIT_BAD)
        return;
    if (u->state == UNIT_FREE)
        ftl->free_units--;
    u->state = UNIT_BAD;
    ftl->bad_units++;
    ftl->bad_dirty = true;
    ftl->stats.retired++;
    for (int i = 0; i < 2; i++)
        if (ftl->head[i].unit == unit)
            ftl->head[i].unit = FTL_NONE;
}

int unit_mark_dead(struct ftl *ftl, uint32_t unit)
{
    static const uint8_t zeros[4];
    return flash_put(ftl, place_off(ftl, place_of(unit, UNIT_DEAD_AT)), zeros,
                     sizeof zeros);
}

/* A new volume without a commit: a cut brings the one before back. */
static bool is_unborn(const struct ftl *ftl)
{
    return ftl->committed_seq == 0;
}

/* Whether free unit `a` is to be written before `b`: one that was erased
 * ahead, else the one erased least; what stays for long goes where most was
 * erased, which then rests. */
static bool is_better(const struct ftl *ftl, const struct ftl_unit *a,
                      const struct ftl_unit *b, bool to_rest)
{
    if (is_unborn(ftl) && a->former != b->former)
        return b->former;
    if (to_rest)
        return a->erases > b->erases;
    return a->blank == b->blank ? a->erases < b->erases : a->blank;
}

static uint32_t next_free(const struct ftl *ftl, bool to_rest)
{
    const struct ftl_unit *best = NULL;
    for (uint32_t i = 0; i < ftl->units; i++) {
        const struct ftl_unit *u = &ftl->unit[i];
        if (u->state == UNIT_FREE &&
            (!best || is_better(ftl, u, best, to_rest)))
            best = u;
    }
    return best ? (uint32_t)(best - ftl->unit) : FTL_NONE;
}

static int unit_is_blank(struct ftl *ftl, uint32_t unit)
{
    for (uint32_t at = 0; at < FTL_UNIT; at += FTL_SECTOR) {
        if (flash_read(ftl->flash, place_off(ftl, place_of(unit, at)),
                       ftl->check, FTL_SECTOR))
            return 0;
        for (uint32_t i = 0; i < FTL_SECTOR; i++)
            if (ftl->check[i] != 0xFF)
                return 0;
    }
    return 1;
}

/* What replaced these units' records must have reached the medium. Once it
 * has, nothing can need the units again: a record is dropped only for one
 * with a higher seq, a copy of the same seq, or a FAT that says the sector is
 * free. What became free since the last sync has to wait for the next; so
 * have all units at mount, for whoever wrote last may not have synced. A unit
 * that is erased here and not synced is as good before as after: its old
 * records are of no use, its new ones count only once a commit, which syncs
 * first, makes them. */
static int units_erase(struct ftl *ftl, uint32_t first, uint32_t count)
{
    bool settled = true;
    for (uint32_t i = first; i < first + count; i++)
        settled &= ftl->unit[i].settled;
    int err = settled ? 0 : flash_settle(ftl);
    for (uint32_t i = first; i < first + count && !err; i++) {
        struct ftl_unit *u = &ftl->unit[i];
        /* An erase cut short must not leave records that can be believed. */
        if (u->age > 0)
            unit_mark_dead(ftl, i);
        u->age = 0;
        u->erases++;
    }
    if (err)
        return err;
    ftl->unsynced = true;
    return flash_erase(ftl->flash, place_off(ftl, place_of(first, 0)),
                       count * FTL_UNIT);
}

/* Erase counts of a block of free units, added up; UINT32_MAX when one of
 * them is in use. */
static uint32_t block_wear(const struct ftl *ftl, uint32_t first)
{
    uint32_t sum = 0;
    for (uint32_t i = first; i < first + BLOCK_UNITS; i++) {
        if (ftl->unit[i].state != UNIT_FREE)
            return UINT32_MAX;
        sum += ftl->unit[i].erases;
    }
    return sum;
}

/* A long write gets its units eight at a time: to erase 64 KiB as a block
 * takes the chip 150 ms, sector by sector 720. `worn` is how often the least
 * worn free unit was erased, which is not to be left behind. */
static void erase_ahead(struct ftl *ftl, uint32_t worn)
{
    uint32_t best = FTL_NONE, best_wear = (worn + WEAR_AHEAD) * BLOCK_UNITS;
    uint32_t lead = (0u - ftl->off) % FLASH_BLOCK;
    if (ftl->tx_opened == 0 || is_unborn(ftl) || lead % FTL_UNIT)
        return;
    for (uint32_t i = lead / FTL_UNIT; i + BLOCK_UNITS <= ftl->units;
         i += BLOCK_UNITS) {
        uint32_t wear = block_wear(ftl, i);
        if (wear < best_wear) {
            best = i;
            best_wear = wear;
        }
    }
    if (best == FTL_NONE || units_erase(ftl, best, BLOCK_UNITS))
        return; /* a bad one among them: each is tried alone */
    for (uint32_t i = best; i < best + BLOCK_UNITS; i++)
        ftl->unit[i].blank = true;
}

/* Erases, checks and heads `unit`. WIPY_EIO: it is not to be used again. */
static int unit_prepare(struct ftl *ftl, uint32_t unit)
{
    struct ftl_unit *u = &ftl->unit[unit];
    int err = u->blank ? 0 : units_erase(ftl, unit, 1);
    u->blank = false;
    if (err || !unit_is_blank(ftl, unit))
        return err ? err : WIPY_EIO;
    struct unit_info info = {.sectors = ftl->sectors,
                             .epoch = ftl->epoch,
                             .erases = u->erases,
                             .age = ++ftl->age};
    uint8_t header[UNIT_HEADER];
    unit_encode(&info, header);
    u->age = ftl->age;
    u->deltas = false;
    return flash_put(ftl, place_off(ftl, place_of(unit, 0)), header,
                     UNIT_HEADER);
}

/* A fresh unit at `which`, after what was there is closed. WIPY_ENOSPC when
 * none can be had. */
static int head_fill(struct ftl *ftl, enum head_kind which, bool to_rest)
{
    struct ftl_head *head = &ftl->head[which];
    for (;;) {
        uint32_t unit = next_free(ftl, to_rest);
        if (unit == FTL_NONE)
            return WIPY_ENOSPC;
        if (!ftl->unit[unit].blank && !to_rest) {
            erase_ahead(ftl, ftl->unit[unit].erases);
            unit = next_free(ftl, to_rest);
        }
        int err = unit_prepare(ftl, unit);
        if (err == 0) {
            ftl->unit[unit].state = UNIT_OPEN;
            ftl->free_units--;
            ftl->opened++;
            ftl->tx_opened++;
            *head = (struct ftl_head){unit, UNIT_HEADER, FTL_UNIT};
            return 0;
        }
        unit_retire(ftl, unit);
        if (ftl->readonly || ftl->bad_units > FTL_UNITS_BAD_MAX)
            return WIPY_EIO;
    }
}

static int head_open(struct ftl *ftl, enum head_kind which)
{
    head_close(ftl, &ftl->head[which]);
    int err = which == HEAD_NEW ? gc_make_room(ftl) : 0;
    return err ? err : head_fill(ftl, which, false);
}

int log_rest(struct ftl *ftl)
{
    head_close(ftl, &ftl->head[HEAD_COLD]);
    return head_fill(ftl, HEAD_COLD, true);
}

/* How many of the records fit in the open unit. */
static uint32_t head_room(const struct ftl_head *head, const struct record *r,
                          uint32_t count)
{
    uint32_t tail = head->tail, data = head->data, n = 0;
    for (; head->unit != FTL_NONE && n < count; n++) {
        tail += record_size(&r[n]);
        data -= r[n].kind == RECORD_SECTOR ? FTL_SECTOR : 0;
        if (tail > data)
            break;
    }
    return n;
}

/* A record copied by garbage collection brings its payload from the flash. */
static int copy_fetch(struct ftl *ftl, struct record *r, uint8_t *sector)
{
    struct record original;
    int err = record_load(ftl, r->from, &original);
    if (err)
        return err;
    r->bytes = original.bytes;
    if (r->kind == RECORD_SECTOR) {
        /* Rotten bytes keep their old check sum: reading goes on failing. */
        memset(sector, 0, FTL_SECTOR);
        record_base(ftl, &original, sector);
    }
    return 0;
}

/* Puts the records into ftl->batch as they are to lie in the open unit. */
static int head_stage(struct ftl *ftl, const struct ftl_head *head,
                      struct record *r, uint32_t count)
{
    uint32_t tail = head->tail, data = head->data;
    for (; count > 0; count--, r++) {
        data -= r->kind == RECORD_SECTOR ? FTL_SECTOR : 0;
        int err = r->from ? copy_fetch(ftl, r, ftl->batch + data) : 0;
        if (err)
            return err;
        if (r->kind == RECORD_SECTOR) {
            r->start = data;
            if (!r->from)
                memcpy(ftl->batch + data, r->bytes, FTL_SECTOR);
        }
        r->place = place_of(head->unit, tail);
        r->place = record_place(r);
        tail += record_encode(r, ftl->batch + tail);
    }
    return 0;
}

/* One attempt at the open unit: all sectors in one program command, then all
 * records in another. What a commit record stands for must be on the medium
 * before the record itself. */
static int head_write(struct ftl *ftl, struct ftl_head *head,
                      const struct record *r, uint32_t count)
{
    uint32_t tail = head->tail, data = head->data;
    flash_off unit = place_off(ftl, place_of(head->unit, 0));
    for (uint32_t i = 0; i < count; i++) {
        tail += record_size(&r[i]);
        data -= r[i].kind == RECORD_SECTOR ? FTL_SECTOR : 0;
    }
    int err = 0;
    if (data < head->data)
        err = flash_put(ftl, unit + data, ftl->batch + data, head->data - data);
    if (!err && r->commit && !ftl->collecting)
        err = flash_settle(ftl);
    if (!err)
        err = flash_put(ftl, unit + head->tail, ftl->batch + head->tail,
                        tail - head->tail);
    if (err)
        return err;
    head->tail = tail;
    head->data = data;
    return 0;
}

static void count_records(struct ftl *ftl, const struct record *r,
                          uint32_t count)
{
    for (; count > 0; count--, r++) {
        live_add(ftl, r->place);
        ftl->tx_bytes += ftl->collecting ? 0 : place_cost(r->place);
        if (record_is_delta(r))
            ftl->unit[place_unit(r->place)].deltas = true;
    }
}

/* Of what could not be put here some may be sound: no record must seem to be
 * missing among them when they are superseded. */
static void head_fail(struct ftl *ftl, const struct ftl_head *head)
{
    static const uint8_t zeros[RECORD_HEAD];
    flash_off end = place_off(ftl, place_of(head->unit, head->tail));
    (void)flash_program(ftl->flash, end, zeros, sizeof zeros);
    unit_retire(ftl, head->unit);
}

int log_put_some(struct ftl *ftl, enum head_kind which, struct record *r,
                 uint32_t count)
{
    struct ftl_head *head = &ftl->head[which];
    for (;;) {
        uint32_t fit = head_room(head, r, count);
        if (fit == 0) {
            int err = head_open(ftl, which);
            if (err)
                return err;
            continue;
        }
        int err = head_stage(ftl, head, r, fit);
        if (err)
            return err;
        if (head_write(ftl, head, r, fit) == 0) {
            count_records(ftl, r, fit);
            return (int)fit;
        }
        head_fail(ftl, head);
        if (ftl->readonly || ftl->bad_units > FTL_UNITS_BAD_MAX)
            return WIPY_EIO;
    }
}

int log_put(struct ftl *ftl, enum head_kind which, struct record *r)
{
    int put = log_put_some(ftl, which, r, 1);
    return put < 0 ? put : 0;
}
