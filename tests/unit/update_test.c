#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "bootmodel.h"

enum { CODE_LEN = 150000, OTA_0 = 0x150000, OTA_1 = 0x290000 };

static struct model m;
static struct start s;
static struct update u;
static uint8_t image[CODE_LEN + 2000];

static void boot_up(const struct boot_cause *cause)
{
    model_power_on(&m);
    assert_int_equal(model_start(&m, &s, cause), 0);
    assert_true(s.choice.run);
    model_lock_all(&m, &s);
    update_init(&u, &s.boot, s.choice.handover.slot);
}

static void new_board(const struct table *t)
{
    memset(m.cells, 0xff, m.size);
    memset(m.dirty, 0, m.size / 4096);
    model_forget();
    model_power_on(&m);
    put_table(&m, t);
    size_t len = make_image(image, "f", 3000, true);
    model_put(&m, 0x10000, image, len);
    boot_up(NULL);
}

static int set_up(void **state)
{
    (void)state;
    if (!m.cells)
        model_init(&m, 0x800000);
    new_board(table_default(0x800000));
    return 0;
}

/* Writes in pieces of `step`. */
static int feed(const uint8_t *data, size_t len, size_t step)
{
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        int err = update_write(&u, data + at, n);
        if (err)
            return err;
    }
    return 0;
}

static int upload(const char *version, size_t step)
{
    size_t len = make_image(image, version, CODE_LEN, true);
    int err = update_begin(&u, UPDATE_SIZE_UNKNOWN, 0);
    if (err)
        return err;
    err = feed(image, len, step);
    int end = update_finish(&u);
    return err ? err : end;
}

static void contains(const char *part)
{
    if (!strstr(update_text(&u), part))
        fail_msg("\"%s\" is not in \"%s\"", part, update_text(&u));
}

static void any_step_gives_the_same(void **state)
{
    (void)state;
    static const size_t steps[] = {1,    7,    360,   361,   512,
                                   1460, 4096, 65536, 65537, 1000000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char version[16];
        snprintf(version, sizeof version, "1.%zu", i);
        assert_int_equal(upload(version, steps[i]), 0);
        assert_int_equal(update_outcome(&u), UPDATE_FINE);
        assert_int_equal(update_verify(&u), 0);
        boot_up(NULL);
        assert_string_equal(s.choice.handover.version, version);
        assert_int_equal(
            boot_confirm(&s.boot, s.choice.handover.slot, REASON_SELF_TEST), 0);
    }
}

static void success_is_told_in_full(void **state)
{
    (void)state;
    uint8_t digest[SHA256_LEN];
    char want[160], hex[17] = "";
    struct image im;
    assert_int_equal(upload("1.2.0", 1460), 0);
    image_parse(&im, image, sizeof image);
    image_digest(&im, digest);
    hex_encode(hex, digest, 8);
    snprintf(want, sizeof want,
             "ota_0: wipy 1.2.0, 150,368 bytes, sha256 %s..., starts at next "
             "reset",
             hex);
    assert_string_equal(update_text(&u), want);
}

/* Spec 3.2: three images, by what executes. */
static void slots_alternate(void **state)
{
    (void)state;
    assert_int_equal(upload("a", 4096), 0);
    assert_int_equal(s.boot.record.active, 1);
    assert_int_equal(s.boot.record.prev, 0);
    /* Not started yet: the pending slot again, prev as it was. */
    assert_int_equal(upload("a2", 4096), 0);
    assert_int_equal(s.boot.record.active, 1);
    assert_int_equal(s.boot.record.prev, 0);
    boot_up(NULL);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    assert_int_equal(upload("b", 4096), 0);
    assert_int_equal(s.boot.record.active, 2);
    assert_int_equal(s.boot.record.prev, 1);
    assert_int_equal(upload("b2", 4096), 0);
    assert_int_equal(s.boot.record.active, 2);
    assert_int_equal(s.boot.record.prev, 1);
    boot_up(NULL);
    assert_int_equal(boot_confirm(&s.boot, 2, REASON_SELF_TEST), 0);
    assert_int_equal(upload("c", 4096), 0);
    assert_int_equal(s.boot.record.active, 1);
    assert_int_equal(s.boot.record.prev, 2);
}

/* Executing the previous image by safe boot: what runs is never the target. */
static void executing_slot_is_never_written(void **state)
{
    (void)state;
    assert_int_equal(upload("a", 4096), 0);
    boot_up(NULL);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    assert_int_equal(upload("b", 4096), 0);
    boot_up(NULL);
    assert_int_equal(boot_confirm(&s.boot, 2, REASON_SELF_TEST), 0);
    boot_up(&(struct boot_cause){.window = 2});
    assert_int_equal(s.choice.handover.slot, 1);
    m.locked_hit = false;
    assert_int_equal(update_next_slot(&u), 2);
    assert_int_equal(upload("c", 4096), 0);
    assert_false(m.locked_hit);
    assert_int_equal(s.boot.record.active, 2);
    assert_int_equal(s.boot.record.prev, 1);
    boot_up(NULL);
    assert_string_equal(s.choice.handover.version, "c");
}

static void trial_refuses_uploads(void **state)
{
    (void)state;
    assert_int_equal(upload("a", 4096), 0);
    boot_up(NULL);
    uint64_t before = m.ops;
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), WIPY_EPERM);
    assert_int_equal(update_outcome(&u), UPDATE_AGAIN);
    contains("ota_0 is on trial");
    assert_int_equal(m.ops, before);
}

/* Also before "on trial": that is not what has to be done first. */
static void damaged_keys_refuse_uploads(void **state)
{
    (void)state;
    model_fill(&m, 0x3d2000, 0x55, FLASH_SECTOR);
    boot_up(NULL);
    uint64_t before = m.ops;
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), WIPY_ESIGN);
    assert_int_equal(update_outcome(&u), UPDATE_NEVER);
    contains("keys are damaged");
    assert_int_equal(update_prepare(&u), WIPY_ESIGN);
    assert_int_equal(m.ops, before);
}

static void refused_before_anything_is_erased(void **state)
{
    (void)state;
    static uint8_t bytes[CODE_LEN + 2000];
    static const struct {
        const char *head;
        const char *say;
    } rows[] = {
        {"PK\3\4zip", "not an ESP image"},
        {"import machine\n", "not an ESP image"},
        {"\xff\xff", "not an ESP image"},
        {"{\"a\":1}", "not an ESP image"},
    };
    uint64_t before = m.ops;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
        memset(bytes, 0xff, 400);
        memcpy(bytes, rows[i].head, strlen(rows[i].head));
        assert_int_not_equal(update_write(&u, bytes, 400), 0);
        contains(rows[i].say);
        contains("nothing was changed");
        assert_int_equal(update_outcome(&u), UPDATE_NEVER);
        assert_int_not_equal(update_write(&u, bytes, 400), 0);
        assert_int_not_equal(update_finish(&u), 0);
        assert_int_equal(update_outcome(&u), UPDATE_NEVER);
    }
    /* A bootloader, another machine, too long for the slot. */
    size_t len = make_image(bytes, "x", CODE_LEN, true);
    bytes[24 + 8 + 189] = IMAGE_BOOTLOADER;
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(bytes, len, 512), WIPY_EFORMAT);
    contains("a bootloader");
    update_abort(&u);
    bytes[24 + 8 + 189] = IMAGE_FIRMWARE;
    bytes[24 + 8 + 190] ^= 1;
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(bytes, len, 512), WIPY_EMACHINE);
    contains("another machine");
    update_abort(&u);
    bytes[24 + 8 + 190] ^= 1;
    bytes[290 + 4] = 0x20; /* the length of its code: two MiB */
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(bytes, len, 512), WIPY_ERANGE);
    contains("too long");
    update_abort(&u);
    assert_int_equal(update_begin(&u, 0x150000, 0), WIPY_ERANGE);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_not_equal(update_finish(&u), 0);
    contains("empty");
    assert_int_equal(m.ops, before);
}

static void bad_ends_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;          /* from the end */
        const char *digits; /* one of them is not there and comes there */
        const char *say;
    } rows[] = {
        {1, "01", "MD5 tail does not match"}, /* another number */
        {1, "xy", "MD5 tail does not match"}, /* none */
        {40, "\1\2", "SHA-256 does not match"},
        {65, "\1\2", "XOR checksum does not match"},
        {5000, "\1\2", "does not match"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = make_image(image, "bad", CODE_LEN, true);
        uint8_t *byte = image + len - rows[i].at;
        *byte = (uint8_t)rows[i].digits[*byte == rows[i].digits[0]];
        assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
        assert_int_equal(feed(image, len, 4096), 0);
        assert_int_equal(update_finish(&u), WIPY_EFORMAT);
        contains(rows[i].say);
        contains("ota_0 holds no image now");
        assert_int_equal(update_outcome(&u), UPDATE_NEVER);
        assert_int_equal(update_resume_size(&u), 0);
        boot_up(NULL);
        assert_string_equal(s.choice.handover.version, "f");
    }
    size_t len = make_image(image, "long", CODE_LEN, true);
    image[len++] = '\n';
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(image, len, 4096), 0);
    assert_int_equal(update_finish(&u), WIPY_EFORMAT);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(image, len + 500, 4096), WIPY_EFORMAT);
    contains("behind the image");
    update_abort(&u);
}

static void without_tail_is_accepted_and_said(void **state)
{
    (void)state;
    size_t len = make_image(image, "1", CODE_LEN, false);
    assert_int_equal(update_begin(&u, (uint32_t)len, 0), 0);
    assert_int_equal(feed(image, len, 4096), 0);
    assert_int_equal(update_finish(&u), 0);
    contains("without MD5 tail");
}

/* ---- resume ---- */

static void resumes_at(size_t broken_at, bool power_cut)
{
    size_t len = make_image(image, "1.9", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(image, broken_at, 1460), 0);
    if (power_cut) {
        boot_up(NULL);
    } else {
        update_abort(&u);
        if (broken_at >= IMAGE_PEEK_LEN)
            contains("incomplete");
    }
    uint32_t size = update_resume_size(&u);
    assert_int_equal(size, power_cut ? broken_at / 65536 * 65536
                           : broken_at < IMAGE_PEEK_LEN ? 0
                                                        : broken_at);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, size + 1),
                     WIPY_ERANGE);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, size), 0);
    assert_int_equal(feed(image + size, len - size, 1460), 0);
    assert_int_equal(update_finish(&u), 0);
    boot_up(NULL);
    assert_string_equal(s.choice.handover.version, "1.9");
}

/* SIZE on another connection: what it says can be resumed later. */
static void progress_can_be_asked_for(void **state)
{
    (void)state;
    size_t len = make_image(image, "1.9", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(image, 300, 300), 0);
    assert_int_equal(update_resume_size(&u), 0);
    assert_int_equal(feed(image + 300, 69700, 1460), 0);
    assert_int_equal(update_resume_size(&u), 69632);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 69632), WIPY_EBUSY);
    update_abort(&u);
    assert_int_equal(update_resume_size(&u), 70000);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 69632), 0);
    assert_int_equal(update_resume_size(&u), 69632);
    assert_int_equal(feed(image + 69632, len - 69632, 1460), 0);
    assert_int_equal(update_finish(&u), 0);
    assert_int_equal(update_resume_size(&u), 0);
}

/* The counters have no checksum: what they say is bounded by the slot. */
static void progress_past_the_slot_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    make_image(image, "1.9", CODE_LEN, true);
    assert_int_equal(feed(image, 70000, 1460), 0);
    for (uint32_t at = 0x3d0000; at < 0x3d2000; at += 0x1800)
        model_fill(&m, at + 0x400, 0, 256);
    boot_up(NULL);
    uint32_t slot_size = s.boot.slot[u.slot ? u.slot : 1].size;
    assert_true(update_resume_size(&u) <= slot_size);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, slot_size + 1),
                     WIPY_ERANGE);
}

static void interrupted_uploads_go_on(void **state)
{
    static const size_t at[] = {0,     1,     359,   360,    4095,   4096,
                                65535, 65536, 65537, 100000, 131072, 150000};
    for (size_t i = 0; i < 2 * sizeof at / sizeof at[0]; i++) {
        set_up(state);
        resumes_at(at[i / 2], i % 2);
    }
}

/* From an offset before what is stored, too. */
static void resumes_earlier(void **state)
{
    for (uint32_t at = 1; at < 66000; at += 3571) {
        set_up(state);
        size_t len = make_image(image, "1.9", CODE_LEN, true);
        assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
        assert_int_equal(feed(image, 70000, 1460), 0);
        update_abort(&u);
        assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, at), 0);
        assert_int_equal(feed(image + at, len - at, 10000), 0);
        assert_int_equal(update_finish(&u), 0);
        boot_up(NULL);
        assert_string_equal(s.choice.handover.version, "1.9");
    }
}

/* The rest of another file: found out at the end, never committed. */
static void resumed_with_another_file(void **state)
{
    (void)state;
    size_t len = make_image(image, "1.9", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(image, 70000, 1460), 0);
    update_abort(&u);
    len = make_image(image, "2.0", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 70000), 0);
    assert_int_equal(feed(image + 70000, len - 70000, 1460), 0);
    assert_int_equal(update_finish(&u), WIPY_EFORMAT);
    assert_int_equal(update_resume_size(&u), 0);
}

/* ---- cost ---- */

static void same_image_again_is_not_rewritten(void **state)
{
    (void)state;
    assert_int_equal(upload("a", 4096), 0);
    uint64_t before = m.busy_us;
    assert_int_equal(upload("a", 4096), 0);
    /* Two records and three progress words, and nothing else. */
    assert_true(m.busy_us - before < 2 * 50000 + 3 * 400);
}

static void prepared_slot_is_only_programmed(void **state)
{
    (void)state;
    int more;
    model_fill(&m, OTA_0, 0, 0x140000);
    while ((more = update_prepare(&u)) == 1)
        ;
    assert_int_equal(more, 0);
    contains("ota_0 is erased");
    for (uint32_t i = 0; i < 0x140000; i++)
        assert_int_equal(m.cells[OTA_0 + i], 0xff);
    uint64_t before = m.busy_us;
    assert_int_equal(upload("a", 65536), 0);
    uint64_t pages = (CODE_LEN + 500) / 256 + 1;
    assert_true(m.busy_us - before < pages * 400 + 45000 + 8 * 400);
}

static void one_slot_that_runs_refuses(void **state)
{
    (void)state;
    struct table t;
    make_table(&t, m.size, 1, 0x140000, 0x2000);
    new_board(&t);
    assert_int_equal(upload("a", 4096), 0);
    boot_up(NULL);
    assert_int_equal(boot_confirm(&s.boot, 1, REASON_SELF_TEST), 0);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), WIPY_EPERM);
    contains("start factory by the safe-boot pin and upload again");
    assert_int_equal(update_outcome(&u), UPDATE_NEVER);
    boot_up(&(struct boot_cause){.window = 3});
    assert_int_equal(upload("b", 4096), 0);
    boot_up(NULL);
    assert_string_equal(s.choice.handover.version, "b");
}

static void second_opener_is_told(void **state)
{
    (void)state;
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), WIPY_EBUSY);
    assert_int_equal(update_outcome(&u), UPDATE_AGAIN);
    contains("another update");
    update_abort(&u);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    update_abort(&u);
    assert_int_equal(update_write(&u, "x", 1), WIPY_EPERM);
    assert_int_equal(update_finish(&u), WIPY_EPERM);
}

static void a_failing_chip_is_said(void **state)
{
    (void)state;
    size_t len = make_image(image, "a", CODE_LEN, true);
    assert_int_equal(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), 0);
    assert_int_equal(feed(image, 50000, 4096), 0);
    m.dead = true;
    assert_int_equal(feed(image + 50000, len - 50000, 4096), WIPY_EIO);
    assert_int_equal(update_outcome(&u), UPDATE_AGAIN);
    contains("the flash failed");
    assert_int_not_equal(update_finish(&u), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(any_step_gives_the_same, set_up),
        cmocka_unit_test_setup(success_is_told_in_full, set_up),
        cmocka_unit_test_setup(slots_alternate, set_up),
        cmocka_unit_test_setup(executing_slot_is_never_written, set_up),
        cmocka_unit_test_setup(trial_refuses_uploads, set_up),
        cmocka_unit_test_setup(damaged_keys_refuse_uploads, set_up),
        cmocka_unit_test_setup(refused_before_anything_is_erased, set_up),
        cmocka_unit_test_setup(bad_ends_are_refused, set_up),
        cmocka_unit_test_setup(without_tail_is_accepted_and_said, set_up),
        cmocka_unit_test_setup(progress_can_be_asked_for, set_up),
        cmocka_unit_test_setup(progress_past_the_slot_is_not_believed, set_up),
        cmocka_unit_test_setup(interrupted_uploads_go_on, set_up),
        cmocka_unit_test_setup(resumes_earlier, set_up),
        cmocka_unit_test_setup(resumed_with_another_file, set_up),
        cmocka_unit_test_setup(same_image_again_is_not_rewritten, set_up),
        cmocka_unit_test_setup(prepared_slot_is_only_programmed, set_up),
        cmocka_unit_test_setup(one_slot_that_runs_refuses, set_up),
        cmocka_unit_test_setup(second_opener_is_told, set_up),
        cmocka_unit_test_setup(a_failing_chip_is_said, set_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    model_free(&m);
    return failed;
}
