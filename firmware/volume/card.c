#include "card.h"

#include "base/err.h"

enum { SECTOR = 512, SECTORS_A_CALL = BUS_PAYLOAD_MAX / SECTOR };

static uint32_t insertions(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return atomic_load(&bus->board->sd_present);
}

static uint64_t sectors(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return bus->board->sd_sectors;
}

static bool is_readonly(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return bus->board->sd_readonly != 0;
}

static int transfer(struct bus_cpu *bus, enum bus_op op, uint32_t sector,
                    const uint8_t *from, uint8_t *to, uint32_t count)
{
    while (count > 0) {
        uint32_t n = count < SECTORS_A_CALL ? count : SECTORS_A_CALL;
        int err = bus_call(bus, op, sector, n * SECTOR, from, to);
        if (err)
            return err;
        sector += n;
        count -= n;
        from = from ? from + n * SECTOR : NULL;
        to = to ? to + n * SECTOR : NULL;
    }
    return 0;
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    return transfer(ctx, BUS_SD_READ, sector, NULL, to, count);
}

static int card_write(void *ctx, uint32_t sector, const void *from,
                      uint32_t count)
{
    return transfer(ctx, BUS_SD_WRITE, sector, from, NULL, count);
}

static int card_sync(void *ctx)
{
    return bus_call(ctx, BUS_SD_SYNC, 0, 0, NULL, NULL);
}

struct volume_card card_of_bus(struct bus_cpu *bus)
{
    return (struct volume_card){.ctx = bus,
                                .insertions = insertions,
                                .sectors = sectors,
                                .readonly = is_readonly,
                                .read = card_read,
                                .write = card_write,
                                .sync = card_sync};
}
