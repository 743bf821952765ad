#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "boot.h"

enum { KEYS_VERSION = 1, KEYS_CRC_OFF = KEYS_LEN - 4 };

#define KEYS_MAGIC 0x59454b57u /* "WKEY" */

_Static_assert(8 + IMAGE_KEYS_MAX * P256_KEY_LEN <= KEYS_CRC_OFF, "keys fit");

enum keys_found { KEYS_NONE, KEYS_GOOD, KEYS_DAMAGED };

static enum keys_found read_copy(struct image_keys *keys, const uint8_t *p)
{
    bool clear = true;
    for (unsigned i = 0; i < KEYS_LEN && clear; i++)
        clear = p[i] == 0xff;
    if (clear)
        return KEYS_NONE;
    struct reader r = reader_of(p, KEYS_LEN);
    uint32_t magic = read_u32(&r);
    uint16_t version = read_u16(&r), count = read_u16(&r);
    if (get_u32(p + KEYS_CRC_OFF) != crc32_add(0, p, KEYS_CRC_OFF) ||
        magic != KEYS_MAGIC || version != KEYS_VERSION ||
        count > IMAGE_KEYS_MAX)
        return KEYS_DAMAGED;
    keys->count = count;
    for (unsigned i = 0; i < count; i++)
        read_bytes(&r, keys->key[i], P256_KEY_LEN);
    return KEYS_GOOD;
}

void keys_load(struct image_keys *keys, bool *bad, const uint8_t *chip,
               const struct partition *p)
{
    *keys = (struct image_keys){0};
    *bad = false;
    if (!p || p->size < FLASH_SECTOR)
        return;
    struct image_keys second = {0};
    const uint8_t *at = chip + p->off + KEYS_COPY_OFF;
    enum keys_found a = read_copy(keys, at);
    enum keys_found b = read_copy(&second, at + KEYS_COPY_STEP);
    if (a != KEYS_GOOD && b == KEYS_GOOD)
        *keys = second;
    *bad = a != b || a == KEYS_DAMAGED;
}

void keys_write(const struct image_keys *keys, uint8_t to[FLASH_SECTOR])
{
    memset(to, 0xff, FLASH_SECTOR);
    uint8_t *at = to + KEYS_COPY_OFF;
    struct writer w = writer_of(at, KEYS_LEN);
    write_u32(&w, KEYS_MAGIC);
    write_u16(&w, KEYS_VERSION);
    write_u16(&w, (uint16_t)keys->count);
    for (unsigned i = 0; i < keys->count && i < IMAGE_KEYS_MAX; i++)
        write_bytes(&w, keys->key[i], P256_KEY_LEN);
    write_fill(&w, 0xff, KEYS_CRC_OFF - w.pos);
    write_u32(&w, crc32_add(0, at, KEYS_CRC_OFF));
    memcpy(at + KEYS_COPY_STEP, at, KEYS_LEN);
}
