#include "loader/rfc2217_wire.h"

#include <string.h>

enum { IDLE, AFTER_IAC, AFTER_VERB, IN_SUB, IN_SUB_IAC };

int telnet_option_index(uint8_t option)
{
    switch (option) {
    case OPTION_BINARY:
        return 0;
    case OPTION_SGA:
        return 1;
    case OPTION_COM_PORT:
        return 2;
    default:
        return -1;
    }
}

size_t telnet_run(const struct telnet_parser *p, const uint8_t *data,
                  size_t len)
{
    if (p->state != IDLE)
        return 0;
    const uint8_t *iac = memchr(data, TELNET_IAC, len);
    return iac ? (size_t)(iac - data) : len;
}

bool telnet_is_escaped_ff(const struct telnet_parser *p, uint8_t byte)
{
    return p->state == AFTER_IAC && byte == TELNET_IAC;
}

static void sub_store(struct telnet_parser *p, uint8_t byte)
{
    if (p->sub_len < sizeof p->sub)
        p->sub[p->sub_len] = byte;
    if (p->sub_len <= sizeof p->sub)
        p->sub_len++;
}

static enum telnet_event after_iac(struct telnet_parser *p, uint8_t byte)
{
    p->state = IDLE;
    if (byte == TELNET_IAC)
        return TELNET_BYTE;
    if (byte >= TELNET_WILL && byte <= TELNET_DONT) {
        p->verb = byte;
        p->state = AFTER_VERB;
    } else if (byte == TELNET_SB) {
        p->sub_len = 0;
        p->state = IN_SUB;
    }
    return TELNET_NOTHING; /* NOP, AYT and the like */
}

static enum telnet_event in_sub_iac(struct telnet_parser *p, uint8_t byte)
{
    p->state = IN_SUB;
    if (byte == TELNET_IAC) {
        sub_store(p, byte);
        return TELNET_NOTHING;
    }
    p->state = IDLE;
    if (byte == TELNET_SE && p->sub_len <= sizeof p->sub)
        return TELNET_SUB;
    /* Another command inside a sub-negotiation ends it (RFC 855). */
    return byte == TELNET_SE ? TELNET_NOTHING : after_iac(p, byte);
}

enum telnet_event telnet_step(struct telnet_parser *p, uint8_t byte)
{
    switch (p->state) {
    case IDLE:
        p->state = AFTER_IAC; /* telnet_run left nothing else */
        return TELNET_NOTHING;
    case AFTER_IAC:
        return after_iac(p, byte);
    case AFTER_VERB:
        p->state = IDLE;
        return TELNET_OPTION;
    case IN_SUB:
        if (byte == TELNET_IAC)
            p->state = IN_SUB_IAC;
        else
            sub_store(p, byte);
        return TELNET_NOTHING;
    default:
        return in_sub_iac(p, byte);
    }
}

void telnet_put_option(struct ring *out, uint8_t verb, uint8_t option)
{
    ring_put(out, (uint8_t[3]){TELNET_IAC, verb, option}, 3);
}

void telnet_put_sub(struct ring *out, uint8_t command, const uint8_t *value,
                    size_t len)
{
    uint8_t head[4] = {TELNET_IAC, TELNET_SB, OPTION_COM_PORT, command};
    ring_put(out, head, sizeof head);
    for (size_t i = 0; i < len; i++) {
        ring_put(out, &value[i], 1);
        if (value[i] == TELNET_IAC)
            ring_put(out, &value[i], 1);
    }
    ring_put(out, (uint8_t[2]){TELNET_IAC, TELNET_SE}, 2);
}

size_t telnet_put_data(struct ring *out, const uint8_t *data, size_t len)
{
    static const uint8_t pair[2] = {TELNET_IAC, TELNET_IAC};
    size_t pos = 0;
    while (pos < len) {
        if (data[pos] == TELNET_IAC) {
            if (ring_room(out) < 2)
                break;
            ring_put(out, pair, 2);
            pos++;
            continue;
        }
        const uint8_t *iac = memchr(data + pos, TELNET_IAC, len - pos);
        size_t run = iac ? (size_t)(iac - data) - pos : len - pos;
        size_t put = ring_put(out, data + pos, run);
        pos += put;
        if (put < run)
            break;
    }
    return pos;
}

uint32_t get_u32_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

void put_u32_be(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}
