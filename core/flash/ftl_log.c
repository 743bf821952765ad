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

/* The unit keeps what it holds until garbage collection has moved it; then
 * nothing is ever erased or programmed there. The list of bad units is logged
 * with the next commit. */
void unit_retire(struct ftl *ftl, uint32_t unit)
{
    struct ftl_unit *u = &ftl->unit[unit];
    if (u->state == UNIT_BAD)
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

static uint32_t least_worn_free(const struct ftl *ftl)
{
    uint32_t best = FTL_NONE;
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state == UNIT_FREE &&
            (best == FTL_NONE || ftl->unit[i].erases < ftl->unit[best].erases))
            best = i;
    return best;
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

/* Erases, checks and heads `unit`. WIPY_EIO: it is not to be used again. */
static int unit_prepare(struct ftl *ftl, uint32_t unit)
{
    struct ftl_unit *u = &ftl->unit[unit];
    /* What replaced this unit's records must have reached the medium. Once
     * it has, nothing can need the unit again: a record is dropped only for
     * one with a higher seq, a copy of the same seq, or a FAT that says the
     * sector is free. What became free since the last sync has to wait for
     * the next; so have all units at mount, for whoever wrote last may not
     * have synced. A unit that is erased here and not synced is as good
     * before as after: its old records are of no use, its new ones count
     * only once a commit, which syncs first, makes them. */
    int err = u->settled ? 0 : flash_settle(ftl);
    if (err)
        return err;
    flash_off off = place_off(ftl, place_of(unit, 0));
    /* An erase cut short must not leave records that can be believed. */
    if (u->age > 0)
        unit_mark_dead(ftl, unit);
    u->age = 0;
    u->erases++;
    ftl->unsynced = true;
    if (flash_erase(ftl->flash, off, FTL_UNIT) || !unit_is_blank(ftl, unit))
        return WIPY_EIO;
    struct unit_info info = {.sectors = ftl->sectors,
                             .epoch = ftl->epoch,
                             .erases = u->erases,
                             .age = ++ftl->age};
    uint8_t header[UNIT_HEADER];
    unit_encode(&info, header);
    u->age = ftl->age;
    u->deltas = false;
    return flash_put(ftl, off, header, UNIT_HEADER);
}

/* A fresh unit at `which`. WIPY_ENOSPC when none can be had. */
static int head_open(struct ftl *ftl, enum head_kind which)
{
    struct ftl_head *head = &ftl->head[which];
    head_close(ftl, head);
    if (which == HEAD_NEW) {
        int err = gc_make_room(ftl);
        if (err)
            return err;
    }
    for (;;) {
        uint32_t unit = least_worn_free(ftl);
        if (unit == FTL_NONE)
            return WIPY_ENOSPC;
        int err = unit_prepare(ftl, unit);
        if (err == 0) {
            ftl->unit[unit].state = UNIT_OPEN;
            ftl->free_units--;
            ftl->opened++;
            *head = (struct ftl_head){unit, UNIT_HEADER, FTL_UNIT};
            return 0;
        }
        unit_retire(ftl, unit);
        if (ftl->readonly || ftl->bad_units > FTL_UNITS_BAD_MAX)
            return WIPY_EIO;
    }
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

/* One attempt at the open unit: all sectors in one program command, then all
 * records in another. What a commit record stands for must be on the medium
 * before the record itself. */
static int head_write(struct ftl *ftl, struct ftl_head *head, struct record *r,
                      uint32_t count)
{
    uint32_t tail = head->tail, data = head->data;
    flash_off unit = place_off(ftl, place_of(head->unit, 0));
    for (uint32_t i = 0; i < count; i++) {
        if (r[i].kind == RECORD_SECTOR) {
            r[i].start = data -= FTL_SECTOR;
            memcpy(ftl->batch + data, r[i].bytes, FTL_SECTOR);
        }
        r[i].place = place_of(head->unit, tail);
        r[i].place = record_place(&r[i]);
        tail += record_encode(&r[i], ftl->batch + tail);
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
        if (head_write(ftl, head, r, fit) == 0) {
            count_records(ftl, r, fit);
            return (int)fit;
        }
        unit_retire(ftl, head->unit);
        if (ftl->readonly || ftl->bad_units > FTL_UNITS_BAD_MAX)
            return WIPY_EIO;
    }
}

int log_put(struct ftl *ftl, enum head_kind which, struct record *r)
{
    int put = log_put_some(ftl, which, r, 1);
    return put < 0 ? put : 0;
}
