#include "commands.h"

#include <string.h>

#include "base/err.h"

static bool carries_payload(uint32_t op)
{
    return op == BUS_PROGRAM || op == BUS_SD_WRITE || op == BUS_CARD_READ ||
           op == BUS_CARD_WRITE;
}

static bool is_block_transfer(uint32_t op)
{
    return op == BUS_SD_READ || op == BUS_SD_WRITE;
}

int command_read(struct command *command, const uint8_t *packet, size_t len)
{
    struct bus_command head;
    *command = (struct command){0};
    if (len < sizeof head)
        return WIPY_EPROTO;
    memcpy(&head, packet, sizeof head);
    *command = (struct command){
        .id = head.id, .op = head.op, .addr = head.addr, .len = head.len};
    if (head.op < BUS_ERASE || head.op > BUS_CARD_WRITE)
        return WIPY_ENOTSUP;
    size_t payload = len - sizeof head;
    if (payload != (carries_payload(head.op) ? head.len : 0))
        return WIPY_EINVAL;
    if (payload > BUS_PAYLOAD_MAX)
        return WIPY_EINVAL;
    if (is_block_transfer(head.op) &&
        (head.len > BUS_PAYLOAD_MAX || head.len % 512))
        return WIPY_EINVAL;
    if (carries_payload(head.op))
        command->payload = packet + sizeof head;
    return 0;
}

int command_card_parts(const struct command *command,
                       struct bus_card_part parts[BUS_CARD_PARTS])
{
    size_t count = command->len / sizeof *parts;
    if (command->len % sizeof *parts || count > BUS_CARD_PARTS)
        return WIPY_EINVAL;
    memcpy(parts, command->payload, command->len);
    for (size_t i = 0; i < count; i++)
        if (parts[i].at > BUS_CARD_MEMORY ||
            parts[i].count > (BUS_CARD_MEMORY - parts[i].at) / 512)
            return WIPY_EINVAL;
    return (int)count;
}

bool command_is_for_chip(const struct command *command)
{
    return command->op == BUS_ERASE || command->op == BUS_PROGRAM ||
           command->op == BUS_LOCK;
}

int command_on_chip(const struct command *c, struct chip *chip,
                    uint32_t *busy_us)
{
    int err;
    *busy_us = 0;
    switch (c->op) {
    case BUS_ERASE:
        err = chip_erase(chip, c->addr, c->len);
        *busy_us = err ? 0 : chip_erase_us(c->addr, c->len);
        return err;
    case BUS_PROGRAM:
        err = chip_program(chip, c->addr, c->payload, c->len);
        *busy_us = err ? 0 : chip_program_us(c->addr, c->len);
        return err;
    case BUS_LOCK:
        return chip_lock(chip, c->addr, c->len);
    default:
        return WIPY_ENOTSUP;
    }
}
