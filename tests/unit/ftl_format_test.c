/* The translation layer's format as docs/FORMATS.md tells it: chips made here
 * byte by byte, not by the code under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "flash/ftl.h"
#include "sim/fs_chip.h"

enum { UNITS = FTL_UNITS_MIN, SIZE = UNITS * FTL_UNIT, SECTORS = 200 };

enum { SECTOR = 1, SPARSE = 2, FIRST = 3, NEXT = 4, MARK = 5 };
enum { ALIVE = 0x40, COMMIT = 0x80 };

struct world {
    struct fs_chip chip;
    struct ftl ftl;
    uint64_t memory[FTL_MEMORY(SIZE) / 8 + 1];
    uint8_t *unit; /* being made */
    uint32_t tail, data;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    fs_chip_make(&w->chip, SIZE);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    fs_chip_free(&w->chip);
    free(w);
    return 0;
}

static int mount_it(struct world *w)
{
    return ftl_mount(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                     sizeof w->memory);
}

static void unit_begin(struct world *w, uint32_t unit, uint32_t epoch,
                       uint32_t age)
{
    uint8_t *h = w->unit = w->chip.chip.cells + unit * FTL_UNIT;
    memcpy(h, "WFTL\x01\x00\xFF\xFF", 8);
    put_u32(h + 8, epoch);
    put_u32(h + 12, SECTORS);
    put_u32(h + 16, 1);
    put_u32(h + 20, age);
    put_u32(h + 24, crc32_add(0, h, 24));
    w->tail = 32;
    w->data = FTL_UNIT;
}

/* A record, for a whole sector with its 512 bytes; returns where it is. */
static uint8_t *put_record(struct world *w, uint32_t seq, uint8_t kind,
                           uint16_t lba, uint16_t start, const void *bytes,
                           uint16_t len)
{
    uint8_t *r = w->unit + w->tail;
    uint32_t payload = len;
    if ((kind & 15) == SECTOR) {
        start = (uint16_t)(w->data -= FTL_SECTOR);
        memcpy(w->unit + start, bytes, FTL_SECTOR);
        put_u32(r + 12, crc32_add(0, bytes, FTL_SECTOR));
        payload = 4;
    } else {
        memcpy(r + 12, bytes, len);
    }
    put_u32(r, seq);
    r[4] = 0;
    r[5] = kind | ALIVE;
    put_u16(r + 6, lba);
    put_u16(r + 8, start);
    put_u16(r + 10, len);
    put_u32(r + 12 + payload, crc32_add(0, r, 12 + payload));
    w->tail += 16 + payload;
    return r;
}

static void holds(struct world *w, uint32_t lba, const uint8_t *want)
{
    uint8_t got[FTL_SECTOR];
    assert_int_equal(ftl_read(&w->ftl, lba, got, 1), 0);
    assert_memory_equal(got, want, FTL_SECTOR);
}

/* The worked example of docs/FORMATS.md. */
static void first_commit_byte_by_byte(void **state)
{
    struct world *w = *state;
    static const uint8_t header[32] = {
        0x57, 0x46, 0x54, 0x4C, 0x01, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00,
        0x00, 0xF3, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00,
        0x00, 0x00, 0x08, 0xB8, 0x50, 0xDA, 0xFF, 0xFF, 0xFF, 0xFF};
    static const uint8_t record[18] = {0x01, 0x00, 0x00, 0x00, 0x00, 0xC2,
                                       0x05, 0x00, 0x00, 0x00, 0x02, 0x00,
                                       0x68, 0x69, 0xC3, 0x4D, 0x26, 0xA1};
    uint8_t sector[FTL_SECTOR] = "hi";
    assert_int_equal(mount_it(w), WIPY_ENOENT);
    assert_int_equal(ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                                sizeof w->memory),
                     0);
    assert_int_equal(w->ftl.sectors, 243);
    assert_int_equal(ftl_write(&w->ftl, 5, sector, 1), 0);
    assert_int_equal(ftl_commit(&w->ftl), 0);
    assert_memory_equal(w->chip.chip.cells, header, sizeof header);
    assert_memory_equal(w->chip.chip.cells + 32, record, sizeof record);
    for (uint32_t i = 50; i < FTL_UNIT; i++)
        assert_int_equal(w->chip.chip.cells[i], 0xFF);
}

static void contents_are_base_and_deltas(void **state)
{
    struct world *w = *state;
    uint8_t want[FTL_SECTOR];
    memset(want, 'b', sizeof want);
    unit_begin(w, 7, 3, 1);
    put_record(w, 1, SPARSE, 9, 100, "gone", 4);
    put_record(w, 2, SECTOR, 9, 0, want, FTL_SECTOR);
    put_record(w, 3, FIRST, 9, 10, "old", 3); /* superseded by number 5 */
    put_record(w, 4, NEXT, 9, 20, "old", 3);
    put_record(w, 5, FIRST, 9, 30, "first", 5);
    put_record(w, 6, NEXT, 9, 32, "next", 4);
    put_record(w, 7, NEXT | COMMIT, 9, 0, "last", 4);
    unit_begin(w, 2, 3, 2);
    put_record(w, 8, NEXT, 9, 200, "no commit", 9);
    memcpy(want + 30, "first", 5);
    memcpy(want + 32, "next", 4);
    memcpy(want, "last", 4);
    assert_int_equal(mount_it(w), 0);
    assert_int_equal(w->ftl.sectors, SECTORS);
    holds(w, 9, want);
    /* What had no commit is dead for ever, however often it is looked at. */
    assert_int_equal(w->ftl.stats.killed, 1);
    assert_int_equal(w->chip.chip.cells[2 * FTL_UNIT + 32 + 5], NEXT);
    assert_int_equal(mount_it(w), 0);
    assert_int_equal(w->ftl.stats.killed, 0);
    holds(w, 9, want);
    static const uint8_t zeros[FTL_SECTOR];
    holds(w, 8, zeros);
}

static void newest_epoch_with_a_commit_counts(void **state)
{
    struct world *w = *state;
    uint8_t want[FTL_SECTOR] = {0};
    unit_begin(w, 0, 1, 1);
    put_record(w, 900, SPARSE | COMMIT, 1, 0, "one", 3);
    unit_begin(w, 1, 2, 2);
    put_record(w, 1, SPARSE | COMMIT, 1, 0, "two", 3);
    unit_begin(w, 2, 3, 3); /* a format that was cut */
    put_record(w, 1, SPARSE, 1, 0, "three", 5);
    memcpy(want, "two", 3);
    assert_int_equal(mount_it(w), 0);
    holds(w, 1, want);
    put_u32(w->chip.chip.cells + FTL_UNIT + 28, 0); /* dead */
    memcpy(want, "one", 3);
    assert_int_equal(mount_it(w), 0);
    holds(w, 1, want);
}

static void later_copy_counts_unless_it_is_rotten(void **state)
{
    struct world *w = *state;
    uint8_t want[FTL_SECTOR];
    memset(want, 'c', sizeof want);
    for (uint32_t unit = 3; unit < 5; unit++) {
        unit_begin(w, unit, 1, unit);
        put_record(w, 4, SECTOR | COMMIT, 6, 0, want, FTL_SECTOR);
    }
    assert_int_equal(mount_it(w), 0);
    holds(w, 6, want);
    assert_int_equal(w->ftl.free_units, UNITS - 1); /* unit 3 is free */
    w->chip.chip.cells[4 * FTL_UNIT + 7700] ^= 1;
    assert_int_equal(mount_it(w), 0);
    holds(w, 6, want);
}

/* More small changes than a volume may have alive, all but a few superseded
 * by what lies in an older unit: a unit that garbage collection filled long
 * after it was opened. */
static void superseded_deltas_do_not_crowd_out_others(void **state)
{
    struct world *w = *state;
    uint8_t want[FTL_SECTOR] = {0};
    unit_begin(w, 0, 1, 1);
    for (uint16_t lba = 0; lba < 16; lba++)
        put_record(w, 10000u + lba, SPARSE, lba, 0, "new", 3);
    put_record(w, 1, SPARSE, 50, 0, "x", 1);
    put_record(w, 2, FIRST, 50, 1, "y", 1);
    put_record(w, 3, NEXT, 50, 2, "z", 1);
    uint32_t seq = 100;
    for (uint32_t unit = 1; unit < 5; unit++) {
        unit_begin(w, unit, 1, unit + 1);
        for (uint16_t i = 0; i < 320; i++, seq++)
            put_record(w, seq, seq < 116 ? FIRST : NEXT, i % 16, 7, "old", 3);
    }
    put_record(w, 20000, MARK | COMMIT, 0xFFFF, 0, "", 0);
    assert_int_equal(mount_it(w), 0);
    assert_false(w->ftl.readonly);
    assert_int_equal(w->ftl.deltas, 2);
    memcpy(want, "xyz", 3);
    holds(w, 50, want);
    memcpy(want, "new", 3);
    for (uint32_t lba = 0; lba < 16; lba++)
        holds(w, lba, want);
}

/* Deltas no commit order can have made: ignored, or the volume is read-only;
 * what they claim to change is whole. */
static void impossible_deltas_do_no_harm(void **state)
{
    struct world *w = *state;
    uint8_t want[FTL_SECTOR] = "base";
    unit_begin(w, 0, 1, 1);
    put_record(w, 1, SPARSE, 1, 0, "base", 4);
    put_record(w, 2, NEXT, 1, 0, "none", 4);     /* on top of nothing */
    put_record(w, 3, FIRST, 2, 0, "no base", 7); /* of a sector without */
    put_record(w, 4, MARK | COMMIT, 0xFFFF, 0, "", 0);
    assert_int_equal(mount_it(w), 0);
    assert_int_equal(w->ftl.deltas, 0);
    holds(w, 1, want);
    for (uint16_t i = 0; i < 400; i++) {
        if (i % 100 == 0)
            unit_begin(w, 1 + i / 100u, 1, 2 + i / 100u);
        put_record(w, 10u + i, i ? NEXT : FIRST, 1, 4, "!", 1);
    }
    put_record(w, 1000, MARK | COMMIT, 0xFFFF, 0, "", 0);
    assert_int_equal(mount_it(w), 0);
    assert_true(w->ftl.readonly);
    assert_string_equal(w->ftl.reason,
                        "more small changes than the format allows");
    want[4] = '!';
    holds(w, 1, want);
}

static unsigned erased_in_use;

static int erase_of_the_dead(void *ctx, flash_off off, size_t len)
{
    struct fs_chip *chip = ctx;
    const uint8_t *cells = chip->chip.cells;
    for (flash_off at = off; at < off + len; at += FTL_UNIT) {
        bool in_use = memcmp(cells + at, "WFTL", 4) == 0;
        assert_true(!in_use || get_u32(cells + at + 28) != 0xFFFFFFFF);
        erased_in_use += in_use;
    }
    return fs_chip_erase(ctx, off, len);
}

/* However an erase is cut short, what is left of the unit does not count. */
static void units_are_dead_before_they_are_erased(void **state)
{
    struct world *w = *state;
    uint8_t sector[FTL_SECTOR];
    uint32_t seed = 4;
    w->chip.flash.erase = erase_of_the_dead;
    assert_int_equal(ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                                sizeof w->memory),
                     0);
    for (int i = 0; i < 3000; i++) {
        for (int k = 0; k < FTL_SECTOR; k++)
            sector[k] = (uint8_t)fs_random(&seed, 256);
        uint32_t lba = fs_random(&seed, w->ftl.sectors);
        assert_int_equal(ftl_write(&w->ftl, lba, sector, 1), 0);
        assert_int_equal(i % 7 ? 0 : ftl_commit(&w->ftl), 0);
    }
    assert_true(erased_in_use > 100);
}

/* Units that are not there, the same one again and again, more than a list
 * has room for. */
static void impossible_lists_of_bad_units_do_no_harm(void **state)
{
    struct world *w = *state;
    uint8_t list[FTL_SECTOR], want[FTL_SECTOR] = "hi";
    for (int i = 1; i < FTL_SECTOR / 2; i++)
        put_u16(list + 2 * i, (uint16_t)(i < 100 ? 5 : 20 + i));
    put_u16(list, 0xFFFF);
    unit_begin(w, 0, 1, 1);
    put_record(w, 1, SPARSE, 1, 0, "hi", 2);
    put_record(w, 2, SECTOR | COMMIT, SECTORS, 0, list, FTL_SECTOR);
    assert_int_equal(mount_it(w), 0);
    assert_int_equal(w->ftl.bad_units, 1);
    holds(w, 1, want);
    assert_int_equal(ftl_write(&w->ftl, 2, want, 1), 0);
    assert_int_equal(ftl_commit(&w->ftl), 0);
}

/* Numbers that could not be counted on from: such a volume is none of ours,
 * and must not keep a new one from being made. */
static void highest_numbers_are_not_believed(void **state)
{
    struct world *w = *state;
    uint8_t want[FTL_SECTOR] = "new";
    for (int which = 0; which < 3; which++) {
        memset(w->chip.chip.cells, 0xFF, SIZE);
        unit_begin(w, 0, which == 0 ? UINT32_MAX : 1,
                   which == 1 ? UINT32_MAX : 1);
        uint8_t *r = put_record(w, UINT32_MAX, SPARSE | COMMIT, 1, 0, "old", 3);
        if (which == 2) {
            r[4] = 0xFF;
            put_u32(r + 15, crc32_add(0, r, 15));
        }
        assert_int_equal(mount_it(w), which == 2 ? WIPY_ENOENT : WIPY_EFORMAT);
        assert_int_equal(ftl_format(&w->ftl, &w->chip.flash, 0, SIZE, w->memory,
                                    sizeof w->memory),
                         0);
        assert_int_equal(ftl_write(&w->ftl, 1, want, 1), 0);
        assert_int_equal(ftl_commit(&w->ftl), 0);
        assert_int_equal(mount_it(w), 0);
        holds(w, 1, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(units_are_dead_before_they_are_erased,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(first_commit_byte_by_byte, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(contents_are_base_and_deltas, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(newest_epoch_with_a_commit_counts,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(later_copy_counts_unless_it_is_rotten,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            superseded_deltas_do_not_crowd_out_others, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_deltas_do_no_harm, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            impossible_lists_of_bad_units_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(highest_numbers_are_not_believed, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
