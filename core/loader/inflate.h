/* zlib's inflate on memory of the caller: no allocation. A zlib stream in
 * pieces of any size, out in pieces of any size. */
#ifndef WIPY_LOADER_INFLATE_H
#define WIPY_LOADER_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum { INFLATE_ARENA = 48 * 1024 };

struct inflater {
    z_stream z;
    bool ended;  /* the end of the stream was seen */
    bool failed; /* the stream is not valid; nothing more comes */
    size_t used; /* of the arena */
    _Alignas(16) uint8_t arena[INFLATE_ARENA];
};

void inflate_start(struct inflater *f);

/* Inflates from `in` (`*in_len` bytes, set to what was taken) to `out`.
 * Returns the bytes produced, or WIPY_ECORRUPT. 0 with everything taken
 * means more input is needed or the stream ended. */
int inflate_step(struct inflater *f, const uint8_t *in, size_t *in_len,
                 uint8_t *out, size_t out_size);

#endif
