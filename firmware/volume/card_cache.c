#include "card_cache.h"

#include <string.h>

#include "base/err.h"

void card_cache_init(struct card_cache *c, const struct volume_card *card)
{
    c->card = card;
    c->insertion = card->insertions(card->ctx);
    c->first = c->count = c->next = 0;
    c->dirty = c->failed = false;
}

static bool holds(const struct card_cache *c, uint32_t sector, uint32_t count)
{
    return sector >= c->first && sector - c->first <= c->count &&
           count <= c->count - (sector - c->first);
}

static bool overlaps(const struct card_cache *c, uint32_t sector,
                     uint32_t count)
{
    return (uint64_t)sector + count > c->first &&
           sector < (uint64_t)c->first + c->count;
}

static uint8_t *place(struct card_cache *c, uint32_t sector)
{
    return c->data + (size_t)(sector - c->first) * CARD_SECTOR;
}

/* The run stays, as read. A card put in since must not get the data of the
 * one before. */
static int store(struct card_cache *c)
{
    const struct volume_card *card = c->card;
    if (!c->dirty)
        return 0;
    c->dirty = false;
    int err = card->insertions(card->ctx) == c->insertion
                  ? card->write(card->ctx, c->first, c->data, c->count)
                  : WIPY_EIO;
    if (err) {
        c->failed = true;
        c->count = 0;
    }
    return err;
}

static int read_ahead(struct card_cache *c, uint32_t sector)
{
    const struct volume_card *card = c->card;
    uint64_t left = card->sectors(card->ctx);
    left -= left > sector ? sector : left;
    uint32_t count = left < CARD_RUN ? (uint32_t)left : CARD_RUN;
    c->count = 0;
    int err = card->read(card->ctx, sector, c->data, count);
    if (err)
        return err;
    c->first = sector;
    c->count = count;
    return 0;
}

int card_cache_read(struct card_cache *c, uint32_t sector, uint8_t *to,
                    uint32_t count)
{
    const struct volume_card *card = c->card;
    bool goes_on = sector == c->next;
    int err = 0;
    c->next = sector + count;
    /* A bad sector further on must not spoil this read: one that cannot be
     * read ahead is read alone. */
    if (!holds(c, sector, count) && goes_on && !c->dirty && count < CARD_RUN)
        (void)read_ahead(c, sector);
    if (holds(c, sector, count)) {
        memcpy(to, place(c, sector), (size_t)count * CARD_SECTOR);
        return 0;
    }
    if (overlaps(c, sector, count))
        err = store(c);
    return err ? err : card->read(card->ctx, sector, to, count);
}

int card_cache_write(struct card_cache *c, uint32_t sector, const uint8_t *from,
                     uint32_t count)
{
    const struct volume_card *card = c->card;
    bool inside = c->dirty && holds(c, sector, count);
    bool behind = c->dirty && sector - c->first == c->count &&
                  sector >= c->first && count <= CARD_RUN - c->count;
    if (!inside && !behind) {
        int err = store(c);
        if (err)
            return err;
        c->first = sector;
        c->count = 0;
        if (count > CARD_RUN)
            return card->write(card->ctx, sector, from, count);
    }
    if (!inside)
        c->count += count;
    memcpy(place(c, sector), from, (size_t)count * CARD_SECTOR);
    c->dirty = true;
    return 0;
}

int card_cache_sync(struct card_cache *c)
{
    int err = store(c);
    int synced = c->card->sync(c->card->ctx);
    if (c->failed)
        err = WIPY_EIO;
    c->failed = false;
    return err ? err : synced;
}
