#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootboard.h"

static void keys_survive_one_damaged_copy(void **state)
{
    (void)state;
    struct image_keys keys = {.count = 2}, back;
    const struct partition *p =
        table_find(table_default(0x800000), PART_DATA, PART_KEYS);
    uint8_t sector[FLASH_SECTOR];
    keys.key[0][0] = keys.key[1][0] = 4;
    keys.key[1][9] = 7;
    board_with(NULL, NULL);
    for (unsigned at = 0; at < FLASH_SECTOR; at++) {
        m.cells[p->off + at] ^= 0x10;
        assert_int_equal(keys_load(&back, m.cells, p), KEYS_NONE);
        assert_int_equal(back.count, 0);
        m.cells[p->off + at] ^= 0x10;
    }
    keys_write(&keys, sector);
    model_put(&m, p->off, sector, sizeof sector);
    for (unsigned at = 0; at < FLASH_SECTOR; at++) {
        m.cells[p->off + at] ^= 0x10;
        bool in_copy = (at >= KEYS_COPY_OFF && at < KEYS_COPY_OFF + KEYS_LEN) ||
                       (at >= KEYS_COPY_OFF + KEYS_COPY_STEP &&
                        at < KEYS_COPY_OFF + KEYS_COPY_STEP + KEYS_LEN);
        assert_int_equal(keys_load(&back, m.cells, p),
                         in_copy ? KEYS_ONE_BAD : KEYS_KNOWN);
        assert_int_equal(back.count, 2);
        assert_memory_equal(back.key, keys.key, 2 * sizeof keys.key[0]);
        m.cells[p->off + at] ^= 0x10;
    }
}

static void unsigned_images_do_not_start_under_a_key(void **state)
{
    (void)state;
    struct image_keys keys = {.count = 1};
    uint8_t sector[FLASH_SECTOR];
    board_with("a", NULL);
    keys_write(&keys, sector);
    model_put(&m, 0x3d2000, sector, sizeof sector);
    assert_int_equal(model_start(&m, &s, &power), 0);
    assert_false(s.choice.run);
}

enum { KEYS = 0x3d2000, COPY2 = KEYS_COPY_OFF + KEYS_COPY_STEP };

static void damage_keys(bool first, bool second)
{
    struct image_keys keys = {.count = 1};
    uint8_t sector[FLASH_SECTOR];
    keys_write(&keys, sector);
    sector[KEYS_COPY_OFF + 20] ^= first;
    sector[COPY2 + 30] ^= second;
    model_fill(&m, KEYS, 0xff, FLASH_SECTOR);
    model_put(&m, KEYS, sector, sizeof sector);
}

/* ota_0 "a" confirmed, ota_1 "b" selected and not started yet. */
static void accepted_and_pending(void)
{
    pending("a", "b", 1, 0);
    start(&power);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    assert_int_equal(boot_select(&s.boot, 2, NULL), 0);
}

static void lost_keys_start_what_was_accepted(void **state)
{
    (void)state;
    accepted_and_pending();
    damage_keys(true, true);
    for (int i = 0; i < 10; i++) {
        model_forget();
        expect(start(&power), 1, WHY_KEYS_LOST);
        assert_true(s.choice.handover.flags & HANDOVER_KEYS_LOST);
        assert_false(s.choice.handover.flags & HANDOVER_TRIAL);
        assert_int_equal(s.boot.record.active, 2);
        assert_int_equal(s.boot.record.attempts_used, 0);
    }
    assert_int_equal(boot_slot_state(&s.boot, 2), SLOT_PENDING);
    /* The pin does not select it either. */
    expect(start(&(struct boot_cause){.window = 1}), 1, WHY_FALLBACK);
    expect(start(&(struct boot_cause){.window = 3}), 0, WHY_SAFE_FACTORY);
    /* Keys known again: it gets its trial. */
    model_fill(&m, KEYS, 0xff, FLASH_SECTOR);
    expect(start(NULL), 2, WHY_TRIAL);
}

static void one_copy_damaged_the_other_erased_is_lost(void **state)
{
    (void)state;
    accepted_and_pending();
    damage_keys(true, false);
    model_fill(&m, KEYS + COPY2, 0xff, KEYS_LEN);
    expect(start(&power), 1, WHY_KEYS_LOST);
    damage_keys(false, true);
    model_fill(&m, KEYS + KEYS_COPY_OFF, 0xff, KEYS_LEN);
    expect(start(NULL), 1, WHY_KEYS_LOST);
}

static void one_good_copy_is_obeyed_and_said(void **state)
{
    (void)state;
    for (int second = 0; second < 2; second++) {
        accepted_and_pending();
        damage_keys(!second, second);
        assert_int_equal(model_start(&m, &s, &power), 0);
        assert_false(s.choice.run); /* nothing here is signed */
        assert_true(s.choice.handover.flags & HANDOVER_KEYS_BAD);
        assert_false(s.choice.handover.flags & HANDOVER_KEYS_LOST);
    }
}

/* The record says good, and something else lies there. */
static void lost_keys_compare_the_digest(void **state)
{
    (void)state;
    static uint8_t image[8192];
    accepted_and_pending();
    damage_keys(true, true);
    size_t len = make_image(image, "x", 3000, true);
    model_fill(&m, 0x150000, 0xff, 8192);
    model_put(&m, 0x150000, image, len);
    expect(start(&power), 0, WHY_KEYS_LOST);
}

static void lost_keys_and_no_record_start_factory(void **state)
{
    (void)state;
    accepted_and_pending();
    damage_keys(true, true);
    model_fill(&m, OTADATA, 0xff, 0x2000);
    expect(start(&power), 0, WHY_ACTIVE);
    put_head(1, RECORD_READY, 2); /* a host tool's word is not enough */
    expect(start(NULL), 0, WHY_KEYS_LOST);
}

static void lost_keys_do_not_make_it_dark(void **state)
{
    (void)state;
    accepted_and_pending();
    damage_keys(true, true);
    m.cells[0x10000 + 900] ^= 1;
    expect(start(&power), 1, WHY_KEYS_LOST);
    m.cells[0x150000 + 900] ^= 1;
    expect(start(NULL), 2, WHY_TRIAL); /* nothing else is left */
}

static void lost_keys_leave_only_for_what_was_accepted(void **state)
{
    (void)state;
    pending("a", "b", 1, 2);
    start(&power);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    damage_keys(true, true);
    expect(start(&power), 1, WHY_ACTIVE);
    assert_int_equal(boot_select(&s.boot, 2, NULL), WIPY_ESIGN);
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), 0);
    assert_int_equal(s.boot.record.active, 0);
}

static void damaged_keys_are_in_the_diary(void **state)
{
    (void)state;
    struct diary d;
    struct diary_entry e;
    char text[DIARY_TEXT_LEN];
    board_with("a", NULL);
    damage_keys(true, true);
    start(&power);
    diary_open(&d, &s.boot);
    assert_int_equal(
        diary_note_start(&d, &s.choice.handover, &model_retained, 0, 0, 0), 0);
    assert_true(diary_get(&d, 1, &e));
    diary_text(&e, text, sizeof text);
    assert_string_equal(text, "damaged: both copies of the keys");
}

static void locks_keep_the_way_back(void **state)
{
    (void)state;
    static const uint32_t locked[] = {0x1000,  0x8000,   0x3d5000, 0x3d2000,
                                      0x10000, 0x14f000, 0x290000};
    board_with("a", "b");
    put_head(2, RECORD_READY, 1);
    start(&power);
    model_lock_all(&m, &s);
    for (size_t i = 0; i < sizeof locked / sizeof locked[0]; i++)
        assert_int_equal(flash_erase(&m.flash, locked[i], 4096), WIPY_ELOCKED);
    assert_int_equal(flash_erase(&m.flash, 0x150000, 4096), 0);
    assert_int_equal(flash_erase(&m.flash, 0x9000, 4096), 0);
    assert_int_equal(flash_erase(&m.flash, 0x3d0000, 4096), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_survive_one_damaged_copy),
        cmocka_unit_test(unsigned_images_do_not_start_under_a_key),
        cmocka_unit_test(lost_keys_start_what_was_accepted),
        cmocka_unit_test(one_copy_damaged_the_other_erased_is_lost),
        cmocka_unit_test(one_good_copy_is_obeyed_and_said),
        cmocka_unit_test(lost_keys_compare_the_digest),
        cmocka_unit_test(lost_keys_and_no_record_start_factory),
        cmocka_unit_test(lost_keys_do_not_make_it_dark),
        cmocka_unit_test(lost_keys_leave_only_for_what_was_accepted),
        cmocka_unit_test(damaged_keys_are_in_the_diary),
        cmocka_unit_test(locks_keep_the_way_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
