#include "crc.h"

#include <string.h>

#include "crc_table.h"

/* Four bytes a step ("slicing by four"): the translation layer checks every
 * sector it reads, so this is on the path of each file access. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t c = ~crc;

    for (; len >= 4; len -= 4, p += 4) {
        c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
             (uint32_t)p[3] << 24;
        c = crc_table[3][c & 255] ^ crc_table[2][c >> 8 & 255] ^
            crc_table[1][c >> 16 & 255] ^ crc_table[0][c >> 24];
    }
    while (len--)
        c = c >> 8 ^ crc_table[0][(c ^ *p++) & 255];
    return ~c;
}
