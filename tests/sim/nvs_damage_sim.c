/* The settings store on flash that changed by itself, and that an earlier
 * version wrote: what is sound is kept, what is lost is said.
 *
 * tests/sim/old_nvs.bin was written by the first version (old_store() below,
 * with the power cut in the last of its changes) and is not to be made again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "flash/nvs.h"
#include "fs_chip.h"

enum { SIZE = 0x7000, KEYS = 9, OLD_SIZE = 0x4000, OLD_KEYS = 19 };

struct world {
    struct fs_chip chip;
    struct nvs nvs;
    int32_t now[KEYS];
    bool spare; /* a key that comes and goes */
    uint8_t sound[SIZE];
};

static int open_it(struct world *w)
{
    return nvs_open(&w->nvs, &w->chip.flash, 0, SIZE);
}

static void make_key(char key[20], int k)
{
    snprintf(key, 20, "setting%d", k);
}

/* The number, among bytes that make sectors fill up. */
static int set(struct world *w, int k, int32_t number)
{
    char key[20], value[150] = "";
    make_key(key, k);
    snprintf(value, sizeof value, "%d %0*d", number, 20 + k * 10, 0);
    int err = nvs_set_bytes(&w->nvs, NVS_BOARD, key, value, strlen(value));
    if (!err)
        w->now[k] = number;
    return err;
}

static bool holds(struct world *w, int k)
{
    char key[20], value[150] = "";
    make_key(key, k);
    return nvs_get_bytes(&w->nvs, NVS_BOARD, key, value, sizeof value) > 0 &&
           atoi(value) == w->now[k];
}

static void come_and_go(struct world *w, int i)
{
    if (i % 50 == 10)
        assert_int_equal(nvs_set_int(&w->nvs, NVS_BOARD, "spare", i), 0);
    if (i % 50 == 40)
        assert_int_equal(nvs_erase(&w->nvs, NVS_BOARD, "spare"), 0);
    if (i % 50 == 10 || i % 50 == 40)
        w->spare = i % 50 == 10;
}

static int count_held(struct world *w)
{
    int count = 0;
    if ((nvs_type_of(&w->nvs, NVS_BOARD, "spare") == NVS_INT) != w->spare)
        return -1;
    for (int k = 0; k < KEYS; k++)
        count += holds(w, k);
    return count;
}

static void fill(struct world *w, int changes)
{
    assert_int_equal(open_it(w), 0);
    w->spare = false;
    for (int i = 0; i < changes; i++) {
        assert_int_equal(set(w, i * 7 % KEYS, i), 0);
        come_and_go(w, i);
    }
    memcpy(w->sound, w->chip.chip.cells, SIZE);
}

static uint32_t used(const struct world *w)
{
    uint32_t at = FLASH_SECTOR;
    while (w->sound[at - 1] == 0xFF)
        at--;
    return at;
}

/* Every byte of the only sector in use, header and last record too. */
static void any_byte_costs_one_record_at_most(void **state)
{
    struct world *w = *state;
    static const uint8_t flips[] = {0x01, 0x10, 0x80, 0x55, 0xFF};
    unsigned said = 0, lost = 0;
    fill(w, KEYS);
    for (uint32_t at = 0; at < used(w); at++)
        for (unsigned f = 0; f < sizeof flips; f++) {
            memcpy(w->chip.chip.cells, w->sound, SIZE);
            w->chip.chip.cells[at] ^= flips[f];
            assert_int_equal(open_it(w), 0);
            int held = count_held(w);
            bool told = nvs_is_damaged(&w->nvs);
            /* The last record's mark, all of it: as if never finished. */
            bool unfinished = !told && flips[f] == 0xFF && held == KEYS - 1;
            bool good = held == KEYS || (held == KEYS - 1 && told);
            if (!good && !unfinished)
                print_error("byte %u, flip %02x: %d held\n", at, flips[f],
                            held);
            assert_true(good || unfinished);
            said += told;
            lost += (unsigned)(KEYS - held);
            assert_int_equal(set(w, 3, 4711), 0);
            assert_int_equal(open_it(w), 0);
            assert_true(holds(w, 3));
            assert_true(count_held(w) >= held);
            for (int i = 0; i < KEYS; i++)
                w->now[i * 7 % KEYS] = i;
        }
    print_message("%u bytes: damage said %u times, %u records lost\n", used(w),
                  said, lost);
    assert_true(said > lost);
}

/* A run of bytes over several records: those before and behind are kept. */
static void a_hole_costs_what_was_in_it(void **state)
{
    struct world *w = *state;
    fill(w, KEYS);
    memset(w->chip.chip.cells + 300, 0, 150);
    assert_int_equal(open_it(w), 0);
    assert_true(nvs_is_damaged(&w->nvs));
    assert_in_range(count_held(w), KEYS - 4, KEYS - 1);
    for (int k = 0; k < KEYS; k++)
        assert_int_equal(set(w, k, 1000 + k), 0);
    assert_int_equal(open_it(w), 0);
    assert_int_equal(count_held(w), KEYS);
}

static void damage_header(struct world *w, uint32_t sector, int how,
                          uint32_t *seed)
{
    uint8_t *header = w->chip.chip.cells + sector * FLASH_SECTOR;
    if (how == 0)
        header[fs_random(seed, 12)] ^= (uint8_t)(1u << fs_random(seed, 8));
    for (int i = 0; how == 1 && i < 12; i++)
        header[i] = (uint8_t)fs_random(seed, 256);
    for (int i = 0; how == 2 && i < 3; i++)
        header[4 + fs_random(seed, 8)] = 0;
}

/* In a store long in use: any sector, the oldest and the newest too. */
static void lost_headers_are_found_again(void **state)
{
    struct world *w = *state;
    uint32_t seed = 3, tried = 0, said = 0;
    for (int changes = 60; changes < 900; changes += 37) {
        memset(w->chip.chip.cells, 0xFF, SIZE);
        fill(w, changes);
        for (uint32_t s = 0; s < SIZE / FLASH_SECTOR; s++)
            for (int how = 0; how < 3; how++) {
                memcpy(w->chip.chip.cells, w->sound, SIZE);
                damage_header(w, s, how, &seed);
                assert_int_equal(open_it(w), 0);
                if (count_held(w) != KEYS)
                    print_error("%d changes, sector %u, damage %d\n", changes,
                                s, how);
                assert_int_equal(count_held(w), KEYS);
                tried++;
                said += nvs_is_damaged(&w->nvs);
            }
        /* And life goes on from the last of them. */
        for (int i = 0; i < 300; i++) {
            assert_int_equal(set(w, i * 5 % KEYS, i), 0);
            if (i % 10 == 0)
                assert_int_equal(open_it(w), 0);
            assert_int_equal(count_held(w), KEYS);
        }
        assert_false(nvs_is_damaged(&w->nvs)); /* all of it was replaced */
    }
    print_message("%u headers damaged, said %u times\n", tried, said);
    assert_true(said * 2 > tried); /* the others were of free sectors */
}

/* Cleared to zeros is how a sector is given up; the only one never is, nor is
 * one between two others. */
static void a_cleared_header_is_not_believed(void **state)
{
    struct world *w = *state;
    fill(w, KEYS);
    memset(w->chip.chip.cells, 0, 16);
    assert_int_equal(open_it(w), 0);
    assert_int_equal(count_held(w), KEYS);
    assert_true(nvs_is_damaged(&w->nvs));
    memset(w->chip.chip.cells, 0xFF, SIZE);
    fill(w, 120); /* three sectors */
    for (int k = 0; k < KEYS; k++)
        assert_true(holds(w, k));
    memset(w->chip.chip.cells + FLASH_SECTOR, 0, 16);
    assert_int_equal(open_it(w), 0);
    assert_int_equal(count_held(w), KEYS);
    assert_true(nvs_is_damaged(&w->nvs));
}

/* Full of the smallest records: what opening and listing read is in
 * proportion to the store. */
static bool count_one(void *ctx, const char *key, enum nvs_type type,
                      uint32_t len)
{
    (void)key, (void)type, (void)len;
    ++*(int *)ctx;
    return true;
}

static void opening_takes_linear_time(void **state)
{
    struct world *w = *state;
    char key[20];
    int keys = 0, listed = 0;
    assert_int_equal(open_it(w), 0);
    do
        snprintf(key, sizeof key, "%x", keys);
    while (nvs_set_bytes(&w->nvs, NVS_PYTHON, key, "", 0) == 0 && ++keys);
    uint64_t before = w->chip.read_bytes;
    assert_int_equal(open_it(w), 0);
    uint64_t opened = w->chip.read_bytes - before;
    assert_int_equal(nvs_list(&w->nvs, NVS_PYTHON, count_one, &listed), 0);
    print_message("%d keys: %llu bytes read to open, %llu to list\n", keys,
                  (unsigned long long)opened,
                  (unsigned long long)(w->chip.read_bytes - before - opened));
    assert_int_equal(listed, keys);
    assert_true(keys > 900);
    assert_true(w->chip.read_bytes - before < 20 * SIZE);
}

/* ---- what the first version wrote ---- */

/* Change `i`: what it sets, or erases. */
static int old_change(struct nvs *nvs, int i, int *value)
{
    char key[20], text[100];
    int k = i * 7 % OLD_KEYS;
    enum nvs_space space = k % 2 ? NVS_BOARD : NVS_PYTHON;
    snprintf(key, sizeof key, "k%d", k);
    memset(text, 'a' + i % 26, sizeof text);
    value[k] = i % 17 == 3 ? -1 : i;
    if (!nvs)
        return 0;
    if (i % 17 == 3)
        return nvs_erase(nvs, space, key);
    if (k % 3 == 0)
        return nvs_set_int(nvs, space, key, i);
    snprintf(text, sizeof text, "%d", i);
    return nvs_set_bytes(nvs, space, key, text, 20 + (size_t)(i * 13 % 80));
}

enum { OLD_CHANGES = 700 };

static int old_store(const char *file)
{
    static struct nvs nvs;
    struct fs_chip chip;
    int value[OLD_KEYS];
    fs_chip_make(&chip, OLD_SIZE);
    if (nvs_open(&nvs, &chip.flash, 0, OLD_SIZE))
        return 1;
    for (int i = 0; i < OLD_CHANGES; i++)
        old_change(&nvs, i, value);
    chip_cut(&chip.chip, 1, CHIP_TEAR_HALF);
    if (old_change(&nvs, OLD_CHANGES, value) == 0)
        return 1;
    FILE *out = fopen(file, "wb");
    if (!out)
        return 1;
    fwrite(chip.chip.cells, 1, OLD_SIZE, out);
    fs_chip_free(&chip);
    return fclose(out);
}

static bool old_value_holds(struct nvs *nvs, int k, int want)
{
    char key[20], text[100] = "";
    enum nvs_space space = k % 2 ? NVS_BOARD : NVS_PYTHON;
    int32_t number = -1;
    snprintf(key, sizeof key, "k%d", k);
    if (nvs_type_of(nvs, space, key) == NVS_NONE)
        return want < 0;
    if (k % 3 == 0)
        return nvs_get_int(nvs, space, key, &number) == 0 && number == want;
    return nvs_get_bytes(nvs, space, key, text, sizeof text) > 0 &&
           atoi(text) == want;
}

static void the_first_versions_store_is_kept(void **state)
{
    struct world *w = *state;
    char path[1024];
    int value[OLD_KEYS];
    snprintf(path, sizeof path, "%s", __FILE__);
    strcpy(strrchr(path, '/'), "/old_nvs.bin");
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fread(w->chip.chip.cells, 1, OLD_SIZE, in), OLD_SIZE);
    fclose(in);
    for (int i = 0; i < OLD_CHANGES; i++)
        old_change(NULL, i, value);
    for (int i = OLD_CHANGES; i < OLD_CHANGES + 400; i++) {
        if (i % 20 == 0) {
            assert_int_equal(nvs_open(&w->nvs, &w->chip.flash, 0, OLD_SIZE), 0);
            assert_false(nvs_is_damaged(&w->nvs)); /* cut, not damaged */
            for (int k = 0; k < OLD_KEYS; k++)
                assert_true(old_value_holds(&w->nvs, k, value[k]));
        }
        int err = old_change(&w->nvs, i, value);
        assert_true(err == 0 || err == WIPY_ENOENT);
    }
}

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

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(any_byte_costs_one_record_at_most),
        CASE(a_hole_costs_what_was_in_it),
        CASE(lost_headers_are_found_again),
        CASE(a_cleared_header_is_not_believed),
        CASE(opening_takes_linear_time),
        CASE(the_first_versions_store_is_kept),
    };
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return old_store(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
