/* board/chip: the rules of NOR flash, locks, torn commands, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "board/chip.h"

enum { SIZE = 256 * 1024 };

static uint8_t cells[SIZE];
static struct chip chip;

static int fresh(void **state)
{
    (void)state;
    memset(cells, 0xff, SIZE);
    chip_init(&chip, cells, SIZE, 7);
    return 0;
}

static bool all_are(uint32_t off, uint32_t len, uint8_t value)
{
    for (uint32_t i = 0; i < len; i++)
        if (cells[off + i] != value)
            return false;
    return true;
}

static void programming_only_clears_bits(void **state)
{
    (void)state;
    const uint8_t first[] = {0xf0, 0x0f}, second[] = {0xcc, 0xff};
    assert_int_equal(chip_program(&chip, 10, first, 2), 0);
    assert_int_equal(chip_program(&chip, 10, second, 2), 0);
    assert_int_equal(cells[10], 0xc0);
    assert_int_equal(cells[11], 0x0f);
    assert_int_equal(cells[9], 0xff);
    assert_int_equal(cells[12], 0xff);
}

static void erasing_sets_whole_sectors(void **state)
{
    (void)state;
    memset(cells, 0, SIZE);
    assert_int_equal(chip_erase(&chip, 0x1000, 0x1000), 0);
    assert_true(all_are(0x1000, 0x1000, 0xff));
    assert_int_equal(cells[0xfff], 0);
    assert_int_equal(cells[0x2000], 0);
    assert_int_equal(chip_erase(&chip, 0x1001, 0x1000), WIPY_EINVAL);
    assert_int_equal(chip_erase(&chip, 0x1000, 0x800), WIPY_EINVAL);
}

static void a_request_is_so_many_commands(void **state)
{
    (void)state;
    static const uint8_t zeros[FLASH_PROGRAM_MAX];
    static const struct {
        uint32_t off, len;
        unsigned commands;
        bool erase;
    } table[] = {
        {0, 256, 1, false},         {0, 257, 2, false},
        {255, 2, 2, false},         {0, 65536, 256, false},
        {0x1000, 0x1000, 1, true},  {0, 0x10000, 1, true},
        {0xf000, 0x12000, 3, true}, {0x1000, 0x10000, 16, true},
        {0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint64_t before = chip.commands;
        int err = table[i].erase
                      ? chip_erase(&chip, table[i].off, table[i].len)
                      : chip_program(&chip, table[i].off, zeros, table[i].len);
        assert_int_equal(err, 0);
        assert_int_equal(chip.commands - before, table[i].commands);
    }
}

static void the_end_is_the_end(void **state)
{
    (void)state;
    uint8_t byte = 0;
    assert_int_equal(chip_program(&chip, SIZE - 1, &byte, 1), 0);
    assert_int_equal(chip_program(&chip, SIZE - 1, cells, 2), WIPY_ERANGE);
    assert_int_equal(chip_program(&chip, SIZE, &byte, 1), WIPY_ERANGE);
    assert_int_equal(chip_program(&chip, UINT32_MAX, &byte, 1), WIPY_ERANGE);
    assert_int_equal(chip_program(&chip, 0, cells, FLASH_PROGRAM_MAX + 1),
                     WIPY_EINVAL);
    assert_int_equal(chip_erase(&chip, SIZE, 0x1000), WIPY_ERANGE);
    assert_int_equal(chip_erase(&chip, 0xfffff000, 0x1000), WIPY_ERANGE);
    assert_int_equal(chip_erase(&chip, 0x1000, 0xfffff000), WIPY_ERANGE);
}

static void locks_hold_until_reset(void **state)
{
    (void)state;
    uint8_t byte = 0;
    assert_int_equal(chip_lock(&chip, 0x1000, 0x1000), 0);
    assert_int_equal(chip_program(&chip, 0x1000, &byte, 1), WIPY_ELOCKED);
    assert_int_equal(chip_program(&chip, 0x1fff, &byte, 1), WIPY_ELOCKED);
    assert_int_equal(chip_program(&chip, 0x0fff, cells, 2), WIPY_ELOCKED);
    assert_int_equal(chip_erase(&chip, 0, 0x2000), WIPY_ELOCKED);
    assert_true(all_are(0, 0x3000, 0xff)); /* all or nothing */
    assert_int_equal(chip_program(&chip, 0x0fff, &byte, 1), 0);
    assert_int_equal(chip_program(&chip, 0x2000, &byte, 1), 0);
    chip_unlock_all(&chip);
    assert_int_equal(chip_program(&chip, 0x1000, &byte, 1), 0);
}

static void locks_join_and_run_out(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 60; i++) /* side by side: one lock */
        assert_int_equal(chip_lock(&chip, i * 0x1000, 0x1000), 0);
    assert_true(chip_is_locked(&chip, 59 * 0x1000, 1));
    assert_false(chip_is_locked(&chip, 60 * 0x1000, 1));
    chip_unlock_all(&chip);
    for (uint32_t i = 0; i < CHIP_LOCKS_MAX; i++)
        assert_int_equal(chip_lock(&chip, i * 0x2000, 0x1000), 0);
    assert_int_equal(chip_lock(&chip, 0x1800 + 0x200, 8), WIPY_ENOSPC);
    assert_int_equal(chip_lock(&chip, SIZE - 4, 8), WIPY_ERANGE);
}

/* What of a torn page program of zeros and of a torn erase is done. */
static void a_cut_tears_its_command(void **state)
{
    (void)state;
    static const uint8_t zeros[512];
    for (int mode = CHIP_TEAR_NONE; mode <= CHIP_TEAR_ALL; mode++) {
        fresh(NULL);
        chip_cut(&chip, 2, mode);
        assert_int_equal(chip_program(&chip, 0, zeros, 512), WIPY_EIO);
        assert_true(chip.dead);
        assert_true(all_are(0, 256, 0)); /* the first page was through */
        unsigned cleared = 0;
        for (int i = 256; i < 512; i++)
            cleared += 8u - (unsigned)__builtin_popcount(cells[i]);
        switch (mode) {
        case CHIP_TEAR_NONE:
            assert_int_equal(cleared, 0);
            break;
        case CHIP_TEAR_BITS:
            assert_in_range(cleared, 1, 2047);
            break;
        case CHIP_TEAR_HALF:
            assert_true(all_are(256, 128, 0));
            assert_true(all_are(384, 128, 0xff));
            break;
        case CHIP_TEAR_ALL:
            assert_int_equal(cleared, 2048);
            break;
        }
        assert_int_equal(chip_erase(&chip, 0x1000, 0x1000), WIPY_EIO);
        chip_power_on(&chip);
        assert_int_equal(chip_erase(&chip, 0, 0x1000), 0);
    }
}

static void a_torn_program_sets_no_bit(void **state)
{
    (void)state;
    uint8_t before[256], data[256];
    for (unsigned seed = 0; seed < 64; seed++) {
        fresh(NULL);
        chip_init(&chip, cells, SIZE, seed);
        for (int i = 0; i < 256; i++) {
            before[i] = cells[i] = (uint8_t)((unsigned)i * 37 + seed);
            data[i] = (uint8_t)((unsigned)i * 59 ^ seed);
        }
        chip_cut(&chip, 1, CHIP_TEAR_BITS);
        assert_int_equal(chip_program(&chip, 0, data, 256), WIPY_EIO);
        for (int i = 0; i < 256; i++) {
            assert_int_equal(cells[i] & ~before[i], 0);
            assert_int_equal(before[i] & data[i] & ~cells[i], 0);
        }
    }
}

static void a_torn_erase_clears_no_bit(void **state)
{
    (void)state;
    uint8_t before[0x1000];
    for (int i = 0; i < 0x1000; i++)
        before[i] = cells[i] = (uint8_t)(i * 31);
    chip_cut(&chip, 1, CHIP_TEAR_BITS);
    assert_int_equal(chip_erase(&chip, 0, 0x1000), WIPY_EIO);
    for (int i = 0; i < 0x1000; i++)
        assert_int_equal(before[i] & ~cells[i], 0);
    assert_memory_not_equal(cells, before, 0x1000);
}

static void the_same_seed_tears_the_same(void **state)
{
    (void)state;
    static const uint8_t zeros[256];
    uint8_t first[256];
    chip_cut(&chip, 1, CHIP_TEAR_BITS);
    chip_program(&chip, 0, zeros, 256);
    memcpy(first, cells, 256);
    fresh(NULL);
    chip_cut(&chip, 1, CHIP_TEAR_BITS);
    chip_program(&chip, 0, zeros, 256);
    assert_memory_equal(first, cells, 256);
}

static void a_planned_cut_can_be_taken_back(void **state)
{
    (void)state;
    uint8_t byte = 0;
    chip_cut(&chip, 1, CHIP_TEAR_NONE);
    chip_cut(&chip, 0, CHIP_TEAR_NONE);
    assert_int_equal(chip_program(&chip, 0, &byte, 1), 0);
    chip_cut(&chip, 1, CHIP_TEAR_NONE);
    chip_power_on(&chip); /* still planned: it has not come */
    assert_int_equal(chip_program(&chip, 0, &byte, 1), WIPY_EIO);
    chip_power_on(&chip); /* now it is over */
    assert_int_equal(chip_program(&chip, 0, &byte, 1), 0);
}

static void bits_flip_both_ways(void **state)
{
    (void)state;
    unsigned bit;
    assert_int_equal(chip_flip(&chip, 5, 3), 0);
    assert_int_equal(cells[5], 0xf7);
    assert_int_equal(chip_flip(&chip, 5, 3), 0);
    assert_int_equal(cells[5], 0xff);
    assert_int_equal(chip_flip(&chip, SIZE, 0), WIPY_ERANGE);
    assert_int_equal(chip_flip(&chip, 0, 8), WIPY_ERANGE);
    uint32_t off = chip_flip_any(&chip, &bit);
    assert_int_equal(cells[off], 0xff & ~(1 << bit));
}

static void times_are_the_data_sheets(void **state)
{
    (void)state;
    assert_int_equal(chip_program_us(0, 256), 400);
    assert_int_equal(chip_program_us(255, 2), 800);
    assert_int_equal(chip_program_us(0, 65536), 256 * 400);
    assert_int_equal(chip_program_us(0, 0), 0);
    assert_int_equal(chip_erase_us(0x1000, 0x1000), 45000);
    assert_int_equal(chip_erase_us(0, 0x10000), 150000);
    assert_int_equal(chip_erase_us(0xf000, 0x12000), 45000 * 2 + 150000);
}

static void it_is_a_flash_for_the_rooms_above(void **state)
{
    (void)state;
    struct flash flash = chip_flash(&chip);
    uint8_t data[4] = {1, 2, 3, 4}, back[4];
    assert_int_equal(flash.size, SIZE);
    assert_int_equal(flash_program(&flash, 100, data, 4), 0);
    assert_int_equal(flash_read(&flash, 100, back, 4), 0);
    assert_memory_equal(data, back, 4);
    assert_int_equal(flash_read(&flash, SIZE - 3, back, 4), WIPY_ERANGE);
    assert_int_equal(flash_erase(&flash, 0, 4096), 0);
    assert_int_equal(flash_sync(&flash), 0);
    assert_ptr_equal(flash.map, cells);
}

static void tear_modes_have_names(void **state)
{
    (void)state;
    for (int mode = CHIP_TEAR_NONE; mode <= CHIP_TEAR_ALL; mode++)
        assert_int_equal(chip_tear_by_name(chip_tear_name(mode)), mode);
    assert_int_equal(chip_tear_by_name("most"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(programming_only_clears_bits, fresh),
        cmocka_unit_test_setup(erasing_sets_whole_sectors, fresh),
        cmocka_unit_test_setup(a_request_is_so_many_commands, fresh),
        cmocka_unit_test_setup(the_end_is_the_end, fresh),
        cmocka_unit_test_setup(locks_hold_until_reset, fresh),
        cmocka_unit_test_setup(locks_join_and_run_out, fresh),
        cmocka_unit_test_setup(a_cut_tears_its_command, fresh),
        cmocka_unit_test_setup(a_torn_program_sets_no_bit, fresh),
        cmocka_unit_test_setup(a_torn_erase_clears_no_bit, fresh),
        cmocka_unit_test_setup(the_same_seed_tears_the_same, fresh),
        cmocka_unit_test_setup(a_planned_cut_can_be_taken_back, fresh),
        cmocka_unit_test_setup(bits_flip_both_ways, fresh),
        cmocka_unit_test_setup(times_are_the_data_sheets, fresh),
        cmocka_unit_test_setup(it_is_a_flash_for_the_rooms_above, fresh),
        cmocka_unit_test_setup(tear_modes_have_names, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
