/* Private to the translation layer: the records of the log and the functions
 * its files share. The format is in docs/FORMATS.md, "Translation layer". */
#ifndef WIPY_FLASH_FTL_INT_H
#define WIPY_FLASH_FTL_INT_H

#include "flash/ftl.h"

enum {
    UNIT_HEADER = 32,
    UNIT_VERSION = 1,
    UNIT_DEAD_AT = 28, /* of the header: a word cleared to 0 */

    RECORD_HEAD = 12,
    RECORD_MIN = 16,
    RECORD_FULL = 20, /* its 512 bytes lie elsewhere in the unit */
    INLINE_MAX = 384, /* most bytes a sparse or delta record carries */
    DELTA_MAX = 256,
    DELTA_CHAIN = 32,      /* most deltas a sector may have */
    TX_BATCH = 15,         /* sectors logged together: what a unit holds */
    TX_FOLDS = 2,          /* sectors whose deltas a commit merges */
    TX_OWN = TX_FOLDS + 1, /* what it adds: these and the bad units */

    RESERVE_UNITS = 2, /* kept free for garbage collection */
    GC_AHEAD = 1,      /* as many more are made free in good time */
    BLOCK_UNITS = FLASH_BLOCK / FTL_UNIT,
    WEAR_SPREAD = 24, /* erase counts apart before cold data is moved */
    WEAR_AHEAD = 8,   /* as much more worn may a block be that is free */
    WEAR_EVERY = 16,  /* units opened between two such moves */

    COUNT_MOST = INT32_MAX, /* an epoch or age beyond is none of ours */

    /* A place says where a record is and what it costs, so that it can be
     * accounted for without reading it: cost << 25 | unit << 13 | offset. */
    PLACE_UNIT_BIT = 13,
    PLACE_COST_BIT = 25,
    PLACE_COST_SECTOR = 63, /* else the cost in steps of 8 bytes */
    SECTOR_COST = RECORD_FULL + FTL_SECTOR,
};

#define SEQ_MOST ((uint64_t)1 << 39) /* nor is a higher number */

_Static_assert(1 << PLACE_UNIT_BIT == FTL_UNIT, "offset bits cover a unit");
_Static_assert((FTL_UNITS_MAX << PLACE_UNIT_BIT) == (1 << PLACE_COST_BIT),
               "unit bits cover the largest partition");
_Static_assert((INLINE_MAX + RECORD_MIN + 7) / 8 < PLACE_COST_SECTOR,
               "cost bits cover every in-line record");

/* The kind of a record; on flash with two flags in the same byte. */
enum record_kind {
    RECORD_NONE = 0,
    RECORD_SECTOR = 1, /* 512 bytes, stored at `start` of the same unit */
    RECORD_SPARSE = 2, /* zeros but for `len` bytes at `start` */
    RECORD_FIRST = 3,  /* delta against the sector's base, drops others */
    RECORD_NEXT = 4,   /* delta on top of the deltas before it */
    RECORD_MARK = 5,   /* no sector: carries only the commit flag */
};

enum {
    KIND_MASK = 0x0F,
    FLAG_ALIVE = 0x40, /* cleared in place: the record never happened */
    FLAG_COMMIT = 0x80,
};

enum unit_state {
    UNIT_FREE = 0, /* erased before use */
    UNIT_OPEN = 1,
    UNIT_CLOSED = 2,
    UNIT_BAD = 3,  /* read only; emptied by garbage collection */
    UNIT_LOST = 4, /* bad, and some of it cannot even be read */
};

enum head_kind {
    HEAD_NEW = 0,  /* what the user writes */
    HEAD_COLD = 1, /* what garbage collection keeps */
};

enum delta_state {
    DELTA_KEPT = 0,
    DELTA_FRESH = 1, /* of the transaction under way */
    DELTA_DYING = 2, /* superseded by the transaction under way */
    DELTA_FIRST = 3, /* while mounting: a first delta */
};

struct unit_info { /* a unit's header, decoded */
    uint32_t sectors, epoch, erases, age;
    bool dead;
};

struct record {
    uint64_t seq;
    enum record_kind kind;
    bool commit;
    bool killed;
    uint32_t lba;
    uint32_t start;
    uint32_t len;         /* payload bytes, in line or 512 */
    uint32_t crc;         /* RECORD_SECTOR: of the 512 bytes */
    const uint8_t *bytes; /* payload when writing; in-line one when parsed */
    uint32_t place;
    uint32_t from; /* a copy: the place of the original, else 0 */
};

enum record_read { RECORD_OK, RECORD_END, RECORD_TORN, RECORD_UNREADABLE };

/* The records of a unit, one after the other. Both are offsets in the unit,
 * which a unit full to its last byte brings to FTL_UNIT. */
struct record_walk {
    uint32_t unit, at;
    uint32_t limit; /* here begin the sectors of the records before `at` */
};

static inline uint32_t place_of(uint32_t unit, uint32_t off)
{
    return unit << PLACE_UNIT_BIT | off;
}

/* Offset in the partition, the cost left out. */
static inline uint32_t place_at(uint32_t place)
{
    return place & ((1u << PLACE_COST_BIT) - 1);
}

static inline uint32_t place_unit(uint32_t place)
{
    return place_at(place) >> PLACE_UNIT_BIT;
}

static inline flash_off place_off(const struct ftl *ftl, uint32_t place)
{
    return ftl->off + place_at(place);
}

static inline uint32_t place_cost(uint32_t place)
{
    uint32_t cost = place >> PLACE_COST_BIT;
    return cost == PLACE_COST_SECTOR ? SECTOR_COST : cost * 8;
}

static inline bool record_is_base(const struct record *r)
{
    return r->kind == RECORD_SECTOR || r->kind == RECORD_SPARSE;
}

static inline bool record_is_delta(const struct record *r)
{
    return r->kind == RECORD_FIRST || r->kind == RECORD_NEXT;
}

/* The hidden sector that lists the retired units. */
static inline uint32_t bad_list_lba(const struct ftl *ftl)
{
    return ftl->sectors;
}

/* ---- ftl_record.c ---- */

/* Bytes of the record itself, without a sector stored elsewhere. */
uint32_t record_size(const struct record *r);
/* r->place with the cost bits, from the bare place. */
uint32_t record_place(const struct record *r);
/* Encodes to `to`, record_size bytes; returns that. */
uint32_t record_encode(const struct record *r, uint8_t *to);
struct record_walk records_of(uint32_t unit);
/* The record the walk has come to; its in-line payload is in ftl->rec until
 * the next read. The walk goes on only past a sound one. */
enum record_read record_next(struct ftl *ftl, struct record_walk *walk,
                             struct record *r);
/* Whether `raw`, `avail` bytes, begins with a sound record. */
bool record_parse(const struct ftl *ftl, const uint8_t *raw, uint32_t avail,
                  struct record *r);
/* A record known to be there: anything else is an error. */
int record_load(struct ftl *ftl, uint32_t place, struct record *r);
/* The 512 bytes of a base. WIPY_ECORRUPT when the check sum is wrong; `to`
 * holds what was read all the same. */
int record_base(struct ftl *ftl, const struct record *r, uint8_t *to);

void unit_encode(const struct unit_info *info, uint8_t to[UNIT_HEADER]);
bool unit_decode(const uint8_t from[UNIT_HEADER], struct unit_info *info);
/* After unit_decode failed: a header with one wrong bit is put right. */
bool unit_mend(uint8_t raw[UNIT_HEADER], struct unit_info *info);
bool is_blank(const uint8_t *data, uint32_t len);
/* The number of a record that was found to be sound in this mount; 0 when the
 * flash does not say. */
uint64_t seq_at(struct ftl *ftl, uint32_t place);

/* Programs and reads back; WIPY_EIO when the flash holds something else. */
int flash_put(struct ftl *ftl, flash_off off, const void *from, uint32_t len);
int flash_settle(struct ftl *ftl); /* sync, when anything is unsynced */

/* ---- ftl_log.c ---- */

/* Appends the record at a head, with its payload; fills in r->place, counts
 * it live. Opens, retires and (for HEAD_NEW) collects units as needed. */
int log_put(struct ftl *ftl, enum head_kind head, struct record *r);
/* As log_put for the first of `count` records and as many of those behind it
 * as fit in the same unit: they cost two program commands together. Returns
 * how many. A commit record goes alone. The caller must account for these
 * before it puts the others: garbage collection moves only what it finds. */
int log_put_some(struct ftl *ftl, enum head_kind head, struct record *r,
                 uint32_t count);
void log_reset(struct ftl *ftl); /* no head open */
/* Opens the free unit that was erased most at HEAD_COLD. */
int log_rest(struct ftl *ftl);
void live_add(struct ftl *ftl, uint32_t place);
void live_drop(struct ftl *ftl, uint32_t place);
/* The unit of the last commit record must not be erased. */
void mark_pin(struct ftl *ftl, uint32_t place);
void unit_retire(struct ftl *ftl, uint32_t unit);
int unit_mark_dead(struct ftl *ftl, uint32_t unit);

/* ---- ftl_gc.c ---- */

int gc_make_room(struct ftl *ftl);    /* until RESERVE_UNITS are free */
int gc_after_commit(struct ftl *ftl); /* bad units emptied, wear levelled */

/* ---- ftl_tx.c ---- */

bool tx_has(const struct ftl *ftl, uint32_t lba);
struct ftl_change *tx_find(struct ftl *ftl, uint32_t lba);
/* The sector as it is, or without its deltas. */
int sector_state(struct ftl *ftl, uint32_t lba, uint8_t *to);
int sector_base(struct ftl *ftl, uint32_t place, uint8_t *to);
/* Logs a sector's new contents in the smallest way; `commit` marks it. */
int tx_log(struct ftl *ftl, uint32_t lba, const uint8_t *data, bool commit,
           bool whole);
/* As tx_log for up to TX_BATCH sectors; none of them commits. */
int tx_log_all(struct ftl *ftl, struct ftl_cached *const *sectors,
               uint32_t count);
/* True when `data` is what the sector holds already. */
bool tx_unchanged(struct ftl *ftl, uint32_t lba, const uint8_t *data);
int tx_mark(struct ftl *ftl);
void tx_finish(struct ftl *ftl);
/* The sector whose deltas should become a whole sector now, or FTL_NONE. */
uint32_t delta_to_fold(const struct ftl *ftl);
void delta_remove(struct ftl *ftl, uint32_t index);
/* As delta_remove, before the live records are counted. */
void delta_forget(struct ftl *ftl, uint32_t index);

void delta_insert(struct ftl *ftl, const struct record *r, uint8_t state);
uint32_t delta_budget(const struct ftl *ftl);

#endif
