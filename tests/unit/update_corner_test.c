/* The update engine in the corners: boards, chips, records and uploads that
 * are not as they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bootboard.h"
#include "signing.h"

enum { CODE_LEN = 80000 };

static struct update u;
static uint8_t image[CODE_LEN + 2000];

static void boot_up(const struct boot_cause *cause)
{
    model_power_on(&m);
    start(cause);
    model_lock_all(&m, &s);
    update_init(&u, &s.boot, s.choice.handover.slot);
}

static int feed(size_t from, size_t to)
{
    int err = 0;
    for (size_t at = from, n; at < to && !err; at += n) {
        n = to - at < 4096 ? to - at : 4096;
        err = update_write(&u, image + at, n);
    }
    return err;
}

static void upload(const char *version)
{
    size_t len = make_image(image, version, CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(0, len), 0);
    assert_int_equal(update_finish(&u), 0);
}

static void says(const char *part)
{
    if (!strstr(update_text(&u), part))
        fail_msg("\"%s\" is not in \"%s\"", part, update_text(&u));
}

/* Nor while its sectors are those of the image that was there. */
static void what_is_being_received_cannot_be_selected(void **state)
{
    (void)state;
    board_with(NULL, NULL);
    boot_up(NULL);
    for (unsigned i = 0; i < 2; i++) {
        upload(i ? "b" : "a");
        boot_up(NULL);
        assert_int_equal(boot_confirm(&s.boot, 1 + i, REASON_SELF_TEST), 0);
    }
    size_t len = make_image(image, "a", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(0, 70000), 0);
    assert_int_equal(boot_select(&s.boot, 1, NULL), WIPY_EBUSY);
    assert_int_equal(feed(70000, len), 0);
    assert_int_equal(update_finish(&u), 0);
    assert_int_equal(s.boot.record.active, 1);
    assert_int_equal(s.boot.record.prev, 2);
}

/* Signed with the key that is set: accepted. Not signed, or with another one:
 * refused as early as it can be known. */
static void under_a_key_only_what_is_signed_is_taken(void **state)
{
    (void)state;
    struct image_keys keys = {.count = 1};
    uint8_t sector[FLASH_SECTOR];
    board_with(NULL, NULL);
    (void)hex_decode(keys.key[0], key_hex, P256_KEY_LEN);
    keys_write(&keys, sector);
    size_t len = sign_image(image, make_image(image, "f", 3000, false));
    model_put(&m, 0x10000, image, len);
    model_put(&m, 0x3d2000, sector, sizeof sector);
    boot_up(NULL);

    uint64_t before = m.ops;
    len = make_image(image, "a", CODE_LEN, true);
    assert_int_equal(update_begin(&u, (uint32_t)len, 0), 0);
    assert_int_equal(feed(0, 4096), WIPY_ESIGN);
    says("not signed");
    says("nothing was changed");
    update_abort(&u);
    assert_int_equal(m.ops, before);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(0, len), 0);
    assert_int_equal(update_finish(&u), WIPY_ESIGN);
    says("not signed");
    says("ota_0 holds no image now");

    len = sign_image(image, make_image(image, "a", CODE_LEN, false));
    assert_int_equal(image_add_tail(image, sizeof image, &len), 0);
    assert_int_equal(update_begin(&u, (uint32_t)len, 0), 0);
    assert_int_equal(feed(0, len), 0);
    assert_int_equal(update_finish(&u), 0);
    boot_up(NULL);
    assert_string_equal(s.choice.handover.version, "a");
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);

    make_image(image, "b", CODE_LEN, false); /* under the signature of a */
    len -= IMAGE_TAIL_LEN;
    assert_int_equal(image_add_tail(image, sizeof image, &len), 0);
    assert_int_equal(update_begin(&u, (uint32_t)len, 0), 0);
    assert_int_equal(feed(0, len), 0);
    assert_int_equal(update_finish(&u), WIPY_ESIGN);
    says("signature does not match");
    boot_up(NULL);
    assert_string_equal(s.choice.handover.version, "a");
}

/* A host tool may have written a record that names the slot twice. */
static void a_slot_that_is_its_own_previous_one(void **state)
{
    (void)state;
    board_with("a", NULL);
    put_head(1, RECORD_CHECK, 1);
    boot_up(&(struct boot_cause){.window = 3});
    assert_int_equal(s.boot.record.prev, 1);
    make_image(image, "b", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(0, 1000), 0);
    assert_int_equal(u.slot, 1);
    assert_int_equal(s.boot.record.active, 0);
    assert_int_equal(s.boot.record.prev, 0);
}

static void what_is_announced_is_judged_at_once(void **state)
{
    (void)state;
    board_with("a", NULL);
    boot_up(NULL);
    size_t len = make_image(image, "b", CODE_LEN, true);
    uint64_t before = m.ops;
    assert_int_equal(update_begin(&u, (uint32_t)len - 100, 0), 0);
    assert_int_equal(feed(0, 1000), WIPY_EFORMAT);
    says("cut short");
    says("nothing was changed");
    update_abort(&u);
    assert_int_equal(m.ops, before);
    /* Less came than was announced: perhaps the rest was lost. */
    assert_int_equal(update_begin(&u, (uint32_t)len + 1, 0), 0);
    assert_int_equal(feed(0, len), 0);
    assert_int_equal(update_finish(&u), WIPY_ECLOSED);
    assert_int_equal(update_outcome(&u), UPDATE_AGAIN);
    assert_int_equal(update_verify(&u), WIPY_ENOENT);
    says("no image is pending");
}

static void longer_than_the_slot(void **state)
{
    (void)state;
    struct table t;
    board_with(NULL, NULL);
    make_table(&t, m.size, 1, 0x14000, 0x2000); /* 81,920 bytes */
    put_table(&m, &t);
    boot_up(NULL);
    size_t len = make_image(image, "b", 81000, true);
    assert_true(len < 0x14000);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(0, len), 0);
    assert_int_equal(update_write(&u, image, 0x14001 - len), WIPY_ERANGE);
    says("longer than the update slot; ota_0 holds no image now");
    update_abort(&u);
}

static void boards_that_cannot_be_updated(void **state)
{
    (void)state;
    struct table t;
    make_table(&t, 0x800000, 1, 0x140000, 0x2000);
    board_with(NULL, NULL);
    t.row[3].subtype = PART_PHY; /* was otadata */
    put_table(&m, &t);
    boot_up(NULL);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), WIPY_ENOTSUP);
    says("no otadata");
    assert_int_equal(update_outcome(&u), UPDATE_NEVER);
    t.row[3].subtype = PART_OTADATA;
    t.row[2].subtype = PART_TEST; /* was ota_0 */
    put_table(&m, &t);
    boot_up(NULL);
    assert_int_equal(update_next_slot(&u), WIPY_EPERM);
    says("no update slot");
}

static int program_nothing(void *ctx, flash_off off, const void *from,
                           size_t len)
{
    (void)ctx, (void)off, (void)from, (void)len;
    return 0;
}

/* It says it did. */
static void a_chip_that_does_not_store_is_found_out(void **state)
{
    (void)state;
    board_with(NULL, NULL);
    boot_up(NULL);
    make_image(image, "a", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(0, 4096), 0);
    m.flash.program = program_nothing;
    int err = feed(4096, CODE_LEN);
    m.flash.program = model_program;
    assert_int_equal(err, WIPY_EIO);
    assert_int_equal(update_outcome(&u), UPDATE_AGAIN);
    says("the flash failed");
    update_abort(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_being_received_cannot_be_selected),
        cmocka_unit_test(under_a_key_only_what_is_signed_is_taken),
        cmocka_unit_test(a_slot_that_is_its_own_previous_one),
        cmocka_unit_test(what_is_announced_is_judged_at_once),
        cmocka_unit_test(longer_than_the_slot),
        cmocka_unit_test(boards_that_cannot_be_updated),
        cmocka_unit_test(a_chip_that_does_not_store_is_found_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
