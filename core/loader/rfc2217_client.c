/* The host's end of RFC 2217. */
#include <string.h>

#include "base/err.h"
#include "loader/rfc2217_wire.h"

enum { OPTIONS = 3 };

static const uint8_t options[OPTIONS] = {OPTION_BINARY, OPTION_SGA,
                                         OPTION_COM_PORT};

void rfc2217_client_init(struct rfc2217_client *c)
{
    memset(c, 0, offsetof(struct rfc2217_client, out_memory));
    ring_init(&c->out, c->out_memory, sizeof c->out_memory);
    ring_init(&c->in, c->in_memory, sizeof c->in_memory);
    for (size_t i = 0; i < OPTIONS; i++) {
        telnet_put_option(&c->out, TELNET_WILL, options[i]);
        telnet_put_option(&c->out, TELNET_DO, options[i]);
    }
}

/* We asked for all we offer, both ways: an agreement needs no answer, a
 * refusal neither; only what we do not know is refused. */
static void on_option(struct rfc2217_client *c, uint8_t verb, uint8_t option)
{
    if (option == OPTION_COM_PORT) {
        if (verb == TELNET_DO)
            c->com_port = true;
        if (verb == TELNET_DONT)
            c->refused = true;
    }
    if (telnet_option_index(option) >= 0)
        return;
    if (verb == TELNET_DO)
        telnet_put_option(&c->out, TELNET_WONT, option);
    if (verb == TELNET_WILL)
        telnet_put_option(&c->out, TELNET_DONT, option);
}

static void on_sub(struct rfc2217_client *c, const uint8_t *sub, size_t len)
{
    if (len < 2 || sub[0] != OPTION_COM_PORT || sub[1] < RFC2217_SERVER)
        return;
    const uint8_t *value = sub + 2;
    switch (sub[1] - RFC2217_SERVER) {
    case RFC2217_BAUD:
        if (len == 6)
            c->baud = get_u32_be(value);
        break;
    case RFC2217_NOTIFY_LINE:
        c->line = len > 2 ? value[0] : 0;
        return;
    case RFC2217_NOTIFY_MODEM:
        c->modem = len > 2 ? value[0] : 0;
        return;
    case RFC2217_SUSPEND:
    case RFC2217_RESUME:
        c->suspended = sub[1] - RFC2217_SERVER == RFC2217_SUSPEND;
        return;
    case RFC2217_CONTROL:
    case RFC2217_PURGE:
        break;
    default:
        return;
    }
    if (c->unanswered)
        c->unanswered--;
}

static void on_step(struct rfc2217_client *c, uint8_t byte)
{
    switch (telnet_step(&c->parser, byte)) {
    case TELNET_OPTION:
        on_option(c, c->parser.verb, byte);
        break;
    case TELNET_SUB:
        on_sub(c, c->parser.sub, c->parser.sub_len);
        break;
    case TELNET_NOTHING:
        break;
    }
}

size_t rfc2217_client_feed(struct rfc2217_client *c, const uint8_t *data,
                           size_t len)
{
    size_t pos = 0;
    while (pos < len && ring_room(&c->in) && ring_room(&c->out) >= 3) {
        uint8_t *to;
        size_t room = ring_space(&c->in, &to), made;
        pos += telnet_take_data(&c->parser, data + pos, len - pos, to, room,
                                &made);
        ring_fill(&c->in, made);
        if (pos < len && telnet_in_command(&c->parser, data[pos]))
            on_step(c, data[pos++]);
    }
    return pos;
}

size_t rfc2217_client_put(struct rfc2217_client *c, const uint8_t *data,
                          size_t len)
{
    return c->suspended ? 0 : telnet_put_data(&c->out, data, len);
}

static int send_sub(struct rfc2217_client *c, uint8_t command,
                    const uint8_t *value, size_t len)
{
    if (ring_room(&c->out) < 7 + 2 * len)
        return WIPY_ENOSPC;
    telnet_put_sub(&c->out, command, value, len);
    c->unanswered++;
    return 0;
}

int rfc2217_client_set_baud(struct rfc2217_client *c, uint32_t baud)
{
    uint8_t value[4];
    put_u32_be(value, baud);
    return send_sub(c, RFC2217_BAUD, value, sizeof value);
}

int rfc2217_client_control(struct rfc2217_client *c, enum rfc2217_control value)
{
    uint8_t byte = (uint8_t)value;
    return send_sub(c, RFC2217_CONTROL, &byte, 1);
}

int rfc2217_client_purge(struct rfc2217_client *c, unsigned which)
{
    uint8_t byte = (uint8_t)which;
    return send_sub(c, RFC2217_PURGE, &byte, 1);
}

bool rfc2217_client_settled(const struct rfc2217_client *c)
{
    return c->unanswered == 0;
}
