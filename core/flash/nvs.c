/* The settings store as its users see it. */
#include "flash/nvs.h"

#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "nvs_int.h"

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
    bool lost[NVS_SECTORS_MAX] = {false};
    nvs->damaged = sectors_find(nvs, lost);
    /* A cut while the oldest sector was being copied to the newest: every
     * record there is a copy, and is made again when room is needed. */
    if (free_sectors(nvs) == 0) {
        int err = sector_drop(nvs, nvs->newest);
        if (err)
            return err;
        newest_find(nvs);
    }
    nvs->damaged += index_build(nvs);
    nvs_rescue(nvs, lost);
    nvs->live = live_bytes(nvs);
    return 0;
}

bool nvs_is_damaged(const struct nvs *nvs)
{
    return nvs->damaged > 0;
}

static bool key_is_good(const char *key)
{
    size_t len = strnlen(key, NVS_KEY_MAX + 1);
    return len > 0 && len <= NVS_KEY_MAX;
}

static bool find(struct nvs *nvs, enum nvs_space space, const char *key,
                 struct entry *e)
{
    return index_find(nvs, (uint8_t)space, key, e) && entry_counts(nvs, e) &&
           entry_at(nvs, e->sector, e->at, e) == FOUND;
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
        live -= e.size;
    }
    live += entry_size((uint32_t)strlen(key), (uint32_t)len);
    /* Two sectors are free; one more is slack, so that collecting always
     * gains something and erasing a key always succeeds. */
    if (live > (nvs->sectors - 3) * (FLASH_SECTOR - SECTOR_HEADER - 64))
        return WIPY_ENOSPC;
    int err = nvs_store(nvs, type, (uint8_t)space, key, value, len);
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
    uint32_t gone = e.size;
    int err = nvs_store(nvs, TYPE_ERASED, (uint8_t)space, key, "", 0);
    nvs->live -= err ? 0 : gone;
    return err;
}

int nvs_erase_all(struct nvs *nvs, enum nvs_space space)
{
    int err = nvs_store(nvs, TYPE_ERASED_ALL, (uint8_t)space, "", "", 0);
    nvs->live = live_bytes(nvs);
    return err;
}

int nvs_list(struct nvs *nvs, enum nvs_space space,
             bool (*each)(void *ctx, const char *key, enum nvs_type type,
                          uint32_t len),
             void *ctx)
{
    for (uint32_t s = sector_after(nvs, 0); s != NO_SECTOR;
         s = sector_after(nvs, nvs->order[s])) {
        struct walk w = walk_of(s);
        struct entry e;
        while (walk_next(nvs, &w, &e))
            if (e.space == space && entry_counts(nvs, &e) &&
                !each(ctx, e.key, (enum nvs_type)e.type, e.len))
                return 0;
    }
    return 0;
}
