/* Where the last word about each key is: a hash table, so that opening the
 * store and finding a key take time in proportion to what is read. */
#include <string.h>

#include "base/crc.h"
#include "nvs_int.h"

static uint16_t place_of(const struct entry *e)
{
    uint32_t at = e->sector * FLASH_SECTOR + e->at;
    return (uint16_t)(at / RECORD_ALIGN); /* never 0: headers come first */
}

static enum found entry_load(struct nvs *nvs, uint16_t place, struct entry *e)
{
    uint32_t at = (uint32_t)place * RECORD_ALIGN;
    return entry_at(nvs, at / FLASH_SECTOR, at % FLASH_SECTOR, e);
}

static uint16_t hash_of(uint8_t space, const char *key)
{
    uint32_t crc = crc32_add(0, &space, 1);
    return (uint16_t)crc32_add(crc, key, strlen(key));
}

/* "All keys of the space are gone" is kept under the empty key. */
static const char *key_of(const struct entry *e)
{
    return e->type == TYPE_ERASED_ALL ? "" : e->key;
}

/* The slot of the key, with `e` what it says, or the empty one it would take;
 * NULL when all are taken. */
static struct nvs_slot *slot_find(struct nvs *nvs, uint8_t space,
                                  const char *key, struct entry *e)
{
    uint16_t hash = hash_of(space, key);
    for (uint32_t i = 0; i < NVS_SLOTS; i++) {
        struct nvs_slot *s = &nvs->slot[(hash + i) % NVS_SLOTS];
        if (s->place == 0)
            return s;
        if (s->hash == hash && entry_load(nvs, s->place, e) == FOUND &&
            e->space == space && strcmp(key_of(e), key) == 0)
            return s;
    }
    return NULL;
}

void index_put(struct nvs *nvs, const struct entry *e)
{
    struct entry old;
    struct nvs_slot *s = slot_find(nvs, e->space, key_of(e), &old);
    if (!s)
        return; /* more keys than fit in the sectors: a forged store */
    s->hash = hash_of(e->space, key_of(e));
    s->place = place_of(e);
}

bool index_find(struct nvs *nvs, uint8_t space, const char *key,
                struct entry *e)
{
    struct nvs_slot *s = slot_find(nvs, space, key, e);
    return s && s->place != 0;
}

static bool is_later(const struct nvs *nvs, const struct entry *a,
                     const struct entry *b)
{
    if (a->sector != b->sector)
        return nvs->order[a->sector] > nvs->order[b->sector];
    return a->at > b->at;
}

/* `e` is the last word about its key. */
static bool holds(struct nvs *nvs, const struct entry *e)
{
    struct entry wipe;
    return e->type <= NVS_BYTES &&
           !(index_find(nvs, e->space, "", &wipe) && is_later(nvs, &wipe, e));
}

bool index_has(struct nvs *nvs, const struct entry *e)
{
    struct entry last;
    return index_find(nvs, e->space, key_of(e), &last) &&
           place_of(&last) == place_of(e);
}

bool entry_counts(struct nvs *nvs, const struct entry *e)
{
    return e->type <= NVS_BYTES && index_has(nvs, e) && holds(nvs, e);
}

uint32_t live_bytes(struct nvs *nvs)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < NVS_SLOTS; i++) {
        struct entry e;
        if (nvs->slot[i].place &&
            entry_load(nvs, nvs->slot[i].place, &e) == FOUND && holds(nvs, &e))
            total += e.size;
    }
    return total;
}

uint32_t index_build(struct nvs *nvs)
{
    uint32_t lost = 0;
    memset(nvs->slot, 0, sizeof nvs->slot);
    for (uint32_t s = sector_after(nvs, 0); s != NO_SECTOR;
         s = sector_after(nvs, nvs->order[s])) {
        struct walk w = walk_of(s);
        struct entry e;
        while (walk_next(nvs, &w, &e))
            index_put(nvs, &e);
        lost += w.lost;
    }
    return lost;
}
