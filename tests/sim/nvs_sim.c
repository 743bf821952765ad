/* The settings store: what it keeps, at every cut, on bad sectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "flash/nvs.h"
#include "fs_chip.h"

enum { SIZE = 0x7000, KEYS = 12 };

struct value {
    int type; /* 0 = none */
    int32_t number;
    uint32_t len;
    uint8_t bytes[NVS_VALUE_MAX];
};

struct world {
    struct fs_chip chip;
    struct nvs nvs;
    struct value now[KEYS];
    bool has_cold;
    uint32_t size; /* of the store */
};

static int open_it(struct world *w)
{
    return nvs_open(&w->nvs, &w->chip.flash, 0, w->size);
}

static const char *key_of(uint32_t k)
{
    static char key[8];
    snprintf(key, sizeof key, "key%u", k);
    return key;
}

static bool holds(struct world *w, uint32_t k, const struct value *want)
{
    static uint8_t got[NVS_VALUE_MAX];
    int32_t number;
    enum nvs_space space = k % 2 ? NVS_BOARD : NVS_PYTHON;
    if (want->type == 0)
        return nvs_type_of(&w->nvs, space, key_of(k)) == NVS_NONE;
    if (want->type == NVS_INT)
        return nvs_get_int(&w->nvs, space, key_of(k), &number) == 0 &&
               number == want->number;
    int len = nvs_get_bytes(&w->nvs, space, key_of(k), got, sizeof got);
    return len == (int)want->len && memcmp(got, want->bytes, want->len) == 0;
}

/* Values set once, which every collection has to carry on. */
static const enum nvs_space cold = (enum nvs_space)3;
enum { COLD = 3, COLD_LEN = 400 };

static void cold_value(uint8_t value[COLD_LEN], int k)
{
    memset(value, 'a' + k, COLD_LEN);
}

static void set_cold(struct world *w)
{
    uint8_t value[COLD_LEN];
    for (int k = 0; k < COLD; k++) {
        cold_value(value, k);
        assert_int_equal(
            nvs_set_bytes(&w->nvs, cold, key_of((uint32_t)k), value, COLD_LEN),
            0);
    }
    w->has_cold = true;
}

static bool cold_holds(struct world *w)
{
    uint8_t value[COLD_LEN], got[COLD_LEN];
    for (int k = 0; k < COLD && w->has_cold; k++) {
        cold_value(value, k);
        if (nvs_get_bytes(&w->nvs, cold, key_of((uint32_t)k), got, COLD_LEN) !=
                COLD_LEN ||
            memcmp(got, value, COLD_LEN) != 0)
            return false;
    }
    return true;
}

static bool all_hold(struct world *w, const struct value *want)
{
    if (!cold_holds(w))
        return false;
    for (uint32_t k = 0; k < KEYS; k++)
        if (!holds(w, k, &want[k]))
            return false;
    return true;
}

/* One random change, to the store and to what is expected of it. */
static int change(struct world *w, uint32_t seed, struct value *want)
{
    uint32_t k = fs_random(&seed, KEYS), what = fs_random(&seed, 12);
    struct value *v = &want[k];
    enum nvs_space space = k % 2 ? NVS_BOARD : NVS_PYTHON;
    if (what == 0) {
        bool there = v->type != 0;
        v->type = 0;
        int err = nvs_erase(&w->nvs, space, key_of(k));
        return !there && err == WIPY_ENOENT ? 0 : err;
    }
    if (what == 1) {
        for (uint32_t i = k % 2; i < KEYS; i += 2)
            want[i].type = 0;
        return nvs_erase_all(&w->nvs, space);
    }
    if (what < 5) {
        v->type = NVS_INT;
        v->number = (int32_t)(seed - 0x7fffffff);
        return nvs_set_int(&w->nvs, space, key_of(k), v->number);
    }
    v->type = NVS_BYTES;
    v->len = fs_random(&seed, what < 10 ? 100 : 1200);
    for (uint32_t i = 0; i < v->len; i++)
        v->bytes[i] = (uint8_t)fs_random(&seed, 256);
    return nvs_set_bytes(&w->nvs, space, key_of(k), v->bytes, v->len);
}

static void makes_sense_of_keys_and_types(void **state)
{
    struct world *w = *state;
    int32_t number;
    char text[40];
    static const char long_value[2000];
    assert_int_equal(nvs_get_int(&w->nvs, NVS_BOARD, "x", &number),
                     WIPY_ENOENT);
    assert_int_equal(nvs_erase(&w->nvs, NVS_BOARD, "x"), WIPY_ENOENT);
    assert_int_equal(nvs_set_int(&w->nvs, NVS_BOARD, "x", -5), 0);
    assert_int_equal(nvs_get_int(&w->nvs, NVS_PYTHON, "x", &number),
                     WIPY_ENOENT);
    assert_int_equal(nvs_get_int(&w->nvs, NVS_BOARD, "x", &number), 0);
    assert_int_equal(number, -5);
    assert_int_equal(nvs_get_bytes(&w->nvs, NVS_BOARD, "x", text, 4),
                     WIPY_EFORMAT);
    assert_int_equal(nvs_set_bytes(&w->nvs, NVS_BOARD, "x", "micro", 5), 0);
    assert_int_equal(nvs_get_bytes(&w->nvs, NVS_BOARD, "x", text, 4),
                     WIPY_ENOMEM);
    assert_int_equal(nvs_get_bytes(&w->nvs, NVS_BOARD, "x", text, 40), 5);
    assert_memory_equal(text, "micro", 5);
    assert_int_equal(nvs_set_int(&w->nvs, NVS_BOARD, "", 1), WIPY_EINVAL);
    assert_int_equal(nvs_set_int(&w->nvs, NVS_BOARD, "123456789012345", 1), 0);
    assert_int_equal(nvs_set_int(&w->nvs, NVS_BOARD, "1234567890123456", 1),
                     WIPY_EINVAL);
    assert_int_equal(nvs_set_bytes(&w->nvs, NVS_BOARD, "l", long_value, 1984),
                     WIPY_EINVAL);
    assert_int_equal(nvs_set_bytes(&w->nvs, NVS_BOARD, "l", long_value, 1983),
                     0);
    uint64_t before = w->chip.prog_bytes;
    assert_int_equal(nvs_set_bytes(&w->nvs, NVS_BOARD, "x", "micro", 5), 0);
    assert_int_equal(w->chip.prog_bytes, before); /* nothing to write */
}

static void says_when_it_is_full(void **state)
{
    struct world *w = *state;
    uint8_t value[1000] = {1};
    int count = 0, err;
    char key[16];
    do {
        snprintf(key, sizeof key, "k%d", count);
        err = nvs_set_bytes(&w->nvs, NVS_PYTHON, key, value, sizeof value);
        count += err == 0;
    } while (err == 0);
    assert_int_equal(err, WIPY_ENOSPC);
    assert_in_range(count, 11, 24);
    assert_int_equal(nvs_erase(&w->nvs, NVS_PYTHON, "k0"), 0);
    assert_int_equal(nvs_set_bytes(&w->nvs, NVS_PYTHON, "new", value, 900), 0);
    assert_int_equal(open_it(w), 0);
    for (int i = 1; i < count; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(nvs_type_of(&w->nvs, NVS_PYTHON, key), NVS_BYTES);
    }
}

static void power_on(struct world *w)
{
    chip_cut(&w->chip.chip, 0, CHIP_TEAR_NONE);
    chip_power_on(&w->chip.chip);
}

static void a_cut_changes_all_or_nothing(void **state)
{
    struct world *w = *state;
    uint8_t *before = malloc(SIZE), *after = malloc(SIZE);
    struct value *old = w->now, *new = malloc(sizeof w->now);
    uint32_t random = 7, cuts = 0;
    set_cold(w);
    for (int step = 0; step < 600; step++) {
        uint32_t seed = fs_random(&random, 1 << 24);
        memcpy(before, w->chip.chip.cells, SIZE);
        memcpy(new, old, sizeof w->now);
        assert_int_equal(change(w, seed, new), 0);
        memcpy(after, w->chip.chip.cells, SIZE);
        for (uint64_t cut = 1;; cut += 1 + step % 3) {
            struct value *scratch = malloc(sizeof w->now);
            memcpy(scratch, old, sizeof w->now);
            memcpy(w->chip.chip.cells, before, SIZE);
            assert_int_equal(open_it(w), 0);
            chip_cut(&w->chip.chip, cut, (enum chip_tear)((cut + step) % 4));
            change(w, seed, scratch);
            free(scratch);
            bool dead = w->chip.chip.dead;
            power_on(w);
            assert_int_equal(open_it(w), 0);
            assert_true(all_hold(w, old) || all_hold(w, new));
            assert_false(nvs_is_damaged(&w->nvs)); /* a cut is no damage */
            assert_int_equal(
                nvs_set_int(&w->nvs, NVS_BOARD, "after", (int32_t)cut), 0);
            cuts++;
            if (!dead)
                break;
        }
        memcpy(w->chip.chip.cells, after, SIZE);
        memcpy(old, new, sizeof w->now);
        assert_int_equal(open_it(w), 0);
        assert_true(all_hold(w, old));
    }
    print_message("%u cuts\n", cuts);
    free(before), free(after), free(new);
}

/* What one cut leaves is where the next change begins; opening is cut, too. */
static void cuts_in_one_life(void **state)
{
    struct world *w = *state;
    struct value *old = w->now, *new = malloc(sizeof w->now);
    uint32_t random = 11, cuts = 0;
    w->size = 5 * FLASH_SECTOR; /* collected often */
    assert_int_equal(open_it(w), 0);
    set_cold(w);
    for (int step = 0; step < 6000; step++) {
        memcpy(new, old, sizeof w->now);
        uint32_t seed = fs_random(&random, 1 << 24);
        chip_cut(&w->chip.chip, fs_random(&random, 24),
                 (enum chip_tear)fs_random(&random, 4));
        int err = change(w, seed, new);
        assert_true(err == 0 || w->chip.chip.dead);
        cuts += w->chip.chip.dead;
        if (w->chip.chip.dead && fs_random(&random, 2)) {
            power_on(w);
            chip_cut(&w->chip.chip, 1 + fs_random(&random, 6),
                     (enum chip_tear)fs_random(&random, 4));
            (void)open_it(w);
        }
        power_on(w);
        assert_int_equal(open_it(w), 0);
        assert_false(nvs_is_damaged(&w->nvs));
        if (all_hold(w, new))
            memcpy(old, new, sizeof w->now);
        else
            assert_true(err && all_hold(w, old));
    }
    print_message("%u cuts\n", cuts);
    free(new);
}

static void a_bad_sector_costs_nothing(void **state)
{
    struct world *w = *state;
    for (int kind = BAD_PROGRAM_ERROR; kind <= BAD_ERASE_NOOP; kind++) {
        memset(w->chip.chip.cells, 0xFF, SIZE);
        memset(w->now, 0, sizeof w->now);
        memset(w->chip.bad, 0, 7);
        w->chip.bad_kind = (enum bad_kind)kind;
        w->chip.bad[kind % 7] = 1;
        assert_int_equal(open_it(w), 0);
        set_cold(w);
        uint32_t random = 9;
        for (int step = 0; step < 500; step++) {
            int err = change(w, fs_random(&random, 1 << 24), w->now);
            if (err)
                print_error("kind %d step %d: %d\n", kind, step, err);
            assert_int_equal(err, 0);
            assert_true(all_hold(w, w->now));
        }
        assert_int_equal(open_it(w), 0);
        assert_true(all_hold(w, w->now));
    }
}

static void foreign_data_is_an_empty_store(void **state)
{
    struct world *w = *state;
    int32_t number;
    for (uint32_t i = 0; i < SIZE; i++)
        w->chip.chip.cells[i] = (uint8_t)(i * 7);
    assert_int_equal(open_it(w), 0);
    assert_int_equal(w->chip.chip.cells[21], 147); /* not erased */
    assert_int_equal(nvs_get_int(&w->nvs, NVS_BOARD, "a", &number),
                     WIPY_ENOENT);
    assert_int_equal(nvs_set_int(&w->nvs, NVS_BOARD, "a", 1), 0);
    assert_int_equal(open_it(w), 0);
    assert_int_equal(nvs_get_int(&w->nvs, NVS_BOARD, "a", &number), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    fs_chip_make(&w->chip, SIZE);
    w->size = SIZE;
    *state = w;
    return open_it(w);
}

static int teardown(void **state)
{
    struct world *w = *state;
    fs_chip_free(&w->chip);
    free(w);
    return 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(makes_sense_of_keys_and_types),
        CASE(says_when_it_is_full),
        CASE(a_cut_changes_all_or_nothing),
        CASE(cuts_in_one_life),
        CASE(a_bad_sector_costs_nothing),
        CASE(foreign_data_is_an_empty_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
