/* Bounds-checked reading and writing of little-endian bytes.
 *
 * Everything that comes from the wire or the flash goes through a reader.
 * A read past the end returns zeros and sets `bad`; it never touches memory
 * outside `data`. Check `bad` once, after the last read. */
#ifndef WIPY_BASE_CURSOR_H
#define WIPY_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *data;
    size_t len;
    size_t pos; /* always <= len */
    bool bad;   /* a read went past the end */
};

struct reader reader_of(const void *data, size_t len);
size_t reader_left(const struct reader *r);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);

/* Copies `len` bytes to `to`; zeros when there are not enough. */
void read_bytes(struct reader *r, void *to, size_t len);

/* `len` bytes in place, or NULL (and bad) when there are not enough. */
const uint8_t *read_view(struct reader *r, size_t len);
void read_skip(struct reader *r, size_t len);

/* A writer never goes past `size`; a write that does not fit sets `bad` and
 * writes nothing. */
struct writer {
    uint8_t *data;
    size_t size;
    size_t pos;
    bool bad;
};

struct writer writer_of(void *data, size_t size);
void write_u8(struct writer *w, uint8_t v);
void write_u16(struct writer *w, uint16_t v);
void write_u32(struct writer *w, uint32_t v);
void write_u64(struct writer *w, uint64_t v);
void write_bytes(struct writer *w, const void *from, size_t len);
void write_fill(struct writer *w, uint8_t v, size_t len);

/* Plain little-endian access to memory known to be long enough. */
uint16_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);
void put_u16(uint8_t *p, uint16_t v);
void put_u32(uint8_t *p, uint32_t v);

#endif
