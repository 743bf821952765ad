/* Between FatFs, which moves a cluster at a time, and the card, where a call
 * costs much the same for one sector as for a hundred: one run of adjacent
 * sectors, read ahead or written and not yet stored.
 *
 * Sectors reach the card in the order of the writes, or together. A write that
 * fails late is reported by the call that stored it and by the next sync. */
#ifndef WIPY_FIRMWARE_VOLUME_CARD_CACHE_H
#define WIPY_FIRMWARE_VOLUME_CARD_CACHE_H

#include "volume.h"

enum { CARD_SECTOR = 512, CARD_RUN = 128 };

struct card_cache {
    const struct volume_card *card;
    uint32_t insertion;    /* what is not stored belongs to this card only */
    uint32_t first, count; /* the sectors held */
    uint32_t next;         /* the last read ended here */
    bool dirty;            /* written, not yet stored */
    bool failed;           /* something could not be stored since a sync */
    uint8_t data[CARD_RUN * CARD_SECTOR];
};

/* Empties it, for the card that is in now; `card` must outlive it. */
void card_cache_init(struct card_cache *c, const struct volume_card *card);

/* As those of struct volume_card; within the card's size. */
int card_cache_read(struct card_cache *c, uint32_t sector, uint8_t *to,
                    uint32_t count);
int card_cache_write(struct card_cache *c, uint32_t sector, const uint8_t *from,
                     uint32_t count);
int card_cache_sync(struct card_cache *c);

#endif
