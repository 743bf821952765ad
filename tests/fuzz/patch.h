/* Inputs that damage a sound image: a list of patches, six bytes each.
 *
 *   kind u8, where u24 (modulo the image), value u16
 *
 * Kinds 0..3 store the low byte, both bytes, a run of the low byte as long as
 * the high byte says, and the value xor what is there. What a format adds
 * (mended check sums) is kind 4 and up, its own business. */
#ifndef WIPY_TESTS_FUZZ_PATCH_H
#define WIPY_TESTS_FUZZ_PATCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

struct patch {
    uint8_t kind;
    uint32_t at;
    uint16_t value;
};

static inline int patch_next(struct reader *r, struct patch *p)
{
    if (reader_left(r) < 6)
        return 0;
    p->kind = read_u8(r);
    p->at = read_u8(r);
    p->at |= (uint32_t)read_u16(r) << 8;
    p->value = read_u16(r);
    return 1;
}

static inline void patch_apply(const struct patch *p, uint8_t *image,
                               uint32_t size)
{
    uint32_t at = p->at % (size - 260);
    uint8_t low = (uint8_t)p->value, high = (uint8_t)(p->value >> 8);
    switch (p->kind & 3) {
    case 0:
        image[at] = low;
        break;
    case 1:
        put_u16(image + at, p->value);
        break;
    case 2:
        memset(image + at, low, high);
        break;
    default:
        image[at] ^= low;
        break;
    }
}

#endif
