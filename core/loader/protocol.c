#include "loader/protocol.h"

uint8_t loader_checksum(const uint8_t *data, size_t len)
{
    uint8_t sum = 0xef;
    for (size_t i = 0; i < len; i++)
        sum ^= data[i];
    return sum;
}
