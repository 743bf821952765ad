/* Appending to the settings store, and keeping room for it. */
#include <string.h>

#include "base/err.h"
#include "nvs_int.h"

/* Appends what is in nvs->out to the newest sector; fills in its place. */
static int append(struct nvs *nvs, struct entry *e)
{
    static const uint8_t confirmed;
    uint32_t s = nvs->newest;
    if (s == NO_SECTOR || nvs->used[s] + e->size > FLASH_SECTOR)
        return WIPY_ENOSPC;
    flash_off off = sector_off(nvs, s) + nvs->used[s];
    if (!nvs_program(nvs, off, nvs->out, e->size) ||
        !nvs_program(nvs, off + CONFIRM_AT, &confirmed, 1)) {
        nvs->used[s] = FLASH_SECTOR; /* closed */
        return WIPY_EIO;
    }
    e->sector = s;
    e->at = nvs->used[s];
    nvs->used[s] += e->size;
    return 0;
}

/* Copies what still counts in a sector to the newest one. Notes about erased
 * keys have nothing left to hide when it is the oldest, and are dropped. */
static int collect(struct nvs *nvs, uint32_t sector)
{
    bool oldest = sector == sector_after(nvs, 0);
    struct walk w = walk_of(sector);
    struct entry e;
    while (walk_next(nvs, &w, &e)) {
        memcpy(nvs->out, nvs->rec, e.size);
        nvs->out[CONFIRM_AT] = 0xFF;
        bool note = e.type > NVS_BYTES && !oldest && index_has(nvs, &e);
        int err = note || entry_counts(nvs, &e) ? append(nvs, &e) : 0;
        if (err)
            return err;
    }
    int err = sector_drop(nvs, sector);
    if (!err)
        index_build(nvs);
    return err;
}

/* "All keys are gone" is true of what was said before it, and cannot move. */
static bool can_move(struct nvs *nvs, uint32_t sector)
{
    struct walk w = walk_of(sector);
    struct entry e;
    bool oldest = sector == sector_after(nvs, 0), can = true;
    while (walk_next(nvs, &w, &e))
        can &= e.type != TYPE_ERASED_ALL || oldest;
    return can;
}

/* At once, for what neighbours tell about a sector holds only until they are
 * given up. Erased at once too: not to be found again. */
void nvs_rescue(struct nvs *nvs, const bool *lost)
{
    for (uint32_t s = 0; s < nvs->sectors; s++)
        if (lost[s] && can_move(nvs, s) && sector_open(nvs) == 0 &&
            collect(nvs, s) == 0)
            flash_erase(nvs->flash, sector_off(nvs, s), FLASH_SECTOR);
}

static int make_room(struct nvs *nvs, uint32_t size)
{
    for (uint32_t i = 0; i <= 2 * nvs->sectors; i++) {
        int err = sector_open(nvs);
        if (!err && free_sectors(nvs) <= 1 &&
            (err = collect(nvs, sector_after(nvs, 0))) != 0) {
            nvs->bad[nvs->newest] = true; /* its copies are not needed */
            err = sector_drop(nvs, nvs->newest);
            newest_find(nvs);
        }
        if (err)
            return err;
        if (nvs->newest != NO_SECTOR &&
            nvs->used[nvs->newest] + size <= FLASH_SECTOR)
            return 0;
    }
    return WIPY_ENOSPC;
}

int nvs_store(struct nvs *nvs, uint8_t type, uint8_t space, const char *key,
              const void *value, size_t len)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        struct entry e = {.type = type, .space = space};
        memcpy(e.key, key, strlen(key) + 1);
        e.size = entry_encode(nvs, type, space, key, value, len);
        int err = append(nvs, &e);
        if (err == 0) {
            index_put(nvs, &e);
            return flash_sync(nvs->flash);
        }
        err = make_room(nvs, e.size);
        if (err)
            return err;
    }
    return WIPY_EIO;
}
