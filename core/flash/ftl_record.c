#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "ftl_int.h"

static const uint8_t unit_magic[4] = {'W', 'F', 'T', 'L'};

void unit_encode(const struct unit_info *info, uint8_t to[UNIT_HEADER])
{
    struct writer w = writer_of(to, UNIT_HEADER);
    write_bytes(&w, unit_magic, sizeof unit_magic);
    write_u16(&w, UNIT_VERSION);
    write_u16(&w, 0xFFFF);
    write_u32(&w, info->epoch);
    write_u32(&w, info->sectors);
    write_u32(&w, info->erases);
    write_u32(&w, info->age);
    write_u32(&w, crc32_add(0, to, w.pos));
    write_fill(&w, 0xFF, UNIT_HEADER - w.pos);
}

bool unit_decode(const uint8_t from[UNIT_HEADER], struct unit_info *info)
{
    struct reader r = reader_of(from, UNIT_HEADER);
    const uint8_t *magic = read_view(&r, sizeof unit_magic);
    uint16_t version = read_u16(&r);
    read_skip(&r, 2);
    info->epoch = read_u32(&r);
    info->sectors = read_u32(&r);
    info->erases = read_u32(&r);
    info->age = read_u32(&r);
    uint32_t crc = crc32_add(0, from, r.pos);
    bool ok = read_u32(&r) == crc;
    /* Clearing it is cut short, or one bit fell by itself: not dead yet. */
    uint32_t cleared = ~read_u32(&r);
    info->dead = (cleared & (cleared - 1)) != 0;
    return ok && memcmp(magic, unit_magic, sizeof unit_magic) == 0 &&
           version == UNIT_VERSION;
}

bool unit_mend(uint8_t raw[UNIT_HEADER], struct unit_info *info)
{
    if (info->dead)
        return false;
    for (uint32_t bit = 0; bit < UNIT_DEAD_AT * 8; bit++) {
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (unit_decode(raw, info))
            return true;
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    return false;
}

uint32_t record_size(const struct record *r)
{
    if (r->kind == RECORD_SECTOR)
        return RECORD_FULL;
    return RECORD_MIN + r->len;
}

uint32_t record_place(const struct record *r)
{
    uint32_t cost = r->kind == RECORD_SECTOR ? (uint32_t)PLACE_COST_SECTOR
                                             : (record_size(r) + 7) / 8;
    return cost << PLACE_COST_BIT | place_at(r->place);
}

uint32_t record_encode(const struct record *r, uint8_t *to)
{
    struct writer w = writer_of(to, record_size(r));
    write_u32(&w, (uint32_t)r->seq);
    write_u8(&w, (uint8_t)(r->seq >> 32));
    write_u8(&w,
             (uint8_t)(r->kind | FLAG_ALIVE | (r->commit ? FLAG_COMMIT : 0)));
    write_u16(&w, (uint16_t)r->lba);
    write_u16(&w, (uint16_t)r->start);
    write_u16(&w, (uint16_t)r->len);
    if (r->kind == RECORD_SECTOR)
        write_u32(&w, r->crc);
    else
        write_bytes(&w, r->bytes, r->len);
    write_u32(&w, crc32_add(0, to, w.pos));
    return (uint32_t)w.pos;
}

/* Everything a record says about itself is within bounds. */
static bool record_is_sane(const struct ftl *ftl, const struct record *r)
{
    if (r->seq == 0 || r->seq > SEQ_MOST)
        return false;
    switch (r->kind) {
    case RECORD_SECTOR:
        return r->lba <= ftl->sectors && r->len == FTL_SECTOR &&
               r->start >= UNIT_HEADER && r->start <= FTL_UNIT - FTL_SECTOR;
    case RECORD_SPARSE:
        return r->lba <= ftl->sectors && r->len <= INLINE_MAX &&
               r->start + r->len <= FTL_SECTOR;
    case RECORD_FIRST:
    case RECORD_NEXT:
        return r->lba <= ftl->sectors && r->len >= 1 && r->len <= DELTA_MAX &&
               r->start + r->len <= FTL_SECTOR;
    case RECORD_MARK:
        return r->len == 0;
    case RECORD_NONE:
        break;
    }
    return false;
}

static void head_decode(const uint8_t head[RECORD_HEAD], struct record *r)
{
    struct reader in = reader_of(head, RECORD_HEAD);
    r->seq = read_u32(&in);
    r->seq |= (uint64_t)read_u8(&in) << 32;
    uint8_t kind = read_u8(&in);
    r->kind =
        (kind & 0x30) ? RECORD_NONE : (enum record_kind)(kind & KIND_MASK);
    r->commit = kind & FLAG_COMMIT;
    r->killed = !(kind & FLAG_ALIVE);
    r->lba = read_u16(&in);
    r->start = read_u16(&in);
    r->len = read_u16(&in);
    r->crc = 0;
}

bool is_blank(const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (data[i] != 0xFF)
            return false;
    return true;
}

/* The check sum is over the living record. */
static bool crc_is_right(const uint8_t *raw, uint32_t size)
{
    uint8_t kind = raw[5] | FLAG_ALIVE;
    uint32_t crc = crc32_add(0, raw, 5);
    crc = crc32_add(crc, &kind, 1);
    return crc32_add(crc, raw + 6, size - 10) == get_u32(raw + size - 4);
}

bool record_parse(const struct ftl *ftl, const uint8_t *raw, uint32_t avail,
                  struct record *r)
{
    head_decode(raw, r);
    return avail >= RECORD_MIN && record_is_sane(ftl, r) &&
           record_size(r) <= avail && crc_is_right(raw, record_size(r));
}

static enum record_read record_at(struct ftl *ftl, uint32_t unit, uint32_t at,
                                  uint32_t limit, struct record *r)
{
    if (at + RECORD_MIN > limit)
        return RECORD_END;
    r->place = place_of(unit, at);
    flash_off off = place_off(ftl, r->place);
    if (flash_read(ftl->flash, off, ftl->rec, RECORD_MIN))
        return RECORD_UNREADABLE;
    if (is_blank(ftl->rec, RECORD_MIN))
        return RECORD_END;
    head_decode(ftl->rec, r);
    if (!record_is_sane(ftl, r))
        return RECORD_TORN;
    uint32_t size = record_size(r);
    if (at + size > limit)
        return RECORD_TORN;
    if (size > RECORD_MIN &&
        flash_read(ftl->flash, off + RECORD_MIN, ftl->rec + RECORD_MIN,
                   size - RECORD_MIN))
        return RECORD_UNREADABLE;
    if (!crc_is_right(ftl->rec, size))
        return RECORD_TORN;
    r->bytes = ftl->rec + RECORD_HEAD;
    if (r->kind == RECORD_SECTOR)
        r->crc = get_u32(ftl->rec + RECORD_HEAD);
    r->place = record_place(r);
    return RECORD_OK;
}

int record_load(struct ftl *ftl, uint32_t place, struct record *r)
{
    uint32_t at = place_at(place) % FTL_UNIT;
    return record_at(ftl, place_unit(place), at, FTL_UNIT, r) == RECORD_OK
               ? 0
               : WIPY_ECORRUPT;
}

struct record_walk records_of(uint32_t unit)
{
    return (struct record_walk){unit, UNIT_HEADER, FTL_UNIT};
}

enum record_read record_next(struct ftl *ftl, struct record_walk *walk,
                             struct record *r)
{
    enum record_read got = record_at(ftl, walk->unit, walk->at, walk->limit, r);
    if (got != RECORD_OK)
        return got;
    walk->at += record_size(r);
    if (r->kind == RECORD_SECTOR && r->start < walk->limit)
        walk->limit = r->start;
    return RECORD_OK;
}

int record_base(struct ftl *ftl, const struct record *r, uint8_t *to)
{
    if (r->kind == RECORD_SPARSE) {
        memset(to, 0, FTL_SECTOR);
        memcpy(to + r->start, r->bytes, r->len);
        return 0;
    }
    uint32_t data = place_of(place_unit(r->place), r->start);
    if (flash_read(ftl->flash, place_off(ftl, data), to, FTL_SECTOR))
        return WIPY_ECORRUPT;
    return crc32_add(0, to, FTL_SECTOR) == r->crc ? 0 : WIPY_ECORRUPT;
}

int flash_put(struct ftl *ftl, flash_off off, const void *from, uint32_t len)
{
    const uint8_t *data = from;
    ftl->unsynced = true;
    int err = flash_program(ftl->flash, off, from, len);
    if (err)
        return err;
    for (uint32_t at = 0, part; at < len; at += part) {
        part = len - at < FTL_SECTOR ? len - at : FTL_SECTOR;
        err = flash_read(ftl->flash, off + at, ftl->check, part);
        if (err)
            return err;
        if (memcmp(ftl->check, data + at, part) != 0)
            return WIPY_EIO;
    }
    return 0;
}

int flash_settle(struct ftl *ftl)
{
    if (!ftl->unsynced)
        return 0;
    int err = flash_sync(ftl->flash);
    if (err) {
        ftl->readonly = true;
        ftl->reason = "the chip's host could not store it";
        return err;
    }
    ftl->unsynced = false;
    for (uint32_t i = 0; i < ftl->units; i++)
        ftl->unit[i].settled = true;
    return 0;
}
