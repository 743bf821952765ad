/* The translation layer alone: random transactions on a small chip, with the
 * power cut at flash commands of each, four ways of tearing, and cut again in
 * the recovery. After every mount each sector holds what it held before the
 * interrupted commit, or all hold what they held after it. Three volumes: one
 * that is full, one that is full and long in use, one with much room, where
 * long writes have blocks erased ahead. In a fourth one cuts follow each other
 * without a way back.
 *
 * Without arguments a sample; `ftl_sim SECONDS [SEED]` runs for that long, and
 * from 300 seconds on until there were 100,000 cuts and 300,000 second cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "flash/ftl.h"
#include "fs_chip.h"

enum {
    UNITS = 32,
    SIZE = UNITS * FTL_UNIT,
    SECTORS = FTL_SECTORS(UNITS),
    SOAK = 300, /* seconds of one, at least */
};

struct world {
    struct fs_chip chip;
    struct ftl ftl;
    void *memory;
    uint8_t committed[SECTORS][FTL_SECTOR];
    uint8_t current[SECTORS][FTL_SECTOR];
    uint32_t random;
    uint32_t span; /* sectors in use */
    uint64_t first_cuts, second_cuts, bad;
    uint64_t aged;      /* units collected in the volume's own life */
    uint64_t collected; /* and in transactions that were cut */
    uint64_t killed;    /* torn or uncommitted records found at mounts */
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

/* A run of sectors that do not pack. */
static int write_long(struct world *w, uint32_t *seed)
{
    uint32_t count = 20 + fs_random(seed, 40);
    uint32_t lba = fs_random(seed, w->span - count);
    for (; count > 0 && ftl_tx_room(&w->ftl) > 0; count--, lba++) {
        for (int i = 0; i < FTL_SECTOR; i += 3)
            w->current[lba][i] = (uint8_t)fs_random(seed, 256);
        int err = ftl_write(&w->ftl, lba, w->current[lba], 1);
        if (err)
            return err;
    }
    return 0;
}

static int transaction(struct world *w, uint32_t seed)
{
    bool longer = fs_random(&seed, 10) == 0;
    uint32_t span = fs_random(&seed, 3) ? 12 : w->span;
    uint32_t count = fs_random(&seed, 4) ? 1 + fs_random(&seed, 6)
                                         : 1 + fs_random(&seed, 45);
    int err = longer ? write_long(w, &seed) : 0;
    for (uint32_t i = 0; i < count && !longer; i++) {
        if (ftl_tx_room(&w->ftl) == 0)
            break;
        err = write_one(w, &seed, span);
        if (err)
            return err;
    }
    return err ? err : ftl_commit(&w->ftl);
}

/* Whether all sectors are as in `old`, or all as in `new`; and no cut must
 * look like damage. */
static bool holds(struct world *w, uint8_t (*old)[FTL_SECTOR],
                  uint8_t (*new)[FTL_SECTOR])
{
    static uint8_t got[SECTORS][FTL_SECTOR];
    return !w->ftl.readonly && ftl_read(&w->ftl, 0, got, SECTORS) == 0 &&
           (memcmp(got, old, sizeof got) == 0 ||
            memcmp(got, new, sizeof got) == 0);
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
        w->killed += w->ftl.stats.killed;
        bool was_cut = w->chip.chip.dead;
        power_on(w);
        if (mount_it(w) || !holds(w, t->old, t->new))
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
    w->collected += w->ftl.stats.collected;
    if (!w->chip.chip.dead)
        return false;
    w->first_cuts++;
    if (second)
        second_cuts(w, t);
    power_on(w);
    if (mount_it(w) || !holds(w, t->old, t->new))
        complain(w, "wrong", cut, tear);
    w->killed += w->ftl.stats.killed;
    /* Life goes on, and over a further mount. */
    memset(w->current[0], (int)cut, FTL_SECTOR);
    if (ftl_write(&w->ftl, 0, w->current[0], 1) || ftl_commit(&w->ftl) ||
        mount_it(w))
        complain(w, "no commit afterwards", cut, tear);
    return true;
}

/* Goes on without a cut; what it leaves is what the next cut begins with. */
static void live_on(struct world *w, uint32_t transactions)
{
    assert_int_equal(mount_it(w), 0);
    for (; transactions > 0; transactions--) {
        memcpy(w->current, w->committed, sizeof w->current);
        assert_int_equal(transaction(w, fs_random(&w->random, 1 << 20)), 0);
        memcpy(w->committed, w->current, sizeof w->committed);
    }
    w->aged += w->ftl.stats.collected;
}

/* All cuts of the next transaction, every `step`-th of them; in the recovery
 * again, every `again`-th time. */
static void cut_transaction(struct world *w, uint32_t seed, uint32_t step,
                            uint32_t again)
{
    struct trial t = {malloc(SIZE), malloc(sizeof w->current),
                      malloc(sizeof w->current), seed};
    memcpy(t.before, w->chip.chip.cells, SIZE);
    memcpy(t.old, w->committed, sizeof w->committed);
    memcpy(w->current, t.old, sizeof w->current);
    assert_int_equal(mount_it(w), 0);
    assert_true(holds(w, t.old, t.old));
    assert_int_equal(transaction(w, seed), 0);
    w->aged += w->ftl.stats.collected;
    memcpy(t.new, w->current, sizeof w->current);
    uint8_t *after = malloc(SIZE);
    memcpy(after, w->chip.chip.cells, SIZE);
    uint64_t cut = 1 + seed % step;
    for (bool more = true; more; cut += step)
        for (int tear = 0; tear < 4 && more; tear++)
            more = one_cut(w, &t, cut, (enum chip_tear)tear,
                           (cut + (unsigned)tear) % again == 0);
    memcpy(w->chip.chip.cells, after, SIZE);
    power_on(w);
    memcpy(w->committed, t.new, sizeof w->committed);
    free(t.before), free(t.old), free(t.new), free(after);
}

static struct {
    uint64_t first_cuts, second_cuts, collected;
} total;

static double option_seconds;
static uint32_t option_seed = 1;

/* A soak, however slow the computer, is 100,000 cuts and 300,000 second ones,
 * a third of them in each volume. */
static bool is_short_of_soak(const struct world *w)
{
    return option_seconds >= SOAK &&
           (w->first_cuts * 3 < 100000 || w->second_cuts * 3 < 300000);
}

/* A new volume with `span` sectors in use. */
static struct world *world_in_use(uint32_t span)
{
    struct world *w = world_new(option_seed);
    w->span = span;
    assert_int_equal(mount_it(w), WIPY_ENOENT);
    assert_int_equal(format_it(w), 0);
    for (uint32_t lba = 0; lba < span; lba++) {
        if (ftl_tx_room(&w->ftl) == 0)
            assert_int_equal(ftl_commit(&w->ftl), 0);
        memset(w->current[lba], 7, FTL_SECTOR);
        assert_int_equal(ftl_write(&w->ftl, lba, w->current[lba], 1), 0);
    }
    assert_int_equal(ftl_commit(&w->ftl), 0);
    memcpy(w->committed, w->current, sizeof w->current);
    return w;
}

/* `life` transactions pass between two cut ones. */
static void run_cuts(const char *what, uint32_t span, uint32_t life)
{
    struct world *w = world_in_use(span);
    uint32_t step = option_seconds > 0 ? 3 : 11;
    time_t end = time(NULL) + (time_t)(option_seconds / 3);
    for (uint32_t i = 0;
         option_seconds > 0 ? time(NULL) < end || is_short_of_soak(w) : i < 50;
         i++) {
        live_on(w, life);
        cut_transaction(w, fs_random(&w->random, 1 << 20), step,
                        option_seconds > 0 ? 2 : 7);
    }
    print_message(
        "%-12s %llu cuts, %llu second cuts, %llu records killed; "
        "%llu units collected in its life, %llu while being cut; "
        "%llu blocks erased; %llu wrong\n",
        what, (unsigned long long)w->first_cuts,
        (unsigned long long)w->second_cuts, (unsigned long long)w->killed,
        (unsigned long long)w->aged, (unsigned long long)w->collected,
        (unsigned long long)w->chip.blocks_erased, (unsigned long long)w->bad);
    total.first_cuts += w->first_cuts;
    total.second_cuts += w->second_cuts;
    total.collected += w->aged + w->collected;
    assert_int_equal(w->bad, 0);
    assert_true(span < SECTORS ? w->chip.blocks_erased > 0 : w->aged > 0);
    world_free(w);
}

static void full(void **state)
{
    (void)state;
    run_cuts("full", SECTORS, 0);
}

static void long_in_use(void **state)
{
    (void)state;
    run_cuts("long in use", SECTORS, 40);
}

static void roomy(void **state)
{
    (void)state;
    run_cuts("roomy", SECTORS / 5, 3);
}

/* What one cut leaves is where the next transaction begins; some mounts are
 * cut, too. */
static void cuts_in_one_life(void **state)
{
    static uint8_t got[SECTORS][FTL_SECTOR];
    struct world *w = world_in_use(SECTORS * 4 / 5);
    uint32_t *random = &w->random;
    (void)state;
    for (int i = 0; i < (option_seconds > 0 ? 20000 : 500); i++) {
        memcpy(w->current, w->committed, sizeof w->current);
        chip_cut(&w->chip.chip, fs_random(random, i % 4 ? 60 : 400),
                 (enum chip_tear)fs_random(random, 4));
        int err = transaction(w, fs_random(random, 1 << 20));
        bool cut = w->chip.chip.dead;
        power_on(w);
        if (cut && fs_random(random, 2)) {
            chip_cut(&w->chip.chip, 1 + fs_random(random, 12),
                     (enum chip_tear)fs_random(random, 4));
            mount_it(w);
            power_on(w);
        }
        w->first_cuts += cut;
        assert_true(err == 0 || cut);
        assert_int_equal(cut ? mount_it(w) : 0, 0);
        assert_true(holds(w, err ? w->committed : w->current, w->current));
        assert_int_equal(ftl_read(&w->ftl, 0, got, SECTORS), 0);
        memcpy(w->committed, got, sizeof got);
    }
    print_message("one life     %llu cuts\n",
                  (unsigned long long)w->first_cuts);
    world_free(w);
}

/* One transaction, cut; what is left on the chip may be either state. */
static void cut_and_mount(struct world *w, uint32_t seed, uint64_t cut,
                          enum chip_tear tear)
{
    memcpy(w->current, w->committed, sizeof w->current);
    chip_cut(&w->chip.chip, cut, tear);
    (void)transaction(w, seed);
    power_on(w);
    assert_int_equal(mount_it(w), 0);
    assert_true(holds(w, w->committed, w->current));
}

/* Cuts that follow each other, each of them, of some hundred tried, the one
 * that leaves the fewest free units: there must be enough to go on with. */
static void cuts_in_the_worst_places(void **state)
{
    struct world *w = world_in_use(SECTORS);
    uint8_t *before = malloc(SIZE), *worst = malloc(SIZE);
    uint32_t fewest = UNITS;
    (void)state;
    live_on(w, 300);
    for (int depth = 0; depth < 10; depth++) {
        uint32_t least = UNITS;
        static uint8_t held[SECTORS][FTL_SECTOR];
        memcpy(before, w->chip.chip.cells, SIZE);
        for (int i = 0; i < 300; i++) {
            memcpy(w->chip.chip.cells, before, SIZE);
            assert_int_equal(mount_it(w), 0);
            cut_and_mount(w, fs_random(&w->random, 1 << 20),
                          1 + fs_random(&w->random, 60),
                          (enum chip_tear)fs_random(&w->random, 4));
            if (w->ftl.free_units >= least)
                continue;
            least = w->ftl.free_units;
            memcpy(worst, w->chip.chip.cells, SIZE);
            assert_int_equal(ftl_read(&w->ftl, 0, held, SECTORS), 0);
        }
        fewest = least < fewest ? least : fewest;
        memcpy(w->chip.chip.cells, worst, SIZE);
        memcpy(w->committed, held, sizeof held);
        live_on(w, 3);
        memcpy(w->chip.chip.cells, worst, SIZE);
        memcpy(w->committed, held, sizeof held);
    }
    print_message("worst places 3000 cuts, at least %u free units\n", fewest);
    assert_true(fewest >= 2);
    free(before), free(worst);
    world_free(w);
}

int main(int argc, char **argv)
{
    option_seconds = argc > 1 ? atof(argv[1]) : 0;
    option_seed = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    print_message("seed %u\n", option_seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full),
        cmocka_unit_test(long_in_use),
        cmocka_unit_test(roomy),
        cmocka_unit_test(cuts_in_one_life),
        cmocka_unit_test(cuts_in_the_worst_places),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("in all %llu cuts, %llu second cuts, four ways of tearing; "
                  "%llu units collected\n",
                  (unsigned long long)total.first_cuts,
                  (unsigned long long)total.second_cuts,
                  (unsigned long long)total.collected);
    return failed;
}
