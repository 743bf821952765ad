#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/hex.h"
#include "boot/safeboot.h"
#include "bootmodel.h"
#include "words/words.h"

enum { OTADATA = 0x3d0000, COPY1 = OTADATA + 0x1800 };

static struct model m;
static struct start s;

/* A default board whose factory holds version "f"; `ota_0` and `ota_1` as
 * named, NULL for an empty slot. */
static void board_with(const char *ota_0, const char *ota_1)
{
    static uint8_t image[8192];
    const struct table *t = table_default(0x800000);
    const char *version[] = {"f", ota_0, ota_1};
    static const uint32_t place[] = {0x10000, 0x150000, 0x290000};
    memset(m.cells, 0xff, m.size);
    memset(m.dirty, 0, m.size / 4096);
    model_power_on(&m);
    model_forget();
    put_table(&m, t);
    for (int i = 0; i < 3; i++) {
        if (version[i]) {
            size_t len = make_image(image, version[i], 3000, true);
            model_put(&m, place[i], image, len);
        }
    }
}

static void put_head(uint32_t active, uint32_t status, uint32_t prev)
{
    struct boot_record r = {
        .active = active, .status = status, .prev = prev, .size = 3000};
    memset(r.signature, 0xff, sizeof r.signature);
    uint8_t head[RECORD_HEAD_LEN];
    boot_record_head_write(head, &r);
    model_fill(&m, OTADATA, 0xff, 4096);
    model_put(&m, OTADATA, head, sizeof head);
}

static const struct boot_handover *start(const struct boot_cause *cause)
{
    assert_int_equal(model_start(&m, &s, cause), 0);
    assert_true(s.choice.run);
    return &s.choice.handover;
}

static void expect(const struct boot_handover *h, unsigned slot, unsigned why)
{
    assert_int_equal(h->slot, slot);
    assert_string_equal(boot_why_text(h->why), boot_why_text(why));
}

static const struct boot_cause fault = {.reset = 1, .fault = true, .now_ms = 9};
static const struct boot_cause power = {.reset = 0};
static const struct boot_cause watchdog = {.reset = 2};

/* ---- record ---- */

/* Spec 1.4. */
static void vendor_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t active, status, prev, size, safeboot;
        const char *hex;
    } rows[] = {
        {0, 1, 0, 0xffffffff, 0,
         "000000000100000000000000ffffffff00000000fffffffffffffffffffffffffffff"
         "fffc5421381"},
        {0, 1, 0, 0, 0,
         "0000000001000000000000000000000000000000fffffffffffffffffffffffffffff"
         "fff1a772ddd"},
        {1, 0, 0, 1048576, 0,
         "0100000000000000000000000000100000000000fffffffffffffffffffffffffffff"
         "fff64ec7010"},
        {1, 1, 0, 1048576, 1,
         "0100000001000000000000000000100001000000fffffffffffffffffffffffffffff"
         "fff88d2cd84"},
        {1, 1, 0, 1048576, 2,
         "0100000001000000000000000000100002000000fffffffffffffffffffffffffffff"
         "fff429f642b"},
        {2, 0, 1, 1048576, 0,
         "0200000000000000010000000000100000000000fffffffffffffffffffffffffffff"
         "fff876a2575"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t want[40], got[40];
        struct boot_record r = {.active = rows[i].active,
                                .status = rows[i].status,
                                .prev = rows[i].prev,
                                .size = rows[i].size,
                                .safeboot = rows[i].safeboot};
        struct boot_record back = {0};
        memset(r.signature, 0xff, sizeof r.signature);
        assert_true(hex_decode(want, rows[i].hex, 40));
        boot_record_head_write(got, &r);
        assert_memory_equal(got, want, 40);
        assert_true(boot_record_head_read(want, &back));
        assert_int_equal(back.active, rows[i].active);
        assert_int_equal(back.prev, rows[i].prev);
        assert_int_equal(back.safeboot, rows[i].safeboot);
        want[17] ^= 1;
        assert_false(boot_record_head_read(want, &back));
    }
}

static void copies_are_written_in_turn(void **state)
{
    (void)state;
    struct record_store store;
    struct boot_record r;
    board_with(NULL, NULL);
    assert_int_equal(boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000),
                     WIPY_ENOENT);
    for (uint32_t i = 1; i < 8; i++) {
        r.slot[1].len = i;
        assert_int_equal(boot_record_save(&store, &r), 0);
        struct boot_record back;
        struct record_store again;
        assert_int_equal(
            boot_record_load(&again, &back, &m.flash, OTADATA, 0x2000), 0);
        assert_int_equal(again.current, (int)((i - 1) % 2));
        assert_int_equal(back.seq, i);
        assert_int_equal(back.slot[1].len, i);
    }
    /* The newer copy damaged: the older one counts. */
    m.cells[store.current ? COPY1 + 50 : OTADATA + 50] ^= 1;
    assert_int_equal(boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000),
                     0);
    assert_int_equal(r.slot[1].len, 6);
    assert_true(store.bad[0] || store.bad[1]);
}

static void appended_records_cost_no_erase(void **state)
{
    (void)state;
    struct record_store store, again;
    struct boot_record r, back;
    board_with(NULL, NULL);
    (void)boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000);
    assert_int_equal(boot_record_save(&store, &r), 0);
    uint64_t before = m.ops;
    r.slot[1].len = 77;
    assert_int_equal(boot_record_append(&store, &r), 0);
    assert_int_equal(m.ops - before, 2);
    (void)boot_record_load(&again, &back, &m.flash, OTADATA, 0x2000);
    assert_int_equal(back.slot[1].len, 77);
    assert_int_equal(back.seq, 2);
    /* The place is taken: the other sector. */
    assert_int_equal(boot_record_append(&store, &r), 0);
    assert_int_equal(store.current, 1);
    /* Attempts are counted for both places: not after one. */
    assert_int_equal(boot_record_use_attempt(&store, &r), 0);
    assert_int_equal(boot_record_append(&store, &r), 0);
    assert_int_equal(store.current, 0);
    (void)boot_record_load(&again, &back, &m.flash, OTADATA, 0x2000);
    assert_int_equal(back.seq, 4);
}

static void counters_cost_no_erase(void **state)
{
    (void)state;
    struct record_store store;
    struct boot_record r;
    board_with(NULL, NULL);
    (void)boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000);
    assert_int_equal(boot_record_save(&store, &r), 0);
    uint64_t before = m.ops;
    for (int i = 0; i < RECORD_ATTEMPTS; i++)
        assert_int_equal(boot_record_use_attempt(&store, &r), 0);
    assert_int_equal(boot_record_use_attempt(&store, &r), WIPY_ERANGE);
    for (int i = 0; i < RECORD_BLOCKS; i++)
        assert_int_equal(boot_record_add_block(&store, &r), 0);
    assert_int_equal(boot_record_add_block(&store, &r), WIPY_ERANGE);
    assert_int_equal(boot_record_take_safe(&store, &r), 0);
    assert_int_equal(m.ops - before, RECORD_ATTEMPTS + RECORD_BLOCKS + 1);
    (void)boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000);
    assert_int_equal(r.attempts_used, RECORD_ATTEMPTS);
    assert_int_equal(r.blocks, RECORD_BLOCKS);
    assert_true(r.safe_taken);
}

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

static void pending(const char *a, const char *b, unsigned slot, unsigned prev)
{
    board_with(a, b);
    start(&power);
    put_head(slot, RECORD_CHECK, prev);
}

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

/* ---- keys, locks ---- */

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
    assert_int_equal(keys_load(&back, m.cells, p), KEYS_NONE);
    assert_int_equal(back.count, 0);
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

/* ---- diary ---- */

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

static int set_up(void **state)
{
    (void)state;
    model_init(&m, 0x800000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    model_free(&m);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vendor_vectors),
        cmocka_unit_test(copies_are_written_in_turn),
        cmocka_unit_test(appended_records_cost_no_erase),
        cmocka_unit_test(counters_cost_no_erase),
        cmocka_unit_test(new_board_starts_factory),
        cmocka_unit_test(host_record_is_adopted),
        cmocka_unit_test(host_record_is_range_checked),
        cmocka_unit_test(damage_falls_from_active_to_factory),
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
        cmocka_unit_test(keys_survive_one_damaged_copy),
        cmocka_unit_test(unsigned_images_do_not_start_under_a_key),
        cmocka_unit_test(locks_keep_the_way_back),
        cmocka_unit_test(vendor_map_boots),
        cmocka_unit_test(diary_keeps_the_last_64),
        cmocka_unit_test(diary_says_what_happened),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
