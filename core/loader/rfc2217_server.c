/* The board's end of RFC 2217. */
#include <string.h>

#include "loader/rfc2217_wire.h"

/* Clear to send, data set ready, carrier: what a plugged cable shows. */
enum { MODEM_STATE = 0xb0 };

/* Room for the answers to any one message from the client. */
enum { ANSWER_ROOM = 3 * (7 + 2 * RFC2217_SUB_MAX) };

void rfc2217_server_init(struct rfc2217_server *s,
                         const struct rfc2217_events *ev, bool detect,
                         uint32_t baud)
{
    memset(s, 0, offsetof(struct rfc2217_server, control_memory));
    s->ev = *ev;
    s->telnet = s->decided = !detect;
    s->baud = baud;
    s->data_size = 8;
    s->parity = s->stop_size = s->flow = 1; /* none, 1 bit, none */
    ring_init(&s->control, s->control_memory, sizeof s->control_memory);
    ring_init(&s->data, s->data_memory, sizeof s->data_memory);
}

static void on_option(struct rfc2217_server *s, uint8_t verb, uint8_t option)
{
    int i = telnet_option_index(option);
    bool ask_us = verb == TELNET_DO || verb == TELNET_DONT;
    bool want = verb == TELNET_DO || verb == TELNET_WILL;
    uint8_t yes = ask_us ? TELNET_WILL : TELNET_DO;
    uint8_t no = ask_us ? TELNET_WONT : TELNET_DONT;
    if (i < 0) {
        if (want)
            telnet_put_option(&s->control, no, option);
        return;
    }
    bool *on = ask_us ? &s->us_on[i] : &s->him_on[i];
    if (*on == want)
        return; /* answering what is so already would never end */
    *on = want;
    telnet_put_option(&s->control, want ? yes : no, option);
}

static void reply(struct rfc2217_server *s, uint8_t command, uint8_t value)
{
    telnet_put_sub(&s->control, (uint8_t)(command + RFC2217_SERVER), &value, 1);
}

static void on_baud(struct rfc2217_server *s, const uint8_t *value, size_t len)
{
    uint8_t now[4];
    uint32_t baud = len == 4 ? get_u32_be(value) : 0;
    if (baud && baud != s->baud) {
        s->baud = baud;
        if (s->ev.baud)
            s->ev.baud(s->ev.ctx, baud);
    }
    put_u32_be(now, s->baud);
    telnet_put_sub(&s->control, RFC2217_BAUD + RFC2217_SERVER, now, 4);
}

static void set_lines(struct rfc2217_server *s, bool dtr, bool rts)
{
    if (dtr == s->dtr && rts == s->rts)
        return;
    s->dtr = dtr;
    s->rts = rts;
    if (s->ev.lines)
        s->ev.lines(s->ev.ctx, dtr, rts);
}

static uint8_t on_control(struct rfc2217_server *s, uint8_t value)
{
    switch (value) {
    case RFC2217_FLOW_ASK:
        return s->flow;
    case RFC2217_BREAK_ASK:
        return s->brk ? RFC2217_BREAK_ON : RFC2217_BREAK_OFF;
    case RFC2217_BREAK_ON:
    case RFC2217_BREAK_OFF:
        s->brk = value == RFC2217_BREAK_ON;
        return value;
    case RFC2217_DTR_ASK:
        return s->dtr ? RFC2217_DTR_ON : RFC2217_DTR_OFF;
    case RFC2217_DTR_ON:
    case RFC2217_DTR_OFF:
        set_lines(s, value == RFC2217_DTR_ON, s->rts);
        return value;
    case RFC2217_RTS_ASK:
        return s->rts ? RFC2217_RTS_ON : RFC2217_RTS_OFF;
    case RFC2217_RTS_ON:
    case RFC2217_RTS_OFF:
        set_lines(s, s->dtr, value == RFC2217_RTS_ON);
        return value;
    default: /* flow control kinds: none is what there is */
        return value < RFC2217_BREAK_ASK ? RFC2217_FLOW_NONE : value;
    }
}

static void on_purge(struct rfc2217_server *s, uint8_t which)
{
    if (which & RFC2217_PURGE_RX)
        ring_clear(&s->data);
    if (s->ev.purge)
        s->ev.purge(s->ev.ctx, which & (RFC2217_PURGE_RX | RFC2217_PURGE_TX));
    reply(s, RFC2217_PURGE, which);
}

/* 0 asks for the value in force; anything in 1..most is taken. */
static void on_setting(struct rfc2217_server *s, uint8_t command, uint8_t *now,
                       uint8_t value, uint8_t most)
{
    if (value && value <= most)
        *now = value;
    reply(s, command, *now);
}

static void on_sub(struct rfc2217_server *s, const uint8_t *sub, size_t len)
{
    if (len < 2 || sub[0] != OPTION_COM_PORT)
        return;
    const uint8_t *value = sub + 2;
    uint8_t first = len > 2 ? value[0] : 0;
    switch (sub[1]) {
    case RFC2217_SIGNATURE:
        if (len == 2)
            telnet_put_sub(&s->control, RFC2217_SIGNATURE + RFC2217_SERVER,
                           (const uint8_t *)"wipy", 4);
        break;
    case RFC2217_BAUD:
        on_baud(s, value, len - 2);
        break;
    case RFC2217_DATA_SIZE:
        on_setting(s, sub[1], &s->data_size, first, 8);
        break;
    case RFC2217_PARITY:
        on_setting(s, sub[1], &s->parity, first, 5);
        break;
    case RFC2217_STOP_SIZE:
        on_setting(s, sub[1], &s->stop_size, first, 3);
        break;
    case RFC2217_CONTROL:
        reply(s, sub[1], on_control(s, first));
        break;
    case RFC2217_SUSPEND:
    case RFC2217_RESUME:
        s->suspended = sub[1] == RFC2217_SUSPEND;
        break;
    case RFC2217_LINE_MASK:
        s->line_mask = first;
        reply(s, sub[1], first);
        break;
    case RFC2217_MODEM_MASK:
        s->modem_mask = first;
        reply(s, sub[1], first);
        reply(s, RFC2217_NOTIFY_MODEM, MODEM_STATE);
        break;
    case RFC2217_PURGE:
        on_purge(s, first);
        break;
    default:
        break;
    }
}

/* False when the first bytes do not yet tell. */
static bool decide(struct rfc2217_server *s, const uint8_t *data, size_t len)
{
    if (data[0] == TELNET_IAC && len < 2)
        return false;
    s->telnet =
        data[0] == TELNET_IAC && data[1] >= TELNET_SB && data[1] != TELNET_IAC;
    s->decided = true;
    if (!s->telnet && s->ev.plain)
        s->ev.plain(s->ev.ctx);
    return true;
}

static void on_step(struct rfc2217_server *s, uint8_t byte)
{
    switch (telnet_step(&s->parser, byte)) {
    case TELNET_OPTION:
        on_option(s, s->parser.verb, byte);
        break;
    case TELNET_SUB:
        on_sub(s, s->parser.sub, s->parser.sub_len);
        break;
    default:
        break;
    }
}

/* Data for the UART; returns how many of the bytes were taken. */
static size_t give_data(struct rfc2217_server *s, const uint8_t *data,
                        size_t len)
{
    uint8_t before = s->parser.state;
    size_t made;
    if (!s->telnet)
        return s->ev.data(s->ev.ctx, data, len);
    size_t used = telnet_take_data(&s->parser, data, len, s->plain,
                                   sizeof s->plain, &made);
    size_t taken = made ? s->ev.data(s->ev.ctx, s->plain, made) : 0;
    if (taken == made)
        return used;
    s->parser.state = before; /* once more, only as far as it was taken */
    return telnet_take_data(&s->parser, data, len, s->plain, taken, &made);
}

size_t rfc2217_server_feed(struct rfc2217_server *s, const uint8_t *data,
                           size_t len)
{
    if (len == 0 || (!s->decided && !decide(s, data, len)))
        return 0;
    size_t pos = 0;
    while (pos < len) {
        if (!s->telnet || !telnet_in_command(&s->parser, data[pos])) {
            size_t taken = give_data(s, data + pos, len - pos);
            if (taken == 0)
                break;
            pos += taken;
        } else if (ring_room(&s->control) >= ANSWER_ROOM) {
            on_step(s, data[pos++]);
        } else {
            break;
        }
    }
    return pos;
}

size_t rfc2217_server_put(struct rfc2217_server *s, const uint8_t *data,
                          size_t len)
{
    return ring_put(&s->data, data, len);
}

size_t rfc2217_server_room(const struct rfc2217_server *s)
{
    return ring_room(&s->data);
}

bool rfc2217_server_has_output(const struct rfc2217_server *s)
{
    return s->half_escape || ring_used(&s->control) ||
           (!s->suspended && ring_used(&s->data));
}

/* Escapes while copying, so that PURGE can still drop what has not left. */
static size_t take_data(struct rfc2217_server *s, uint8_t *to, size_t size)
{
    size_t made = 0;
    const uint8_t *at;
    size_t have;
    while (made < size && (have = ring_peek(&s->data, &at)) > 0) {
        size_t want = size - made < have ? size - made : have;
        const uint8_t *iac = s->telnet ? memchr(at, TELNET_IAC, want) : NULL;
        size_t run = iac ? (size_t)(iac - at) + 1 : want;
        memcpy(to + made, at, run);
        made += run;
        ring_drop(&s->data, run);
        if (iac && made < size)
            to[made++] = TELNET_IAC;
        else if (iac)
            s->half_escape = true;
    }
    return made;
}

size_t rfc2217_server_take(struct rfc2217_server *s, uint8_t *to, size_t size)
{
    size_t made = 0;
    if (s->half_escape && size) {
        to[made++] = TELNET_IAC;
        s->half_escape = false;
    }
    made += ring_get(&s->control, to + made, size - made);
    if (!ring_used(&s->control) && !s->suspended)
        made += take_data(s, to + made, size - made);
    return made;
}
