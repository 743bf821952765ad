/* The translation layer on hardware that fails: sectors bad in five ways,
 * sectors that wear out, and a host that stores writes out of order.
 *
 * `wear_sim SECONDS [SEED]` goes on with the reordering test that long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "flash/ftl.h"
#include "fs_chip.h"

enum { SECTORS_MAX = 2000 };

struct world {
    struct fs_chip chip;
    struct ftl ftl;
    void *memory;
    uint32_t size, sectors;
    uint8_t committed[SECTORS_MAX][FTL_SECTOR];
    uint8_t current[SECTORS_MAX][FTL_SECTOR];
};

static struct world *world_new(uint32_t units)
{
    struct world *w = calloc(1, sizeof *w);
    w->size = units * FTL_UNIT;
    w->sectors = FTL_SECTORS(units);
    fs_chip_make(&w->chip, w->size);
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

static int transaction(struct world *w, uint32_t *seed, uint32_t span)
{
    uint32_t count = 1 + fs_random(seed, fs_random(seed, 3) ? 12 : 60);
    for (uint32_t i = 0; i < count && ftl_tx_room(&w->ftl) > 0; i++) {
        uint32_t lba = fs_random(seed, span);
        uint8_t *data = w->current[lba];
        if (fs_random(seed, 2))
            data[fs_random(seed, 512)] = (uint8_t)fs_random(seed, 256);
        else
            for (int k = 0; k < FTL_SECTOR; k++)
                data[k] = (uint8_t)fs_random(seed, 256);
        int err = ftl_write(&w->ftl, lba, data, 1);
        if (err)
            return err;
    }
    int err = ftl_commit(&w->ftl);
    if (!err)
        memcpy(w->committed, w->current, sizeof w->current);
    return err;
}

static bool holds(struct world *w, uint8_t (*want)[FTL_SECTOR])
{
    uint8_t got[FTL_SECTOR];
    for (uint32_t lba = 0; lba < w->sectors; lba++)
        if (ftl_read(&w->ftl, lba, got, 1) ||
            memcmp(got, want[lba], FTL_SECTOR) != 0)
            return false;
    return true;
}

static const char *const kinds[] = {
    "",           "program error",        "erase error",
    "read error", "program does nothing", "erase does nothing"};

/* littlefs's classes: single, a region, every second. */
static void bad_from_the_start(void **state)
{
    (void)state;
    for (int kind = BAD_PROGRAM_ERROR; kind <= BAD_ERASE_NOOP; kind++) {
        unsigned bad = 0, retired = 0;
        for (int pattern = 0; pattern < 3; pattern++) {
            struct world *w = world_new(64);
            uint32_t seed = 5;
            w->chip.bad_kind = (enum bad_kind)kind;
            for (uint32_t s = 0; s < 128; s++)
                bad += w->chip.bad[s] = pattern == 0   ? s == 5
                                        : pattern == 1 ? s < 8
                                                       : s % 32 == 6;
            mount_it(w);
            assert_int_equal(format_it(w), 0);
            for (int i = 0; i < 400; i++) {
                int err = transaction(w, &seed, w->sectors * 3 / 4);
                if (err)
                    print_error("%s, pattern %d, step %d: %d\n", kinds[kind],
                                pattern, i, err);
                assert_int_equal(err, 0);
                if (i % 50 == 0)
                    assert_int_equal(mount_it(w), 0);
            }
            assert_true(holds(w, w->committed));
            assert_int_equal(mount_it(w), 0);
            assert_true(holds(w, w->committed));
            retired += w->ftl.bad_units;
            world_free(w);
        }
        print_message("%-20s %u bad sectors, %u units retired\n", kinds[kind],
                      bad, retired);
        assert_int_equal(retired, 1 + 4 + 4); /* all that hold one */
    }
}

/* Sectors that hold live data when they go bad: nothing is lost as long as
 * they can be read. */
static void bad_in_use(void **state)
{
    (void)state;
    for (int kind = BAD_PROGRAM_ERROR; kind <= BAD_ERASE_NOOP; kind++) {
        if (kind == BAD_READ_ERROR)
            continue;
        struct world *w = world_new(64);
        uint32_t seed = 6;
        format_it(w);
        w->chip.bad_kind = (enum bad_kind)kind;
        for (int i = 0; i < 600; i++) {
            if (i % 60 == 30)
                w->chip.bad[fs_random(&seed, 128)] = 1;
            assert_int_equal(transaction(w, &seed, w->sectors / 2), 0);
        }
        assert_true(holds(w, w->committed));
        assert_int_equal(mount_it(w), 0);
        assert_true(holds(w, w->committed));
        print_message("%-20s while in use: %u units retired\n", kinds[kind],
                      w->ftl.bad_units);
        assert_true(w->ftl.bad_units > 0);
        world_free(w);
    }
}

/* Writes until the chip is dead; returns the bytes it took. */
static uint64_t life_of(uint32_t units, enum bad_kind kind, uint32_t fill,
                        struct ftl_stats *stats)
{
    struct world *w = world_new(units);
    uint32_t seed = 7;
    uint64_t transactions = 0;
    w->chip.bad_kind = kind;
    w->chip.erase_cycles = 60;
    assert_int_equal(format_it(w), 0);
    for (uint32_t lba = 0; lba < fill; lba++) { /* cold data */
        memset(w->current[lba], (int)lba, FTL_SECTOR);
        ftl_write(&w->ftl, lba, w->current[lba], 1);
        if (lba % 30 == 0)
            assert_int_equal(ftl_commit(&w->ftl), 0);
    }
    assert_int_equal(ftl_commit(&w->ftl), 0);
    memcpy(w->committed, w->current, sizeof w->current);
    uint32_t hot = 40;
    for (;;) {
        uint32_t s = seed, count = 1 + fs_random(&s, 8);
        int err = 0;
        ftl_get_stats(&w->ftl, stats);
        for (uint32_t i = 0; i < count && !err; i++) {
            uint32_t lba = fill + fs_random(&s, hot);
            for (int k = 0; k < FTL_SECTOR; k++)
                w->current[lba][k] = (uint8_t)fs_random(&s, 256);
            err = ftl_write(&w->ftl, lba, w->current[lba], 1);
        }
        seed = s;
        if (!err)
            err = ftl_commit(&w->ftl);
        if (err)
            break;
        memcpy(w->committed, w->current, sizeof w->current);
        transactions++;
        if (transactions > 2000000)
            break;
    }
    /* Dead for writing, but everything committed is still there. */
    int err = mount_it(w);
    if (err)
        print_error("dead chip does not mount: %d\n", err);
    assert_int_equal(err, 0);
    assert_true(holds(w, w->committed) || holds(w, w->current));
    world_free(w);
    return transactions;
}

static void worn_out_at_last(void **state)
{
    (void)state;
    static const enum bad_kind ways[] = {BAD_ERASE_ERROR, BAD_ERASE_NOOP,
                                         BAD_PROGRAM_ERROR, BAD_PROGRAM_NOOP};
    struct ftl_stats small, large;
    for (int i = 0; i < 4; i++) {
        uint64_t a = life_of(32, ways[i], 150, &small);
        uint64_t b = life_of(64, ways[i], 150, &large);
        print_message("%-20s 256 KiB: %6llu commits, %llu units collected, "
                      "erases %u..%u; 512 KiB: %6llu, %llu, %u..%u\n",
                      kinds[ways[i]], (unsigned long long)a,
                      (unsigned long long)small.collected, small.erase_min,
                      small.erase_max, (unsigned long long)b,
                      (unsigned long long)large.collected, large.erase_min,
                      large.erase_max);
        /* Twice the space lives at least twice as long, less a tenth. */
        assert_true(b * 10 >= a * 18);
        assert_in_range(large.erase_max - large.erase_min, 0, 40);
    }
}

/* One transaction, the chip's power cut on the way or not at all, and the
 * host's with it; a dozen states the chip file may be left in. */
static void reorder_once(struct world *w, uint32_t *seed, uint8_t *file)
{
    static uint8_t old[SECTORS_MAX][FTL_SECTOR];
    memcpy(old, w->committed, sizeof old);
    chip_cut(&w->chip.chip, 1 + fs_random(seed, fs_random(seed, 3) ? 60 : 400),
             CHIP_TEAR_ALL);
    int err = transaction(w, seed, w->sectors);
    bool cut = w->chip.chip.dead;
    assert_true(cut || err == 0);
    chip_cut(&w->chip.chip, 0, CHIP_TEAR_NONE);
    w->chip.chip.dead = true;
    chip_power_on(&w->chip.chip);
    struct fs_host *host = w->chip.host;
    w->chip.host = NULL;
    uint32_t size = w->size;
    for (int round = 0; round < 12; round++) {
        w->chip.host = host;
        fs_chip_host_crash(&w->chip, file, seed);
        w->chip.host = NULL;
        memcpy(w->chip.chip.cells, file, size);
        assert_int_equal(mount_it(w), 0);
        assert_false(w->ftl.readonly);
        bool new = holds(w, w->current);
        assert_true(new || (cut && holds(w, old)));
    }
    /* Goes on from the last of them. */
    bool new = holds(w, w->current);
    memcpy(w->committed, new ? w->current : old, sizeof old);
    memcpy(w->current, w->committed, sizeof old);
    memcpy(host->durable, w->chip.chip.cells, size);
    host->count = 0;
    w->chip.host = host;
}

static double option_seconds;
static uint32_t option_seed = 3;

static void stored_out_of_order(void **state)
{
    (void)state;
    struct world *w = world_new(32);
    uint8_t *file = malloc(w->size);
    uint32_t seed = option_seed;
    uint64_t collected = 0;
    time_t end = time(NULL) + (time_t)option_seconds;
    fs_chip_host(&w->chip);
    assert_int_equal(format_it(w), 0);
    int i = 0;
    for (; option_seconds > 0 ? time(NULL) < end : i < 800; i++) {
        assert_int_equal(transaction(w, &seed, w->sectors), 0);
        collected += w->ftl.stats.collected;
        reorder_once(w, &seed, file);
    }
    print_message("%d cuts, 12 states of the chip file each; %llu units "
                  "collected\n",
                  i, (unsigned long long)collected);
    free(file);
    world_free(w);
}

int main(int argc, char **argv)
{
    option_seconds = argc > 1 ? atof(argv[1]) : 0;
    option_seed = argc > 2 ? (uint32_t)atoi(argv[2]) : option_seed;
    print_message("seed %u\n", option_seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_from_the_start),
        cmocka_unit_test(bad_in_use),
        cmocka_unit_test(worn_out_at_last),
        cmocka_unit_test(stored_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
