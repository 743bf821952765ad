#define _GNU_SOURCE
#include "serial_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "board/clock.h"
#include "board/radio.h"

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000u;
}

/* ---- the modem lines ---- */

static void on_rise(uv_timer_t *timer);

static void follow_lines(struct serial_port *port, enum lines_event event)
{
    int next_ms = -1;
    if (event == LINES_NOTHING)
        event = lines_tick(&port->lines, now_ms(), &next_ms);
    else
        (void)lines_tick(&port->lines, now_ms(), &next_ms);
    if (event != LINES_NOTHING)
        port->ev.lines(port->ev.ctx, event);
    if (next_ms >= 0)
        uv_timer_start(&port->rise, on_rise, (uint64_t)next_ms, 0);
    else
        uv_timer_stop(&port->rise);
}

static void on_rise(uv_timer_t *timer)
{
    follow_lines(timer->data, LINES_NOTHING);
}

static void on_lines(void *ctx, bool dtr, bool rts)
{
    struct serial_port *port = ctx;
    follow_lines(port, lines_set(&port->lines, dtr, rts, now_ms()));
}

bool serial_port_strapped(const struct serial_port *port)
{
    return lines_io0_low(&port->lines);
}

/* ---- the client's bytes ---- */

static size_t on_data(void *ctx, const uint8_t *data, size_t len)
{
    struct serial_port *port = ctx;
    return serial_line_feed(port->line, port->carrier, data, len);
}

static void on_baud(void *ctx, uint32_t baud)
{
    struct serial_port *port = ctx;
    pace_set(&port->line->pace, baud);
}

/* Before its first byte is fed. */
static void on_plain(void *ctx)
{
    struct serial_port *port = ctx;
    pace_set(&port->line->pace, PACE_BAUD_AT_RESET);
    port->ev.plain_client(port->ev.ctx);
}

static void on_purge(void *ctx, unsigned which)
{
    struct serial_port *port = ctx;
    if (which & RFC2217_PURGE_RX)
        port->ev.purge(port->ev.ctx);
}

static void drop_client(struct serial_port *port)
{
    watch_close(port->watch);
    port->watch = NULL;
    close(port->client);
    port->client = -1;
    port->in_len = port->out_len = 0;
    /* The cable is pulled out: its lines are idle. */
    on_lines(port, false, false);
}

static void note_move(struct serial_port *port)
{
    port->moved_ms = now_ms();
}

/* Not for each answer while bytes are fed: who feeds them calls it after. */
static void set_events(struct serial_port *port)
{
    if (port->offering)
        return;
    int events = port->in_len < sizeof port->in ? UV_READABLE : 0;
    if (port->out_len || rfc2217_server_has_output(&port->server))
        events |= UV_WRITABLE;
    watch_set(port->watch, events);
    if (!port->waiting) /* what waits now came just now */
        note_move(port);
    port->waiting = port->in_len || events & UV_WRITABLE;
}

/* False when the client is gone. */
static bool send_some(struct serial_port *port)
{
    for (;;) {
        if (port->out_len == 0)
            port->out_len =
                rfc2217_server_take(&port->server, port->out, sizeof port->out);
        if (port->out_len == 0)
            return true;
        ssize_t n = send(port->client, port->out, port->out_len,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        note_move(port);
        port->out_len -= (size_t)n;
        memmove(port->out, port->out + n, port->out_len);
    }
}

/* The client's bytes may reset the board, and a reset line has room again and
 * says so: that call comes back here and must not feed twice. */
static void offer(struct serial_port *port)
{
    size_t taken;
    if (port->offering)
        return;
    port->offering = true;
    do {
        taken = rfc2217_server_feed(&port->server, port->in, port->in_len);
        if (taken)
            note_move(port);
        port->in_len -= taken;
        memmove(port->in, port->in + taken, port->in_len);
    } while (taken && port->in_len);
    port->offering = false;
}

/* False when the client is gone. */
static bool receive_some(struct serial_port *port)
{
    ssize_t n = recv(port->client, port->in + port->in_len,
                     sizeof port->in - port->in_len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    port->in_len += (size_t)n;
    offer(port);
    return n > 0;
}

static void on_client(void *ctx, int events)
{
    struct serial_port *port = ctx;
    bool there = true;
    if (events & UV_WRITABLE) {
        there = send_some(port);
        serial_line_carrier_drained(port->line, port->carrier);
    }
    if (there && events & UV_READABLE)
        there = receive_some(port);
    if (there)
        there = send_some(port);
    if (there)
        set_events(port);
    else
        drop_client(port);
}

static size_t put(void *ctx, const uint8_t *data, size_t len)
{
    struct serial_port *port = ctx;
    if (port->client < 0)
        return len;
    size_t taken = rfc2217_server_put(&port->server, data, len);
    set_events(port);
    return taken;
}

static void resume(void *ctx)
{
    struct serial_port *port = ctx;
    if (port->client < 0)
        return;
    if (port->in_len)
        offer(port);
    set_events(port);
}

/* ---- the door ---- */

/* A host that lost its power or its network says nothing: after 8 s without
 * an answer it has left. */
static void set_options(int client)
{
    static const struct {
        int name, value;
    } options[] = {{TCP_NODELAY, 1},
                   {TCP_KEEPIDLE, 3},
                   {TCP_KEEPINTVL, 1},
                   {TCP_KEEPCNT, 5}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(client, IPPROTO_TCP, options[i].name, &options[i].value,
                   sizeof options[i].value);
    int on = 1;
    setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static void welcome(struct serial_port *port, int client)
{
    struct rfc2217_events ev = {.ctx = port,
                                .data = on_data,
                                .lines = on_lines,
                                .baud = on_baud,
                                .purge = on_purge,
                                .plain = on_plain};
    set_options(client);
    port->client = client;
    port->in_len = port->out_len = 0;
    port->waiting = false;
    rfc2217_server_init(&port->server, &ev, true, 115200);
    port->watch = watch_open(port->loop, client, UV_READABLE, on_client, port);
}

/* Its end may not have been noticed: while the line takes nothing it is not
 * read. */
static bool has_left(const struct serial_port *port)
{
    struct pollfd look = {.fd = port->client, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 &&
           look.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/* Its end may even lie behind bytes that have no room here. */
static bool is_stuck(const struct serial_port *port)
{
    return port->waiting && now_ms() - port->moved_ms >= SERIAL_STUCK_MS;
}

/* What was sent to it twice again (for 0.6 s at least) is not acknowledged. */
static bool is_unreachable(const struct serial_port *port)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(port->client, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_retransmits >= 2;
}

static void on_door(void *ctx, int events)
{
    static const char busy[] =
        "this serial line is in use by another client\r\n";
    (void)events;
    struct serial_port *port = ctx;
    int client =
        accept4(port->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    if (port->client >= 0 &&
        (has_left(port) || is_stuck(port) || is_unreachable(port)))
        drop_client(port);
    if (port->client < 0) {
        welcome(port, client);
        return;
    }
    ssize_t n = send(client, busy, sizeof busy - 1, MSG_NOSIGNAL);
    (void)n;
    close(client);
}

int serial_port_open(struct serial_port *port, uv_loop_t *loop,
                     struct serial_line *line, uint32_t address,
                     uint16_t number, bool yielding,
                     struct serial_port_events ev, struct problem *problem)
{
    memset(port, 0, sizeof *port);
    port->loop = loop;
    port->line = line;
    port->ev = ev;
    port->client = -1;
    lines_init(&port->lines);
    uv_timer_init(loop, &port->rise);
    port->rise.data = port;
    port->listening = radio_listen(address, number, &port->port);
    if (port->listening < 0 && errno == EADDRINUSE && yielding)
        port->listening = radio_listen(address, 0, &port->port);
    if (port->listening < 0)
        return radio_problem(problem, "serial", address, number);
    port->carrier =
        serial_line_attach(line, (struct carrier){port, put, resume, false});
    port->door = watch_open(loop, port->listening, UV_READABLE, on_door, port);
    return 0;
}

void serial_port_close(struct serial_port *port)
{
    watch_close(port->door);
    watch_close(port->watch);
    port->door = port->watch = NULL;
    if (port->client >= 0)
        close(port->client);
    if (port->listening >= 0)
        close(port->listening);
    port->client = port->listening = -1;
}
