/* Sectors of the settings store: which hold records, in which order. */
#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "nvs_int.h"

static const uint8_t magic[4] = {'W', 'N', 'V', 'S'};

static const uint32_t order_most = UINT32_MAX / 2;

uint32_t sector_before(const struct nvs *nvs, uint32_t order)
{
    uint32_t best = NO_SECTOR;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        if (nvs->order[i] && nvs->order[i] < order &&
            (best == NO_SECTOR || nvs->order[i] > nvs->order[best]))
            best = i;
    return best;
}

uint32_t sector_after(const struct nvs *nvs, uint32_t order)
{
    uint32_t best = NO_SECTOR;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        if (nvs->order[i] > order &&
            (best == NO_SECTOR || nvs->order[i] < nvs->order[best]))
            best = i;
    return best;
}

uint32_t free_sectors(const struct nvs *nvs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        count += nvs->order[i] == 0 && !nvs->bad[i];
    return count;
}

bool nvs_holds(struct nvs *nvs, flash_off off, const uint8_t *data,
               uint32_t len)
{
    return flash_read(nvs->flash, off, nvs->check, len) == 0 &&
           memcmp(nvs->check, data, len) == 0;
}

bool nvs_program(struct nvs *nvs, flash_off off, const uint8_t *data,
                 uint32_t len)
{
    return flash_program(nvs->flash, off, data, len) == 0 &&
           nvs_holds(nvs, off, data, len);
}

/* ---- headers ---- */

static uint32_t zero_bits(const uint8_t *data, uint32_t len)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < len * 8; i++)
        count += !(data[i / 8] >> i % 8 & 1);
    return count;
}

/* The order the header was given; 0 when it cannot be believed. */
static uint32_t header_given(const uint8_t raw[SECTOR_HEADER])
{
    struct reader r = reader_of(raw, SECTOR_HEADER);
    bool ok = memcmp(read_view(&r, 4), magic, 4) == 0;
    uint32_t order = read_u32(&r);
    ok = ok && read_u32(&r) == crc32_add(0, raw, 8) && order <= order_most;
    return ok ? order : 0;
}

/* Half a header cleared: what a cut leaves of a sector given up. Damage sets
 * bits too, or is of fewer bytes. */
static bool is_half_cleared(const uint8_t raw[SECTOR_HEADER])
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < sizeof magic; i++) {
        if (raw[i] & ~magic[i])
            return false;
        bytes += raw[i] != magic[i];
    }
    return bytes >= 3;
}

/* The mark is cleared first, then the whole header; earlier versions did only
 * that. Single bits that have rotted neither drop a sector nor bring one
 * back. */
static bool is_dropped(const uint8_t raw[SECTOR_HEADER])
{
    return is_half_cleared(raw) || zero_bits(raw + DROPPED_AT, 2) >= 14;
}

static uint32_t header_order(const uint8_t raw[SECTOR_HEADER])
{
    return is_dropped(raw) ? 0 : header_given(raw);
}

static bool header_read(struct nvs *nvs, uint32_t sector,
                        uint8_t raw[SECTOR_HEADER])
{
    return flash_read(nvs->flash, sector_off(nvs, sector), raw,
                      SECTOR_HEADER) == 0;
}

/* Records without a header that can be believed: it is damaged, unless the
 * sector was given up. */
static bool is_orphan(struct nvs *nvs, uint32_t sector,
                      const uint8_t raw[SECTOR_HEADER])
{
    struct walk w = walk_of(sector);
    struct entry e;
    return !header_given(raw) && zero_bits(raw, SECTOR_HEADER) > 0 &&
           walk_next(nvs, &w, &e);
}

/* Only the oldest sector is given up, never the last one there is: what looks
 * given up with sectors in use on both sides, numbered as if it were one of
 * them, or without any other, has lost its header. */
static bool was_not_dropped(const struct nvs *nvs, uint32_t sector)
{
    uint32_t before = nvs->order[(sector + nvs->sectors - 1) % nvs->sectors];
    uint32_t behind = nvs->order[(sector + 1) % nvs->sectors];
    return (before && behind == before + 2) ||
           sector_after(nvs, 0) == NO_SECTOR;
}

static bool order_is_taken(const struct nvs *nvs, uint32_t order)
{
    for (uint32_t i = 0; i < nvs->sectors; i++)
        if (nvs->order[i] == order)
            return true;
    return false;
}

/* Sectors are opened one after the other, round and round: what lies before
 * or behind tells the number. 0 when neither does. */
static uint32_t order_by_neighbours(const struct nvs *nvs, uint32_t sector)
{
    uint32_t before = nvs->order[(sector + nvs->sectors - 1) % nvs->sectors];
    uint32_t behind = nvs->order[(sector + 1) % nvs->sectors];
    if (before && !order_is_taken(nvs, before + 1))
        return before + 1;
    if (behind > 1 && !order_is_taken(nvs, behind - 1))
        return behind - 1;
    return 0;
}

/* Without neighbours its records count where no other sector speaks. */
static uint32_t order_of_stray(const struct nvs *nvs)
{
    uint32_t oldest = sector_after(nvs, 0);
    if (oldest == NO_SECTOR)
        return order_most / 2;
    uint32_t newest = sector_before(nvs, UINT32_MAX);
    return nvs->order[oldest] > 1 ? nvs->order[oldest] - 1
                                  : nvs->order[newest] + 1;
}

static void orphans_place(struct nvs *nvs, bool *orphan, uint32_t count)
{
    while (count > 0) {
        uint32_t placed = 0, any = NO_SECTOR;
        for (uint32_t i = 0; i < nvs->sectors; i++) {
            if (!orphan[i])
                continue;
            any = i;
            nvs->order[i] = order_by_neighbours(nvs, i);
            orphan[i] = nvs->order[i] == 0;
            placed += !orphan[i];
        }
        if (placed == 0) {
            nvs->order[any] = order_of_stray(nvs);
            orphan[any] = false;
            placed = 1;
        }
        count -= placed;
    }
}

uint32_t sectors_find(struct nvs *nvs, bool *lost)
{
    bool orphan[NVS_SECTORS_MAX] = {false}, dropped[NVS_SECTORS_MAX] = {false};
    uint32_t orphans = 0;
    for (uint32_t i = 0; i < nvs->sectors; i++) {
        uint8_t raw[SECTOR_HEADER];
        if (!header_read(nvs, i, raw))
            continue;
        nvs->confirms[i] = zero_bits(raw + CONFIRMS_AT, 1) >= 4;
        nvs->order[i] = header_order(raw);
        dropped[i] = is_dropped(raw);
        orphan[i] = is_orphan(nvs, i, raw);
        if (dropped[i] && header_given(raw)) /* cut short: ended here, for */
            sector_drop(nvs, i); /* earlier versions would count it */
    }
    for (uint32_t i = 0; i < nvs->sectors; i++) {
        orphan[i] = orphan[i] && (!dropped[i] || was_not_dropped(nvs, i));
        lost[i] = orphan[i];
        orphans += orphan[i];
    }
    orphans_place(nvs, orphan, orphans);
    newest_find(nvs);
    return orphans;
}

static bool is_blank(struct nvs *nvs, uint32_t sector, uint32_t from)
{
    memset(nvs->rec, 0xFF, sizeof nvs->rec);
    for (uint32_t at = from, n; at < FLASH_SECTOR; at += n) {
        n = FLASH_SECTOR - at;
        if (n > sizeof nvs->rec)
            n = sizeof nvs->rec;
        if (!nvs_holds(nvs, sector_off(nvs, sector) + at, nvs->rec, n))
            return false;
    }
    return true;
}

/* A power cut may have left the last record half confirmed: it counts, here,
 * but earlier versions would end at it. */
static void confirm_last(struct nvs *nvs, const struct entry *last)
{
    static const uint8_t confirmed;
    flash_off off = sector_off(nvs, last->sector) + last->at + CONFIRM_AT;
    if (!nvs_holds(nvs, off, &confirmed, 1))
        flash_program(nvs->flash, off, &confirmed, 1);
}

/* Where the next record may go: after the last one, or nowhere when something
 * is there already, or the header is broken. */
static uint32_t sector_end(struct nvs *nvs, uint32_t sector)
{
    uint8_t raw[SECTOR_HEADER];
    struct walk w = walk_of(sector);
    struct entry e, last;
    bool any = false;
    for (; walk_next(nvs, &w, &e); any = true)
        last = e;
    if (any)
        confirm_last(nvs, &last);
    bool open = !w.torn && header_read(nvs, sector, raw) && header_order(raw) &&
                is_blank(nvs, sector, w.at);
    return open ? w.at : (uint32_t)FLASH_SECTOR;
}

void newest_find(struct nvs *nvs)
{
    nvs->newest = sector_before(nvs, UINT32_MAX);
    if (nvs->newest != NO_SECTOR)
        nvs->used[nvs->newest] = sector_end(nvs, nvs->newest);
}

/* ---- writing ---- */

/* The mark comes first: a header that is torn after it was not damaged. The
 * zeros are what earlier versions look for. */
int sector_drop(struct nvs *nvs, uint32_t sector)
{
    static const uint8_t zeros[SECTOR_HEADER];
    uint8_t raw[SECTOR_HEADER];
    flash_off off = sector_off(nvs, sector);
    int err = flash_sync(nvs->flash);
    if (!err)
        err = flash_program(nvs->flash, off + DROPPED_AT, zeros, 2);
    if (!err)
        err = flash_program(nvs->flash, off, zeros, sizeof zeros);
    if (!err && (!header_read(nvs, sector, raw) || header_order(raw)))
        err = WIPY_EIO;
    if (!err)
        nvs->order[sector] = 0;
    return err;
}

static bool sector_prepare(struct nvs *nvs, uint32_t sector, uint32_t order)
{
    uint8_t header[SECTOR_HEADER];
    flash_off off = sector_off(nvs, sector);
    struct writer w = writer_of(header, sizeof header);
    write_bytes(&w, magic, sizeof magic);
    write_u32(&w, order);
    write_u32(&w, crc32_add(0, header, w.pos));
    write_u8(&w, 0); /* CONFIRMS_AT */
    write_fill(&w, 0xFF, sizeof header - w.pos);
    if (!is_blank(nvs, sector, 0) &&
        (flash_erase(nvs->flash, off, FLASH_SECTOR) ||
         !is_blank(nvs, sector, 0)))
        return false;
    return nvs_program(nvs, off, header, sizeof header);
}

/* Round robin: the next one after the newest wears them evenly. One that
 * fails is not tried again until the next nvs_open. */
int sector_open(struct nvs *nvs)
{
    uint32_t newest = nvs->newest;
    uint32_t order = newest == NO_SECTOR ? 1 : nvs->order[newest] + 1;
    uint32_t start = newest == NO_SECTOR ? 0 : newest + 1;
    for (uint32_t i = 0; i < nvs->sectors; i++) {
        uint32_t s = (start + i) % nvs->sectors;
        if (nvs->order[s] || nvs->bad[s])
            continue;
        if (sector_prepare(nvs, s, order)) {
            nvs->order[s] = order;
            nvs->used[s] = SECTOR_HEADER;
            nvs->confirms[s] = true;
            nvs->newest = s;
            return 0;
        }
        nvs->bad[s] = true;
    }
    return WIPY_ENOSPC;
}
