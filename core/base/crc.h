/* CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320), as zlib's crc32():
 * start with 0 and pass the result back in to continue. */
#ifndef WIPY_BASE_CRC_H
#define WIPY_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_add(uint32_t crc, const void *data, size_t len);

#endif
