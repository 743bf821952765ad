/* Copying as far as a byte that needs a second look: escaping protocols spend
 * their time here. */
#ifndef WIPY_BASE_SPAN_H
#define WIPY_BASE_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first byte is the lowest on every machine; compilers make it one load. */
static inline uint64_t span_word(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
           (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* The top bit of each byte of `word` that is `byte`; above the lowest such
 * byte others may be set that are not: subtracting 1 borrows from them. */
static inline uint64_t span_find(uint64_t word, uint8_t byte)
{
    const uint64_t ones = 0x0101010101010101u;
    word ^= ones * byte;
    return (word - ones) & ~word & (ones << 7);
}

/* Copies `len` bytes at most, up to the first that is `a` or `b`; returns how
 * many. `to` has room for `len`, all of which may be overwritten, and does
 * not overlap `from`. */
static inline size_t span_copy(uint8_t *to, const uint8_t *from, size_t len,
                               uint8_t a, uint8_t b)
{
    size_t n = 0;
    for (uint64_t word; len - n >= sizeof word; n += sizeof word) {
        word = span_word(from + n);
        uint64_t found = span_find(word, a) | span_find(word, b);
        memcpy(to + n, from + n, sizeof word);
        if (found)
            return n + (size_t)__builtin_ctzll(found) / 8;
    }
    for (; n < len && from[n] != a && from[n] != b; n++)
        to[n] = from[n];
    return n;
}

#endif
