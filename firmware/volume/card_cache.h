/* Between FatFs, which moves a cluster or a single sector at a time, and the
 * card, where a call costs much the same for one sector as for hundreds.
 *
 * What files hold goes through one run of adjacent sectors, read ahead or
 * written and not yet stored. What FAT and folders hold goes through lines of
 * a few sectors, which stay until card_cache_sync() or until their place is
 * needed: so the card sees the changes of a whole call of a user at once,
 * contents before the structures that point to them.
 *
 * A long transfer of a caller whose memory the card reaches is moved from or to
 * there: the run then lies in what was lent, and the call that lent it ends
 * with everything stored.
 *
 * A write that fails late is reported by the call that had to store it, and
 * counted: who wrote before asks whether `failures` is as it was. */
#ifndef WIPY_FIRMWARE_VOLUME_CARD_CACHE_H
#define WIPY_FIRMWARE_VOLUME_CARD_CACHE_H

#include "volume.h"

enum {
    CARD_SECTOR = 512,
    CARD_RUN = 2048,  /* sectors, where the memory is large enough */
    CARD_SPARE = 128, /* sectors read without disturbing the run */
    CARD_LINE = 8,    /* sectors */
    CARD_LINES = 32,
    CARD_LENT = 128 * 1024, /* bytes of a transfer not worth a copy; less
                             * waits for the sync, and is one call with it */
};

/* In the memory: the spare, the lines, the run. */
enum {
    CARD_LINES_AT = CARD_SPARE,
    CARD_RUN_AT = CARD_LINES_AT + CARD_LINE * CARD_LINES,
};

_Static_assert((CARD_RUN_AT + CARD_RUN) * CARD_SECTOR <= VOLUME_CARD_MEMORY,
               "the cache fits the card's memory");
_Static_assert(CARD_RUN_AT *CARD_SECTOR < VOLUME_CARD_MEMORY_LEAST,
               "at the least there is a run");

struct card_line {
    uint32_t first, count; /* count 0: empty */
    uint32_t used, since;  /* when; when it first changed, by `clock` */
    bool late;             /* stored behind what is not */
    uint8_t dirty;         /* a bit for each sector */
};

struct card_cache {
    const struct volume_card *card;
    uint32_t insertion;    /* what is not stored belongs to this card only */
    uint32_t run;          /* sectors a run may have */
    uint32_t first, count; /* the run: the sectors held */
    uint8_t *data;         /* of the run: its own place, or in what is lent */
    uint8_t *lent;         /* by the caller; `lent_len` bytes, 0: nothing */
    size_t lent_len;
    uint32_t next, streak; /* the last read ended here, after so many */
    bool dirty;            /* the run is written, not yet stored */
    bool unsynced;         /* something was written since the last sync */
    uint32_t failures, clock;
    uint32_t fence; /* sectors below say which clusters are whose */
    struct card_line line[CARD_LINES];
    uint8_t *memory;
};

/* Empties it, for the card that is in now; `card` and `size` bytes of
 * `memory`, VOLUME_CARD_MEMORY_LEAST or more, must outlive it. */
void card_cache_init(struct card_cache *c, const struct volume_card *card,
                     uint8_t *memory, size_t size);

/* What files hold; within the card's size. */
int card_cache_read(struct card_cache *c, uint32_t sector, uint8_t *to,
                    uint32_t count);
int card_cache_write(struct card_cache *c, uint32_t sector, const uint8_t *from,
                     uint32_t count);

/* Up to card_cache_take_back(), whole sectors that are read to or written from
 * `memory` need no copy; not when the transfer is short or the card does not
 * reach there. What it gives back is stored; an error is of that. */
void card_cache_lend(struct card_cache *c, void *memory, size_t len);
int card_cache_take_back(struct card_cache *c);

/* One sector of FAT or a folder. */
int card_cache_get(struct card_cache *c, uint32_t sector, uint8_t *to);
int card_cache_put(struct card_cache *c, uint32_t sector, const uint8_t *from);

enum card_order {
    CARD_FREES = 1, /* folders go before what is allocated */
    CARD_BACK = 2,  /* what changed last in them goes first */
};

/* Everything is on the card: contents, what is allocated, folders as they
 * changed, in this order, so that a card that fails in between has lost no
 * more than clusters. `order` is for calls that this would not be true of:
 * those that free clusters, and those that take a hidden name away last. */
int card_cache_sync(struct card_cache *c, unsigned order);

/* What changed in folders up to here is stored behind what changes from here
 * on: a name that goes behind the one that comes in its place. */
void card_cache_postpone(struct card_cache *c);

/* The same, but the card may still hold it back. */
int card_cache_flush(struct card_cache *c);

#endif
