/* What the CPU asks over the command socket, taken apart and checked; the
 * chip's part carried out. Pure: the CPU is not trusted, and this is where
 * that is tested. */
#ifndef WIPY_BOARD_COMMANDS_H
#define WIPY_BOARD_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/chip.h"
#include "bus/bus.h"

enum { COMMAND_PACKET_MAX = sizeof(struct bus_command) + BUS_PAYLOAD_MAX };

struct command {
    uint32_t id;
    uint32_t op; /* enum bus_op */
    uint32_t addr, len;
    const uint8_t *payload; /* `len` bytes in the packet, or NULL */
};

/* Reads one packet. Returns 0; WIPY_EPROTO for one that is too short to be
 * answered (`id` is 0 then), WIPY_ENOTSUP for an unknown op, WIPY_EINVAL for
 * a length that does not agree with the packet. */
int command_read(struct command *command, const uint8_t *packet, size_t len);

/* The parts of BUS_CARD_READ and BUS_CARD_WRITE, all of them inside the card's
 * memory. Returns how many there are, WIPY_EINVAL when one is not. */
int command_card_parts(const struct command *command,
                       struct bus_card_part parts[BUS_CARD_PARTS]);

/* True for those that command_on_chip carries out. */
bool command_is_for_chip(const struct command *command);

/* Erases, programs or locks. Returns the status for the answer; `*busy_us` is
 * how long a real chip would be at it. */
int command_on_chip(const struct command *command, struct chip *chip,
                    uint32_t *busy_us);

#endif
