#include "folder_cache.h"

#include <string.h>

void folder_cache_clear(struct folder_cache *c)
{
    memset(c->sector, 0, sizeof c->sector);
}

static int find(const struct folder_cache *c, uint32_t sector)
{
    for (int i = 0; i < FOLDER_CACHE_SECTORS; i++)
        if (c->sector[i] == sector + 1)
            return i;
    return -1;
}

bool folder_cache_get(const struct folder_cache *c, uint32_t sector,
                      uint8_t *to)
{
    int at = find(c, sector);
    if (at >= 0)
        memcpy(to, c->data[at], FOLDER_CACHE_SECTOR);
    return at >= 0;
}

/* Any of them may go: the oldest would always be the one needed next, when a
 * folder is a little larger than the cache (Numerical Recipes' generator). */
static int victim(struct folder_cache *c)
{
    c->random = c->random * 1664525 + 1013904223;
    return (int)(c->random >> 16) % FOLDER_CACHE_SECTORS;
}

void folder_cache_put(struct folder_cache *c, uint32_t sector,
                      const uint8_t *from)
{
    int at = find(c, sector);
    if (at < 0)
        at = victim(c);
    c->sector[at] = sector + 1;
    memcpy(c->data[at], from, FOLDER_CACHE_SECTOR);
}

void folder_cache_drop(struct folder_cache *c, uint32_t sector, uint32_t count)
{
    for (int i = 0; i < FOLDER_CACHE_SECTORS; i++)
        if (c->sector[i] && c->sector[i] - 1 - sector < count)
            c->sector[i] = 0;
}
