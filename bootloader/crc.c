/* The same CRC as core/base/crc.c, which trades 4 KiB of tables for speed
 * the bootloader does not need: it checks some hundred bytes. */
#include "base/crc.h"

uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    crc = ~crc;
    while (len--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}
