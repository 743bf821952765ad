#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootboard.h"

static void diary_keeps_the_last_64(void **state)
{
    (void)state;
    struct diary d;
    struct diary_entry e;
    char text[DIARY_TEXT_LEN];
    board_with(NULL, NULL);
    start(&power);
    diary_open(&d, &s.boot);
    assert_false(diary_get(&d, 0, &e));
    for (uint32_t i = 1; i <= 300; i++) {
        e = (struct diary_entry){.kind = DIARY_START,
                                 .slot = 1,
                                 .why = WHY_TRIAL,
                                 .run_s = i,
                                 .version = "1.2.3"};
        if (i % 7 == 0)
            diary_open(&d, &s.boot);
        assert_int_equal(diary_add(&d, &e), 0);
        uint32_t there = i < 64 ? i : 64;
        for (uint32_t n = 0; n < there; n += 9) {
            assert_true(diary_get(&d, n, &e));
            assert_int_equal(e.run_s, i - n);
            assert_int_equal(e.seq, i - n);
        }
    }
    assert_true(diary_get(&d, 0, &e));
    diary_text(&e, text, sizeof text);
    assert_string_equal(text, "start of ota_0 1.2.3, power on, on trial; ran "
                              "300 s before");
}

static void diary_says_what_happened(void **state)
{
    (void)state;
    struct diary d;
    struct diary_entry e;
    char text[DIARY_TEXT_LEN];
    pending("a", NULL, 1, 0);
    start(&power);
    model_retained.run_s = 3;
    start(&fault); /* rolled back; nothing had been written before */
    diary_open(&d, &s.boot);
    assert_int_equal(
        diary_note_start(&d, &s.choice.handover, &model_retained, 1, 11, 1000),
        0);
    static const char *const want[] = {
        "start of factory f, reset, rolled back; ran 3 s before",
        "ota_0 left after a hard fault in its trial",
        "the run before ended in a fault: signal 11",
        "start of ota_0, power on, on trial",
        "start of factory, power on, selected"};
    for (unsigned i = 0; i < 5; i++) {
        assert_true(diary_get(&d, i, &e));
        diary_text(&e, text, sizeof text);
        assert_memory_equal(text, want[i], strlen(want[i]));
    }
    assert_false(diary_get(&d, 5, &e));
    assert_int_equal(model_retained.event_count, 0);
    assert_int_equal(
        diary_note_unhealthy(&d, 1, "raised ValueError: a long text", 0), 0);
    assert_true(diary_get(&d, 0, &e));
    diary_text(&e, text, sizeof text);
    assert_string_equal(
        text, "ota_0 stays on trial: healthy() raised ValueError: a lon");
}

static void changes_are_noted(void **state)
{
    (void)state;
    struct diary d;
    struct diary_entry e;
    char text[DIARY_TEXT_LEN];
    pending("a", NULL, 1, 0);
    start(&power);
    diary_open(&d, &s.boot);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_USER_CONFIRM), 0);
    assert_int_equal(diary_note_change(&d, &s.boot, 7), 0);
    assert_true(diary_get(&d, 0, &e));
    assert_int_equal(e.kind, DIARY_CHANGE);
    assert_int_equal(e.time, 7);
    assert_memory_equal(e.digest, s.boot.record.slot[1].digest, 8);
    diary_text(&e, text, sizeof text);
    assert_memory_equal(text, "ota_0 ", 6);
    s.boot.record.reason_slot = 200; /* as a damaged record may say */
    assert_int_equal(diary_note_change(&d, &s.boot, 7), 0);
    assert_true(diary_get(&d, 0, &e));
    assert_int_equal(e.slot, 0);
}

/* Power lost at any write: what was noted before is there, and what is noted
 * afterwards. */
static void a_cut_costs_the_entry_under_way(void **state)
{
    (void)state;
    struct diary d;
    struct diary_entry e = {.kind = DIARY_START}, got;
    board_with(NULL, NULL);
    start(&power);
    for (uint32_t i = 1; i < 1000; i++) {
        diary_open(&d, &s.boot);
        e.run_s = i;
        assert_int_equal(diary_add(&d, &e), 0);
        uint32_t seq = e.seq;
        m.tear = (enum tear)(i % TEAR_DISTURB);
        m.cut_at = m.ops + 1 + (i % 64 == 0);
        e.run_s = 0;
        (void)diary_add(&d, &e);
        model_power_on(&m);
        diary_open(&d, &s.boot);
        assert_true(diary_get(&d, 0, &got));
        if (got.run_s == 0) /* it was written all the same */
            assert_true(diary_get(&d, 1, &got));
        assert_int_equal(got.run_s, i);
        assert_int_equal(got.seq, seq);
    }
}

static void a_board_without_a_diary_does_without(void **state)
{
    (void)state;
    struct diary d;
    struct diary_entry e = {.kind = DIARY_START};
    struct table t = *table_default(0x800000);
    board_with(NULL, NULL);
    for (unsigned i = 0; i < t.count; i++)
        if (t.row[i].subtype == PART_DIARY)
            t.row[i].size = FLASH_SECTOR; /* half of what it needs */
    put_table(&m, &t);
    start(&power);
    diary_open(&d, &s.boot);
    uint64_t before = m.ops;
    assert_int_equal(diary_add(&d, &e), 0);
    assert_false(diary_get(&d, 0, &e));
    assert_int_equal(m.ops, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diary_keeps_the_last_64),
        cmocka_unit_test(diary_says_what_happened),
        cmocka_unit_test(changes_are_noted),
        cmocka_unit_test(a_cut_costs_the_entry_under_way),
        cmocka_unit_test(a_board_without_a_diary_does_without),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
