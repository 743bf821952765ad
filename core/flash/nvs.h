/* Settings that survive power cuts: a log of key = value in the partition
 * `nvs`.
 *
 * Keys live in name spaces: the board's own settings must not meet those of
 * pycom.nvs_*. A value is a 32-bit number or up to NVS_VALUE_MAX bytes. A set
 * or erase that returned 0 is on the flash; one that a power cut interrupts
 * happened or did not. The format is in docs/FORMATS.md, "Settings".
 *
 * The store allocates nothing (struct nvs is 40 KiB, most of it the table of
 * keys) and is not thread-safe. All functions return 0
 * (or a count) or a negative enum wipy_err. */
#ifndef WIPY_FLASH_NVS_H
#define WIPY_FLASH_NVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/flash.h"

enum {
    NVS_KEY_MAX = 15,
    NVS_VALUE_MAX = 1983,
    NVS_SECTORS_MIN = 4, /* holds (sectors - 3) * 4016 bytes of records */
    NVS_SECTORS_MAX = 32,
    NVS_SLOTS = 8192, /* more keys than fit in as many sectors */
};

/* Spec section 10: pycom.nvs_* is name space PY_NVM. */
enum nvs_space {
    NVS_BOARD = 1,  /* logins, WLAN, heart-beat at start */
    NVS_PYTHON = 2, /* pycom.nvs_set and friends */
};

struct nvs_slot { /* of a hash table over the keys the log speaks of */
    uint16_t hash;
    uint16_t place; /* of the last word about the key; 0 = empty slot */
};

struct nvs {
    /* private */
    const struct flash *flash;
    flash_off off;
    uint32_t sectors;
    uint32_t order[NVS_SECTORS_MAX]; /* of opening; 0 = free */
    uint32_t used[NVS_SECTORS_MAX];  /* bytes of header and records */
    bool confirms[NVS_SECTORS_MAX];  /* whole records carry a mark */
    bool bad[NVS_SECTORS_MAX];       /* failed to be programmed or erased */
    uint32_t live;                   /* bytes of records that count */
    uint32_t newest;                 /* the sector being written, or none */
    uint32_t damaged;                /* places nvs_open found broken */
    struct nvs_slot slot[NVS_SLOTS];
    uint8_t rec[2048]; /* a record being looked at */
    uint8_t out[2048]; /* one being written */
    uint8_t check[2048];
};

/* Opens the store in `size` bytes at `off`; a blank or foreign partition is
 * an empty store (the vendor's own format lived at the same place; nothing
 * is erased before the first nvs_set). Takes time in proportion to what is
 * there. Writes only to end what a power cut or damage left undone.
 * WIPY_EINVAL: fewer than NVS_SECTORS_MIN sectors. */
int nvs_open(struct nvs *nvs, const struct flash *flash, flash_off off,
             uint32_t size);

/* True when nvs_open found records or headers that were whole once and are
 * not any more, which a power cut never leaves. All others are kept. A store
 * of an earlier version cannot tell a last record that rotted from one that
 * a cut ended, and takes it for that. */
bool nvs_is_damaged(const struct nvs *nvs);

/* WIPY_EINVAL: key empty or longer than NVS_KEY_MAX; value too long.
 * WIPY_ENOSPC: the store is full of other keys. A value that is there
 * already is not written again. */
int nvs_set_int(struct nvs *nvs, enum nvs_space space, const char *key,
                int32_t value);
int nvs_set_bytes(struct nvs *nvs, enum nvs_space space, const char *key,
                  const void *value, size_t len);

/* WIPY_ENOENT: no such key; WIPY_EFORMAT: it is of the other type;
 * WIPY_ENOMEM: `size` is too small. nvs_get_bytes returns the length. */
int nvs_get_int(struct nvs *nvs, enum nvs_space space, const char *key,
                int32_t *value);
int nvs_get_bytes(struct nvs *nvs, enum nvs_space space, const char *key,
                  void *value, size_t size);

enum nvs_type { NVS_NONE = 0, NVS_INT = 1, NVS_BYTES = 2 };
enum nvs_type nvs_type_of(struct nvs *nvs, enum nvs_space space,
                          const char *key);

/* WIPY_ENOENT: no such key. */
int nvs_erase(struct nvs *nvs, enum nvs_space space, const char *key);
/* Every key of the space, in one step. */
int nvs_erase_all(struct nvs *nvs, enum nvs_space space);

/* Calls `each` for every key of the space until it returns false. */
int nvs_list(struct nvs *nvs, enum nvs_space space,
             bool (*each)(void *ctx, const char *key, enum nvs_type type,
                          uint32_t len),
             void *ctx);

#endif
