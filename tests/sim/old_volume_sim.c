/* A chip of the first version, with the power cut in its last transaction,
 * must mount with every sector as it was: whatever this code becomes, a board
 * in the field keeps its data.
 *
 * tests/sim/old_volume.bin was made by `old_volume_sim make FILE` of the
 * first version and is not to be made again; a new format gets a file of its
 * own. It is run-length encoded: a count 1..127 and as many bytes, or 128 + n
 * and one byte that is there n times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "flash/ftl.h"
#include "fs_chip.h"

enum {
    UNITS = FTL_UNITS_MIN,
    SIZE = UNITS * FTL_UNIT,
    SECTORS = 234, /* what the first version offered on such a chip */
    TRANSACTIONS = 700,
    CUT = 60, /* the chip command during which power failed */
};

struct world {
    struct fs_chip chip;
    struct ftl ftl;
    uint64_t memory[FTL_MEMORY(SIZE) / 8 + 1];
    uint8_t want[SECTORS][FTL_SECTOR];
};

static int mount_it(struct world *w)
{
    return ftl_mount(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                     sizeof w->memory);
}

/* The workload: fills, small changes, zeros, and now and then bytes that do
 * not pack. `ftl` is NULL when only the outcome is wanted. */
static int transaction(struct world *w, uint32_t *seed, struct ftl *ftl)
{
    uint32_t count = 1 + fs_random(seed, 6);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lba = fs_random(seed, fs_random(seed, 3) ? 10 : SECTORS);
        uint8_t *data = w->want[lba];
        switch (fs_random(seed, 5)) {
        case 0:
            memset(data, (int)fs_random(seed, 256), FTL_SECTOR);
            break;
        case 1:
            memset(data, 0, FTL_SECTOR);
            memset(data + fs_random(seed, 300), 0xA5, 100);
            break;
        default:
            data[fs_random(seed, FTL_SECTOR)] = (uint8_t)fs_random(seed, 256);
        }
        int err = ftl ? ftl_write(ftl, lba, data, 1) : 0;
        if (err)
            return err;
    }
    return ftl ? ftl_commit(ftl) : 0;
}

static void write_packed(FILE *out, const uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t run = 1, same = 1;
        while (run < 127 && at + run < len && data[at + run] == data[at])
            run++;
        if (run > 3) {
            fputc((int)(128 + run), out), fputc(data[at], out);
            at += run;
            continue;
        }
        for (; same < 127 && at + same < len; same++)
            if (at + same + 3 < len && data[at + same] == data[at + same + 1] &&
                data[at + same] == data[at + same + 2] &&
                data[at + same] == data[at + same + 3])
                break;
        fputc((int)same, out);
        fwrite(data + at, 1, same, out);
        at += same;
    }
}

static size_t read_packed(FILE *in, uint8_t *data, size_t len)
{
    size_t at = 0;
    for (int count; (count = fgetc(in)) != EOF && at + count % 128 <= len;) {
        if (count < 128)
            at += fread(data + at, 1, (size_t)count, in);
        else
            memset(data + at, fgetc(in), (size_t)count % 128),
                at += (size_t)count % 128;
    }
    return at;
}

static int make(const char *file)
{
    struct world *w = calloc(1, sizeof *w);
    uint32_t seed = 20261121;
    fs_chip_make(&w->chip, SIZE);
    if (ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                   sizeof w->memory) ||
        w->ftl.sectors != SECTORS)
        return 1;
    for (int i = 0; i < TRANSACTIONS; i++)
        if (transaction(w, &seed, &w->ftl))
            return 1;
    fprintf(stderr, "%llu units collected, %u small changes alive\n",
            (unsigned long long)w->ftl.stats.collected, w->ftl.deltas);
    chip_cut(&w->chip.chip, CUT, CHIP_TEAR_HALF);
    for (uint32_t lba = 0; lba < 40; lba++) {
        memset(w->want[lba], (int)lba, FTL_SECTOR);
        ftl_write(&w->ftl, lba, w->want[lba], 1);
    }
    if (ftl_commit(&w->ftl) == 0)
        return 1;
    FILE *out = fopen(file, "wb");
    if (!out)
        return 1;
    write_packed(out, w->chip.chip.cells, SIZE);
    return fclose(out);
}

static void load(struct world *w)
{
    char path[1024];
    snprintf(path, sizeof path, "%s", __FILE__);
    strcpy(strrchr(path, '/'), "/old_volume.bin");
    fs_chip_make(&w->chip, SIZE);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(read_packed(in, w->chip.chip.cells, SIZE), SIZE);
    fclose(in);
}

static void check(struct world *w)
{
    uint8_t got[FTL_SECTOR];
    assert_int_equal(w->ftl.sectors, SECTORS);
    assert_false(w->ftl.readonly);
    for (uint32_t lba = 0; lba < SECTORS; lba++) {
        assert_int_equal(ftl_read(&w->ftl, lba, got, 1), 0);
        assert_memory_equal(got, w->want[lba], FTL_SECTOR);
    }
}

static void old_chip_keeps_its_data(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    uint32_t seed = 20261121;
    load(w);
    for (int i = 0; i < TRANSACTIONS; i++)
        transaction(w, &seed, NULL);
    assert_int_equal(mount_it(w), 0);
    assert_true(w->ftl.stats.killed > 0); /* the cut left something */
    check(w);
    /* And goes on as if nothing had been. */
    for (int i = 0; i < TRANSACTIONS; i++) {
        assert_int_equal(transaction(w, &seed, &w->ftl), 0);
        if (i % 50 == 0) {
            assert_int_equal(mount_it(w), 0);
            check(w);
        }
    }
    assert_int_equal(mount_it(w), 0);
    check(w);
    fs_chip_free(&w->chip);
    free(w);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_chip_keeps_its_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
