/* The translation layer on flash that changed by itself. A volume long in use
 * is damaged in one place and mounted: every sector holds what was committed,
 * or reading it fails, or the volume is read-only and says why, and then
 * nothing on the chip was changed. What is none of these is "silent": counted,
 * and only where docs/FORMATS.md says that it cannot be told from a power cut.
 *
 * `ftl_damage_sim SEEDS` does it for so many volumes. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "flash/ftl.h"
#include "fs_chip.h"

enum {
    UNITS = 64,
    SIZE = UNITS * FTL_UNIT,
    SECTORS = FTL_SECTORS(UNITS),
    FLIPS = 700,
    PAGES = SIZE / FLASH_PAGE,
    NOWHERE = 0xFFFFFFFF,
};

enum outcome { SAME, READ_ERROR, READ_ONLY, NO_VOLUME, SILENT, OUTCOMES };

struct world {
    struct fs_chip chip;
    struct flash sound; /* the chip before reads fail */
    struct ftl ftl;
    void *memory;
    uint32_t unreadable; /* 4 KiB sector, or NOWHERE */
    uint8_t want[SECTORS][FTL_SECTOR];
    uint8_t cells[SIZE], after[SIZE];
    uint32_t last; /* of the records: where the last commit is */
};

/* All of what is read must be readable, not only where it begins. */
static int read_some(void *ctx, flash_off off, void *to, size_t len)
{
    struct world *w = ctx;
    uint32_t bad = w->unreadable;
    if (bad != NOWHERE && off / FLASH_SECTOR <= bad &&
        (off + len - 1) / FLASH_SECTOR >= bad)
        return WIPY_EIO;
    return flash_read(&w->sound, off, to, len);
}

static int program_some(void *ctx, flash_off off, const void *from, size_t len)
{
    return flash_program(&((struct world *)ctx)->sound, off, from, len);
}

static int erase_some(void *ctx, flash_off off, size_t len)
{
    return flash_erase(&((struct world *)ctx)->sound, off, len);
}

static int mount_it(struct world *w)
{
    return ftl_mount(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                     FTL_MEMORY(SIZE));
}

static void write_some(struct world *w, uint32_t *seed)
{
    uint32_t count = 1 + fs_random(seed, 9);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lba =
            fs_random(seed, fs_random(seed, 3) ? 60 : SECTORS * 3 / 4);
        uint8_t *data = w->want[lba];
        if (fs_random(seed, 2))
            data[fs_random(seed, 512)] = (uint8_t)fs_random(seed, 256);
        else
            for (int k = 0; k < FTL_SECTOR; k++)
                data[k] = (uint8_t)fs_random(seed, 256);
        assert_int_equal(ftl_write(&w->ftl, lba, data, 1), 0);
    }
    assert_int_equal(ftl_commit(&w->ftl), 0);
}

static struct world *world_new(uint32_t seed, int life)
{
    struct world *w = calloc(1, sizeof *w);
    fs_chip_make(&w->chip, SIZE);
    w->memory = malloc(FTL_MEMORY(SIZE));
    w->unreadable = NOWHERE;
    w->sound = w->chip.flash;
    w->chip.flash.ctx = w;
    w->chip.flash.read = read_some;
    w->chip.flash.program = program_some;
    w->chip.flash.erase = erase_some;
    w->chip.flash.sync = NULL;
    assert_int_equal(ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                                FTL_MEMORY(SIZE)),
                     0);
    for (int i = 0; i < life; i++)
        write_some(w, &seed);
    memcpy(w->cells, w->chip.chip.cells, SIZE);
    w->last = w->ftl.mark & (SIZE - 1);
    return w;
}

static void world_free(struct world *w)
{
    fs_chip_free(&w->chip);
    free(w->memory);
    free(w);
}

static void restore(struct world *w)
{
    memcpy(w->chip.chip.cells, w->cells, SIZE);
    w->unreadable = NOWHERE;
}

static enum outcome read_all(struct world *w)
{
    uint8_t got[FTL_SECTOR];
    enum outcome all = SAME;
    for (uint32_t lba = 0; lba < SECTORS; lba++) {
        if (ftl_read(&w->ftl, lba, got, 1))
            all = READ_ERROR;
        else if (memcmp(got, w->want[lba], FTL_SECTOR) != 0)
            return SILENT;
    }
    return all;
}

/* The chip is damaged already. */
static enum outcome look(struct world *w)
{
    memcpy(w->after, w->chip.chip.cells, SIZE);
    int err = mount_it(w);
    bool changed = memcmp(w->after, w->chip.chip.cells, SIZE) != 0;
    if (err || w->ftl.readonly) {
        assert_true(!changed || w->ftl.stats.healed > 0);
        assert_true(err == 0 || err == WIPY_EFORMAT); /* no ENOENT */
        return err ? NO_VOLUME : READ_ONLY;
    }
    return read_all(w);
}

struct tally {
    unsigned count[OUTCOMES];
};

static void report(const char *what, const struct tally *t)
{
    print_message("%-34s %5u as committed, %4u with read errors, %4u "
                  "read-only, %2u no volume, %3u silent\n",
                  what, t->count[SAME], t->count[READ_ERROR],
                  t->count[READ_ONLY], t->count[NO_VOLUME], t->count[SILENT]);
}

static unsigned option_seeds = 1;

static void unreadable_sectors(void **state)
{
    (void)state;
    struct tally t = {{0}};
    for (uint32_t seed = 1; seed <= option_seeds; seed++) {
        struct world *w = world_new(seed, 900);
        for (uint32_t s = 0; s < SIZE / FLASH_SECTOR; s++) {
            restore(w);
            w->unreadable = s;
            t.count[look(w)]++;
        }
        world_free(w);
    }
    report("4 KiB sector unreadable", &t);
    assert_int_equal(t.count[SILENT], 0);
    assert_true(t.count[READ_ONLY] > 0);
}

static enum outcome flip(struct world *w, uint32_t bit)
{
    restore(w);
    w->chip.chip.cells[bit / 8] ^= (uint8_t)(1 << bit % 8);
    return look(w);
}

/* Bytes of the record there. */
static uint32_t record_len(const struct world *w, uint32_t at)
{
    return (w->cells[at + 5] & 15) == 1 ? 20 : 16 + get_u16(w->cells + at + 10);
}

static void flip_bytes(struct world *w, uint32_t from, uint32_t len,
                       struct tally *t)
{
    for (uint32_t bit = from * 8; bit < (from + len) * 8; bit++)
        t->count[flip(w, bit)]++;
}

/* The bit that says a record happened is under no check sum. */
static void flip_alive(struct world *w, uint32_t unit, struct tally *t)
{
    uint32_t at = unit * FTL_UNIT + 32;
    while (w->cells[at + 5] != 0xFF && w->cells[at + 5] != 0) {
        t->count[flip(w, (at + 5) * 8 + 6)]++;
        at += record_len(w, at);
    }
}

static void single_bits(void **state)
{
    (void)state;
    struct tally any = {{0}}, header = {{0}}, first = {{0}}, last = {{0}},
                 alive = {{0}}, fresh = {{0}};
    for (uint32_t seed = 1; seed <= option_seeds; seed++) {
        struct world *w = world_new(seed, 900);
        uint32_t random = seed;
        for (int i = 0; i < FLIPS; i++)
            any.count[flip(w, fs_random(&random, SIZE * 8))]++;
        flip_bytes(w, w->last & ~(FTL_UNIT - 1u), 32, &header);
        flip_bytes(w, 7 * FTL_UNIT + 32, 88, &first);
        flip_bytes(w, w->last, record_len(w, w->last), &last);
        for (uint32_t unit = 0; unit < UNITS; unit += 4)
            flip_alive(w, unit, &alive);
        world_free(w);
        w = world_new(seed, 1);
        flip_bytes(w, 0, w->last + record_len(w, w->last), &fresh);
        world_free(w);
    }
    report("a bit anywhere", &any);
    report("each bit of a header", &header);
    report("each bit of a log's first records", &first);
    report("each bit of the last commit", &last);
    report("a record's alive bit", &alive);
    report("each bit of a new volume's log", &fresh);
    assert_true(any.count[SILENT] * 500 <= FLIPS * option_seeds);
    assert_int_equal(header.count[SILENT], 0);
    /* The alive bit of the very last record. */
    assert_true(first.count[SILENT] <= option_seeds);
    assert_true(last.count[SILENT] <= option_seeds);
    assert_true(alive.count[SILENT] <= UNITS / 4 * option_seeds);
    assert_int_equal(fresh.count[SILENT], 0);
}

/* What is broken at the end of a unit's log looks like a power cut, and a unit
 * whose head is blank like one whose erase was cut short. */
static void whole_pages(void **state)
{
    (void)state;
    static const char *const ways[] = {"page blank", "page all zeros",
                                       "page garbled", "16 bytes garbled"};
    for (int way = 0; way < 4; way++) {
        struct tally t = {{0}};
        for (uint32_t seed = 1; seed <= option_seeds; seed++) {
            struct world *w = world_new(seed, 900);
            uint32_t random = seed + 5;
            for (uint32_t page = 0; page < PAGES; page += 3) {
                restore(w);
                uint8_t *at = w->chip.chip.cells + page * FLASH_PAGE;
                if (way < 2)
                    memset(at, way ? 0 : 0xFF, FLASH_PAGE);
                for (int i = 0; i < (way == 2 ? FLASH_PAGE : 16) && way >= 2;
                     i++)
                    at[i] = (uint8_t)fs_random(&random, 256);
                t.count[look(w)]++;
            }
            world_free(w);
        }
        report(ways[way], &t);
        assert_true(t.count[SILENT] <= (way ? 1 : 3) * UNITS * option_seeds);
    }
}

/* Writes a sector, of which a bit flips on the flash. */
static void rot(struct world *w, uint32_t lba, uint32_t len, uint32_t *seed)
{
    uint8_t *data = w->want[lba];
    for (uint32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * i / 3 + lba + 1);
    assert_int_equal(ftl_write(&w->ftl, lba, data, 1), 0);
    write_some(w, seed);
    uint8_t *at = memmem(w->chip.chip.cells, SIZE, data, 100);
    assert_non_null(at);
    at[50] ^= 4;
}

/* Rotten data and a rotten record in a volume that lives on: what they held
 * cannot be read until it is written anew, however often garbage collection
 * passes by; all else can. */
static void life_goes_on(void **state)
{
    (void)state;
    struct world *w = world_new(3, 900);
    uint32_t seed = 11, data = SECTORS * 3 / 4 + 1, small = data + 1;
    uint8_t got[FTL_SECTOR];
    rot(w, data, FTL_SECTOR, &seed);
    assert_int_equal(mount_it(w), 0); /* the cache forgets */
    rot(w, small, 100, &seed);
    for (int i = 0; i < 600; i++)
        write_some(w, &seed);
    assert_true(w->ftl.stats.collected > 60);
    assert_int_equal(ftl_read(&w->ftl, data, got, 1), WIPY_ECORRUPT);
    uint32_t failed = 0;
    for (uint32_t lba = 0; lba < SECTORS; lba++)
        if (ftl_read(&w->ftl, lba, got, 1))
            failed++;
        else
            assert_memory_equal(got, w->want[lba], FTL_SECTOR);
    assert_in_range(failed, 1, 2);
    assert_int_equal(ftl_write(&w->ftl, data, w->want[data], 1), 0);
    write_some(w, &seed);
    assert_int_equal(ftl_read(&w->ftl, data, got, 1), 0);
    world_free(w);
}

/* An unreadable unit is retired by a new format, and stays so. */
static void format_retires(void **state)
{
    (void)state;
    struct world *w = world_new(4, 300);
    uint32_t seed = 5;
    w->unreadable = 2 * 9;
    assert_int_equal(mount_it(w), 0);
    assert_true(w->ftl.readonly);
    assert_string_equal(w->ftl.reason, "unit 9 cannot be read");
    assert_int_equal(ftl_write(&w->ftl, 0, w->want[0], 1), WIPY_EPERM);
    assert_int_equal(ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                                FTL_MEMORY(SIZE)),
                     0);
    memset(w->want, 0, sizeof w->want);
    for (int i = 0; i < 300; i++)
        write_some(w, &seed);
    assert_int_equal(mount_it(w), 0);
    assert_false(w->ftl.readonly);
    assert_int_equal(w->ftl.bad_units, 1);
    assert_int_equal(read_all(w), SAME);
    world_free(w);
}

/* A sector fails while its unit is free: the next start does not mind. */
static void free_unit_fails(void **state)
{
    (void)state;
    for (uint32_t bad = 0; bad < SIZE / FLASH_SECTOR; bad += 5) {
        struct world *w = world_new(8, 200);
        uint32_t seed = 9;
        while (w->ftl.unit[bad / 2].live > 0)
            write_some(w, &seed);
        w->unreadable = bad;
        while (w->ftl.stats.retired == 0)
            write_some(w, &seed);
        assert_int_equal(mount_it(w), 0);
        assert_false(w->ftl.readonly);
        assert_int_equal(w->ftl.bad_units, 1);
        assert_int_equal(read_all(w), SAME);
        world_free(w);
    }
}

/* The first format, cut anywhere: never damage, and what counts is what was
 * committed. */
static void first_format_cut(void **state)
{
    (void)state;
    for (uint64_t cut = 1;; cut++)
        for (int tear = 0; tear < 4; tear++) {
            struct world *w = world_new(6, 0);
            uint32_t seed = (uint32_t)cut;
            chip_cut(&w->chip.chip, cut, (enum chip_tear)tear);
            int err = 0;
            for (uint32_t lba = 0; lba < 40 && !err; lba++) {
                memset(w->want[lba], (int)fs_random(&seed, 256), FTL_SECTOR);
                memset(w->want[lba], 7, lba * 10);
                err = ftl_write(&w->ftl, lba, w->want[lba], 1);
            }
            err = err ? err : ftl_commit(&w->ftl);
            bool done = !w->chip.chip.dead;
            w->chip.chip.dead = true;
            chip_power_on(&w->chip.chip);
            int found = mount_it(w);
            assert_true(found == 0 || found == WIPY_ENOENT);
            assert_true(found || (!w->ftl.readonly && read_all(w) == SAME));
            world_free(w);
            if (done)
                return;
        }
}

int main(int argc, char **argv)
{
    option_seeds = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unreadable_sectors), cmocka_unit_test(single_bits),
        cmocka_unit_test(whole_pages),        cmocka_unit_test(life_goes_on),
        cmocka_unit_test(format_retires),     cmocka_unit_test(free_unit_fails),
        cmocka_unit_test(first_format_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
