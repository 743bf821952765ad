/* The translation layer alone: random transactions on a small chip, with the
 * power cut at flash commands of each, four ways of tearing, and cut again in
 * the recovery. After every mount each sector holds what it held before the
 * interrupted commit, or all hold what they held after it.
 *
 * Without arguments a sample; `ftl_sim SECONDS [SEED]` runs for that long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "flash/ftl.h"
#include "fs_chip.h"

enum { UNITS = 32, SIZE = UNITS * FTL_UNIT, SECTORS = FTL_SECTORS(UNITS) };

struct world {
    struct fs_chip chip;
    struct ftl ftl;
    void *memory;
    uint8_t committed[SECTORS][FTL_SECTOR];
    uint8_t current[SECTORS][FTL_SECTOR];
    uint32_t random;
    uint64_t first_cuts, second_cuts, bad;
};

static struct world *world_new(uint32_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    fs_chip_make(&w->chip, SIZE);
    w->memory = malloc(FTL_MEMORY(SIZE));
    w->random = seed;
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
    return ftl_mount(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                     FTL_MEMORY(SIZE));
}

static int format_it(struct world *w)
{
    return ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                      FTL_MEMORY(SIZE));
}

/* One write: whole, a few bytes, zeros, or what is there already. */
static int write_one(struct world *w, uint32_t *seed, uint32_t span)
{
    uint32_t lba = fs_random(seed, span);
    uint8_t *data = w->current[lba];
    switch (fs_random(seed, 8)) {
    case 0:
        memset(data, 0, FTL_SECTOR);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        data[fs_random(seed, 512)] = (uint8_t)fs_random(seed, 256);
        break;
    case 5:
        memset(data + fs_random(seed, 256), (int)fs_random(seed, 256), 200);
        break;
    case 6:
        break;
    default:
        for (int i = 0; i < FTL_SECTOR; i++)
            data[i] = (uint8_t)fs_random(seed, 256);
    }
    return ftl_write(&w->ftl, lba, data, 1);
}

static int transaction(struct world *w, uint32_t seed)
{
    uint32_t span = fs_random(&seed, 3) ? 12 : SECTORS;
    uint32_t count = fs_random(&seed, 4) ? 1 + fs_random(&seed, 6)
                                         : 1 + fs_random(&seed, 45);
    for (uint32_t i = 0; i < count; i++) {
        if (ftl_tx_room(&w->ftl) == 0)
            break;
        int err = write_one(w, &seed, span);
        if (err)
            return err;
    }
    return ftl_commit(&w->ftl);
}

static bool holds(struct world *w, uint8_t (*want)[FTL_SECTOR])
{
    for (uint32_t lba = 0; lba < SECTORS; lba++) {
        uint8_t got[FTL_SECTOR];
        if (ftl_read(&w->ftl, lba, got, 1) ||
            memcmp(got, want[lba], FTL_SECTOR) != 0)
            return false;
    }
    return true;
}

static void power_on(struct world *w)
{
    chip_cut(&w->chip.chip, 0, CHIP_TEAR_NONE);
    chip_power_on(&w->chip.chip);
}

struct trial {
    uint8_t *before; /* the chip */
    uint8_t (*old)[FTL_SECTOR], (*new)[FTL_SECTOR];
    uint32_t seed;
};

static void complain(struct world *w, const char *what, uint64_t cut, int tear)
{
    if (w->bad++ < 5)
        print_error("%s at command %llu, tear %d\n", what,
                    (unsigned long long)cut, tear);
}

/* Recovery, cut at its every command; each time recovered once more. */
static void second_cuts(struct world *w, const struct trial *t)
{
    uint8_t *torn = malloc(SIZE);
    memcpy(torn, w->chip.chip.cells, SIZE);
    for (uint64_t cut = 1;; cut++) {
        memcpy(w->chip.chip.cells, torn, SIZE);
        power_on(w);
        chip_cut(&w->chip.chip, cut, (enum chip_tear)(1 + cut % 3));
        mount_it(w);
        bool was_cut = w->chip.chip.dead;
        power_on(w);
        if (mount_it(w) || !(holds(w, t->old) || holds(w, t->new)))
            complain(w, "wrong after a second cut", cut, 0);
        w->second_cuts++;
        if (!was_cut)
            break;
    }
    free(torn);
}

/* One cut; false when the transaction ended before it. */
static bool one_cut(struct world *w, const struct trial *t, uint64_t cut,
                    enum chip_tear tear, bool second)
{
    memcpy(w->chip.chip.cells, t->before, SIZE);
    memcpy(w->current, t->old, sizeof w->current);
    power_on(w);
    if (mount_it(w))
        complain(w, "no mount before", cut, tear);
    chip_cut(&w->chip.chip, cut, tear);
    transaction(w, t->seed);
    if (!w->chip.chip.dead)
        return false;
    w->first_cuts++;
    if (second)
        second_cuts(w, t);
    power_on(w);
    if (mount_it(w) || !(holds(w, t->old) || holds(w, t->new)))
        complain(w, "wrong", cut, tear);
    /* Life goes on, and over a further mount. */
    memset(w->current[0], (int)cut, FTL_SECTOR);
    if (ftl_write(&w->ftl, 0, w->current[0], 1) || ftl_commit(&w->ftl) ||
        mount_it(w))
        complain(w, "no commit afterwards", cut, tear);
    return true;
}

/* All cuts of the next transaction, every `step`-th of them. */
static void cut_transaction(struct world *w, uint32_t seed, uint32_t step)
{
    struct trial t = {malloc(SIZE), malloc(sizeof w->current),
                      malloc(sizeof w->current), seed};
    memcpy(t.before, w->chip.chip.cells, SIZE);
    memcpy(t.old, w->committed, sizeof w->committed);
    memcpy(w->current, t.old, sizeof w->current);
    assert_int_equal(mount_it(w), 0);
    assert_true(holds(w, t.old));
    assert_int_equal(transaction(w, seed), 0);
    memcpy(t.new, w->current, sizeof w->current);
    uint8_t *after = malloc(SIZE);
    memcpy(after, w->chip.chip.cells, SIZE);
    uint64_t cut = 1 + seed % step;
    for (bool more = true; more; cut += step)
        for (int tear = 0; tear < 4 && more; tear++)
            more = one_cut(w, &t, cut, (enum chip_tear)tear,
                           (cut + (unsigned)tear) % 7 == 0);
    memcpy(w->chip.chip.cells, after, SIZE);
    power_on(w);
    memcpy(w->committed, t.new, sizeof w->committed);
    free(t.before), free(t.old), free(t.new), free(after);
}

static void run_cuts(double seconds, uint32_t transactions, uint32_t step,
                     uint32_t seed)
{
    struct world *w = world_new(seed);
    assert_int_equal(mount_it(w), WIPY_ENOENT);
    assert_int_equal(format_it(w), 0);
    memset(w->current, 7, sizeof w->current);
    for (uint32_t lba = 0; lba < SECTORS; lba++) { /* a full volume */
        if (ftl_tx_room(&w->ftl) == 0)
            assert_int_equal(ftl_commit(&w->ftl), 0);
        assert_int_equal(ftl_write(&w->ftl, lba, w->current[lba], 1), 0);
    }
    assert_int_equal(ftl_commit(&w->ftl), 0);
    memcpy(w->committed, w->current, sizeof w->current);
    uint64_t collected = 0;
    time_t end = time(NULL) + (time_t)seconds;
    for (uint32_t i = 0; seconds > 0 ? time(NULL) < end : i < transactions;
         i++) {
        cut_transaction(w, fs_random(&w->random, 1 << 20), step);
        collected += w->ftl.stats.collected;
    }
    print_message("%llu cuts, %llu second cuts, %llu wrong\n",
                  (unsigned long long)w->first_cuts,
                  (unsigned long long)w->second_cuts,
                  (unsigned long long)w->bad);
    assert_int_equal(w->bad, 0);
    world_free(w);
}

static double option_seconds;
static uint32_t option_seed = 1;

static void cut_anywhere(void **state)
{
    (void)state;
    run_cuts(option_seconds, 120, 11, option_seed);
}

int main(int argc, char **argv)
{
    option_seconds = argc > 1 ? atof(argv[1]) : 0;
    option_seed = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
