#include "loader/inflate.h"

#include "base/err.h"

#include <string.h>

static voidpf arena_alloc(voidpf opaque, uInt items, uInt size)
{
    struct inflater *f = opaque;
    size_t want = ((size_t)items * size + 15) / 16 * 16;
    if (want > sizeof f->arena - f->used)
        return Z_NULL;
    void *at = f->arena + f->used;
    f->used += want;
    return at;
}

static void arena_free(voidpf opaque, voidpf address)
{
    (void)opaque;
    (void)address;
}

void inflate_start(struct inflater *f)
{
    memset(&f->z, 0, sizeof f->z);
    f->used = 0;
    f->ended = false;
    f->z.zalloc = arena_alloc;
    f->z.zfree = arena_free;
    f->z.opaque = f;
    f->failed = inflateInit(&f->z) != Z_OK;
}

int inflate_step(struct inflater *f, const uint8_t *in, size_t *in_len,
                 uint8_t *out, size_t out_size)
{
    size_t given = *in_len;
    *in_len = 0;
    if (f->failed)
        return WIPY_ECORRUPT;
    if (f->ended)
        return 0;
    f->z.next_in = (Bytef *)(uintptr_t)in; /* zlib only reads it */
    f->z.avail_in = (uInt)given;
    f->z.next_out = out;
    f->z.avail_out = (uInt)out_size;
    int status = inflate(&f->z, Z_SYNC_FLUSH);
    *in_len = given - f->z.avail_in;
    f->ended = status == Z_STREAM_END;
    f->failed = !f->ended && status != Z_OK && status != Z_BUF_ERROR;
    if (f->failed)
        return WIPY_ECORRUPT;
    return (int)(out_size - f->z.avail_out);
}
