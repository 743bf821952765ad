#include "flash/fattrim.h"

#include <string.h>

#include "base/cursor.h"

static bool parse(struct fattrim *t, const struct ftl *ftl,
                  const uint8_t boot[FTL_SECTOR])
{
    t->per_cluster = boot[13];
    t->fat = get_u16(boot + 14);
    uint32_t fats = boot[16], root = get_u16(boot + 17);
    uint32_t total = get_u16(boot + 19);
    t->fat_sectors = get_u16(boot + 22);
    if (total == 0)
        total = get_u32(boot + 32);
    if (get_u16(boot + 510) != 0xAA55 || get_u16(boot + 11) != FTL_SECTOR ||
        t->per_cluster == 0 || t->fat == 0 || fats == 0 || fats > 2 ||
        t->fat_sectors == 0 || total > ftl->sectors)
        return false;
    t->data = t->fat + fats * t->fat_sectors + (root + 15) / 16;
    if (t->data >= total)
        return false;
    t->clusters = (total - t->data) / t->per_cluster;
    t->fat16 = t->clusters >= 4085;
    uint32_t bits = t->fat16 ? 16 : 12;
    return t->clusters < 65525 &&
           t->fat_sectors * FTL_SECTOR * 8 / bits >= t->clusters + 2;
}

static void trim_cluster(const struct fattrim *t, struct ftl *ftl,
                         uint32_t cluster)
{
    uint32_t lba = t->data + (cluster - 2) * t->per_cluster;
    for (uint32_t i = 0; i < t->per_cluster; i++)
        ftl_unmap(ftl, lba + i);
}

/* FAT entries that lie wholly or partly in FAT sector `index`. */
static void trim_fat_sector(const struct fattrim *t, struct ftl *ftl,
                            uint32_t index)
{
    /* A FAT12 entry may begin in the sector before or end in the next. */
    uint8_t fat[3 * FTL_SECTOR] = {0};
    uint32_t from = index, to = index;
    if (!t->fat16) {
        from -= index > 0;
        to += index + 1 < t->fat_sectors;
    }
    for (uint32_t i = from; i <= to; i++)
        if (ftl_read(ftl, t->fat + i, fat + (i - from) * FTL_SECTOR, 1))
            return;
    uint32_t base = from * FTL_SECTOR, end = (index + 1) * FTL_SECTOR;
    uint32_t c = t->fat16 ? index * 256 : index * FTL_SECTOR * 2 / 3;
    for (c = c < 2 ? 2 : c; c < t->clusters + 2; c++) {
        uint32_t at = t->fat16 ? c * 2 : c + c / 2;
        if (at >= end)
            break;
        uint32_t entry = get_u16(fat + (at - base));
        if (!t->fat16)
            entry = c & 1 ? entry >> 4 : entry & 0xFFF;
        if (entry == 0)
            trim_cluster(t, ftl, c);
    }
}

static void committed(void *ctx, struct ftl *ftl, uint32_t lba)
{
    const struct fattrim *t = ctx;
    if (t->valid && lba >= t->fat && lba < t->fat + t->fat_sectors)
        trim_fat_sector(t, ftl, lba - t->fat);
}

void fattrim_attach(struct fattrim *trim, struct ftl *ftl)
{
    uint8_t boot[FTL_SECTOR];
    memset(trim, 0, sizeof *trim);
    ftl->committed = committed;
    ftl->committed_ctx = trim;
    trim->valid = ftl_is_mapped(ftl, 0) && ftl_read(ftl, 0, boot, 1) == 0 &&
                  parse(trim, ftl, boot);
    /* What a damaged FAT calls free may be what somebody wants back. */
    for (uint32_t i = 0; trim->valid && !ftl->readonly && i < trim->fat_sectors;
         i++)
        trim_fat_sector(trim, ftl, i);
}
