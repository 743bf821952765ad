#include "text.h"

#include <stdbool.h>

struct text text_of(char *to, size_t size)
{
    to[0] = 0;
    return (struct text){.to = to, .size = size};
}

void text_put_char(struct text *t, char c)
{
    if (t->len + 1 < t->size) {
        t->to[t->len] = c;
        t->to[t->len + 1] = 0;
    }
    t->len++;
}

void text_put(struct text *t, const char *s)
{
    while (*s)
        text_put_char(t, *s++);
}

static void put_decimal(struct text *t, uint32_t v, bool commas)
{
    char digits[10];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n--) {
        text_put_char(t, digits[n]);
        if (commas && n && n % 3 == 0)
            text_put_char(t, ',');
    }
}

void text_put_number(struct text *t, uint32_t v)
{
    put_decimal(t, v, true);
}

void text_put_decimal(struct text *t, uint32_t v)
{
    put_decimal(t, v, false);
}

static void put_digits(struct text *t, uint32_t v, unsigned digits)
{
    while (digits--)
        text_put_char(t, "0123456789abcdef"[v >> 4 * digits & 15]);
}

void text_put_hex(struct text *t, uint32_t v, unsigned digits)
{
    text_put(t, "0x");
    put_digits(t, v, digits);
}

void text_put_bytes(struct text *t, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put_digits(t, from[i], 2);
}
