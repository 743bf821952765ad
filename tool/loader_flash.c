/* Digests, differences, erasing; reading and writing have files of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "base/hex.h"
#include "loader_flash_parts.h"

enum {
    /* Up to so many blocks are looked at sector by sector; where more differ,
     * asking would take longer than sending. */
    FINE_BLOCKS_MAX = 4,
    MD5_MS_PER_MB = 8000,
};

int loader_check_range(struct loader *l, const char *what, uint32_t off,
                       uint64_t len, bool aligned)
{
    if (off > l->chip.flash_size || len > l->chip.flash_size - off)
        return loader_fail(l, WIPY_ERANGE,
                           "%s: %llu bytes at 0x%x do not fit a chip of %u MiB",
                           what, (unsigned long long)len, (unsigned)off,
                           (unsigned)(l->chip.flash_size >> 20));
    if (aligned && off % FLASH_SECTOR)
        return loader_fail(l, WIPY_EINVAL,
                           "%s: 0x%x does not begin a sector (multiples of "
                           "0x1000): writing there would erase what is before",
                           what, (unsigned)off);
    return 0;
}

/* ---- digests ---- */

/* Text from the ROM, bytes from the stub. */
static int take_md5(struct loader *l, uint8_t md5[MD5_LEN])
{
    const struct loader_answer *a = &l->client.answer;
    if (a->len == MD5_LEN) {
        memcpy(md5, a->data, MD5_LEN);
        return 0;
    }
    if (a->len == 2 * MD5_LEN &&
        hex_decode(md5, (const char *)a->data, MD5_LEN))
        return 0;
    return loader_fail(l, WIPY_EPROTO, "the board sent a digest of %zu bytes",
                       a->len);
}

int loader_md5(struct loader *l, uint32_t off, uint32_t len,
               uint8_t md5[MD5_LEN])
{
    uint8_t data[16] = {0};
    put_u32(data, off);
    put_u32(data + 4, len);
    int err = loader_command(l, LOADER_FLASH_MD5, data, sizeof data,
                             per_mb(MD5_MS_PER_MB, len));
    return err < 0 ? err : take_md5(l, md5);
}

int loader_holds(struct loader *l, uint32_t off, struct file_digest *file)
{
    uint8_t there[MD5_LEN];
    int err = loader_md5(l, off, (uint32_t)file->len, there);
    return err < 0 ? err : memcmp(there, file_digest_get(file), MD5_LEN) == 0;
}

/* Marks the sectors inside [from, to) that differ, asking in steps. */
static int mark(struct loader *l, uint32_t off, const uint8_t *data, size_t len,
                size_t from, size_t to, size_t step, bool *differs,
                unsigned *count)
{
    *count = 0;
    for (size_t at = from; at < to; at += step) {
        size_t part = min_size(step, min_size(to, len) - at);
        struct file_digest file;
        file_digest_begin(&file, data + at, part);
        int equal = loader_holds(l, off + (uint32_t)at, &file);
        file_digest_get(&file);
        if (equal < 0)
            return equal;
        for (size_t i = at; i < at + part; i += FLASH_SECTOR)
            differs[i / FLASH_SECTOR] = !equal;
        *count += !equal;
    }
    return 0;
}

int loader_differences(struct loader *l, uint32_t off, struct file_digest *file,
                       bool *differs, bool fine)
{
    const uint8_t *data = file->data;
    size_t len = file->len;
    unsigned count;
    int equal = loader_holds(l, off, file);
    if (equal < 0)
        return equal;
    memset(differs, !equal, sectors_of(len));
    if (equal)
        return 0;
    int err = mark(l, off, data, len, 0, len, FLASH_BLOCK, differs, &count);
    if (err < 0 || (count > FINE_BLOCKS_MAX && !fine))
        return err;
    for (size_t at = 0; at < len; at += FLASH_BLOCK) {
        if (!differs[at / FLASH_SECTOR])
            continue;
        err = mark(l, off, data, len, at, min_size(at + FLASH_BLOCK, len),
                   FLASH_SECTOR, differs, &count);
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- erasing, comparing ---- */

static int erase_once(struct loader *l, uint32_t off, uint32_t len)
{
    uint8_t data[8];
    uint32_t timeout = per_mb(ERASE_MS_PER_MB, len);
    if (!l->client.stub) /* the ROM erases what a write announces */
        return loader_begin(l, LOADER_FLASH_BEGIN, len, blocks_of(l, len), off);
    l->touched = true;
    if (off == 0 && len == l->chip.flash_size)
        return loader_command(l, LOADER_ERASE_FLASH, NULL, 0, timeout);
    put_u32(data, off);
    put_u32(data + 4, len);
    return loader_command(l, LOADER_ERASE_REGION, data, sizeof data, timeout);
}

int loader_erase(struct loader *l, uint32_t off, uint32_t len)
{
    unsigned again = 0;
    int err = loader_check_range(l, "erase", off, len, true);
    if (!err && len % FLASH_SECTOR)
        err = loader_fail(l, WIPY_EINVAL,
                          "erase: 0x%x bytes are no whole "
                          "sectors (multiples of 0x1000)",
                          (unsigned)len);
    if (err < 0)
        return err;
    do
        err = erase_once(l, off, len);
    while (err < 0 && loader_recovered(l, &err, &again));
    return err;
}

int loader_compare(struct loader *l, uint32_t off, const uint8_t *data,
                   size_t len, uint32_t *bad, unsigned *count)
{
    uint32_t sectors = sectors_of(len);
    bool *differs = calloc(sectors ? sectors : 1, 1);
    if (!differs)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    struct file_digest file;
    unsigned n = 0, again = 0;
    int err = 0;
    file_digest_begin(&file, data, len);
    do
        err = len ? loader_differences(l, off, &file, differs, true) : 0;
    while (err < 0 && loader_recovered(l, &err, &again));
    file_digest_get(&file);
    for (uint32_t i = sectors; i-- > 0;) {
        if (!differs[i])
            continue;
        n++;
        if (bad)
            *bad = off + i * FLASH_SECTOR;
    }
    if (count)
        *count = n;
    free(differs);
    return err ? err : n ? WIPY_ECORRUPT : 0;
}
