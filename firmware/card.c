#include "firmware/card.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

_Static_assert((int)VOLUME_CARD_MEMORY <= (int)BUS_CARD_MEMORY,
               "the volumes' need is met");

struct card {
    struct bus_cpu *bus;
    uint8_t *memory;    /* of BUS_FD_CARD */
    uint32_t insertion; /* that the volumes know of */
};

static uint32_t insertions(void *ctx)
{
    struct card *card = ctx;
    card->insertion = card->bus->board->sd_present;
    return card->insertion;
}

static uint64_t sectors(void *ctx)
{
    const struct card *card = ctx;
    return card->bus->board->sd_sectors;
}

static bool readonly(void *ctx)
{
    const struct card *card = ctx;
    return card->bus->board->sd_readonly;
}

static uint32_t place_of(const struct card *card, const void *data)
{
    return (uint32_t)((const uint8_t *)data - card->memory);
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    const struct card *card = ctx;
    struct bus_card_part list[2] = {{.sector = card->insertion},
                                    {sector, count, place_of(card, to)}};
    return bus_call(card->bus, BUS_CARD_READ, 0, sizeof list, list, NULL);
}

static int card_store(void *ctx, const struct volume_card_part *parts,
                      unsigned count, bool sync)
{
    const struct card *card = ctx;
    struct bus_card_part list[BUS_CARD_PARTS] = {{.sector = card->insertion}};
    if (count >= BUS_CARD_PARTS)
        return WIPY_EINVAL;
    for (unsigned i = 0; i < count; i++)
        list[1 + i] = (struct bus_card_part){parts[i].sector, parts[i].count,
                                             place_of(card, parts[i].from)};
    return bus_call(card->bus, BUS_CARD_WRITE, sync,
                    (1 + count) * (uint32_t)sizeof list[0], list, NULL);
}

struct volume_card card_of(struct bus_cpu *bus)
{
    static struct card card; /* one slot */
    /* Of an older board it is smaller: an update may be newer than that. */
    off_t size = lseek(BUS_FD_CARD, 0, SEEK_END);
    if (size < VOLUME_CARD_MEMORY_LEAST)
        return (struct volume_card){0}; /* a board without a slot */
    void *memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
                        BUS_FD_CARD, 0);
    if (memory == MAP_FAILED)
        return (struct volume_card){0};
    card = (struct card){.bus = bus, .memory = memory};
    return (struct volume_card){
        .ctx = &card,
        .insertions = insertions,
        .sectors = sectors,
        .readonly = readonly,
        .read = card_read,
        .store = card_store,
        .memory = memory,
        .memory_size = (size_t)size,
    };
}

uint8_t *card_spare_memory(const struct volume_card *card, size_t len)
{
    bool there = card->memory && card->memory_size >= VOLUME_CARD_MEMORY + len;
    return there ? card->memory + VOLUME_CARD_MEMORY : NULL;
}
