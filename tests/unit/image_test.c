#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/hex.h"
#include "bootmodel.h"
#include "signing.h"

static uint8_t image[70000];

/* Spec 2.1: the 32 characters are the MD5 of all before, lower case. */
static void tail_of_hello(void **state)
{
    (void)state;
    uint8_t data[37] = "hello";
    size_t len = 5;
    assert_int_equal(image_add_tail(data, sizeof data, &len), 0);
    assert_int_equal(len, 37);
    assert_memory_equal(data, "hello5d41402abc4b2a76b9719d911017c592", 37);
    assert_int_equal(image_add_tail(data, sizeof data, &len), WIPY_ENOMEM);
}

static void built_image_is_parsed(void **state)
{
    (void)state;
    struct image im;
    uint8_t digest[SHA256_LEN];
    size_t len = make_image(image, "1.2.3", 5001, true);
    assert_int_equal(
        image_check(&im, image, sizeof image, IMAGE_MACHINE_HERE, NULL, digest),
        IMAGE_FINE);
    assert_string_equal(im.version, "1.2.3");
    assert_string_equal(im.project, "wipy");
    assert_int_equal(im.full_len, len);
    assert_int_equal(im.elf_len, 5004);
    assert_true(im.has_tail && im.has_digest && !im.has_sign);
    assert_int_equal(im.segment[0].load % 65536, im.segment[0].off);
    assert_int_equal(im.segment[1].load % 65536, im.segment[1].off);
    assert_true(image_tail_ok(&im));
}

/* Of other builders: the SHA-256 may be left out, then the tail counts. */
static void without_digest_the_tail_counts(void **state)
{
    (void)state;
    struct image im;
    uint8_t digest[SHA256_LEN];
    size_t len = make_image(image, "1.2.3", 5001, false) - SHA256_LEN;
    image[23] = 0;
    memset(image + len, 0xff, 200);
    assert_int_equal(
        image_check(&im, image, sizeof image, IMAGE_MACHINE_HERE, NULL, digest),
        IMAGE_NO_DIGEST);
    assert_int_equal(image_add_tail(image, sizeof image, &len), 0);
    assert_int_equal(
        image_check(&im, image, sizeof image, IMAGE_MACHINE_HERE, NULL, digest),
        IMAGE_FINE);
    assert_false(im.has_digest || image_digest_ok(&im));
    image[40] ^= 1; /* in the descriptor: the XOR sum sees it first */
    image[im.checksum_off] ^= 1;
    assert_int_equal(
        image_check(&im, image, sizeof image, IMAGE_MACHINE_HERE, NULL, digest),
        IMAGE_BAD_TAIL);
}

/* What public flashers look at. */
static void header_is_an_esp32s(void **state)
{
    (void)state;
    make_image(image, "1", 128, false);
    assert_int_equal(image[0], 0xe9);
    assert_int_equal(image[2], 2);    /* dio */
    assert_int_equal(image[3], 0x3f); /* 8 MB, 80 MHz */
    for (int i = 12; i < 23; i++)
        assert_int_equal(image[i], 0);
    assert_int_equal(image[23], 1);
}

static void every_flip_is_noticed(void **state)
{
    (void)state;
    struct image im;
    uint8_t digest[SHA256_LEN];
    size_t len = make_image(image, "1.2.3", 900, true);
    for (size_t bit = 0; bit < (len - IMAGE_TAIL_LEN) * 8; bit++) {
        image[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(
            image_check(&im, image, len, IMAGE_MACHINE_HERE, NULL, digest),
            IMAGE_FINE);
        image[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void every_cut_is_noticed(void **state)
{
    (void)state;
    struct image im;
    uint8_t digest[SHA256_LEN];
    size_t len = make_image(image, "1.2.3", 900, false);
    for (size_t n = 0; n < len; n++) {
        uint8_t *exact = malloc(n + 1); /* for the sanitizer */
        memcpy(exact, image, n);
        assert_int_not_equal(
            image_check(&im, exact, n, IMAGE_MACHINE_HERE, NULL, digest),
            IMAGE_FINE);
        free(exact);
    }
}

static void other_machines_are_refused(void **state)
{
    (void)state;
    struct image im;
    uint8_t digest[SHA256_LEN];
    make_image(image, "1", 300, false);
    assert_int_equal(image_check(&im, image, sizeof image, IMAGE_MACHINE_XTENSA,
                                 NULL, digest),
                     IMAGE_WRONG_MACHINE);
    /* A real ESP32 image: no descriptor of ours, RAM segments, no SHA-256
     * flag in old ones, an MD5 tail. */
    uint8_t esp[24 + 8 + 16 + 16 + 32];
    memset(esp, 0, sizeof esp);
    memcpy(esp, "\xe9\x01\x02\x20\x00\x10\x08\x40\xee", 9);
    put_u32(esp + 24, 0x3ffb0000);
    put_u32(esp + 28, 16);
    memcpy(esp + 32, "0123456789abcdef", 16);
    uint8_t sum = 0xef;
    for (int i = 0; i < 16; i++)
        sum ^= esp[32 + i];
    esp[63] = sum;
    size_t len = 64;
    image_add_tail(esp, sizeof esp, &len);
    assert_int_equal(image_parse(&im, esp, len), IMAGE_FINE);
    assert_int_equal(im.machine, IMAGE_MACHINE_XTENSA);
    assert_int_equal(im.len, 64);
    assert_true(image_checksum_ok(&im) && image_tail_ok(&im));
    assert_int_equal(image_rom_check(esp, len, IMAGE_MACHINE_HERE, &im),
                     IMAGE_WRONG_MACHINE);
}

/* The image's sums over what it holds now. */
static void mend_sums(uint8_t *data)
{
    struct image im;
    (void)image_parse(&im, data, sizeof image);
    uint8_t sum = 0xef;
    for (unsigned i = 0; i < im.segments; i++)
        for (uint32_t k = 0; k < im.segment[i].len; k++)
            sum ^= data[im.segment[i].off + k];
    data[im.checksum_off] = sum;
    sha256_of(data, im.hashed_len, data + im.hashed_len);
}

/* All sums are right, but the host's kernel could not start it: it must not
 * be taken for an image, or a board would start it and stand still. */
static void what_cannot_be_executed_is_no_code(void **state)
{
    (void)state;
    enum { PH = 64, LEN = 3000 };
    static const struct {
        const char *what;
        unsigned at; /* in the ELF */
        uint32_t value;
        unsigned bytes;
        bool in_head; /* an upload of it is refused before anything is erased */
    } rows[] = {
        {"not an ELF", 1, 'X', 1, true},
        {"32 bits", 4, 1, 1, true},
        {"big-endian", 5, 2, 1, true},
        {"to be relocated", 16, 3, 2, true},
        {"an object file", 16, 1, 2, true},
        {"of another machine than the descriptor says", 18, 40, 2, true},
        {"program headers of another size", 54, 32, 2, true},
        {"no program headers", 56, 0, 2, true},
        {"more program headers than fit", 56, 0xffff, 2, true},
        {"program headers past the end", 32, LEN - 55, 4, true},
        {"program headers at 2^32", 36, 1, 4, true},
        {"program headers at 2^63", 36, 0x80000000, 4, true},
        {"nothing to load", PH, 4, 4, false},
        {"an interpreter is wanted", PH, 3, 4, false},
        {"a segment longer than the file", PH + 32, LEN + 1, 4, false},
        {"a segment of 2^32 bytes", PH + 36, 1, 4, false},
        {"a segment behind the file", PH + 8, LEN + 1, 4, false},
        {"a segment at 2^63", PH + 12, 0x80000000, 4, false},
        {"less memory than file", PH + 40, LEN - 1, 4, false},
        {"more memory than there is", PH + 44, 0x8000, 4, false},
        {"an address of the kernel", PH + 20, 0xffff8000, 4, false},
        {"the address of a null pointer", PH + 16, 0, 4, false},
        {"address and file at odds", PH + 16, 0x400800, 4, false},
        {"the entry before the code", 24, 0x3fffff, 4, false},
        {"the entry behind the code", 24, 0x400000 + LEN, 4, false},
        {"the entry in data", PH + 4, 6, 4, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct image im;
        uint8_t digest[SHA256_LEN];
        size_t len = make_image(image, "1.2.3", LEN, false);
        for (unsigned k = 0; k < rows[i].bytes; k++)
            image[IMAGE_ELF_OFF + rows[i].at + k] =
                (uint8_t)(rows[i].value >> 8 * k);
        mend_sums(image);
        enum image_fault fault =
            image_check(&im, image, len, IMAGE_MACHINE_HERE, NULL, digest);
        enum image_fault early =
            image_peek(&im, image, IMAGE_PEEK_LEN, IMAGE_MACHINE_HERE);
        if (fault != IMAGE_NO_CODE ||
            early != (rows[i].in_head ? IMAGE_NO_CODE : IMAGE_FINE))
            fail_msg("%s: %s, early: %s", rows[i].what, image_fault_text(fault),
                     image_fault_text(early));
    }
}

static void peek_refuses_early(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum image_fault fault;
    } rows[] = {
        {"PK\3\4", 4, IMAGE_NO_MAGIC},
        {"import os\n", 10, IMAGE_NO_MAGIC},
        {"\xff\xff\xff\xff", 4, IMAGE_BLANK},
        {"\xe9\0\2\x3f\0\0\0\0\xee\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24,
         IMAGE_BAD_SEGMENTS},
        {"\xe9\2\2\x3f\0\0\0\0\xee\0\0\0\2\0\0\0\0\0\0\0\0\0\0\1", 24,
         IMAGE_WRONG_CHIP},
        {"\xe9", 1, IMAGE_TOO_LONG},
    };
    struct image im;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(image_peek(&im, (const uint8_t *)rows[i].bytes,
                                    rows[i].len, IMAGE_MACHINE_HERE),
                         rows[i].fault);
    size_t whole = make_image(image, "1.2.3", 5000, false);
    assert_int_equal(image_peek(&im, image, IMAGE_PEEK_LEN, IMAGE_MACHINE_HERE),
                     IMAGE_FINE);
    assert_int_equal(im.len, whole);
    assert_string_equal(im.version, "1.2.3");
}

static void signature_block(void **state)
{
    (void)state;
    struct image_keys keys = {.count = 1};
    struct image_sign s, back;
    uint8_t digest[SHA256_LEN], block[IMAGE_SIGN_LEN];
    assert_true(hex_decode(keys.key[0], key_hex, P256_KEY_LEN));
    assert_true(hex_decode(s.sign, sign_hex, P256_SIGN_LEN));
    sha256_of("sample", 6, digest);
    image_key_id(keys.key[0], s.key_id);
    image_sign_write(block, &s);
    assert_int_equal(image_sign_read(block, &back), 0);
    assert_int_equal(image_sign_check(&back, &keys, digest), IMAGE_FINE);
    digest[3] ^= 1;
    assert_int_equal(image_sign_check(&back, &keys, digest),
                     IMAGE_BAD_SIGNATURE);
    keys.key[0][5] ^= 1;
    assert_int_equal(image_sign_check(&back, &keys, digest), IMAGE_UNKNOWN_KEY);
    block[20] ^= 1;
    assert_int_equal(image_sign_read(block, &back), WIPY_ECORRUPT);
    block[0] ^= 1;
    assert_int_equal(image_sign_read(block, &back), WIPY_EFORMAT);
}

static void a_key_makes_unsigned_images_unbootable(void **state)
{
    (void)state;
    struct image_keys keys = {.count = 1};
    struct image im;
    uint8_t digest[SHA256_LEN];
    assert_true(hex_decode(keys.key[0], key_hex, P256_KEY_LEN));
    make_image(image, "1", 300, true);
    assert_int_equal(image_check(&im, image, sizeof image, IMAGE_MACHINE_HERE,
                                 &keys, digest),
                     IMAGE_UNSIGNED);
}

static enum image_fault fault_under_key(const uint8_t *data, size_t len)
{
    struct image_keys keys = {.count = 1};
    struct image im;
    uint8_t digest[SHA256_LEN];
    assert_true(hex_decode(keys.key[0], key_hex, P256_KEY_LEN));
    return image_check(&im, data, len, IMAGE_MACHINE_HERE, &keys, digest);
}

/* Whatever is used of an image is under its signature: no bit of it may
 * change, even when every sum is made right again. */
static void the_signature_covers_all_that_is_used(void **state)
{
    (void)state;
    size_t len = sign_image(image, make_image(image, "1.2.3", 300, false));
    assert_int_equal(fault_under_key(image, len), IMAGE_FINE);
    for (size_t at = 0; at < len; at++) {
        image[at] ^= 0x10;
        assert_int_not_equal(fault_under_key(image, len), IMAGE_FINE);
        image[at] ^= 0x10;
    }
    struct image im;
    (void)image_parse(&im, image, len);
    static uint8_t copy[sizeof image];
    memcpy(copy, image, len);
    unsigned tried = 0;
    for (size_t at = 1; at < im.checksum_off; at += 3) {
        struct image changed;
        memcpy(image, copy, len);
        image[at] ^= 1;
        if (image_parse(&changed, image, len) != IMAGE_FINE ||
            changed.hashed_len != im.hashed_len)
            continue;
        mend_sums(image);
        if (image_digest_ok(&changed)) {
            assert_int_not_equal(fault_under_key(image, len), IMAGE_FINE);
            tried++;
        }
    }
    assert_true(tried > im.checksum_off * 9 / 30);
    /* And another image's signature is none. */
    size_t other = make_image(image, "1.2.4", 300, false);
    memcpy(image + other, copy + im.len, IMAGE_SIGN_LEN);
    assert_int_equal(fault_under_key(image, other + IMAGE_SIGN_LEN),
                     IMAGE_BAD_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail_of_hello),
        cmocka_unit_test(built_image_is_parsed),
        cmocka_unit_test(without_digest_the_tail_counts),
        cmocka_unit_test(header_is_an_esp32s),
        cmocka_unit_test(every_flip_is_noticed),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(other_machines_are_refused),
        cmocka_unit_test(what_cannot_be_executed_is_no_code),
        cmocka_unit_test(peek_refuses_early),
        cmocka_unit_test(signature_block),
        cmocka_unit_test(a_key_makes_unsigned_images_unbootable),
        cmocka_unit_test(the_signature_covers_all_that_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
