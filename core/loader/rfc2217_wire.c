#include "loader/rfc2217_wire.h"

#include "base/span.h"

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

bool telnet_in_command(const struct telnet_parser *p, uint8_t byte)
{
    if (p->state == AFTER_IAC)
        return byte != TELNET_IAC;
    return p->state != IDLE;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t telnet_take_data(struct telnet_parser *p, const uint8_t *data,
                        size_t len, uint8_t *to, size_t size, size_t *made)
{
    size_t pos = 0, out = 0;
    while (pos < len && out < size && !telnet_in_command(p, data[pos])) {
        if (p->state == AFTER_IAC) {
            to[out++] = data[pos++];
            p->state = IDLE;
            continue;
        }
        size_t span = min_size(len - pos, size - out);
        size_t run =
            span_copy(to + out, data + pos, span, TELNET_IAC, TELNET_IAC);
        out += run;
        pos += run;
        if (run < span) {
            p->state = AFTER_IAC;
            pos++;
        }
    }
    *made = out;
    return pos;
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

/* `to` has room for twice the length. Returns how many bytes it made. */
static size_t escape(uint8_t *to, const uint8_t *from, size_t len)
{
    size_t made = 0;
    for (size_t pos = 0; pos < len;) {
        size_t run =
            span_copy(to + made, from + pos, len - pos, TELNET_IAC, TELNET_IAC);
        made += run;
        pos += run;
        for (; pos < len && from[pos] == TELNET_IAC; pos++) {
            to[made++] = TELNET_IAC;
            to[made++] = TELNET_IAC;
        }
    }
    return made;
}

size_t telnet_put_data(struct ring *out, const uint8_t *data, size_t len)
{
    size_t pos = 0;
    while (pos < len && ring_room(out) >= 2) {
        uint8_t *to, pair[2];
        size_t part = min_size(len - pos, ring_space(out, &to) / 2);
        if (part) {
            ring_fill(out, escape(to, data + pos, part));
            pos += part;
        } else { /* one byte before the ring wraps */
            ring_put(out, pair, escape(pair, data + pos++, 1));
        }
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
