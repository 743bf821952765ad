#include <string.h>

#include "base/cursor.h"
#include "base/fields.h"
#include "boot.h"

enum {
    KEYS_VERSION = 1,
    KEYS_HEAD_LEN = 8,
    /* A board without keys that loses a bit has none all the same. */
    KEYS_FLIPPED_MAX = 4,
};

#define KEYS_MAGIC 0x59454b57u /* "WKEY" */

_Static_assert(KEYS_HEAD_LEN + IMAGE_KEYS_MAX * P256_KEY_LEN <= KEYS_LEN - 4,
               "keys fit");

static enum keys_state read_copy(struct image_keys *keys, const uint8_t *p)
{
    uint16_t count = get_u16(p + 6);
    unsigned written = 0;
    for (unsigned i = 0; i < KEYS_LEN; i++)
        written += p[i] != 0xff;
    if (written <= KEYS_FLIPPED_MAX)
        return KEYS_NONE;
    if (!bytes_are_sealed(p, KEYS_LEN) || get_u32(p) != KEYS_MAGIC ||
        get_u16(p + 4) != KEYS_VERSION || count > IMAGE_KEYS_MAX)
        return KEYS_LOST;
    keys->count = count;
    memcpy(keys->key, p + KEYS_HEAD_LEN, sizeof keys->key);
    return KEYS_KNOWN;
}

enum keys_state keys_load(struct image_keys *keys, const uint8_t *chip,
                          const struct partition *p)
{
    *keys = (struct image_keys){0};
    if (!p || p->size < FLASH_SECTOR)
        return KEYS_NONE;
    const uint8_t *at = chip + p->off + KEYS_COPY_OFF;
    struct image_keys second;
    enum keys_state a = read_copy(keys, at);
    enum keys_state b = read_copy(&second, at + KEYS_COPY_STEP);
    if (a == b)
        return a;
    if (a == KEYS_KNOWN)
        return KEYS_ONE_BAD;
    if (b != KEYS_KNOWN)
        return KEYS_LOST;
    *keys = second;
    return KEYS_ONE_BAD;
}

void keys_write(const struct image_keys *keys, uint8_t to[FLASH_SECTOR])
{
    memset(to, 0xff, FLASH_SECTOR);
    uint8_t *at = to + KEYS_COPY_OFF;
    put_u32(at, KEYS_MAGIC);
    put_u16(at + 4, KEYS_VERSION);
    put_u16(at + 6, (uint16_t)keys->count);
    memcpy(at + KEYS_HEAD_LEN, keys->key, keys->count * sizeof keys->key[0]);
    bytes_seal(at, KEYS_LEN);
    memcpy(at + KEYS_COPY_STEP, at, KEYS_LEN);
}
