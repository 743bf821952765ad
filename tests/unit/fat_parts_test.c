/* What the layers below FatFs know of FAT: which clusters are free, for the
 * translation layer, and whether a volume is sound, for `wipy fs check`. FAT12
 * as on a small partition, FAT16 as on every board. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "flash/fatcheck.h"
#include "flash/fattrim.h"
#include "sim/fs_chip.h"

enum { SECTOR = 512, END12 = 0xFFF, END16 = 0xFFFF };

struct layout {
    uint32_t units, fat_sectors, root_entries;
    bool fat16;
};

static const struct layout layouts[] = {
    {48, 2, 64, false}, /* entries lie in both sectors of the FAT */
    {512, 26, 1024, true},
};

struct volume {
    const struct layout *layout;
    uint32_t sectors, root, data, clusters;
    uint8_t *image;
};

static struct volume volume_new(const struct layout *l)
{
    struct volume v = {.layout = l, .sectors = FTL_SECTORS(l->units)};
    v.root = 1 + l->fat_sectors;
    v.data = v.root + l->root_entries / 16;
    v.clusters = v.sectors - v.data;
    v.image = calloc(v.sectors, SECTOR);
    uint8_t *boot = v.image;
    put_u16(boot + 11, SECTOR);
    boot[13] = boot[14] = boot[16] = 1; /* cluster, reserved, FATs */
    put_u16(boot + 17, (uint16_t)l->root_entries);
    put_u32(boot + 32, v.sectors);
    put_u16(boot + 22, (uint16_t)l->fat_sectors);
    put_u16(boot + 510, 0xAA55);
    return v;
}

static void set_entry(struct volume *v, uint32_t cluster, uint32_t value)
{
    uint8_t *fat = v->image + SECTOR;
    if (v->layout->fat16) {
        put_u16(fat + cluster * 2, (uint16_t)value);
        return;
    }
    uint8_t *at = fat + cluster + cluster / 2;
    uint32_t pair = get_u16(at);
    pair = cluster & 1 ? (pair & 0xF) | value << 4 : (pair & 0xF000) | value;
    put_u16(at, (uint16_t)pair);
}

static uint32_t end_of(const struct volume *v)
{
    return v->layout->fat16 ? END16 : END12;
}

/* ---- trimming ---- */

static void store(struct ftl *ftl, const struct volume *v, uint32_t from,
                  uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        if (ftl_tx_room(ftl) == 0)
            assert_int_equal(ftl_commit(ftl), 0);
        assert_int_equal(ftl_write(ftl, i, v->image + i * SECTOR, 1), 0);
    }
    assert_int_equal(ftl_commit(ftl), 0);
}

static void assert_mapped(const struct ftl *ftl, const struct volume *v,
                          const bool *used)
{
    for (uint32_t c = 2; c < v->clusters + 2; c++)
        assert_int_equal(ftl_is_mapped(ftl, v->data + c - 2), used[c]);
}

static void what_is_free_is_trimmed(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct volume v = volume_new(&layouts[k]);
        const uint32_t size = v.layout->units * FTL_UNIT;
        struct ftl *ftl = calloc(1, sizeof *ftl);
        void *memory = malloc(FTL_MEMORY(size));
        bool *used = calloc(v.clusters + 2, sizeof *used);
        struct fs_chip chip;
        struct fattrim trim;
        uint32_t seed = 5;
        fs_chip_make(&chip, size);
        assert_int_equal(
            ftl_format(ftl, &chip.flash, 0, size, memory, FTL_MEMORY(size)), 0);
        for (uint32_t c = 2; c < v.clusters + 2; c++, used[c - 1] = true) {
            set_entry(&v, c, end_of(&v));
            v.image[(v.data + c - 2) * SECTOR] = 1;
        }
        store(ftl, &v, 0, v.sectors);
        fattrim_attach(&trim, ftl);
        assert_true(trim.valid);
        assert_int_equal(trim.fat16, v.layout->fat16);
        assert_mapped(ftl, &v, used);
        for (int round = 0; round < 4; round++) {
            for (uint32_t c = 2; c < v.clusters + 2; c++)
                if (fs_random(&seed, 3) == 0) {
                    set_entry(&v, c, 0);
                    used[c] = false;
                }
            store(ftl, &v, 1, v.layout->fat_sectors);
            assert_mapped(ftl, &v, used);
        }
        /* After a mount all is there again, until it is trimmed; what is only
         * read is not: its FAT may have lost what it says is free. */
        assert_int_equal(
            ftl_mount(ftl, &chip.flash, 0, size, memory, FTL_MEMORY(size)), 0);
        ftl->readonly = true;
        fattrim_attach(&trim, ftl);
        for (uint32_t c = 2; c < v.clusters + 2; c++)
            assert_true(ftl_is_mapped(ftl, v.data + c - 2));
        ftl->readonly = false;
        fattrim_attach(&trim, ftl);
        assert_mapped(ftl, &v, used);
        fs_chip_free(&chip);
        free(v.image), free(ftl), free(memory), free(used);
    }
}

/* ---- checking ---- */

struct told {
    const char *text; /* of the first problem */
};

static void problem(void *ctx, const char *text, uint32_t cluster)
{
    struct told *t = ctx;
    (void)cluster;
    t->text = t->text ? t->text : text;
}

static uint8_t *put_file(uint8_t *at, uint8_t attributes, uint32_t first,
                         uint32_t size)
{
    memcpy(at, "NAME    TXT", 11);
    at[11] = attributes;
    put_u16(at + 26, (uint16_t)first);
    put_u32(at + 28, size);
    return at + 32;
}

enum { DIR = 0x10, LABEL = 0x08, LONG = 0x0F };

/* A file of three clusters, an empty one, a folder with a file in it. */
static struct volume sound_volume(const struct layout *l)
{
    struct volume v = volume_new(l);
    uint8_t *e = v.image + v.root * SECTOR;
    e = put_file(e, LABEL, 0, 0);
    e = put_file(e, LONG, 0, 0);
    *e = 0xE5; /* removed */
    e = put_file(e + 32, 0, 2, 3 * SECTOR - 1);
    e = put_file(e, 0, 0, 0);
    put_file(e, DIR, 10, 0);
    set_entry(&v, 2, 3), set_entry(&v, 3, 300), set_entry(&v, 300, end_of(&v));
    e = v.image + (v.data + 10 - 2) * SECTOR;
    e = put_file(e, DIR, 10, 0);
    e[-32] = '.';
    put_file(e, 0, 11, SECTOR);
    set_entry(&v, 10, end_of(&v)), set_entry(&v, 11, end_of(&v));
    return v;
}

static const char *check(struct volume *v, int want)
{
    static uint8_t scratch[FATCHECK_SCRATCH];
    struct told told = {NULL};
    struct fatcheck c = {.problem = problem, .ctx = &told};
    assert_int_equal(fatcheck_run(&c, v->image, v->sectors, scratch), want);
    if (want == 0) {
        assert_int_equal(c.files, 3);
        assert_int_equal(c.folders, 1);
        assert_int_equal(c.used, 5);
        assert_int_equal(c.clusters, v->clusters);
    }
    return told.text ? told.text : "";
}

static void each_problem_is_told(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        static const struct {
            uint32_t cluster, entry;
            const char *say;
        } rows[] = {
            {3, 1, "a chain leads outside the volume or to a free cluster"},
            {3, 0, "a chain leads outside the volume or to a free cluster"},
            {3, 0xF00, "a chain leads outside the volume or to a free cluster"},
            {3, 2, "two chains meet in one cluster"}, /* a ring */
            {11, 2, "two chains meet in one cluster"},
            {2, 0xFFF, "a file is longer than its chain"},
            {300, 301, "a file is shorter than its chain"},
            {10, 10, "two chains meet in one cluster"}, /* a folder's */
            {20, 0xFFF, "a cluster belongs to no file"},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct volume v = sound_volume(&layouts[k]);
            assert_string_equal(check(&v, 0), "");
            uint32_t entry = rows[i].entry;
            entry = entry == 0xFFF   ? end_of(&v)
                    : entry == 0xF00 ? v.clusters + 2
                                     : entry;
            set_entry(&v, rows[i].cluster, entry);
            if (entry == 301)
                set_entry(&v, 301, end_of(&v));
            assert_string_equal(check(&v, WIPY_ECORRUPT), rows[i].say);
            free(v.image);
        }
    }
}

/* A folder in a folder in a folder: it ends somewhere. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    struct volume v = volume_new(&layouts[0]);
    put_file(v.image + v.root * SECTOR, DIR, 2, 0);
    for (uint32_t c = 2; c < 102; c++) {
        set_entry(&v, c, END12);
        put_file(v.image + (v.data + c - 2) * SECTOR, DIR, c + 1, 0);
    }
    assert_string_equal(check(&v, WIPY_ECORRUPT),
                        "folders are nested too deeply");
    free(v.image);
}

/* Nothing of a boot sector is believed: no volume, and nothing is trimmed. */
static void boot_sectors_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned at, len;
        uint32_t value;
    } rows[] = {
        {510, 2, 0}, {11, 2, 1024}, {13, 1, 0},      {14, 2, 0},
        {16, 1, 0},  {16, 1, 3},    {22, 2, 0},      {32, 4, 0xFFFFFFFF},
        {32, 4, 3},  {22, 2, 1},    {14, 2, 0xFFFF}, {17, 2, 0xFFFF},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct volume v = sound_volume(&layouts[0]);
        for (unsigned b = 0; b < rows[i].len; b++)
            v.image[rows[i].at + b] = (uint8_t)(rows[i].value >> 8 * b);
        check(&v, WIPY_EFORMAT);
        const uint32_t size = v.layout->units * FTL_UNIT;
        struct ftl *ftl = calloc(1, sizeof *ftl);
        void *memory = malloc(FTL_MEMORY(size));
        struct fs_chip chip;
        struct fattrim trim;
        fs_chip_make(&chip, size);
        assert_int_equal(
            ftl_format(ftl, &chip.flash, 0, size, memory, FTL_MEMORY(size)), 0);
        store(ftl, &v, 0, v.sectors);
        fattrim_attach(&trim, ftl);
        assert_false(trim.valid);
        assert_true(ftl_is_mapped(ftl, v.sectors - 1));
        fs_chip_free(&chip);
        free(v.image), free(ftl), free(memory);
    }
    struct volume v = sound_volume(&layouts[0]);
    v.sectors = 7;
    check(&v, WIPY_EFORMAT);
    free(v.image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_free_is_trimmed),
        cmocka_unit_test(each_problem_is_told),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(boot_sectors_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
