/* Records of the settings store: one on the flash, all of a sector. */
#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "nvs_int.h"

flash_off sector_off(const struct nvs *nvs, uint32_t sector)
{
    return nvs->off + sector * FLASH_SECTOR;
}

uint32_t entry_size(uint32_t key_len, uint32_t len)
{
    uint32_t size = (uint32_t)RECORD_HEAD + key_len + len + 4;
    return (size + RECORD_ALIGN - 1) & ~(uint32_t)(RECORD_ALIGN - 1);
}

const uint8_t *value_of(const struct nvs *nvs, const struct entry *e)
{
    return nvs->rec + RECORD_HEAD + e->key_len;
}

static bool head_decode(const uint8_t head[RECORD_HEAD], struct entry *e)
{
    struct reader r = reader_of(head, RECORD_HEAD);
    e->type = read_u8(&r);
    e->space = read_u8(&r);
    e->key_len = read_u8(&r);
    read_u8(&r);
    e->len = read_u16(&r);
    e->size = entry_size(e->key_len, e->len);
    return e->type >= NVS_INT && e->type <= TYPE_ERASED_ALL &&
           e->key_len <= NVS_KEY_MAX && e->len <= NVS_VALUE_MAX &&
           (e->key_len > 0 || e->type == TYPE_ERASED_ALL) &&
           e->at + e->size <= FLASH_SECTOR;
}

static bool is_blank_head(const uint8_t head[RECORD_HEAD])
{
    for (int i = 0; i < RECORD_HEAD; i++)
        if (head[i] != 0xFF)
            return false;
    return true;
}

/* A record is programmed with FF at CONFIRM_AT, read back and then confirmed
 * there; its check sum is over a 0. So what is confirmed and wrong was right
 * once. Earlier versions programmed the 0 together with the rest. */
enum found entry_at(struct nvs *nvs, uint32_t sector, uint32_t at,
                    struct entry *e)
{
    uint8_t *rec = nvs->rec;
    flash_off off = sector_off(nvs, sector) + at;
    e->sector = sector;
    e->at = at;
    if (at + RECORD_HEAD + 4 > FLASH_SECTOR)
        return FOUND_END;
    if (flash_read(nvs->flash, off, rec, RECORD_HEAD))
        return FOUND_BROKEN;
    if (is_blank_head(rec))
        return FOUND_END;
    if (rec[CONFIRM_AT] == 0xFF)
        return FOUND_TORN;
    enum found wrong = nvs->confirms[sector] ? FOUND_BROKEN : FOUND_TORN;
    if (!head_decode(rec, e))
        return wrong;
    if (flash_read(nvs->flash, off, rec, e->size))
        return FOUND_BROKEN;
    rec[CONFIRM_AT] = 0;
    uint32_t end = (uint32_t)RECORD_HEAD + e->key_len + e->len;
    if (crc32_add(0, rec, end) != get_u32(rec + end))
        return wrong;
    memcpy(e->key, rec + RECORD_HEAD, e->key_len);
    e->key[e->key_len] = 0;
    return FOUND;
}

uint32_t entry_encode(struct nvs *nvs, uint8_t type, uint8_t space,
                      const char *key, const void *value, size_t len)
{
    uint8_t *to = nvs->out;
    uint32_t key_len = (uint32_t)strlen(key);
    struct writer w = writer_of(to, sizeof nvs->out);
    write_u8(&w, type);
    write_u8(&w, space);
    write_u8(&w, (uint8_t)key_len);
    write_u8(&w, 0);
    write_u16(&w, (uint16_t)len);
    write_u16(&w, 0);
    write_bytes(&w, key, key_len);
    write_bytes(&w, value, len);
    write_u32(&w, crc32_add(0, to, w.pos));
    write_fill(&w, 0xFF, entry_size(key_len, (uint32_t)len) - w.pos);
    to[CONFIRM_AT] = 0xFF;
    return (uint32_t)w.pos;
}

struct walk walk_of(uint32_t sector)
{
    return (struct walk){.sector = sector, .at = SECTOR_HEADER};
}

/* Behind a broken record the next one is looked for at every place it could
 * begin, for the length may be what is broken. Found, it proves that the
 * broken one was whole once: after a cut nothing is appended. */
bool walk_next(struct nvs *nvs, struct walk *w, struct entry *e)
{
    enum found got = FOUND_END;
    bool broken = false;
    for (; w->at < FLASH_SECTOR; w->at += RECORD_ALIGN) {
        got = entry_at(nvs, w->sector, w->at, e);
        if (got == FOUND || (got == FOUND_END && !w->torn))
            break;
        if (!w->torn)
            broken = got == FOUND_BROKEN;
        w->torn = true;
    }
    if (got == FOUND) {
        w->lost += w->torn;
        w->torn = false;
        w->at += e->size;
        return true;
    }
    w->lost += broken;
    return false;
}
