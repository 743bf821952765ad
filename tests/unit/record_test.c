#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/hex.h"
#include "bootboard.h"

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

/* Power failed while a word was cleared: the attempt was used, the block is
 * received again. */
static void torn_counters(void **state)
{
    (void)state;
    struct record_store store;
    struct boot_record r;
    board_with(NULL, NULL);
    (void)boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000);
    assert_int_equal(boot_record_save(&store, &r), 0);
    m.cells[OTADATA + 0x400 + 2] = 0;
    m.cells[OTADATA + 0x600 + 1] = 0x7f;
    (void)boot_record_load(&store, &r, &m.flash, OTADATA, 0x2000);
    assert_int_equal(r.attempts_used, 1);
    assert_int_equal(r.blocks, 0);
}

/* In memory is what is on the chip. */
static void what_was_not_written_is_not_believed(void **state)
{
    (void)state;
    pending("a", NULL, 1, 0);
    start(&power);
    m.dead = true;
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), WIPY_EIO);
    assert_true(boot_on_trial(&s.boot));
    assert_int_equal(boot_rollback(&s.boot, REASON_USER_ROLLBACK), WIPY_EIO);
    assert_int_equal(s.boot.record.active, 1);
    m.dead = false;
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
}

static int program_nothing(void *ctx, flash_off off, const void *from,
                           size_t len)
{
    (void)ctx, (void)off, (void)from, (void)len;
    return 0;
}

/* Nor when the chip says that it was. */
static void what_was_not_stored_is_not_believed(void **state)
{
    (void)state;
    pending("a", NULL, 1, 0);
    start(&power);
    m.flash.program = program_nothing;
    int err = boot_confirm(&s.boot, 1, REASON_SELF_TEST);
    m.flash.program = model_program;
    assert_int_equal(err, WIPY_EIO);
    assert_true(boot_on_trial(&s.boot));
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
}

/* There is no record to put it behind: it is written as the first one. */
static void the_first_record_may_be_an_appended_one(void **state)
{
    (void)state;
    board_with("a", NULL);
    assert_int_equal(boot_open(&s.boot, &m.flash), 0);
    assert_false(s.boot.have_record);
    s.boot.record.prev = 1;
    assert_int_equal(boot_append(&s.boot), 0);
    assert_int_equal(boot_open(&s.boot, &m.flash), 0);
    assert_true(s.boot.have_record);
    assert_int_equal(s.boot.record.prev, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vendor_vectors),
        cmocka_unit_test(copies_are_written_in_turn),
        cmocka_unit_test(appended_records_cost_no_erase),
        cmocka_unit_test(counters_cost_no_erase),
        cmocka_unit_test(torn_counters),
        cmocka_unit_test(what_was_not_written_is_not_believed),
        cmocka_unit_test(what_was_not_stored_is_not_believed),
        cmocka_unit_test(the_first_record_may_be_an_appended_one),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
