/* A stored format as a table: what lies in its bytes, in order. The same
 * table reads and writes, so the two cannot disagree.
 *
 *   static const struct field fields[] = {
 *       FIELD_U32(struct thing, seq),      4 bytes, little-endian
 *       FIELD_BYTES(struct thing, name),   a byte, or an array of bytes
 *       FIELD_FILL(3, 0xff),               written so, skipped by reading
 *   };
 *
 * Lengths are constants, so memory is not bounded here: `to` and `from` must
 * hold as many bytes as the table has. What is read is only as good as it is
 * checked: look at checksum and magic before, at ranges afterwards. */
#ifndef WIPY_BASE_FIELDS_H
#define WIPY_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind { FIELD_IS_BYTES, FIELD_IS_U32, FIELD_IS_FILL };

struct field {
    uint8_t kind;
    uint8_t len; /* bytes in the format */
    uint16_t at; /* offset in the struct; FILL: the byte */
};

#define FIELD_U32(type, member)                                                \
    {                                                                          \
        FIELD_IS_U32, sizeof((type *)0)->member == 4 ? 4 : 0,                  \
            offsetof(type, member)                                             \
    }
#define FIELD_BYTES(type, member)                                              \
    {                                                                          \
        FIELD_IS_BYTES, sizeof((type *)0)->member, offsetof(type, member)      \
    }
/* An array of characters without its last one, which stays a NUL. */
#define FIELD_TEXT(type, member)                                               \
    {                                                                          \
        FIELD_IS_BYTES, sizeof((type *)0)->member - 1, offsetof(type, member)  \
    }
#define FIELD_FILL(count, byte)                                                \
    {                                                                          \
        FIELD_IS_FILL, count, byte                                             \
    }

#define FIELDS(table) (table), sizeof(table) / sizeof(table)[0]

void fields_write(const struct field *fields, size_t count, uint8_t *to,
                  const void *from);
void fields_read(const struct field *fields, size_t count, void *to,
                 const uint8_t *from);

/* The last four bytes of `len` are the CRC-32 of those before. */
void bytes_seal(uint8_t *bytes, size_t len);
bool bytes_are_sealed(const uint8_t *bytes, size_t len);

/* All `len` bytes (at least one) are `v`. */
bool bytes_are(const uint8_t *bytes, uint8_t v, size_t len);

#endif
