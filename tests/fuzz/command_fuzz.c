/* A hostile CPU: any packet on the command socket. The input is a sequence of
 * packets, each with two bytes of length before it. Nothing outside the chip
 * is touched, locked ranges stay as they are, programming sets no bit. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "board/commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SIZE = 128 * 1024, LOCKED = 0x1000 };

static void one_packet(struct chip *chip, const uint8_t *packet, size_t len)
{
    struct command c;
    uint32_t busy;
    struct bus_card_part parts[BUS_CARD_PARTS];
    if (command_read(&c, packet, len) != 0)
        return;
    if (c.op == BUS_CARD_READ || c.op == BUS_CARD_WRITE)
        for (int i = command_card_parts(&c, parts); i-- > 0;)
            if (parts[i].at + parts[i].count * (uint64_t)512 > BUS_CARD_MEMORY)
                abort();
    if (!command_is_for_chip(&c))
        return;
    int err = command_on_chip(&c, chip, &busy);
    if (err && busy)
        abort();
    if (!err && c.op != BUS_LOCK && (c.addr > SIZE || c.len > SIZE - c.addr))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct chip chip;
    uint8_t *cells = malloc(SIZE);
    memset(cells, 0x5a, SIZE);
    chip_init(&chip, cells, SIZE, 1);
    chip_lock(&chip, LOCKED, FLASH_SECTOR);
    while (len >= 2) {
        size_t n = (size_t)data[0] | (size_t)data[1] << 8;
        data += 2;
        len -= 2;
        if (n > len)
            n = len;
        one_packet(&chip, data, n);
        data += n;
        len -= n;
    }
    for (unsigned i = 0; i < FLASH_SECTOR; i++)
        if (cells[LOCKED + i] != 0x5a)
            abort();
    free(cells);
    return 0;
}
