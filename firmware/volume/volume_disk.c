/* The disks under FatFs: the translation layer and the card. */
#include <string.h>

#include "volume_int.h"

static int64_t now(struct volumes *v)
{
    return v->config.now ? v->config.now(v->config.now_ctx) : 1420070400;
}

static int64_t disk_now(void *ctx)
{
    return now(ctx);
}

static int flash_disk_read(void *ctx, uint32_t sector, uint8_t *to,
                           uint32_t count, bool structure)
{
    struct volumes *v = ctx;
    if (structure && folder_cache_get(&v->folders, sector, to))
        return 0;
    int err = ftl_read(&v->ftl, sector, to, count);
    if (structure && !err)
        folder_cache_put(&v->folders, sector, to);
    return err;
}

static int flash_disk_write(void *ctx, uint32_t sector, const uint8_t *from,
                            uint32_t count, bool structure)
{
    struct volumes *v = ctx;
    int err = ftl_write(&v->ftl, sector, from, count);
    if (structure && !err)
        folder_cache_put(&v->folders, sector, from);
    else
        folder_cache_drop(&v->folders, sector, count);
    return err;
}

static int card_disk_read(void *ctx, uint32_t sector, uint8_t *to,
                          uint32_t count, bool structure)
{
    struct volumes *v = ctx;
    return structure ? card_cache_get(&v->card, sector, to)
                     : card_cache_read(&v->card, sector, to, count);
}

static int card_disk_write(void *ctx, uint32_t sector, const uint8_t *from,
                           uint32_t count, bool structure)
{
    struct volumes *v = ctx;
    return structure ? card_cache_put(&v->card, sector, from)
                     : card_cache_write(&v->card, sector, from, count);
}

struct fat_disk volume_card_disk(struct volumes *v)
{
    const struct volume_card *c = &v->config.card;
    card_cache_init(&v->card, c, v->card_memory, v->card_memory_size);
    return (struct fat_disk){.ctx = v,
                             .sectors = c->sectors(c->ctx),
                             .read = card_disk_read,
                             .write = card_disk_write,
                             .now = disk_now,
                             .readonly = c->readonly(c->ctx)};
}

struct fat_disk volume_flash_disk(struct volumes *v)
{
    folder_cache_clear(&v->folders);
    return (struct fat_disk){.ctx = v,
                             .sectors = v->ftl.sectors,
                             .read = flash_disk_read,
                             .write = flash_disk_write,
                             .now = disk_now,
                             .readonly = v->ftl.readonly};
}
