/* The translation layer as its users see it, in the corners that random
 * workloads hardly come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "flash/ftl.h"
#include "sim/fs_chip.h"

enum { UNITS = FTL_UNITS_MIN, UNITS_LARGE = 512, SIZE = UNITS * FTL_UNIT };

struct world {
    struct fs_chip chip;
    struct ftl ftl;
    uint32_t size;
    void *memory;
    unsigned programs, failing; /* which program command leaves bits out */
};

static int program_but_some_bits(void *ctx, flash_off off, const void *from,
                                 size_t len)
{
    struct world *w = (struct world *)ctx; /* the chip comes first */
    uint8_t *data = malloc(len);
    memcpy(data, from, len);
    unsigned left_out = ++w->programs == w->failing ? 3 : 0;
    for (size_t i = len / 2; i < len && left_out; i++) {
        left_out -= data[i] != 0xFF;
        data[i] |= (uint8_t)(data[i] + 1);
    }
    int err = fs_chip_program(&w->chip, off, data, len);
    free(data);
    return err;
}

static struct world *world_new(uint32_t units)
{
    struct world *w = calloc(1, sizeof *w);
    w->size = units * FTL_UNIT;
    fs_chip_make(&w->chip, w->size);
    w->chip.flash.program = program_but_some_bits;
    w->memory = malloc(FTL_MEMORY(w->size));
    return w;
}

static void world_free(struct world *w)
{
    fs_chip_free(&w->chip);
    free(w->memory);
    free(w);
}

static int mount_it(struct world *w)
{
    return ftl_mount(&w->ftl, &w->chip.flash, 0, w->size, w->memory,
                     FTL_MEMORY(w->size));
}

static int format_it(struct world *w)
{
    return ftl_format(&w->ftl, &w->chip.flash, 0, w->size, w->memory,
                      FTL_MEMORY(w->size));
}

static void power_on(struct world *w)
{
    chip_cut(&w->chip.chip, 0, CHIP_TEAR_NONE);
    chip_power_on(&w->chip.chip);
}

/* 512 bytes that do not pack, of that number. */
static const uint8_t *contents(uint32_t number)
{
    static uint8_t data[FTL_SECTOR];
    for (int i = 0; i < FTL_SECTOR; i++)
        data[i] = (uint8_t)(1 + fs_random(&number, 255));
    return data;
}

static bool holds(struct world *w, uint32_t lba, const uint8_t *want)
{
    uint8_t got[FTL_SECTOR];
    return ftl_read(&w->ftl, lba, got, 1) == 0 &&
           memcmp(got, want, FTL_SECTOR) == 0;
}

/* 510 records of 16 bytes: the log ends where the unit does. */
static void a_unit_may_be_full_to_its_last_byte(void **state)
{
    struct world *w = world_new(UNITS);
    static const uint8_t zeros[FTL_SECTOR];
    (void)state;
    assert_int_equal(format_it(w), 0);
    for (uint32_t i = 0; i < 1100; i++) {
        ftl_unmap(&w->ftl, i % 200);
        assert_int_equal(ftl_write(&w->ftl, i % 200, zeros, 1), 0);
        assert_int_equal(ftl_commit(&w->ftl), 0);
    }
    for (uint32_t unit = 0; unit < 2; unit++)
        assert_int_not_equal(w->chip.chip.cells[unit * FTL_UNIT + FTL_UNIT - 1],
                             0xFF);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mount_it(w), 0);
        assert_false(w->ftl.readonly);
        assert_int_equal(w->ftl.stats.killed, 0);
        assert_memory_equal(w->chip.chip.cells + FTL_UNIT, "WFTL", 4);
    }
    world_free(w);
}

/* Until the new volume's first commit the old one is there, whole. */
static void a_format_that_is_cut_changes_nothing(void **state)
{
    struct world *w = world_new(UNITS);
    (void)state;
    assert_int_equal(format_it(w), 0);
    const uint32_t count = w->ftl.sectors;
    for (uint32_t lba = 0; lba < count; lba++) {
        assert_int_equal(ftl_write(&w->ftl, lba, contents(lba), 1), 0);
        assert_int_equal(lba % 20 ? 0 : ftl_commit(&w->ftl), 0);
    }
    assert_int_equal(ftl_commit(&w->ftl), 0);
    uint8_t *before = malloc(w->size);
    memcpy(before, w->chip.chip.cells, w->size);
    bool cut = true;
    for (uint64_t n = 1; cut; n++) {
        memcpy(w->chip.chip.cells, before, w->size);
        chip_cut(&w->chip.chip, n, (enum chip_tear)(n % 4));
        assert_int_equal(format_it(w), 0);
        for (uint32_t lba = 0; lba < 25; lba++)
            ftl_write(&w->ftl, lba, contents(1000 + lba), 1);
        ftl_commit(&w->ftl);
        cut = w->chip.chip.dead;
        power_on(w);
        assert_int_equal(mount_it(w), 0);
        assert_false(w->ftl.readonly);
        bool new = holds(w, 0, contents(1000));
        assert_true(new || cut);
        for (uint32_t lba = 0; lba < 25; lba++)
            assert_true(holds(w, lba, contents(new ? 1000 + lba : lba)));
        for (uint32_t lba = 25; lba < count && !new; lba++)
            assert_true(holds(w, lba, contents(lba)));
    }
    free(before);
    world_free(w);
}

/* What a commit adds of its own has its room, too. */
static void all_room_of_a_transaction_can_be_used(void **state)
{
    struct world *w = world_new(UNITS_LARGE);
    uint8_t data[FTL_SECTOR];
    (void)state;
    assert_int_equal(format_it(w), 0);
    for (int round = 0; round < 2; round++)
        for (uint32_t lba = 0; lba < 300; lba++) {
            memcpy(data, contents(lba), sizeof data);
            data[7] = (uint8_t)round;
            assert_int_equal(ftl_write(&w->ftl, lba, data, 1), 0);
            assert_int_equal(lba % 100 ? 0 : ftl_commit(&w->ftl), 0);
        }
    assert_int_equal(ftl_commit(&w->ftl), 0);
    assert_true(w->ftl.deltas > FTL_DELTAS_MAX * 3 / 4);
    w->failing = w->programs + 1; /* so that there is a bad unit to list */
    for (uint32_t lba = 1000; ftl_tx_room(&w->ftl) > 0; lba++)
        assert_int_equal(ftl_write(&w->ftl, lba, contents(lba), 1), 0);
    assert_int_equal(ftl_commit(&w->ftl), 0);
    assert_int_equal(w->ftl.stats.retired, 1);
    world_free(w);
}

/* Every sector is written, some once more when others have taken their place
 * in the cache. */
static int change(struct world *w, uint32_t number)
{
    int err = 0;
    for (uint32_t i = 0; i < 50 && !err; i++)
        err = ftl_write(&w->ftl, i % 40, contents(number + i), 1);
    return err ? err : ftl_commit(&w->ftl);
}

static bool changed(struct world *w, uint32_t number)
{
    for (uint32_t lba = 0; lba < 40; lba++)
        if (!holds(w, lba, contents(number + (lba < 10 ? 40 : 0) + lba)))
            return false;
    return !w->ftl.readonly;
}

/* A unit fails, what was meant for it goes to another one, and then the power
 * does: what is left in the first is no damage. */
static void a_unit_that_failed_is_no_damage(void **state)
{
    struct world *w = world_new(2 * UNITS);
    (void)state;
    assert_int_equal(format_it(w), 0);
    assert_int_equal(change(w, 0), 0);
    uint8_t *before = malloc(w->size);
    memcpy(before, w->chip.chip.cells, w->size);
    unsigned failed = 0, wrong = 0, tried = 0;
    for (unsigned failing = 1; failing < 16; failing++) {
        bool cut = true;
        for (uint64_t n = 1; cut; n++) {
            memcpy(w->chip.chip.cells, before, w->size);
            assert_int_equal(mount_it(w), 0);
            /* Something in the unit keeps it in use. */
            assert_int_equal(ftl_write(&w->ftl, 45, contents(n), 1), 0);
            assert_int_equal(ftl_commit(&w->ftl), 0);
            w->programs = 0;
            w->failing = failing;
            chip_cut(&w->chip.chip, n, CHIP_TEAR_NONE);
            (void)change(w, 1000);
            failed += w->ftl.stats.retired > 0;
            w->failing = 0;
            cut = w->chip.chip.dead;
            power_on(w);
            bool good = mount_it(w) == 0 &&
                        (changed(w, 1000) || (cut && changed(w, 0)));
            tried++;
            if (!good && wrong++ < 8)
                print_error("program %u failed, cut at %llu: %s\n", failing,
                            (unsigned long long)n, w->ftl.reason);
        }
    }
    print_message("%u tried, %u wrong\n", tried, wrong);
    assert_true(failed > 0);
    assert_int_equal(wrong, 0);
    free(before);
    world_free(w);
}

/* Garbage collection moves the commit when its sector is not needed any more
 * and no other commit has come. */
static void the_last_commit_outlives_its_sector(void **state)
{
    struct world *w = world_new(128);
    static uint32_t number[15 * 128]; /* of each sector's contents */
    uint32_t seed = 3;
    unsigned moved = 0;
    (void)state;
    assert_int_equal(format_it(w), 0);
    const uint32_t last = w->ftl.sectors - 1;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t lba = i < last ? i : fs_random(&seed, last);
        number[lba] = i;
        assert_int_equal(ftl_write(&w->ftl, lba, contents(i), 1), 0);
        assert_int_equal(ftl_write(&w->ftl, last, contents(3000 + i), 1), 0);
        assert_int_equal(ftl_commit(&w->ftl), 0);
        if (i < 2970)
            continue;
        const uint32_t mark = w->ftl.mark;
        ftl_unmap(&w->ftl, last);
        /* Some sectors again and again: their units are worth collecting. */
        for (uint32_t k = 0; ftl_tx_room(&w->ftl) > 0; k++)
            assert_int_equal(ftl_write(&w->ftl, k % 33, contents(k), 1), 0);
        moved += w->ftl.mark != mark;
        assert_int_equal(mount_it(w), 0); /* as after a cut */
        assert_false(w->ftl.readonly);
        for (lba = 0; lba < last; lba++)
            assert_true(holds(w, lba, contents(number[lba])));
    }
    assert_true(moved > 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unit_may_be_full_to_its_last_byte),
        cmocka_unit_test(a_format_that_is_cut_changes_nothing),
        cmocka_unit_test(all_room_of_a_transaction_can_be_used),
        cmocka_unit_test(a_unit_that_failed_is_no_damage),
        cmocka_unit_test(the_last_commit_outlives_its_sector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
