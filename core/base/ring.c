#include "ring.h"

#include <string.h>

void ring_init(struct ring *r, void *memory, size_t size)
{
    *r = (struct ring){.data = memory, .size = size};
}

void ring_clear(struct ring *r)
{
    r->head = r->used = 0;
}

size_t ring_used(const struct ring *r)
{
    return r->used;
}

size_t ring_room(const struct ring *r)
{
    return r->size - r->used;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t ring_space(struct ring *r, uint8_t **at)
{
    size_t tail = r->head + r->used;
    if (tail >= r->size)
        tail -= r->size;
    *at = r->data + tail;
    return min_size(r->size - tail, ring_room(r));
}

void ring_fill(struct ring *r, size_t len)
{
    r->used += len;
}

size_t ring_put(struct ring *r, const void *from, size_t len)
{
    const uint8_t *p = from;
    uint8_t *at;
    len = min_size(len, ring_room(r));
    for (size_t left = len; left;) {
        size_t run = min_size(left, ring_space(r, &at));
        memcpy(at, p, run);
        r->used += run;
        p += run;
        left -= run;
    }
    return len;
}

size_t ring_peek(const struct ring *r, const uint8_t **at)
{
    *at = r->data + r->head;
    return min_size(r->used, r->size - r->head);
}

void ring_drop(struct ring *r, size_t len)
{
    len = min_size(len, r->used);
    r->used -= len;
    r->head += len;
    if (r->head >= r->size)
        r->head -= r->size;
    if (r->used == 0)
        r->head = 0;
}

size_t ring_get(struct ring *r, void *to, size_t len)
{
    uint8_t *p = to;
    size_t got = 0;
    const uint8_t *at;
    while (got < len && r->used) {
        size_t run = min_size(len - got, ring_peek(r, &at));
        memcpy(p + got, at, run);
        ring_drop(r, run);
        got += run;
    }
    return got;
}
