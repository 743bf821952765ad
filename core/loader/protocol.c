#include "loader/protocol.h"

#include <string.h>

/* Eight bytes at a time: XOR does not mind the order. */
uint8_t loader_checksum(const uint8_t *data, size_t len)
{
    uint64_t sum = 0, word;
    uint8_t last = 0xef;
    for (; len >= sizeof word; len -= sizeof word, data += sizeof word) {
        memcpy(&word, data, sizeof word);
        sum ^= word;
    }
    for (size_t i = 0; i < len; i++)
        last ^= data[i];
    for (; sum; sum >>= 8)
        last ^= (uint8_t)sum;
    return last;
}
