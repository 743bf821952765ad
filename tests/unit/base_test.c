/* core/base: bytes, CRC, hex, ring, digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/ring.h"

static void reader_stops_at_the_end(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4, 5};
    struct reader r = reader_of(data, sizeof data);
    assert_int_equal(read_u32(&r), 0x04030201);
    assert_false(r.bad);
    assert_int_equal(read_u16(&r), 0); /* one byte left: not enough */
    assert_true(r.bad);
    assert_int_equal(read_u8(&r), 0); /* bad stays bad */
}

static void writer_never_writes_past_its_size(void **state)
{
    (void)state;
    uint8_t data[5] = {0, 0, 0, 0, 0xaa};
    struct writer w = writer_of(data, 4);
    write_u8(&w, 7);
    write_u32(&w, 0xffffffff);
    assert_true(w.bad);
    assert_int_equal(w.pos, 1);
    assert_int_equal(data[1], 0);
    assert_int_equal(data[4], 0xaa);
}

static void crc_is_that_of_zlib(void **state)
{
    (void)state;
    assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
    uint32_t in_parts = crc32_add(crc32_add(0, "1234", 4), "56789", 5);
    assert_int_equal(in_parts, 0xcbf43926);
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    uint8_t bytes[3];
    char text[7] = {0};
    assert_true(hex_decode(bytes, "00fFa9", 3));
    hex_encode(text, bytes, 3);
    assert_string_equal(text, "00ffa9");
    assert_false(hex_decode(bytes, "0g", 1));
}

static void ring_keeps_order_over_its_edge(void **state)
{
    (void)state;
    uint8_t memory[5];
    char got[8] = {0};
    struct ring r;
    ring_init(&r, memory, sizeof memory);
    assert_int_equal(ring_put(&r, "abcd", 4), 4);
    assert_int_equal(ring_get(&r, got, 3), 3);
    assert_int_equal(ring_put(&r, "efghi", 5), 4);
    assert_int_equal(ring_room(&r), 0);
    assert_int_equal(ring_get(&r, got, sizeof got), 5);
    assert_memory_equal(got, "defgh", 5);
}

static void digests_match_their_standards(void **state)
{
    (void)state;
    uint8_t sha[SHA256_LEN], want[SHA256_LEN], md[MD5_LEN];
    sha256_of("abc", 3, sha); /* FIPS 180-2, B.1 */
    hex_decode(want,
               "ba7816bf8f01cfea414140de5dae2223"
               "b00361a396177a9cb410ff61f20015ad",
               SHA256_LEN);
    assert_memory_equal(sha, want, SHA256_LEN);
    md5_of("hello", 5, md); /* spec 2.1 */
    hex_decode(want, "5d41402abc4b2a76b9719d911017c592", MD5_LEN);
    assert_memory_equal(md, want, MD5_LEN);
}

static void every_error_has_a_sentence(void **state)
{
    (void)state;
    for (int err = 0; err >= WIPY_ENOTSUP; err--)
        assert_string_not_equal(wipy_strerror(err), "unknown error");
    assert_string_equal(wipy_strerror(-1000), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_stops_at_the_end),
        cmocka_unit_test(writer_never_writes_past_its_size),
        cmocka_unit_test(crc_is_that_of_zlib),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(ring_keeps_order_over_its_edge),
        cmocka_unit_test(digests_match_their_standards),
        cmocka_unit_test(every_error_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
