/* Flash translation layer: 512-byte sectors over NOR flash, with atomic
 * commits and wear levelling. FatFs sees a disk; a power cut at any moment
 * leaves the disk as it was at the last commit, or at the one under way.
 *
 *  - ftl_write changes nothing for good until ftl_commit; a commit makes all
 *    writes since the previous one valid in a single step
 *  - a sector never written, or unmapped, reads as zeros
 *  - a small change to a sector is stored as the changed bytes only
 *  - what is programmed is read back; a unit that fails is retired
 *
 * The format is in docs/FORMATS.md, "Translation layer". The layer allocates
 * nothing; it is not thread-safe; it calls the flash only from inside the
 * functions below. All return 0 or a negative enum wipy_err. */
#ifndef WIPY_FLASH_FTL_H
#define WIPY_FLASH_FTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/flash.h"

enum {
    FTL_SECTOR = 512,        /* bytes of a logical sector */
    FTL_UNIT = 8192,         /* bytes of the log's unit: two flash sectors */
    FTL_UNITS_MIN = 24,      /* least a partition needs: 192 KiB */
    FTL_UNITS_MAX = 4096,    /* most it may have: 32 MiB */
    FTL_CACHE = 32,          /* sectors gathered before logging, or read */
    FTL_TX_MAX = 256,        /* sectors changed by one commit, at most */
    FTL_DELTAS_MAX = 384,    /* live small-change records, at most */
    FTL_NONE = 0xFFFFFFFF,   /* no unit, no place */
    FTL_UNITS_BAD_MAX = 240, /* more retired units and nothing is written */
};

/* Sectors a partition of `units` units offers when it is formatted now (an
 * existing volume keeps the number it was formatted with). A unit holds 15
 * full sectors. Held back: four in 25, so that garbage collection finds units
 * with little in them when every sector is in use, and four units for what is
 * being written. Of 4 MiB this leaves 3196 KiB; single sectors written
 * anywhere in it, every sector in use, program 2.9 times what is written, for
 * ever. An eighth held back would leave 3330 KiB for 3.5 times. */
#define FTL_SECTORS(units)                                                     \
    (15u * (uint32_t)(units)-15u * 4u * (uint32_t)(units) / 25u - 60u)

/* Bytes of memory for a partition of `size` bytes, beside struct ftl itself
 * (36 KiB): 37 KiB for 4 MiB, 148 KiB for 16 MiB. */
#define FTL_MEMORY(size)                                                       \
    ((size_t)((size) / FTL_UNIT) * (sizeof(struct ftl_unit) + 15u * 4u + 2u) + \
     64u)

struct ftl_unit {
    uint32_t erases;
    uint32_t age;  /* count of units opened when this one was; 0 = never */
    uint16_t live; /* bytes of its records still needed */
    uint8_t state;
    bool deltas : 1; /* holds small-change records */
    /* All that emptied it has been synced: it may be erased at once. */
    bool settled : 1;
    bool blank : 1;  /* erased ahead, with its neighbours */
    bool former : 1; /* has a part of the volume that a format ended */
    /* While mounting: its header cannot be believed, its log cannot be read
     * to the end, ends in a torn record, has records that never happened. */
    bool broken : 1, unreadable : 1, torn : 1, kills : 1;
};

struct ftl_head {  /* where the log goes on */
    uint32_t unit; /* FTL_NONE = none open */
    uint32_t tail; /* next record goes here, growing up */
    uint32_t data; /* sectors end here, growing down */
};

struct ftl_delta { /* a live small-change record; in order of seq */
    uint64_t seq;
    uint32_t place;
    uint16_t lba;
    uint8_t state;
};

struct ftl_cached {
    uint64_t used; /* larger = later; 0 = read once only */
    uint32_t lba;  /* FTL_NONE = empty */
    bool dirty;    /* not logged yet */
    uint8_t data[FTL_SECTOR];
};

struct ftl_change { /* a sector changed since the last commit */
    uint32_t lba;
    uint32_t old; /* place of its committed base */
};

struct ftl_stats {
    uint32_t units, free_units, bad_units;
    uint32_t erase_min, erase_max, erase_mean;
    uint32_t deltas;    /* live small-change records */
    uint64_t commits;   /* since mount */
    uint64_t collected; /* units garbage-collected since mount */
    uint64_t levelled;  /* of these, moved for wear levelling */
    uint64_t retired;   /* units retired since mount */
    uint64_t killed;    /* torn or uncommitted records found at mount */
    uint64_t healed;    /* torn records made whole again at mount */
};

struct ftl {
    /* Called by ftl_commit for each sector of the commit, once it is on
     * flash: see core/flash/fattrim.h. May call ftl_read and ftl_unmap. */
    void (*committed)(void *ctx, struct ftl *ftl, uint32_t lba);
    void *committed_ctx;

    const struct flash *flash;
    flash_off off;
    uint32_t units;
    uint32_t sectors; /* 0 .. sectors-1 may be read and written */
    bool readonly;    /* nothing is written any more: see `reason` */
    const char *reason;
    char damage[48]; /* what `reason` says when a unit is damaged */

    /* private from here on */
    uint32_t epoch;     /* generation of the format */
    uint32_t epoch_max; /* highest one seen on the flash */
    uint64_t seq;       /* of the last record written */
    uint64_t committed_seq;
    uint32_t mark; /* place of the last commit record */
    uint32_t age;
    uint32_t free_units, bad_units;
    uint32_t tx_bytes;  /* logged by the transaction under way */
    uint32_t tx_limit;  /* most it may log */
    uint32_t tx_opened; /* units opened since the last commit */
    bool unsynced;      /* something was programmed since the last sync */
    bool bad_dirty;     /* the list of bad units is to be logged */
    bool collecting;
    struct ftl_head head[2];
    struct ftl_unit *unit;
    uint32_t *map;  /* sectors + 1: the last one is the list of bad units */
    uint8_t *in_tx; /* a bit a sector */
    uint32_t changes, deltas, delta_bytes, opened;
    uint64_t clock; /* counts uses of the cache */
    struct ftl_stats stats;
    struct ftl_change change[FTL_TX_MAX];
    struct ftl_delta delta[FTL_DELTAS_MAX];
    struct ftl_cached cache[FTL_CACHE];
    uint8_t buf[FTL_SECTOR], base[FTL_SECTOR]; /* work of one put or read */
    uint8_t copy[FTL_SECTOR];                  /* garbage collection's own */
    uint8_t rec[FTL_SECTOR];                   /* a record being parsed */
    uint8_t batch[FTL_UNIT];   /* records being written, where they go */
    uint8_t check[FTL_SECTOR]; /* read back */
};

/* Finds the volume in `size` bytes at `off` of `flash` (which must outlive
 * `ftl`). `memory` is FTL_MEMORY(size) bytes, aligned for uint64_t. Reads
 * each unit's records once; writes only to make records of a transaction that
 * a power cut ended invalid for ever, and to put a single wrong bit right.
 * When something that counts is lost the volume is read-only, `reason` names
 * the unit, and nothing is made invalid or erased.
 * WIPY_ENOENT: the partition is blank (or its very first format was cut).
 * WIPY_EFORMAT: there is data, but no volume of ours. Both are for ftl_format.
 * WIPY_EINVAL: size or memory do not fit. */
int ftl_mount(struct ftl *ftl, const struct flash *flash, flash_off off,
              uint32_t size, void *memory, size_t memory_len);

/* Starts a new, empty volume whatever is there. Until the first ftl_commit
 * the flash still holds the old one: a cut brings that back, whole if what
 * was free in it, two units at least, is room enough until then. Erase counts
 * and retired units are carried over where they can be read. */
int ftl_format(struct ftl *ftl, const struct flash *flash, flash_off off,
               uint32_t size, void *memory, size_t memory_len);

/* `count` sectors. WIPY_ERANGE past the end; WIPY_ECORRUPT when the flash
 * does not hold what was written there. */
int ftl_read(struct ftl *ftl, uint32_t lba, void *to, uint32_t count);

/* WIPY_ENOSPC when the transaction would change more than ftl_tx_room
 * sectors; WIPY_EPERM when the volume is read-only. */
int ftl_write(struct ftl *ftl, uint32_t lba, const void *from, uint32_t count);

/* Further sectors the transaction can change before it must be committed. */
uint32_t ftl_tx_room(const struct ftl *ftl);
/* What ftl_tx_room is just after a commit. */
uint32_t ftl_tx_most(const struct ftl *ftl);

/* All writes become valid together. After an error call ftl_mount again
 * before anything else: it finds all of them valid, or none. In a full volume
 * each unit opened may cost the collection of some seven others: one sector
 * with its commit took 0.31 s of chip time at most, 34 of them all over the
 * volume took 1.04 s where every unit had the same to be copied. */
int ftl_commit(struct ftl *ftl);

/* The sector's contents are of no use any more. Not remembered on flash: what
 * is free must be found out again at mount. */
void ftl_unmap(struct ftl *ftl, uint32_t lba);
bool ftl_is_mapped(const struct ftl *ftl, uint32_t lba);

void ftl_get_stats(const struct ftl *ftl, struct ftl_stats *stats);

#endif
