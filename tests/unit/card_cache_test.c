/* The run of sectors between FatFs and a card: whatever is read is what was
 * written last; after a sync it is on the card; long transfers in small steps
 * cost few calls; what cannot be stored is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "firmware/volume/card_cache.h"

enum { SECTORS = 2003 };

static uint8_t medium[SECTORS][CARD_SECTOR], want[SECTORS][CARD_SECTOR];
static unsigned calls, in_slot, bad_from = SECTORS;
static struct card_cache cache;
static uint8_t memory[VOLUME_CARD_MEMORY];

static uint32_t insertions(void *ctx)
{
    (void)ctx;
    return in_slot;
}

static uint64_t sectors(void *ctx)
{
    (void)ctx;
    return SECTORS;
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    (void)ctx;
    calls++;
    assert_true(sector + count <= SECTORS);
    if (sector + count > bad_from)
        return WIPY_EIO;
    memcpy(to, medium[sector], count * CARD_SECTOR);
    return 0;
}

static int card_store(void *ctx, const struct volume_card_part *parts,
                      unsigned count, bool sync)
{
    (void)ctx, (void)sync;
    calls++;
    for (unsigned i = 0; i < count; i++) {
        const struct volume_card_part *p = &parts[i];
        assert_true(p->sector + p->count <= SECTORS);
        if (p->sector + p->count > bad_from)
            return WIPY_EIO;
        memcpy(medium[p->sector], p->from, p->count * CARD_SECTOR);
    }
    return 0;
}

static const struct volume_card card = {.insertions = insertions,
                                        .sectors = sectors,
                                        .read = card_read,
                                        .store = card_store};

static int start(void **state)
{
    (void)state;
    memset(medium, 0, sizeof medium);
    memset(want, 0, sizeof want);
    calls = 0;
    in_slot = 1;
    bad_from = SECTORS;
    card_cache_init(&cache, &card, memory, sizeof memory);
    return 0;
}

/* A board of before lends less; a run is shorter than the medium then. */
static int start_with_little_memory(void **state)
{
    start(state);
    card_cache_init(&cache, &card, memory, VOLUME_CARD_MEMORY_LEAST);
    return 0;
}

static unsigned random_below(unsigned below)
{
    static unsigned state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static void one_structure(unsigned at, int value)
{
    uint8_t got[CARD_SECTOR];
    if (random_below(2)) {
        memset(want[at], value, CARD_SECTOR);
        assert_int_equal(card_cache_put(&cache, at, want[at]), 0);
    } else {
        assert_int_equal(card_cache_get(&cache, at, got), 0);
        assert_memory_equal(got, want[at], CARD_SECTOR);
    }
}

/* As FatFs moves what a user asks for: a cluster at a time, here with
 * structures in between. */
static void long_transfer(unsigned at, bool write, int value)
{
    static uint8_t user[800][CARD_SECTOR];
    unsigned count = CARD_LENT / CARD_SECTOR + random_below(500);
    unsigned step = 1 + random_below(60);
    at = at + count > SECTORS ? SECTORS - count : at;
    memset(user, value, sizeof user);
    card_cache_lend(&cache, user, count * CARD_SECTOR);
    for (unsigned done = 0, n; done < count; done += n) {
        n = count - done < step ? count - done : step;
        if (write) {
            memset(want[at + done], value, n * CARD_SECTOR);
            assert_int_equal(card_cache_write(&cache, at + done, user[done], n),
                             0);
        } else {
            assert_int_equal(card_cache_read(&cache, at + done, user[done], n),
                             0);
            assert_memory_equal(user[done], want[at + done], n * CARD_SECTOR);
        }
        if (random_below(20) == 0)
            one_structure(random_below(at + done + 1), value);
    }
    assert_int_equal(card_cache_take_back(&cache), 0);
    memset(user, ~value, sizeof user); /* it is the user's again */
}

/* Contents and structures at the same places, which FatFs rarely does. */
static void reads_what_was_written(void **state)
{
    (void)state;
    static uint8_t got[800][CARD_SECTOR];
    unsigned at = 0;
    for (int i = 0; i < 60000; i++) {
        unsigned count = 1 + random_below(random_below(8) ? 6 : 200);
        if (random_below(100) == 0)
            count = 1 + random_below(799);
        if (random_below(200) == 0)
            long_transfer(at, random_below(2), i);
        if (random_below(4) == 0 || at + count > SECTORS)
            at = random_below(SECTORS - count);
        if (random_below(3) == 0) {
            one_structure(random_below(2) ? at : random_below(SECTORS), i);
        } else if (random_below(2)) {
            memset(want[at], i, count * CARD_SECTOR);
            assert_int_equal(card_cache_write(&cache, at, want[at], count), 0);
        } else {
            assert_int_equal(card_cache_read(&cache, at, got[0], count), 0);
            assert_memory_equal(got, want[at], count * CARD_SECTOR);
        }
        at += count;
        if (random_below(50) == 0) {
            assert_int_equal(card_cache_sync(&cache, 0), 0);
            assert_memory_equal(medium, want, sizeof want);
        }
    }
}

static void small_steps_cost_few_calls(void **state)
{
    (void)state;
    uint8_t sector[CARD_SECTOR] = {1};
    for (unsigned i = 1000; i < 2000; i++)
        assert_int_equal(card_cache_write(&cache, i, sector, 1), 0);
    assert_int_equal(card_cache_sync(&cache, 0), 0);
    assert_int_equal(calls, 1);
    card_cache_init(&cache, &card, memory, sizeof memory);
    for (unsigned i = 1000; i < 2000; i++)
        assert_int_equal(card_cache_read(&cache, i, sector, 1), 0);
    assert_in_range(calls, 2, 8);
}

/* The structures of many small changes go out at once, behind the contents. */
static void a_sync_is_one_call(void **state)
{
    (void)state;
    uint8_t sector[CARD_SECTOR] = {1};
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(card_cache_get(&cache, i * 40, sector), 0);
        assert_int_equal(card_cache_put(&cache, i * 40, sector), 0);
    }
    assert_int_equal(card_cache_write(&cache, 1500, sector, 1), 0);
    calls = 0;
    assert_int_equal(card_cache_sync(&cache, 0), 0);
    assert_int_equal(card_cache_sync(&cache, 0), 0);
    assert_int_equal(calls, 1);
}

/* A long transfer, with the card's own memory and with other's. */
static void what_is_lent_is_not_copied(void **state)
{
    (void)state;
    static uint8_t user[600][CARD_SECTOR] = {{1}};
    struct volume_card picky = card;
    for (int reaches = 0; reaches < 2; reaches++) {
        picky.memory = reaches ? user[0] : user[1];
        picky.memory_size = sizeof user - (reaches ? 0 : CARD_SECTOR);
        card_cache_init(&cache, &picky, memory, sizeof memory);
        calls = 0;
        user[0][0]++;
        card_cache_lend(&cache, user, sizeof user);
        for (unsigned i = 0; i < 600; i += 8)
            assert_int_equal(card_cache_write(&cache, 9 + i, user[i], 8), 0);
        assert_int_equal(calls, 0);
        assert_int_equal(card_cache_take_back(&cache), 0);
        assert_int_equal(calls, reaches);
        user[0][0]++;
        assert_int_equal(card_cache_sync(&cache, 0), 0);
        assert_int_equal(medium[9][0], user[0][0] - 1);
        card_cache_lend(&cache, user, sizeof user);
        for (unsigned i = 0; i < 600; i += 8)
            assert_int_equal(card_cache_read(&cache, 9 + i, user[i], 8), 0);
        assert_int_equal(user[0][0], medium[9][0]);
        assert_int_equal(card_cache_take_back(&cache), 0);
    }
    assert_in_range(calls, 2, 8);
}

/* At the latest by who gives the memory back, and once. */
static void lent_errors_are_told_at_once(void **state)
{
    (void)state;
    static uint8_t user[600][CARD_SECTOR] = {{1}};
    bad_from = 100;
    card_cache_lend(&cache, user, sizeof user);
    assert_int_equal(card_cache_write(&cache, 90, user[0], 600), 0);
    assert_int_equal(card_cache_take_back(&cache), WIPY_EIO);
    assert_int_equal(card_cache_take_back(&cache), 0);
    assert_int_equal(cache.failures, 1);
    assert_int_equal(card_cache_sync(&cache, 0), 0);
    card_cache_lend(&cache, user, sizeof user);
    assert_int_equal(card_cache_read(&cache, 0, user[0], 40), 0);
    assert_int_equal(card_cache_read(&cache, 40, user[40], 61), WIPY_EIO);
    assert_int_equal(card_cache_read(&cache, 40, user[40], 60), 0);
    assert_int_equal(card_cache_take_back(&cache), 0);
}

static void late_errors_are_told(void **state)
{
    (void)state;
    uint8_t sector[CARD_SECTOR] = {1};
    bad_from = 100;
    assert_int_equal(card_cache_write(&cache, 100, sector, 1), 0);
    assert_int_equal(card_cache_write(&cache, 5, sector, 1), WIPY_EIO);
    assert_int_equal(cache.failures, 1);
    assert_int_equal(card_cache_write(&cache, 5, sector, 1), 0);
    assert_int_equal(card_cache_sync(&cache, 0), 0);
    assert_int_equal(medium[5][0], 1);
    /* Contents that cannot be stored keep the structures away. */
    assert_int_equal(card_cache_put(&cache, 8, sector), 0);
    assert_int_equal(card_cache_write(&cache, 100, sector, 1), 0);
    assert_int_equal(card_cache_sync(&cache, 0), WIPY_EIO);
    assert_int_equal(cache.failures, 2);
    assert_int_equal(medium[8][0], 0);
}

/* A structure beside contents that cannot be stored: nobody would tell. */
static void contents_are_not_dropped_for_a_line(void **state)
{
    (void)state;
    uint8_t sector[CARD_SECTOR] = {1};
    assert_int_equal(card_cache_write(&cache, 101, sector, 1), 0);
    bad_from = 100;
    assert_int_equal(card_cache_put(&cache, 99, sector), WIPY_EIO);
    bad_from = SECTORS;
    assert_int_equal(card_cache_write(&cache, 101, sector, 1), 0);
    bad_from = 100;
    assert_int_equal(card_cache_get(&cache, 99, sector), WIPY_EIO);
    assert_int_equal(cache.failures, 2);
}

static void bad_sectors_ahead_do_no_harm(void **state)
{
    (void)state;
    uint8_t sector[CARD_SECTOR];
    bad_from = 40;
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(card_cache_read(&cache, i, sector, 1), 0);
    assert_int_equal(card_cache_read(&cache, 40, sector, 1), WIPY_EIO);
    bad_from = 37; /* in the middle of a line */
    for (unsigned i = 0; i < 37; i++)
        assert_int_equal(card_cache_get(&cache, i, sector), 0);
    assert_int_equal(card_cache_put(&cache, 36, sector), 0);
    assert_int_equal(card_cache_get(&cache, 37, sector), WIPY_EIO);
    assert_int_equal(card_cache_put(&cache, 37, sector), WIPY_EIO);
}

static void another_card_gets_nothing(void **state)
{
    (void)state;
    uint8_t sector[CARD_SECTOR] = {1};
    assert_int_equal(card_cache_write(&cache, 7, sector, 1), 0);
    in_slot = 2;
    assert_int_equal(card_cache_sync(&cache, 0), WIPY_EIO);
    assert_int_equal(medium[7][0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_what_was_written, start),
        cmocka_unit_test_setup(reads_what_was_written,
                               start_with_little_memory),
        cmocka_unit_test_setup(small_steps_cost_few_calls, start),
        cmocka_unit_test_setup(a_sync_is_one_call, start),
        cmocka_unit_test_setup(what_is_lent_is_not_copied, start),
        cmocka_unit_test_setup(lent_errors_are_told_at_once, start),
        cmocka_unit_test_setup(late_errors_are_told, start),
        cmocka_unit_test_setup(contents_are_not_dropped_for_a_line, start),
        cmocka_unit_test_setup(bad_sectors_ahead_do_no_harm, start),
        cmocka_unit_test_setup(another_card_gets_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
