/* Escaping of the serial line's two protocols, word by word: whatever the
 * bytes are, wherever the words, the parts and the ring's end fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"
#include "base/span.h"
#include "loader/rfc2217_wire.h"
#include "loader/slip.h"

enum { LEN = 67, RING = 211 };

static uint32_t state = 1;

static uint32_t any(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(state >> 4) * below >> 28);
}

/* Mostly bytes that are escaped, next to those that differ in one bit. */
static void fill(uint8_t *p, size_t len)
{
    static const uint8_t some[] = {0xff, 0xff, 0xc0, 0xdb, 0xdc, 0xdd, 0xfe,
                                   0x7f, 0xc1, 0xda, 0x00, 0x01, 0x80, 'x'};
    uint32_t odds = any(8);
    for (size_t i = 0; i < len; i++)
        p[i] = any(8) < odds ? some[any(sizeof some)] : (uint8_t)('a' + i % 8);
}

static void spans_end_at_the_first(void **unused)
{
    uint8_t from[LEN], to[LEN];
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        size_t at = any(8), len = any(LEN - 8), want = 0;
        fill(from, sizeof from);
        memset(to, 0x55, sizeof to);
        while (want < len && from[at + want] != 0xff && from[at + want] != 0xc0)
            want++;
        assert_int_equal(span_copy(to, from + at, len, 0xff, 0xc0), want);
        assert_memory_equal(to, from + at, want);
        for (size_t i = len; i < sizeof to; i++)
            assert_int_equal(to[i], 0x55);
    }
}

/* A ring whose free room begins anywhere, so that it wraps. */
static void ring_turned(struct ring *r, uint8_t memory[RING])
{
    ring_init(r, memory, RING);
    r->head = any(RING);
}

static void telnet_gives_back_what_it_was_given(void **unused)
{
    uint8_t memory[RING], from[LEN], wire[RING], to[LEN];
    struct ring out;
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        struct telnet_parser p = {0};
        size_t len = any(LEN), want = len, got = 0, pos = 0, made;
        fill(from, len);
        for (size_t i = 0; i < len; i++)
            want += from[i] == 0xff;
        ring_turned(&out, memory);
        assert_int_equal(telnet_put_data(&out, from, len), len);
        assert_int_equal(ring_get(&out, wire, sizeof wire), want);
        while (pos < want || got < len) {
            size_t part = any((uint32_t)(want - pos) + 1);
            size_t room = any((uint32_t)(len - got) + 1);
            pos +=
                telnet_take_data(&p, wire + pos, part, to + got, room, &made);
            assert_true(made <= room);
            got += made;
        }
        assert_int_equal(got, len);
        assert_memory_equal(to, from, len);
    }
}

static void telnet_takes_what_fits(void **unused)
{
    uint8_t memory[RING], from[RING], wire[RING];
    struct ring out;
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        fill(from, sizeof from);
        ring_turned(&out, memory);
        ring_fill(&out, any(RING));
        size_t room = ring_room(&out), taken, made = 0;
        taken = telnet_put_data(&out, from, sizeof from);
        for (size_t i = 0; i < taken; i++)
            made += from[i] == 0xff ? 2 : 1;
        assert_int_equal(room - ring_room(&out), made);
        assert_true(ring_room(&out) < 2); /* no more would surely fit */
        ring_drop(&out, RING - room);
        assert_int_equal(ring_get(&out, wire, sizeof wire), made);
        for (size_t i = 0, at = 0; i < taken; i++) {
            assert_int_equal(wire[at++], from[i]);
            if (from[i] == 0xff)
                assert_int_equal(wire[at++], 0xff);
        }
    }
}

static void a_command_ends_the_data(void **unused)
{
    static const uint8_t wire[] = "abcdefgh\377\377ij\377\372rest";
    struct telnet_parser p = {0};
    uint8_t to[32];
    size_t made;
    (void)unused;
    assert_int_equal(telnet_take_data(&p, wire, sizeof wire, to, 32, &made),
                     13);
    assert_int_equal(made, 11);
    assert_memory_equal(to, "abcdefgh\377ij", 11);
    assert_true(telnet_in_command(&p, wire[13]));
}

static void slip_gives_back_what_it_was_given(void **unused)
{
    uint8_t memory[RING], from[LEN], wire[RING], to[LEN];
    struct ring out;
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        struct slip s;
        enum slip_event event = SLIP_MORE;
        size_t len = 1 + any(LEN - 1), cut = any((uint32_t)len), pos = 0, used;
        fill(from, len);
        ring_turned(&out, memory);
        slip_begin(&out);
        slip_add(&out, from, cut);
        slip_add(&out, from + cut, len - cut);
        slip_end(&out);
        size_t made = ring_get(&out, wire, sizeof wire);
        slip_init(&s, to, len);
        while (event == SLIP_MORE && pos < made) {
            size_t part = 1 + any((uint32_t)(made - pos));
            event = slip_push(&s, wire + pos, part, &used);
            pos += used;
        }
        assert_int_equal(event, SLIP_FRAME);
        assert_int_equal(pos, made);
        assert_int_equal(s.len, len);
        assert_memory_equal(to, from, len);
        if (len == 1)
            continue;
        slip_init(&s, to, len - 1); /* one byte too long is no frame */
        assert_int_equal(slip_push(&s, wire, made, &used), SLIP_BROKEN);
        assert_int_equal(used, made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_end_at_the_first),
        cmocka_unit_test(telnet_gives_back_what_it_was_given),
        cmocka_unit_test(telnet_takes_what_fits),
        cmocka_unit_test(a_command_ends_the_data),
        cmocka_unit_test(slip_gives_back_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
