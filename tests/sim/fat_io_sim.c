/* One open file on FatFs: reads, writes, seeks and truncations of any length at
 * any place are those of an array, though whole sectors never pass through
 * FatFs's own memory. On the flash's kind of volume and on a card's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/volume/fat.h"

enum { FILE_MAX = 300000, STEPS = 4000 };

struct disk {
    uint8_t *data;
    uint32_t sectors;
    unsigned moved; /* sectors of files */
};

static uint8_t model[FILE_MAX], buffer[FAT_IO_MAX];

static int disk_read(void *ctx, uint32_t sector, uint8_t *to, uint32_t count,
                     bool structure)
{
    struct disk *d = ctx;
    assert_true(sector + count <= d->sectors);
    memcpy(to, d->data + (size_t)sector * FAT_SECTOR,
           (size_t)count * FAT_SECTOR);
    d->moved += structure ? 0 : count;
    return 0;
}

static int disk_write(void *ctx, uint32_t sector, const uint8_t *from,
                      uint32_t count, bool structure)
{
    struct disk *d = ctx;
    assert_true(sector + count <= d->sectors);
    memcpy(d->data + (size_t)sector * FAT_SECTOR, from,
           (size_t)count * FAT_SECTOR);
    d->moved += structure ? 0 : count;
    return 0;
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return 1420070400;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)rand() % limit;
}

/* Often a sector's boundary, often a few bytes. */
static uint32_t some_length(void)
{
    uint32_t most = below(2) ? 700 : FAT_IO_MAX;
    uint32_t len = 1 + below(most);
    return below(3) ? len : (len + FAT_SECTOR - 1) / FAT_SECTOR * FAT_SECTOR;
}

static void write_some(struct fat *fat, uint32_t at, uint32_t *size)
{
    uint32_t len = some_length(), put;
    if (len > FILE_MAX - at)
        len = FILE_MAX - at;
    for (uint32_t i = 0; i < len; i++)
        buffer[i] = (uint8_t)rand();
    assert_int_equal(fat_write(fat, 0, buffer, len, &put), FAT_OK);
    assert_int_equal(put, len);
    memcpy(model + at, buffer, len);
    if (at + len > *size)
        *size = at + len;
}

static void read_some(struct fat *fat, uint32_t at, uint32_t size)
{
    uint32_t len = some_length(), got;
    uint32_t want = len < size - at ? len : size - at;
    memset(buffer, 0xA5, sizeof buffer);
    assert_int_equal(fat_read(fat, 0, buffer, len, &got), FAT_OK);
    assert_int_equal(got, want);
    assert_memory_equal(buffer, model + at, want);
    for (uint32_t i = want; i < sizeof buffer; i++)
        assert_int_equal(buffer[i], 0xA5);
}

static void step(struct fat *fat, uint32_t *size)
{
    uint32_t at = (uint32_t)fat_tell(fat, 0);
    if (below(4)) { /* often back into the sector in the file's buffer */
        at = below(2) ? below(*size + 1) : at - below(at % 1500 + 1);
        at = below(2) ? at : at / FAT_SECTOR * FAT_SECTOR;
        assert_int_equal(fat_seek(fat, 0, at), FAT_OK);
    }
    switch (below(40)) {
    case 0:
        assert_int_equal(fat_truncate(fat, 0), FAT_OK);
        *size = at;
        break;
    case 1:
        assert_int_equal(fat_sync(fat, 0), FAT_OK);
        break;
    default:
        if (below(2))
            write_some(fat, at, size);
        else
            read_some(fat, at, *size);
    }
    assert_int_equal(fat_size(fat, 0), *size);
}

static void file_is_an_array(uint32_t sectors, bool card)
{
    struct disk d = {.sectors = sectors};
    d.data = calloc(sectors, FAT_SECTOR);
    assert_non_null(d.data);
    const struct fat_disk disk = {.ctx = &d,
                                  .sectors = sectors,
                                  .read = disk_read,
                                  .write = disk_write,
                                  .now = now};
    struct fat *fat = fat_new(&disk);
    uint32_t size = 0;
    assert_int_equal(card ? fat_make_card(fat) : fat_make_flash(fat, 512), 0);
    assert_int_equal(fat_mount(fat), FAT_OK);
    assert_int_equal(
        fat_open(fat, 0, "/f", FAT_READ | FAT_WRITE | FAT_CREATE_ALWAYS), 0);
    for (int i = 0; i < STEPS; i++)
        step(fat, &size);
    printf("%u sectors of contents moved, %s\n", d.moved,
           card ? "card" : "flash");
    assert_int_equal(fat_close(fat, 0), FAT_OK);
    fat_free(fat);
    free(d.data);
}

static void on_flash(void **state)
{
    (void)state;
    file_is_an_array(6000, false);
}

static void on_cards(void **state)
{
    (void)state;
    file_is_an_array(20000, true);
    file_is_an_array(2000000, true); /* FAT32 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_flash),
        cmocka_unit_test(on_cards),
    };
    srand(20150101);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
