#include "cursor.h"

#include <string.h>

struct reader reader_of(const void *data, size_t len)
{
    return (struct reader){.data = data, .len = len};
}

size_t reader_left(const struct reader *r)
{
    return r->len - r->pos;
}

const uint8_t *read_view(struct reader *r, size_t len)
{
    if (r->bad || len > reader_left(r)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->data + r->pos;
    r->pos += len;
    return at;
}

void read_skip(struct reader *r, size_t len)
{
    (void)read_view(r, len);
}

void read_bytes(struct reader *r, void *to, size_t len)
{
    const uint8_t *at = read_view(r, len);
    if (at)
        memcpy(to, at, len);
    else
        memset(to, 0, len);
}

uint8_t read_u8(struct reader *r)
{
    const uint8_t *at = read_view(r, 1);
    return at ? at[0] : 0;
}

uint16_t read_u16(struct reader *r)
{
    const uint8_t *at = read_view(r, 2);
    return at ? get_u16(at) : 0;
}

uint32_t read_u32(struct reader *r)
{
    const uint8_t *at = read_view(r, 4);
    return at ? get_u32(at) : 0;
}

uint64_t read_u64(struct reader *r)
{
    const uint8_t *at = read_view(r, 8);
    return at ? get_u32(at) | (uint64_t)get_u32(at + 4) << 32 : 0;
}

struct writer writer_of(void *data, size_t size)
{
    return (struct writer){.data = data, .size = size};
}

/* Room for `len` more bytes, or NULL and bad. */
static uint8_t *claim(struct writer *w, size_t len)
{
    if (w->bad || len > w->size - w->pos) {
        w->bad = true;
        return NULL;
    }
    uint8_t *at = w->data + w->pos;
    w->pos += len;
    return at;
}

void write_u8(struct writer *w, uint8_t v)
{
    write_bytes(w, &v, 1);
}

void write_u16(struct writer *w, uint16_t v)
{
    uint8_t *at = claim(w, 2);
    if (at)
        put_u16(at, v);
}

void write_u32(struct writer *w, uint32_t v)
{
    uint8_t *at = claim(w, 4);
    if (at)
        put_u32(at, v);
}

void write_u64(struct writer *w, uint64_t v)
{
    uint8_t *at = claim(w, 8);
    if (at) {
        put_u32(at, (uint32_t)v);
        put_u32(at + 4, (uint32_t)(v >> 32));
    }
}

void write_bytes(struct writer *w, const void *from, size_t len)
{
    uint8_t *at = claim(w, len);
    if (at && len)
        memcpy(at, from, len);
}

void write_fill(struct writer *w, uint8_t v, size_t len)
{
    uint8_t *at = claim(w, len);
    if (at)
        memset(at, v, len);
}

uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)v);
    put_u16(p + 2, (uint16_t)(v >> 16));
}
