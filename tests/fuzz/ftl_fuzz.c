/* The translation layer over a chip that says anything: a sound volume,
 * damaged, some of it with its check sums mended so that it is believed. */
#include <stdlib.h>

#include "base/crc.h"
#include "board/chip.h"
#include "flash/fattrim.h"
#include "flash/ftl.h"
#include "patch.h"

enum { UNITS = FTL_UNITS_MIN, SIZE = UNITS * FTL_UNIT };

static uint8_t cells[SIZE], sound[SIZE];
static uint64_t memory[(SIZE / FTL_UNIT * 80 + 64) / 8];
static struct ftl ftl;
static struct fattrim trim;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void make_sound(const struct flash *flash)
{
    uint8_t sector[FTL_SECTOR] = {0};
    memset(cells, 0xFF, SIZE);
    if (ftl_format(&ftl, flash, 0, SIZE, memory, sizeof memory))
        abort();
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t lba = i < 150 ? i : i % 20;
        sector[i % 512] = (uint8_t)(i + 1);
        if (i % 40 == 3)
            for (int k = 0; k < FTL_SECTOR; k++)
                sector[k] = (uint8_t)(i * (uint32_t)k);
        if (ftl_write(&ftl, lba, sector, 1) || ftl_commit(&ftl))
            abort();
    }
    memcpy(sound, cells, SIZE);
}

/* Where the `nth` record of a unit begins, as far as lengths lead. */
static uint32_t record_of(uint32_t unit, uint32_t nth)
{
    uint32_t at = unit * FTL_UNIT + 32, end = (unit + 1) * FTL_UNIT - 600;
    for (; nth > 0 && at < end; nth--) {
        uint32_t size = get_u16(cells + at + 10);
        at += (cells[at + 5] & 15) == 1 ? 20 : 16 + size % 400;
    }
    return at < end ? at : unit * FTL_UNIT + 32;
}

/* Kind 4: a byte of a header; 5: of a record; the check sum is mended. */
static void mend(const struct patch *p)
{
    uint32_t unit = p->at % UNITS, at = unit * FTL_UNIT;
    uint8_t low = (uint8_t)p->value, high = (uint8_t)(p->value >> 8);
    if (p->kind % 6 == 4) {
        cells[at + high % 24] = low;
        put_u32(cells + at + 24, crc32_add(0, cells + at, 24));
        return;
    }
    at = record_of(unit, p->at / UNITS % 64);
    cells[at + high % 12] = low;
    uint32_t size =
        (cells[at + 5] & 15) == 1 ? 16 : 12 + get_u16(cells + at + 10) % 400;
    uint8_t alive = cells[at + 5];
    cells[at + 5] |= 0x40;
    uint32_t crc = crc32_add(0, cells + at, size);
    cells[at + 5] = alive;
    put_u32(cells + at + size, crc);
}

static void use(void)
{
    uint8_t sector[FTL_SECTOR], back[FTL_SECTOR];
    struct ftl_stats stats;
    for (uint32_t lba = 0; lba < ftl.sectors; lba++)
        ftl_read(&ftl, lba, sector, 1);
    ftl_get_stats(&ftl, &stats);
    uint32_t written = 0;
    for (; written < 30 && written < ftl.sectors; written++) {
        memset(sector, (int)written + 1, sizeof sector);
        if (ftl_write(&ftl, written, sector, 1))
            return;
        if (written % 3 == 0 && ftl_commit(&ftl))
            return;
    }
    if (ftl_commit(&ftl))
        return;
    for (uint32_t lba = 0; lba < written; lba++) {
        memset(sector, (int)lba + 1, sizeof sector);
        if (ftl_read(&ftl, lba, back, 1) || memcmp(sector, back, sizeof back))
            abort(); /* a commit that succeeded must hold */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct chip chip;
    static int made;
    chip_init(&chip, cells, SIZE, 1);
    struct flash flash = chip_flash(&chip);
    if (!made)
        make_sound(&flash);
    made = 1;
    memcpy(cells, sound, SIZE);
    struct reader r = reader_of(data, len);
    struct patch p;
    for (int i = 0; i < 200 && patch_next(&r, &p); i++)
        if (p.kind % 6 < 4)
            patch_apply(&p, cells, SIZE);
        else
            mend(&p);
    if (ftl_mount(&ftl, &flash, 0, SIZE, memory, sizeof memory))
        return 0;
    fattrim_attach(&trim, &ftl);
    use();
    if (ftl_mount(&ftl, &flash, 0, SIZE, memory, sizeof memory) == 0)
        use();
    return 0;
}
