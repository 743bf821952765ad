/* RFC 2217, both ends: any bytes into either, and data through both.
 *
 * Input: the first byte chooses. 0: bytes into a server; 1: into a server that
 * detects plain clients; 2: into a client; else: the rest is data carried from
 * a client to a server and back, which must arrive as it was. The second byte
 * is the size of the pieces. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "loader/rfc2217.h"

static uint8_t got[1 << 20];
static size_t got_len;
static unsigned room; /* the UART takes that many bytes a call */

static size_t on_data(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    if (room && len > room)
        len = room;
    if (len > sizeof got - got_len)
        len = sizeof got - got_len;
    memcpy(got + got_len, data, len);
    got_len += len;
    return len;
}

static void on_lines(void *ctx, bool dtr, bool rts)
{
    (void)ctx;
    (void)dtr;
    (void)rts;
}

static void on_baud(void *ctx, uint32_t baud)
{
    (void)ctx;
    assert(baud != 0);
}

static void on_purge(void *ctx, unsigned which)
{
    (void)ctx;
    assert(which <= 3);
}

static const struct rfc2217_events events = {
    .data = on_data, .lines = on_lines, .baud = on_baud, .purge = on_purge};

static void drain(struct rfc2217_server *s)
{
    uint8_t out[97];
    size_t total = 0, n;
    while ((n = rfc2217_server_take(s, out, sizeof out)) > 0) {
        assert(n <= sizeof out);
        total += n;
        assert(total < 1 << 20);
    }
    assert(s->suspended || !rfc2217_server_has_output(s));
}

/* Answers of the UART between the pieces; more of them only cost time. */
enum { PUTS_MAX = 32 };

/* Some 150 KiB: not anew for each run. */
static struct rfc2217_server server;
static struct rfc2217_client client;

static void into_server(const uint8_t *data, size_t len, size_t step,
                        bool detect)
{
    struct rfc2217_server *s = &server;
    rfc2217_server_init(s, &events, detect, 115200);
    unsigned puts = PUTS_MAX;
    got_len = 0;
    size_t pos = 0;
    while (pos < len && got_len < sizeof got) {
        size_t part = len - pos < step ? len - pos : step;
        size_t used = rfc2217_server_feed(s, data + pos, part);
        assert(used <= part);
        if (used == 0 && part < len - pos) /* one FF does not decide */
            used = rfc2217_server_feed(s, data + pos, ++part);
        pos += used;
        if (puts && puts--)
            rfc2217_server_put(s, data, len < 50 ? len : 50);
        drain(s);
        if (used == 0 && part == len - pos)
            break;
    }
}

static void into_client(const uint8_t *data, size_t len, size_t step)
{
    struct rfc2217_client *c = &client;
    rfc2217_client_init(c);
    rfc2217_client_set_baud(c, 460800);
    unsigned puts = PUTS_MAX;
    for (size_t pos = 0; pos < len;) {
        size_t part = len - pos < step ? len - pos : step;
        pos += rfc2217_client_feed(c, data + pos, part);
        ring_clear(&c->in);
        ring_clear(&c->out);
        if (puts && puts--)
            rfc2217_client_put(c, data, len < 50 ? len : 50);
    }
}

/* What the client has to say into the server, what that answers into the
 * client, in pieces. */
static void shuttle(struct rfc2217_client *c, struct rfc2217_server *s,
                    size_t step)
{
    const uint8_t *at;
    uint8_t out[300];
    size_t n;
    while ((n = ring_peek(&c->out, &at)) > 0) {
        n = rfc2217_server_feed(s, at, n < step ? n : step);
        ring_drop(&c->out, n);
        size_t back =
            rfc2217_server_take(s, out, step < sizeof out ? step : sizeof out);
        assert(rfc2217_client_feed(c, out, back) == back);
    }
    while ((n = rfc2217_server_take(s, out, sizeof out)) > 0)
        assert(rfc2217_client_feed(c, out, n) == n);
}

static void through(const uint8_t *data, size_t len, size_t step)
{
    struct rfc2217_client *c = &client;
    struct rfc2217_server *s = &server;
    uint8_t *back = malloc(len + 1);
    if (len > 3000)
        len = 3000;
    rfc2217_client_init(c);
    rfc2217_server_init(s, &events, true, 115200);
    got_len = 0;
    shuttle(c, s, step + 1);
    assert(c->com_port && s->telnet);
    for (size_t pos = 0; pos < len;) {
        size_t part = len - pos < step ? len - pos : step;
        pos += rfc2217_client_put(c, data + pos, part);
        rfc2217_client_set_baud(c, data[0] + 1u);
        rfc2217_client_control(c,
                               data[0] & 1 ? RFC2217_DTR_ON : RFC2217_RTS_ON);
        shuttle(c, s, step + 1);
    }
    assert(got_len == len && memcmp(got, data, len) == 0);
    assert(rfc2217_client_settled(c) && (len == 0 || c->baud == data[0] + 1u));
    assert(rfc2217_server_put(s, data, len) == len);
    shuttle(c, s, step + 1);
    assert(ring_get(&c->in, back, len + 1) == len);
    assert(memcmp(back, data, len) == 0);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 3)
        return 0;
    size_t step = data[1] + 1u;
    room = data[0] >> 2;
    if ((data[0] & 3) == 0)
        into_server(data + 2, len - 2, step, false);
    else if ((data[0] & 3) == 1)
        into_server(data + 2, len - 2, step, true);
    else if ((data[0] & 3) == 2)
        into_client(data + 2, len - 2, step);
    else {
        room = 0;
        through(data + 2, len - 2, step);
    }
    return 0;
}
