#include "firmware/card.h"

enum { SECTOR = 512, SECTORS_PER_CALL = BUS_PAYLOAD_MAX / SECTOR };

static uint32_t insertions(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return bus->board->sd_present;
}

static uint64_t sectors(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return bus->board->sd_sectors;
}

static bool readonly(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return bus->board->sd_readonly;
}

static uint32_t part_of(uint32_t count)
{
    return count < SECTORS_PER_CALL ? count : SECTORS_PER_CALL;
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    uint8_t *at = to;
    int err = 0;
    while (count && err == 0) {
        uint32_t part = part_of(count);
        err = bus_call(ctx, BUS_SD_READ, sector, part * SECTOR, NULL, at);
        sector += part;
        at += part * SECTOR;
        count -= part;
    }
    return err;
}

static int card_write(void *ctx, uint32_t sector, const void *from,
                      uint32_t count)
{
    const uint8_t *at = from;
    int err = 0;
    while (count && err == 0) {
        uint32_t part = part_of(count);
        err = bus_call(ctx, BUS_SD_WRITE, sector, part * SECTOR, at, NULL);
        sector += part;
        at += part * SECTOR;
        count -= part;
    }
    return err;
}

static int card_sync(void *ctx)
{
    return bus_call(ctx, BUS_SD_SYNC, 0, 0, NULL, NULL);
}

struct volume_card card_of(struct bus_cpu *bus)
{
    return (struct volume_card){
        .ctx = bus,
        .insertions = insertions,
        .sectors = sectors,
        .readonly = readonly,
        .read = card_read,
        .write = card_write,
        .sync = card_sync,
    };
}
