#include "base64.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const uint8_t *data, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 2), *to = text;
    for (size_t i = 0; text && i < len; i += 3) {
        uint32_t bits = (uint32_t)data[i] << 16;
        if (i + 1 < len)
            bits |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < len)
            bits |= data[i + 2];
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    if (text)
        memcpy(to, "\n", 2);
    return text;
}

uint8_t *base64_decode(const char *text, size_t text_len, size_t *len)
{
    uint8_t *data = malloc(text_len / 4 * 3 + 3);
    uint32_t bits = 0;
    size_t count = 0, pads = 0, at = 0;
    bool fine = data != NULL;
    for (size_t i = 0; fine && i < text_len; i++) {
        if (isspace((unsigned char)text[i]))
            continue;
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (text[i] == '=')
            pads++;
        else
            fine = digit && !pads;
        bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        if (fine && ++count % 4 == 0) {
            data[at++] = (uint8_t)(bits >> 16);
            data[at++] = (uint8_t)(bits >> 8);
            data[at++] = (uint8_t)bits;
        }
    }
    fine = fine && count && count % 4 == 0 && pads <= 2;
    *len = fine ? at - pads : 0;
    if (fine)
        return data;
    free(data);
    return NULL;
}
