/* A byte ring over memory of the caller: one writer, one reader, one thread.
 *
 * `size` may be any value; the ring holds exactly `size` bytes. */
#ifndef WIPY_BASE_RING_H
#define WIPY_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *data;
    size_t size;
    size_t head; /* next byte to read, < size */
    size_t used; /* bytes stored, <= size */
};

void ring_init(struct ring *r, void *memory, size_t size);
void ring_clear(struct ring *r);
size_t ring_used(const struct ring *r);
size_t ring_room(const struct ring *r);

/* Stores as many of `len` bytes as fit; returns how many. */
size_t ring_put(struct ring *r, const void *from, size_t len);

/* The longest contiguous run of free room, in place; ring_fill() what was
 * stored there. */
size_t ring_space(struct ring *r, uint8_t **at);
void ring_fill(struct ring *r, size_t len);

/* Takes at most `len` bytes; returns how many. */
size_t ring_get(struct ring *r, void *to, size_t len);

/* The longest contiguous run of stored bytes, in place, for write(2);
 * ring_drop() what was consumed. */
size_t ring_peek(const struct ring *r, const uint8_t **at);
void ring_drop(struct ring *r, size_t len);

#endif
