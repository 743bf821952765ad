/* Building one line of text without a C library's printf. What does not fit
 * is cut; the text is always NUL-terminated (size at least 1). */
#ifndef WIPY_BASE_TEXT_H
#define WIPY_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *to;
    size_t size;
    size_t len; /* of what would have been there without cutting */
};

struct text text_of(char *to, size_t size);
void text_put_char(struct text *t, char c);
void text_put(struct text *t, const char *s);
void text_put_number(struct text *t, uint32_t v);               /* 812,345 */
void text_put_decimal(struct text *t, uint32_t v);              /* 812345 */
void text_put_hex(struct text *t, uint32_t v, unsigned digits); /* 0x008000 */
void text_put_bytes(struct text *t, const uint8_t *from, size_t len); /* 3fa9 */

#endif
