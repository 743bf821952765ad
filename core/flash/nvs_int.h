/* Private to the settings store: records, and the functions its files share.
 * The format is in docs/FORMATS.md, "Settings". */
#ifndef WIPY_FLASH_NVS_INT_H
#define WIPY_FLASH_NVS_INT_H

#include "flash/nvs.h"

enum {
    SECTOR_HEADER = 16,
    CONFIRMS_AT = 12, /* of the header: 0 when its records are confirmed */
    DROPPED_AT = 14,  /* two bytes, cleared when the sector is given up */

    RECORD_HEAD = 8,
    CONFIRM_AT = 3, /* of the record: cleared once it is whole */
    RECORD_ALIGN = 4,

    TYPE_ERASED = 3,     /* the key is gone */
    TYPE_ERASED_ALL = 4, /* every key of the space is */

    NO_SECTOR = NVS_SECTORS_MAX,
};

struct entry { /* a record, decoded */
    uint8_t type, space;
    uint16_t len;
    uint32_t key_len;
    char key[NVS_KEY_MAX + 1];
    uint32_t sector, at; /* where it is */
    uint32_t size;
};

/* ---- nvs_record.c ---- */

enum found {
    FOUND,
    FOUND_END,    /* blank */
    FOUND_TORN,   /* never became whole: a power cut */
    FOUND_BROKEN, /* was whole once */
};

/* The record at `at`; its value is then in nvs->rec. */
enum found entry_at(struct nvs *nvs, uint32_t sector, uint32_t at,
                    struct entry *e);
uint32_t entry_size(uint32_t key_len, uint32_t len);
const uint8_t *value_of(const struct nvs *nvs, const struct entry *e);
/* Encodes to nvs->out, not confirmed yet; returns the size. */
uint32_t entry_encode(struct nvs *nvs, uint8_t type, uint8_t space,
                      const char *key, const void *value, size_t len);
flash_off sector_off(const struct nvs *nvs, uint32_t sector);

/* The sound records of a sector, one after the other. What is broken is
 * stepped over. */
struct walk {
    uint32_t sector, at;
    bool torn;     /* there is something after the last sound record */
    uint32_t lost; /* places where a record was lost */
};

struct walk walk_of(uint32_t sector);
bool walk_next(struct nvs *nvs, struct walk *w, struct entry *e);

/* ---- nvs_index.c ---- */

/* Reads all records; returns the places where some were lost. */
uint32_t index_build(struct nvs *nvs);
/* The record in nvs->out is the last word about its key now. */
void index_put(struct nvs *nvs, const struct entry *e);
/* The record is the last word about its key. */
bool index_has(struct nvs *nvs, const struct entry *e);
/* The last word about the key, if any was spoken. */
bool index_find(struct nvs *nvs, uint8_t space, const char *key,
                struct entry *e);
/* The record is a value that holds. */
bool entry_counts(struct nvs *nvs, const struct entry *e);
/* Bytes of all records that count. */
uint32_t live_bytes(struct nvs *nvs);

/* ---- nvs_sector.c ---- */

/* The sector opened just before or after that of `order`; NO_SECTOR when
 * there is none. */
uint32_t sector_before(const struct nvs *nvs, uint32_t order);
uint32_t sector_after(const struct nvs *nvs, uint32_t order);
uint32_t free_sectors(const struct nvs *nvs);
/* Fills in order[], confirms[] and newest; `lost` says which sectors with
 * records have lost their header. Returns how many. */
uint32_t sectors_find(struct nvs *nvs, bool *lost);
void newest_find(struct nvs *nvs);
/* No longer counts, even when the erase that follows is cut short. */
int sector_drop(struct nvs *nvs, uint32_t sector);
/* A free sector becomes the newest. WIPY_ENOSPC when none can be had. */
int sector_open(struct nvs *nvs);
/* Programs, reads back. */
bool nvs_program(struct nvs *nvs, flash_off off, const uint8_t *data,
                 uint32_t len);
bool nvs_holds(struct nvs *nvs, flash_off off, const uint8_t *data,
               uint32_t len);

/* ---- nvs_log.c ---- */

/* Appends a record, making room when there is none, and syncs. */
int nvs_store(struct nvs *nvs, uint8_t type, uint8_t space, const char *key,
              const void *value, size_t len);

/* Moves what sectors without a header hold to one with a header. */
void nvs_rescue(struct nvs *nvs, const bool *lost);

#endif
