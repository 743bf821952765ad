#include "flash/nvs.h"

#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"

/* A sector: header of 16 bytes, then records one after the other. A record:
 * type, space, key length, 0, value length u16, 0 u16, key, value, CRC-32;
 * padded to 4 bytes. The last record of a key counts: sectors in the order
 * they were opened, records as they follow. */
enum {
    HEADER = 16,
    HEAD = 8,
    NONE = NVS_SECTORS_MAX,

    TYPE_ERASED = 3,     /* the key is gone */
    TYPE_ERASED_ALL = 4, /* every key of the space is */
};

static const uint8_t magic[4] = {'W', 'N', 'V', 'S'};

struct entry {
    uint8_t type, space, key_len;
    uint16_t len;
    char key[NVS_KEY_MAX + 1];
    uint32_t sector, at; /* where it is */
};

static flash_off sector_off(const struct nvs *nvs, uint32_t sector)
{
    return nvs->off + sector * FLASH_SECTOR;
}

static uint32_t entry_size(uint32_t key_len, uint32_t len)
{
    return ((uint32_t)HEAD + key_len + len + 4 + 3) & ~3u;
}

/* ---- reading ---- */

enum { FOUND_END = 0, FOUND = 1, FOUND_TORN = -1 };

/* The record at `at`; its value is then in nvs->rec. */
static int entry_at(struct nvs *nvs, uint32_t sector, uint32_t at,
                    struct entry *e)
{
    const struct flash *f = nvs->flash;
    if (at + HEAD + 4 > FLASH_SECTOR)
        return FOUND_END;
    if (flash_read(f, sector_off(nvs, sector) + at, nvs->rec, HEAD))
        return FOUND_TORN;
    struct reader r = reader_of(nvs->rec, HEAD);
    e->type = read_u8(&r);
    e->space = read_u8(&r);
    e->key_len = read_u8(&r);
    read_u8(&r);
    e->len = read_u16(&r);
    e->sector = sector;
    e->at = at;
    static const uint8_t blank[HEAD] = {0xFF, 0xFF, 0xFF, 0xFF,
                                        0xFF, 0xFF, 0xFF, 0xFF};
    if (memcmp(nvs->rec, blank, HEAD) == 0)
        return FOUND_END;
    uint32_t size = entry_size(e->key_len, e->len);
    if (e->type < NVS_INT || e->type > TYPE_ERASED_ALL ||
        e->key_len > NVS_KEY_MAX || e->len > NVS_VALUE_MAX ||
        at + size > FLASH_SECTOR)
        return FOUND_TORN;
    if (flash_read(f, sector_off(nvs, sector) + at, nvs->rec, size))
        return FOUND_TORN;
    uint32_t end = (uint32_t)HEAD + e->key_len + e->len;
    if (crc32_add(0, nvs->rec, end) != get_u32(nvs->rec + end))
        return FOUND_TORN;
    memcpy(e->key, nvs->rec + HEAD, e->key_len);
    e->key[e->key_len] = 0;
    return FOUND;
}

static bool same_key(const struct entry *e, uint32_t space, const char *key)
{
    return e->space == space && strcmp(e->key, key) == 0;
}

/* Whether the record says something about the key: its value or its end. */
static bool concerns(const struct entry *e, uint32_t space, const char *key)
{
    if (e->type == TYPE_ERASED_ALL)
        return e->space == space;
    return same_key(e, space, key);
}

/* The sector opened just before that of `order`; NONE when there is none. */
static uint32_t sector_before(const struct nvs *nvs, uint32_t order)
{
    uint32_t best = NONE;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        if (nvs->order[i] && nvs->order[i] < order &&
            (best == NONE || nvs->order[i] > nvs->order[best]))
            best = i;
    return best;
}

static uint32_t sector_oldest(const struct nvs *nvs)
{
    uint32_t best = NONE;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        if (nvs->order[i] && (best == NONE || nvs->order[i] < nvs->order[best]))
            best = i;
    return best;
}

/* The last word about a key, if any was spoken. */
static bool last_word(struct nvs *nvs, uint32_t space, const char *key,
                      struct entry *out)
{
    for (uint32_t s = sector_before(nvs, UINT32_MAX); s != NONE;
         s = sector_before(nvs, nvs->order[s])) {
        struct entry e;
        bool found = false;
        for (uint32_t at = HEADER; entry_at(nvs, s, at, &e) == FOUND;
             at += entry_size(e.key_len, e.len))
            if (concerns(&e, space, key)) {
                *out = e;
                found = true;
            }
        if (found)
            return true;
    }
    return false;
}

static bool find(struct nvs *nvs, uint32_t space, const char *key,
                 struct entry *e)
{
    if (!last_word(nvs, space, key, e) || e->type > NVS_BYTES)
        return false;
    return entry_at(nvs, e->sector, e->at, e) == FOUND;
}

static const uint8_t *value_of(const struct nvs *nvs, const struct entry *e)
{
    return nvs->rec + HEAD + e->key_len;
}

static bool is_last_word(struct nvs *nvs, const struct entry *e)
{
    struct entry last;
    return last_word(nvs, e->space, e->key, &last) &&
           last.sector == e->sector && last.at == e->at;
}

/* Bytes of all that counts, header included. */
static uint32_t live_bytes(struct nvs *nvs)
{
    uint32_t total = 0;
    for (uint32_t s = 0; s < nvs->sectors; s++) {
        struct entry e;
        for (uint32_t at = HEADER;
             nvs->order[s] && entry_at(nvs, s, at, &e) == FOUND;
             at += entry_size(e.key_len, e.len))
            if (e.type <= NVS_BYTES && is_last_word(nvs, &e))
                total += entry_size(e.key_len, e.len);
    }
    return total;
}

static bool matches(struct nvs *nvs, flash_off off, const uint8_t *data,
                    uint32_t len)
{
    return flash_read(nvs->flash, off, nvs->check, len) == 0 &&
           memcmp(nvs->check, data, len) == 0;
}

/* ---- opening ---- */

static bool header_read(struct nvs *nvs, uint32_t sector, uint32_t *order)
{
    uint8_t raw[HEADER];
    if (flash_read(nvs->flash, sector_off(nvs, sector), raw, sizeof raw))
        return false;
    struct reader r = reader_of(raw, sizeof raw);
    bool ok = memcmp(read_view(&r, 4), magic, 4) == 0;
    *order = read_u32(&r);
    return ok && read_u32(&r) == crc32_add(0, raw, 8) && *order > 0 &&
           *order < UINT32_MAX;
}

/* Where the next record may go: after the last one, or nowhere when a power
 * cut left half a record there. */
static uint32_t sector_end(struct nvs *nvs, uint32_t sector)
{
    struct entry e;
    int got;
    uint32_t at = HEADER;
    while ((got = entry_at(nvs, sector, at, &e)) == FOUND)
        at += entry_size(e.key_len, e.len);
    if (got == FOUND_TORN)
        return FLASH_SECTOR;
    memset(nvs->rec, 0xFF, sizeof nvs->rec);
    for (uint32_t i = at; i < FLASH_SECTOR;) {
        uint32_t n = FLASH_SECTOR - i;
        if (n > sizeof nvs->rec)
            n = sizeof nvs->rec;
        if (!matches(nvs, sector_off(nvs, sector) + i, nvs->rec, n))
            return FLASH_SECTOR;
        i += n;
    }
    return at;
}

static bool record_behind(struct nvs *nvs, uint32_t sector, uint32_t at)
{
    struct entry e;
    while ((at += 4) < FLASH_SECTOR)
        if (entry_at(nvs, sector, at, &e) == FOUND)
            return true;
    return false;
}

bool nvs_is_damaged(struct nvs *nvs)
{
    for (uint32_t s = 0; s < nvs->sectors; s++) {
        struct entry e;
        uint32_t at = HEADER;
        int got = FOUND_END;
        while (nvs->order[s] && (got = entry_at(nvs, s, at, &e)) == FOUND)
            at += entry_size(e.key_len, e.len);
        if (got == FOUND_TORN && record_behind(nvs, s, at))
            return true;
    }
    return false;
}

static uint32_t free_sectors(const struct nvs *nvs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        count += nvs->order[i] == 0 && !nvs->bad[i];
    return count;
}

static void newest_find(struct nvs *nvs)
{
    nvs->newest = sector_before(nvs, UINT32_MAX);
    if (nvs->newest != NONE)
        nvs->used[nvs->newest] = sector_end(nvs, nvs->newest);
}

/* No longer counts, even when the erase that follows is cut short. */
static int sector_drop(struct nvs *nvs, uint32_t sector)
{
    static const uint8_t zeros[HEADER];
    int err = flash_sync(nvs->flash);
    if (!err)
        err = flash_program(nvs->flash, sector_off(nvs, sector), zeros,
                            sizeof zeros);
    uint32_t order;
    if (!err && header_read(nvs, sector, &order))
        err = WIPY_EIO;
    if (!err)
        nvs->order[sector] = 0;
    return err;
}

int nvs_open(struct nvs *nvs, const struct flash *flash, flash_off off,
             uint32_t size)
{
    memset(nvs, 0, sizeof *nvs);
    nvs->flash = flash;
    nvs->off = off;
    nvs->sectors = size / FLASH_SECTOR;
    if (nvs->sectors > NVS_SECTORS_MAX)
        nvs->sectors = NVS_SECTORS_MAX;
    if (nvs->sectors < NVS_SECTORS_MIN || off % FLASH_SECTOR ||
        off > flash->size || size > flash->size - off)
        return WIPY_EINVAL;
    for (uint32_t i = 0; i < nvs->sectors; i++)
        if (!header_read(nvs, i, &nvs->order[i]))
            nvs->order[i] = 0;
    newest_find(nvs);
    /* A cut while the oldest sector was being copied to the newest: every
     * record there is a copy, and is made again when room is needed. */
    if (free_sectors(nvs) == 0) {
        int err = sector_drop(nvs, nvs->newest);
        if (err)
            return err;
        newest_find(nvs);
    }
    nvs->live = live_bytes(nvs);
    return 0;
}

/* ---- writing ---- */

static bool put(struct nvs *nvs, flash_off off, const uint8_t *data,
                uint32_t len)
{
    return flash_program(nvs->flash, off, data, len) == 0 &&
           matches(nvs, off, data, len);
}

static bool is_blank(struct nvs *nvs, uint32_t sector)
{
    memset(nvs->rec, 0xFF, sizeof nvs->rec);
    for (uint32_t at = 0; at < FLASH_SECTOR; at += sizeof nvs->rec)
        if (!matches(nvs, sector_off(nvs, sector) + at, nvs->rec,
                     sizeof nvs->rec))
            return false;
    return true;
}

/* A free sector becomes the newest; one that fails is not tried again until
 * the next nvs_open. */
static int sector_open(struct nvs *nvs)
{
    uint32_t order = nvs->newest == NONE ? 1 : nvs->order[nvs->newest] + 1;
    uint8_t header[HEADER];
    struct writer w = writer_of(header, sizeof header);
    write_bytes(&w, magic, sizeof magic);
    write_u32(&w, order);
    write_u32(&w, crc32_add(0, header, w.pos));
    write_fill(&w, 0xFF, sizeof header - w.pos);
    /* Round robin: the next one after the newest wears them evenly. */
    uint32_t start = nvs->newest == NONE ? 0 : nvs->newest + 1;
    for (uint32_t i = 0; i < nvs->sectors; i++) {
        uint32_t s = (start + i) % nvs->sectors;
        if (nvs->order[s] || nvs->bad[s])
            continue;
        if ((is_blank(nvs, s) ||
             flash_erase(nvs->flash, sector_off(nvs, s), FLASH_SECTOR) == 0) &&
            is_blank(nvs, s) &&
            put(nvs, sector_off(nvs, s), header, sizeof header)) {
            nvs->order[s] = order;
            nvs->used[s] = HEADER;
            nvs->newest = s;
            return 0;
        }
        nvs->bad[s] = true;
    }
    return WIPY_ENOSPC;
}

/* Appends what is in nvs->out to the newest sector. */
static int append(struct nvs *nvs, uint32_t size)
{
    uint32_t s = nvs->newest;
    if (s == NONE || nvs->used[s] + size > FLASH_SECTOR)
        return WIPY_ENOSPC;
    if (!put(nvs, sector_off(nvs, s) + nvs->used[s], nvs->out, size)) {
        nvs->used[s] = FLASH_SECTOR; /* closed */
        return WIPY_EIO;
    }
    nvs->used[s] += size;
    return 0;
}

/* Copies what still counts in the oldest sector to the newest. Notes about
 * erased keys have nothing left to hide and are dropped. */
static int collect(struct nvs *nvs)
{
    uint32_t oldest = sector_oldest(nvs);
    struct entry e;
    for (uint32_t at = HEADER; entry_at(nvs, oldest, at, &e) == FOUND;
         at += entry_size(e.key_len, e.len)) {
        uint32_t size = entry_size(e.key_len, e.len);
        if (e.type > NVS_BYTES)
            continue;
        memcpy(nvs->out, nvs->rec, size);
        if (!is_last_word(nvs, &e))
            continue;
        int err = append(nvs, size);
        if (err)
            return err;
    }
    return sector_drop(nvs, oldest);
}

static int make_room(struct nvs *nvs, uint32_t size)
{
    for (uint32_t i = 0; i <= 2 * nvs->sectors; i++) {
        int err = sector_open(nvs);
        if (!err && free_sectors(nvs) <= 1 && (err = collect(nvs)) != 0) {
            nvs->bad[nvs->newest] = true; /* its copies are not needed */
            err = sector_drop(nvs, nvs->newest);
            newest_find(nvs);
        }
        if (err)
            return err;
        if (nvs->newest != NONE &&
            nvs->used[nvs->newest] + size <= FLASH_SECTOR)
            return 0;
    }
    return WIPY_ENOSPC;
}

static uint32_t encode(struct nvs *nvs, uint8_t type, uint8_t space,
                       const char *key, const void *value, size_t len)
{
    uint8_t *to = nvs->out;
    uint32_t key_len = (uint32_t)strlen(key);
    struct writer w = writer_of(to, sizeof nvs->out);
    write_u8(&w, type);
    write_u8(&w, space);
    write_u8(&w, (uint8_t)key_len);
    write_u8(&w, 0);
    write_u16(&w, (uint16_t)len);
    write_u16(&w, 0);
    write_bytes(&w, key, key_len);
    write_bytes(&w, value, len);
    write_u32(&w, crc32_add(0, to, w.pos));
    write_fill(&w, 0xFF, entry_size(key_len, (uint32_t)len) - w.pos);
    return (uint32_t)w.pos;
}

static int store(struct nvs *nvs, uint8_t type, uint8_t space, const char *key,
                 const void *value, size_t len)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        uint32_t size = encode(nvs, type, space, key, value, len);
        int err = append(nvs, size);
        if (err == 0)
            return flash_sync(nvs->flash);
        err = make_room(nvs, size);
        if (err)
            return err;
    }
    return WIPY_EIO;
}

/* ---- the interface ---- */

static bool key_is_good(const char *key)
{
    size_t len = strnlen(key, NVS_KEY_MAX + 1);
    return len > 0 && len <= NVS_KEY_MAX;
}

static int set(struct nvs *nvs, uint8_t type, enum nvs_space space,
               const char *key, const void *value, size_t len)
{
    struct entry e;
    if (!key_is_good(key) || len > NVS_VALUE_MAX)
        return WIPY_EINVAL;
    uint32_t live = nvs->live;
    if (find(nvs, space, key, &e)) {
        if (e.type == type && e.len == len &&
            memcmp(value_of(nvs, &e), value, len) == 0)
            return 0;
        live -= entry_size(e.key_len, e.len);
    }
    live += entry_size((uint32_t)strlen(key), (uint32_t)len);
    /* Two sectors are free; one more is slack, so that collecting always
     * gains something and erasing a key always succeeds. */
    if (live > (nvs->sectors - 3) * (FLASH_SECTOR - HEADER - 64))
        return WIPY_ENOSPC;
    int err = store(nvs, type, (uint8_t)space, key, value, len);
    nvs->live = err ? nvs->live : live;
    return err;
}

int nvs_set_int(struct nvs *nvs, enum nvs_space space, const char *key,
                int32_t value)
{
    uint8_t raw[4];
    put_u32(raw, (uint32_t)value);
    return set(nvs, NVS_INT, space, key, raw, sizeof raw);
}

int nvs_set_bytes(struct nvs *nvs, enum nvs_space space, const char *key,
                  const void *value, size_t len)
{
    return set(nvs, NVS_BYTES, space, key, value, len);
}

int nvs_get_int(struct nvs *nvs, enum nvs_space space, const char *key,
                int32_t *value)
{
    struct entry e;
    if (!find(nvs, space, key, &e))
        return WIPY_ENOENT;
    if (e.type != NVS_INT || e.len != 4)
        return WIPY_EFORMAT;
    *value = (int32_t)get_u32(value_of(nvs, &e));
    return 0;
}

int nvs_get_bytes(struct nvs *nvs, enum nvs_space space, const char *key,
                  void *value, size_t size)
{
    struct entry e;
    if (!find(nvs, space, key, &e))
        return WIPY_ENOENT;
    if (e.type != NVS_BYTES)
        return WIPY_EFORMAT;
    if (e.len > size)
        return WIPY_ENOMEM;
    memcpy(value, value_of(nvs, &e), e.len);
    return e.len;
}

enum nvs_type nvs_type_of(struct nvs *nvs, enum nvs_space space,
                          const char *key)
{
    struct entry e;
    return find(nvs, space, key, &e) ? (enum nvs_type)e.type : NVS_NONE;
}

int nvs_erase(struct nvs *nvs, enum nvs_space space, const char *key)
{
    struct entry e;
    if (!key_is_good(key))
        return WIPY_EINVAL;
    if (!find(nvs, space, key, &e))
        return WIPY_ENOENT;
    uint32_t gone = entry_size(e.key_len, e.len);
    int err = store(nvs, TYPE_ERASED, (uint8_t)space, key, "", 0);
    nvs->live -= err ? 0 : gone;
    return err;
}

int nvs_erase_all(struct nvs *nvs, enum nvs_space space)
{
    int err = store(nvs, TYPE_ERASED_ALL, (uint8_t)space, "", "", 0);
    nvs->live = live_bytes(nvs);
    return err;
}

int nvs_list(struct nvs *nvs, enum nvs_space space,
             bool (*each)(void *ctx, const char *key, enum nvs_type type,
                          uint32_t len),
             void *ctx)
{
    for (uint32_t s = 0; s < nvs->sectors; s++) {
        struct entry e;
        for (uint32_t at = HEADER;
             nvs->order[s] && entry_at(nvs, s, at, &e) == FOUND;
             at += entry_size(e.key_len, e.len))
            if (e.space == space && e.type <= NVS_BYTES &&
                is_last_word(nvs, &e) &&
                !each(ctx, e.key, (enum nvs_type)e.type, e.len))
                return 0;
    }
    return 0;
}
