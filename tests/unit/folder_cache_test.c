/* The cache of FAT and folders of the flash: what it holds is what was put
 * there last, and a folder a little larger than it is mostly held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/volume/folder_cache.h"

enum { SECTORS = 300 };

static struct folder_cache cache;
static uint8_t want[SECTORS][FOLDER_CACHE_SECTOR];

static unsigned random_below(unsigned below)
{
    static unsigned state = 7;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static void holds_what_was_put_last(void **state)
{
    (void)state;
    uint8_t got[FOLDER_CACHE_SECTOR];
    unsigned hits = 0;
    folder_cache_clear(&cache);
    for (int i = 0; i < 100000; i++) {
        unsigned at = random_below(SECTORS);
        unsigned count = 1 + random_below(8);
        switch (random_below(4)) {
        case 0:
            memset(want[at], i, sizeof want[at]);
            folder_cache_put(&cache, at, want[at]);
            break;
        case 1: /* a file's contents go past it */
            for (unsigned k = at; k < at + count && k < SECTORS; k++)
                memset(want[k], i, sizeof want[k]);
            folder_cache_drop(&cache, at, count);
            break;
        default:
            if (!folder_cache_get(&cache, at, got))
                break;
            hits++;
            assert_memory_equal(got, want[at], sizeof got);
        }
    }
    assert_true(hits > 1000);
    folder_cache_clear(&cache);
    for (unsigned at = 0; at < SECTORS; at++)
        assert_false(folder_cache_get(&cache, at, got));
}

static void a_larger_folder_is_mostly_held(void **state)
{
    (void)state;
    enum { WALK = FOLDER_CACHE_SECTORS + 30, WALKS = 50 };
    uint8_t got[FOLDER_CACHE_SECTOR];
    unsigned hits = 0;
    folder_cache_clear(&cache);
    for (int walk = 0; walk < WALKS; walk++)
        for (unsigned at = 0; at < WALK; at++) {
            if (folder_cache_get(&cache, at, got))
                hits++;
            else
                folder_cache_put(&cache, at, want[at]);
        }
    assert_true(hits > WALKS * WALK / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_was_put_last),
        cmocka_unit_test(a_larger_folder_is_mostly_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
