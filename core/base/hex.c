#include "hex.h"

void hex_encode(char *to, const void *from, size_t len)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *p = from;
    for (size_t i = 0; i < len; i++) {
        *to++ = digit[p[i] >> 4];
        *to++ = digit[p[i] & 15];
    }
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(void *to, const char *from, size_t len)
{
    uint8_t *p = to;
    for (size_t i = 0; i < len; i++) {
        int high = digit_value(from[2 * i]);
        int low = high < 0 ? -1 : digit_value(from[2 * i + 1]);
        if (low < 0)
            return false;
        p[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
