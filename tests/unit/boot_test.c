#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boot/safeboot.h"
#include "bootboard.h"

/* ---- choice ---- */

static void new_board_starts_factory(void **state)
{
    (void)state;
    board_with(NULL, NULL);
    const struct boot_handover *h = start(&power);
    expect(h, 0, WHY_ACTIVE);
    assert_true(h->flags & HANDOVER_RECORD_NEW);
    assert_string_equal(h->version, "f");
    h = start(&power);
    assert_false(h->flags & HANDOVER_RECORD_NEW);
}

static void host_record_is_adopted(void **state)
{
    (void)state;
    board_with("a", NULL);
    start(&power);
    put_head(1, RECORD_CHECK, 0);
    const struct boot_handover *h = start(&power);
    expect(h, 1, WHY_TRIAL);
    assert_true(h->flags & HANDOVER_ADOPTED);
    assert_int_equal(m.cells[OTADATA], 0xff); /* the host's own is gone */
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_USER_CONFIRM), 0);
    h = start(&power);
    expect(h, 1, WHY_ACTIVE);
    assert_false(h->flags & HANDOVER_ADOPTED);
}

static void host_record_is_range_checked(void **state)
{
    (void)state;
    board_with("a", NULL);
    put_head(77, RECORD_READY, 99);
    expect(start(&power), 0, WHY_ACTIVE);
    put_head(1, 0x55, 0xfffffffe);
    expect(start(&power), 1, WHY_ACTIVE);
    put_head(2, RECORD_CHECK, 1); /* ota_1 is empty */
    const struct boot_handover *h = start(&power);
    expect(h, 1, WHY_FALLBACK);
    assert_int_equal(h->left, 2);
}

static void damage_falls_from_active_to_factory(void **state)
{
    (void)state;
    board_with("a", "b");
    put_head(2, RECORD_READY, 1);
    expect(start(&power), 2, WHY_ACTIVE);
    m.cells[0x290000 + 500] ^= 1;
    const struct boot_handover *h = start(&power);
    expect(h, 1, WHY_FALLBACK);
    assert_int_equal(h->fault[2], IMAGE_BAD_CHECKSUM);
    expect(start(&power), 1, WHY_ACTIVE);
    m.cells[0x150000 + 500] ^= 1;
    expect(start(&power), 0, WHY_FALLBACK);
    m.cells[0x10000 + 500] ^= 1;
    assert_int_equal(model_start(&m, &s, &power), 0);
    assert_false(s.choice.run);
}

/* The chip may change between the check and the start: a cell gives way, or
 * somebody writes its file. */
static void what_was_verified_is_what_starts(void **state)
{
    (void)state;
    board_with("a", NULL);
    put_head(1, RECORD_READY, 0);
    assert_int_equal(boot_open(&s.boot, &m.flash), 0);
    assert_int_equal(boot_slot_max(&s.boot), 0x140000);
    s.boot.memory = malloc(boot_slot_max(&s.boot));
    boot_decide(&s.boot, &power, &model_retained, &s.choice);
    assert_true(s.choice.run);
    memset(m.cells, 0x55, m.size);
    struct image im;
    uint8_t digest[SHA256_LEN];
    assert_int_equal(image_check(&im, s.choice.image.data,
                                 s.choice.image.full_len, IMAGE_MACHINE_HERE,
                                 NULL, digest),
                     IMAGE_FINE);
    assert_memory_equal(digest, s.choice.handover.digest, SHA256_LEN);
    assert_ptr_equal(im.elf, s.choice.image.elf);
    assert_int_equal(im.elf_len, s.choice.image.elf_len);
    free(s.boot.memory);
}

static void damaged_factory_is_no_dead_end(void **state)
{
    (void)state;
    board_with(NULL, "b");
    start(&power);
    m.cells[0x10000 + 500] ^= 1;
    expect(start(&power), 2, WHY_FALLBACK);
}

static void reflashed_factory_runs(void **state)
{
    (void)state;
    static uint8_t image[8192];
    board_with("a", NULL);
    start(&power);
    put_head(1, RECORD_READY, 0);
    expect(start(&power), 1, WHY_ACTIVE);
    size_t len = make_image(image, "new", 2000, false);
    model_fill(&m, 0x10000, 0xff, 65536);
    model_put(&m, 0x10000, image, len);
    const struct boot_handover *h = start(&power);
    expect(h, 0, WHY_REFLASHED);
    assert_true(h->flags & HANDOVER_REFLASHED);
    assert_int_equal(h->prev, 1);
    expect(start(&power), 0, WHY_ACTIVE);
}

/* ---- safe boot ---- */

static void windows_select_for_one_start(void **state)
{
    (void)state;
    board_with("a", "b");
    put_head(2, RECORD_READY, 1);
    start(&power);
    static const struct {
        uint8_t window, slot, why;
    } rows[] = {{1, 2, WHY_SAFE_LATEST},
                {2, 1, WHY_SAFE_PREVIOUS},
                {3, 0, WHY_SAFE_FACTORY}};
    for (size_t i = 0; i < 3; i++) {
        struct boot_cause cause = {.window = rows[i].window};
        const struct boot_handover *h = start(&cause);
        expect(h, rows[i].slot, rows[i].why);
        assert_true(h->flags & HANDOVER_SAFE_BOOT);
        h = start(&power);
        expect(h, 2, WHY_ACTIVE);
        assert_false(h->flags & HANDOVER_SAFE_BOOT);
    }
    /* A damaged previous image: factory, and nothing is recorded. */
    m.cells[0x150000 + 500] ^= 1;
    expect(start(&(struct boot_cause){.window = 2}), 0, WHY_FALLBACK);
    expect(start(&power), 2, WHY_ACTIVE);
}

static void software_safe_boot_happens_once(void **state)
{
    (void)state;
    board_with(NULL, NULL);
    start(&power);
    assert_int_equal(boot_request_safe(&s.boot), 0);
    const struct boot_handover *h = start(&power);
    expect(h, 0, WHY_SAFE_SOFTWARE);
    assert_true(h->flags & HANDOVER_SAFE_BOOT);
    expect(start(&power), 0, WHY_ACTIVE);
    model_retained.request_safe = RETAINED_SAFE;
    expect(start(NULL), 0, WHY_SAFE_SOFTWARE);
    expect(start(NULL), 0, WHY_ACTIVE);
}

/* Plays the windows with the pin released after `held_ms`; returns the window
 * and counts the light's changes. */
static unsigned play(uint32_t held_ms, uint32_t *total, unsigned *changes)
{
    struct safeboot b;
    uint32_t now = 0;
    bool lit = false;
    *changes = 0;
    safeboot_init(&b, SAFEBOOT_DEBOUNCE_MS);
    for (;;) {
        safeboot_step(&b, now < held_ms);
        *changes += b.lit != lit;
        lit = b.lit;
        if (b.done)
            break;
        now += b.wait_ms;
        assert_true(now < 20000);
    }
    assert_false(b.lit);
    *total = now;
    return b.window;
}

/* Spec 4.2: 100 ms, 3 s at 500 ms, 3 s at 250 ms, 1.5 s at 100 ms. */
static void windows_as_specified(void **state)
{
    (void)state;
    static const struct {
        uint32_t held, window, total;
    } rows[] = {
        {0, 0, 0},       {50, 0, 100},    {100, 0, 100},     {101, 1, 600},
        {1000, 1, 1100}, {3100, 1, 3100}, {3101, 2, 3350},   {6100, 2, 6100},
        {6101, 3, 7600}, {7000, 3, 7600}, {100000, 3, 7600},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t total;
        unsigned changes;
        assert_int_equal(play(rows[i].held, &total, &changes), rows[i].window);
        assert_int_equal(total, rows[i].total);
        if (rows[i].held == 100000)
            assert_int_equal(changes, 6 + 12 + 15 + 1);
    }
}

/* ---- trial ---- */

static void fault_in_trial_goes_back_at_once(void **state)
{
    (void)state;
    pending("a", "b", 2, 1);
    const struct boot_handover *h = start(&power);
    expect(h, 2, WHY_TRIAL);
    assert_int_equal(h->attempts_left, 4);
    assert_int_equal(h->watchdog_ms, BOOT_TRIAL_WATCHDOG_MS);
    h = start(&fault);
    expect(h, 1, WHY_ROLLBACK);
    assert_int_equal(h->left, 2);
    assert_int_equal(h->left_reason, REASON_FAULT);
    assert_int_equal(boot_slot_state(&s.boot, 2), SLOT_BAD);
    h = start(&power);
    expect(h, 1, WHY_ACTIVE);
    assert_int_equal(h->prev, 0);

    pending("a", "b", 2, 1);
    expect(start(&power), 2, WHY_TRIAL);
    h = start(&watchdog);
    expect(h, 1, WHY_ROLLBACK);
    assert_int_equal(h->left_reason, REASON_WATCHDOG);
}

static int no_attempts(void *ctx, flash_off off, const void *from, size_t len)
{
    uint32_t in_sector = off % 4096;
    bool attempt = off >= 0x3d0000 && off < 0x3d2000 && len == 4 &&
                   (in_sector & 0x7ff) == 0x600;
    return attempt ? WIPY_EIO : model_program(ctx, off, from, len);
}

/* A cell that is worn out must not make a crashing image start for ever. */
static void fault_is_seen_when_attempts_cannot_be_counted(void **state)
{
    (void)state;
    pending("a", "b", 2, 1);
    m.flash.program = no_attempts;
    expect(start(&power), 2, WHY_TRIAL);
    assert_int_equal(s.boot.record.attempts_used, 0);
    const struct boot_handover *h = start(&fault);
    m.flash.program = model_program;
    expect(h, 1, WHY_ROLLBACK);
    assert_int_equal(h->left_reason, REASON_FAULT);
}

static void fifth_power_cut_goes_back(void **state)
{
    (void)state;
    pending("a", NULL, 1, 0);
    for (int i = 4; i >= 0; i--) {
        model_forget();
        const struct boot_handover *h = start(&power);
        expect(h, 1, WHY_TRIAL);
        assert_int_equal(h->attempts_left, i);
    }
    model_forget();
    const struct boot_handover *h = start(&power);
    expect(h, 0, WHY_ROLLBACK);
    assert_int_equal(h->left_reason, REASON_ATTEMPTS);
}

static void orderly_resets_do_not_count(void **state)
{
    (void)state;
    pending("a", NULL, 1, 0);
    for (int i = 0; i < 20; i++) {
        expect(start(NULL), 1, WHY_TRIAL);
        assert_int_equal(s.choice.handover.attempts_left, 4);
        model_retained.end = RUN_ORDERLY;
    }
    /* A fault after all, though the flag was set. */
    expect(start(&fault), 0, WHY_ROLLBACK);
}

static void safe_boot_neither_confirms_nor_counts(void **state)
{
    (void)state;
    pending("a", NULL, 1, 0);
    for (int i = 0; i < 9; i++) {
        const struct boot_handover *h =
            start(&(struct boot_cause){.window = 1});
        expect(h, 1, WHY_SAFE_LATEST);
        assert_false(h->flags & HANDOVER_TRIAL);
        assert_int_equal(h->watchdog_ms, 0);
    }
    /* A crash in safe boot is no crash of the trial. */
    expect(start(&fault), 1, WHY_TRIAL);
    assert_int_equal(s.choice.handover.attempts_left, 4);
}

static void confirmation_ends_the_trial(void **state)
{
    (void)state;
    pending("a", NULL, 1, 0);
    start(&power);
    assert_true(boot_on_trial(&s.boot));
    assert_int_equal(boot_slot_state(&s.boot, 1), SLOT_TRIAL);
    assert_int_equal(boot_confirm(&s.boot, 0, REASON_SELF_TEST), WIPY_EPERM);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), WIPY_EPERM);
    for (int i = 0; i < 10; i++) {
        model_forget();
        expect(start(&power), 1, WHY_ACTIVE);
    }
}

static void rollback_by_the_user(void **state)
{
    (void)state;
    pending("a", "b", 2, 1);
    start(&power);
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), 0);
    expect(start(NULL), 1, WHY_ACTIVE);
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), 0);
    expect(start(NULL), 0, WHY_ACTIVE);
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), WIPY_EPERM);
}

static void rollback_only_to_what_verifies(void **state)
{
    (void)state;
    pending("a", "b", 2, 1);
    start(&power);
    m.cells[0x150000 + 500] ^= 1;
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), 0);
    assert_int_equal(s.boot.record.active, 0);
    pending("a", NULL, 1, 0);
    start(&power);
    m.cells[0x10000 + 500] ^= 1;
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), WIPY_EPERM);
    assert_int_equal(s.boot.record.active, 1);
}

static void crash_at(uint32_t ms)
{
    struct boot_cause cause = fault;
    cause.now_ms = ms;
    start(&cause);
}

static void crash_loop_is_left_once(void **state)
{
    (void)state;
    board_with("a", "b");
    put_head(2, RECORD_READY, 1);
    start(&power);
    crash_at(1000);
    crash_at(30000);
    expect(&s.choice.handover, 2, WHY_ACTIVE);
    crash_at(62000); /* 61 s after the first */
    expect(&s.choice.handover, 2, WHY_ACTIVE);
    crash_at(80000); /* 50 s after the second */
    expect(&s.choice.handover, 1, WHY_ROLLBACK);
    assert_int_equal(s.choice.handover.left_reason, REASON_CRASH_LOOP);
    for (int i = 0; i < 6; i++)
        crash_at(90000 + 1000 * (unsigned)i);
    expect(&s.choice.handover, 1, WHY_ACTIVE); /* once */
}

static void select_needs_a_good_image(void **state)
{
    (void)state;
    enum image_fault why;
    board_with("a", NULL);
    start(&power);
    assert_int_equal(boot_select(&s.boot, 0, &why), WIPY_EEXIST);
    assert_int_equal(boot_select(&s.boot, 2, &why), WIPY_ECORRUPT);
    assert_int_equal(why, IMAGE_BLANK);
    assert_int_equal(boot_select(&s.boot, 9, &why), WIPY_ENOENT);
    assert_int_equal(boot_select(&s.boot, 1, &why), 0);
    expect(start(NULL), 1, WHY_TRIAL); /* never confirmed before */
    assert_int_equal(boot_select(&s.boot, 0, &why), WIPY_EPERM);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    assert_int_equal(boot_select(&s.boot, 0, &why), 0);
    expect(start(NULL), 0, WHY_ACTIVE);
    assert_int_equal(boot_select(&s.boot, 1, &why), 0);
    expect(start(NULL), 1, WHY_ACTIVE); /* confirmed before */
}

static void vendor_map_boots(void **state)
{
    (void)state;
    /* Era F, 8 MB: one update slot, one sector of otadata, no table2. */
    static const char csv[] = "nvs,data,nvs,0x9000,0x7000\n"
                              "factory,app,factory,0x10000,0x1EF000\n"
                              "otadata,data,ota,0x1FF000,0x1000\n"
                              "ota_0,app,ota_0,0x210000,0x1EF000\n"
                              "config,data,6,0x3FF000,0x1000\n";
    static uint8_t image[8192];
    struct table t;
    board_with(NULL, NULL);
    assert_int_equal(table_from_csv(&t, csv, sizeof csv - 1, 0x800000, NULL),
                     0);
    put_table(&m, &t);
    size_t len = make_image(image, "v", 1000, true);
    model_put(&m, 0x210000, image, len);
    expect(start(&power), 0, WHY_ACTIVE);
    assert_int_equal(boot_select(&s.boot, 1, NULL), 0);
    expect(start(&power), 1, WHY_TRIAL);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    expect(start(&power), 1, WHY_ACTIVE);
    /* The vendor's tools call the factory area 2 on such a map. */
    struct boot_record r = {.active = 2, .status = RECORD_READY, .prev = 1};
    uint8_t head[RECORD_HEAD_LEN];
    boot_record_head_write(head, &r);
    model_fill(&m, 0x1ff000, 0xff, 4096);
    model_put(&m, 0x1ff000, head, sizeof head);
    expect(start(&power), 0, WHY_ACTIVE);
    assert_int_equal(s.boot.record.active, 0);
    assert_int_equal(s.boot.record.prev, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_board_starts_factory),
        cmocka_unit_test(host_record_is_adopted),
        cmocka_unit_test(host_record_is_range_checked),
        cmocka_unit_test(damage_falls_from_active_to_factory),
        cmocka_unit_test(what_was_verified_is_what_starts),
        cmocka_unit_test(damaged_factory_is_no_dead_end),
        cmocka_unit_test(reflashed_factory_runs),
        cmocka_unit_test(windows_select_for_one_start),
        cmocka_unit_test(software_safe_boot_happens_once),
        cmocka_unit_test(windows_as_specified),
        cmocka_unit_test(fault_in_trial_goes_back_at_once),
        cmocka_unit_test(fault_is_seen_when_attempts_cannot_be_counted),
        cmocka_unit_test(fifth_power_cut_goes_back),
        cmocka_unit_test(orderly_resets_do_not_count),
        cmocka_unit_test(safe_boot_neither_confirms_nor_counts),
        cmocka_unit_test(confirmation_ends_the_trial),
        cmocka_unit_test(rollback_by_the_user),
        cmocka_unit_test(rollback_only_to_what_verifies),
        cmocka_unit_test(crash_loop_is_left_once),
        cmocka_unit_test(select_needs_a_good_image),
        cmocka_unit_test(vendor_map_boots),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
