/* The settings store over a partition that says anything. */
#include <stdlib.h>

#include "base/crc.h"
#include "board/chip.h"
#include "flash/nvs.h"
#include "patch.h"

enum { SIZE = 0x7000 };

static uint8_t cells[SIZE], sound[SIZE];
static struct nvs nvs;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void make_sound(const struct flash *flash)
{
    char key[4] = "k0";
    uint8_t value[600];
    memset(cells, 0xFF, SIZE);
    memset(value, 'v', sizeof value);
    if (nvs_open(&nvs, flash, 0, SIZE))
        abort();
    for (int i = 0; i < 120; i++) {
        key[1] = (char)('a' + i % 17);
        value[0] = (uint8_t)i;
        if (i % 3 == 0)
            nvs_set_int(&nvs, NVS_BOARD, key, i);
        else
            nvs_set_bytes(&nvs, NVS_PYTHON, key, value, (size_t)(i * 5));
    }
    nvs_erase(&nvs, NVS_PYTHON, "kb");
    memcpy(sound, cells, SIZE);
}

/* Kind 4: a record's head; 5: a sector's order; the check sum is mended. */
static void mend(const struct patch *p)
{
    uint8_t *sector = cells + p->at % 7 * FLASH_SECTOR;
    uint8_t low = (uint8_t)p->value, high = (uint8_t)(p->value >> 8);
    if (p->kind % 6 == 5) {
        sector[4 + high % 4] = low;
        put_u32(sector + 8, crc32_add(0, sector, 8));
        return;
    }
    uint32_t at = 16;
    for (uint32_t n = p->at / 7 % 40; n > 0 && at < 3000; n--)
        at += (8u + sector[at + 2] + get_u16(sector + at + 4) % 600 + 7) & ~3u;
    if (at >= 3000)
        at = 16;
    sector[at + high % 8] = low;
    uint32_t end = 8u + sector[at + 2] + get_u16(sector + at + 4);
    if (at + end + 4 <= FLASH_SECTOR)
        put_u32(sector + at + end, crc32_add(0, sector + at, end));
}

static bool look(void *ctx, const char *key, enum nvs_type type, uint32_t len)
{
    static uint8_t value[NVS_VALUE_MAX];
    int32_t number;
    (void)ctx;
    if (type == NVS_BYTES &&
        nvs_get_bytes(&nvs, NVS_PYTHON, key, value, sizeof value) > (int)len)
        abort();
    nvs_get_int(&nvs, NVS_PYTHON, key, &number);
    return true;
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
    for (int i = 0; i < 100 && patch_next(&r, &p); i++)
        if (p.kind % 6 < 4)
            patch_apply(&p, cells, SIZE);
        else
            mend(&p);
    int32_t number = 0;
    if (nvs_open(&nvs, &flash, 0, SIZE))
        return 0;
    nvs_list(&nvs, NVS_PYTHON, look, NULL);
    if (nvs_set_int(&nvs, NVS_BOARD, "ka", 4711) == 0 &&
        (nvs_get_int(&nvs, NVS_BOARD, "ka", &number) || number != 4711))
        abort();
    uint8_t value[1500] = {1, 2, 3};
    for (int i = 0; i < 4; i++) /* two sectors of it */
        nvs_set_bytes(&nvs, NVS_PYTHON, "big", value, sizeof value - (size_t)i);
    nvs_erase_all(&nvs, NVS_PYTHON);
    nvs_set_int(&nvs, NVS_PYTHON, "last", 42);
    if (nvs_open(&nvs, &flash, 0, SIZE))
        abort(); /* what it wrote itself it can open */
    if (nvs_get_int(&nvs, NVS_PYTHON, "last", &number) == 0 && number != 42)
        abort();
    return 0;
}
