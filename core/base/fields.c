#include "fields.h"

#include <string.h>

#include "crc.h"
#include "cursor.h"

void fields_write(const struct field *fields, size_t count, uint8_t *to,
                  const void *from)
{
    for (const struct field *f = fields; f < fields + count; f++) {
        uint32_t v;
        if (f->kind == FIELD_IS_FILL) {
            memset(to, f->at, f->len);
        } else if (f->kind == FIELD_IS_BYTES) {
            memcpy(to, (const uint8_t *)from + f->at, f->len);
        } else {
            memcpy(&v, (const uint8_t *)from + f->at, sizeof v);
            put_u32(to, v);
        }
        to += f->len;
    }
}

void fields_read(const struct field *fields, size_t count, void *to,
                 const uint8_t *from)
{
    for (const struct field *f = fields; f < fields + count; f++) {
        if (f->kind == FIELD_IS_BYTES) {
            memcpy((uint8_t *)to + f->at, from, f->len);
        } else if (f->kind == FIELD_IS_U32) {
            uint32_t v = get_u32(from);
            memcpy((uint8_t *)to + f->at, &v, sizeof v);
        }
        from += f->len;
    }
}

void bytes_seal(uint8_t *bytes, size_t len)
{
    put_u32(bytes + len - 4, crc32_add(0, bytes, len - 4));
}

bool bytes_are_sealed(const uint8_t *bytes, size_t len)
{
    return get_u32(bytes + len - 4) == crc32_add(0, bytes, len - 4);
}

bool bytes_are(const uint8_t *bytes, uint8_t v, size_t len)
{
    return bytes[0] == v && memcmp(bytes, bytes + 1, len - 1) == 0;
}
