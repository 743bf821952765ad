/* A telnet session and its socket. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "private.h"

/* ---- what the session asks for ---- */

static size_t give_input(void *ctx, const uint8_t *data, size_t len)
{
    struct telnet_conn *c = ctx;
    return net_input(c->net, data, len);
}

static uint64_t login_wait(void *ctx)
{
    struct telnet_conn *c = ctx;
    return login_wait_ms(&c->net->login, c->peer.addr, c->net->now_ms);
}

static enum telnet_verdict login(void *ctx, const char *user, size_t user_len,
                                 const char *password, size_t password_len)
{
    struct telnet_conn *c = ctx;
    enum login_verdict v = net_login(c->net, "telnet", c->peer.addr, user,
                                     user_len, password, password_len);
    return v == LOGIN_OK      ? TELNET_LOGIN_OK
           : v == LOGIN_WRONG ? TELNET_LOGIN_WRONG
                              : TELNET_LOGIN_LOCKED;
}

static bool is_logged_in(const struct telnet_conn *c)
{
    return c->state == CONN_OPEN && c->telnet.state == TELNET_PROMPT;
}

/* One more than there may be: the newest takes over from the idlest. */
static void entered(void *ctx)
{
    struct telnet_conn *c = ctx;
    struct telnet_conn *idlest = NULL;
    unsigned count = 0;
    for (int i = 0; i < TELNET_SLOTS; i++) {
        struct telnet_conn *other = &c->net->telnet[i];
        if (!is_logged_in(other))
            continue;
        count++;
        if (other != c &&
            (!idlest || other->telnet.active_ms < idlest->telnet.active_ms))
            idlest = other;
    }
    if (count > NET_TELNET_SESSIONS && idlest) {
        char from[16], why[80];
        snprintf(why, sizeof why, "Session taken over from %s.",
                 address_text(from, c->peer.addr));
        telnet_conn_close(idlest, why);
    }
    net_count_logins(c->net);
}

static bool safe_boot(void *ctx)
{
    struct telnet_conn *c = ctx;
    return net_boot_key(c->net);
}

static void ended(void *ctx)
{
    struct telnet_conn *c = ctx;
    c->state = CONN_FLUSHING;
    c->flush_ms = c->net->now_ms + FLUSH_MS;
    c->held_len = 0;
    net_count_logins(c->net);
}

static const struct telnet_ops ops = {
    .input = give_input,
    .login_wait = login_wait,
    .login = login,
    .entered = entered,
    .safe_boot = safe_boot,
    .ended = ended,
};

/* ---- coming in ---- */

static void say_and_close(int fd, const char *text)
{
    /* Best effort: the buffer of a new connection takes a line. */
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    socket_close(&fd, false);
}

static int sessions_of(const struct net *net, uint32_t addr)
{
    int n = 0;
    for (int i = 0; i < TELNET_SLOTS - 1; i++)
        n += net->telnet[i].state != CONN_FREE &&
             net->telnet[i].peer.addr == addr;
    return n;
}

static uint64_t patience_ms(struct net *net, const struct telnet_conn *c,
                            uint32_t addr)
{
    struct newcomer one = {c->peer.addr, sessions_of(net, c->peer.addr),
                           c->telnet.state == TELNET_JUDGING};
    struct newcomer other = {addr, sessions_of(net, addr), false};
    return one.addr == addr ? LOBBY_MS : net_lobby_ms(net, &one, &other);
}

/* Somebody who does not log in must not keep others out. */
static struct telnet_conn *make_way(struct net *net, uint32_t addr)
{
    struct telnet_conn *victim = NULL;
    for (int i = 0; i < TELNET_SLOTS - 1; i++) {
        struct telnet_conn *c = &net->telnet[i];
        bool lobby = c->state == CONN_FLUSHING || !is_logged_in(c);
        bool may = net->now_ms - c->opened_ms >= patience_ms(net, c, addr);
        if (lobby && may && (!victim || c->opened_ms < victim->opened_ms))
            victim = c;
    }
    return victim;
}

static struct telnet_conn *free_slot(struct net *net, const struct peer *peer)
{
    if (probe_is_peer(net, peer, 0))
        return net->telnet[TELNET_SLOTS - 1].state == CONN_FREE
                   ? &net->telnet[TELNET_SLOTS - 1]
                   : NULL;
    for (int i = 0; i < TELNET_SLOTS - 1; i++)
        if (net->telnet[i].state == CONN_FREE)
            return &net->telnet[i];
    struct telnet_conn *victim = make_way(net, peer->addr);
    if (victim) {
        telnet_hangup(&victim->telnet);
        socket_close(&victim->fd, false);
        victim->state = CONN_FREE;
    }
    return victim;
}

static bool is_loopback(uint32_t addr)
{
    return (ntohl(addr) >> 24) == 127;
}

static void open_session(struct telnet_conn *c, int fd, const struct peer *peer)
{
    struct net *net = c->net;
    bool warn =
        login_is_factory(&net->login) && !is_loopback(net->config.listen.addr);
    struct telnet_config config = {
        .banner = net->config.banner ? net->config.banner : "MicroPython",
        .warning = warn ? "The factory password is in use: change it with "
                          "network.Server(login=('user', 'password'))"
                        : NULL,
        .idle_ms = net->timeout_s * 1000,
    };
    socket_keepalive(fd);
    socket_no_delay(fd);
    c->state = CONN_OPEN;
    c->fd = fd;
    c->peer = *peer;
    c->opened_ms = net->now_ms;
    c->held_len = 0;
    telnet_init(&c->telnet, &ops, c, &config, net->now_ms);
}

void telnet_accept(struct net *net)
{
    struct peer peer;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = socket_accept(net->telnet_listener.fd, &peer);
        if (fd < 0)
            return;
        struct telnet_conn *c = free_slot(net, &peer);
        if (c)
            open_session(c, fd, &peer);
        else
            say_and_close(fd, "All sessions are in use: try again later\r\n");
    }
}

/* ---- bytes ---- */

static void close_now(struct telnet_conn *c)
{
    telnet_hangup(&c->telnet);
    socket_close(&c->fd, false);
    c->state = CONN_FREE;
    c->held_len = 0;
}

void telnet_conn_flush(struct telnet_conn *c)
{
    size_t moved;
    bool alive = socket_flush(c->fd, &c->telnet.out, &moved);
    if (moved)
        telnet_sent(&c->telnet, c->net->now_ms);
    bool said = c->state == CONN_FLUSHING && !ring_used(&c->telnet.out);
    if (!alive || said)
        close_now(c);
}

static void feed_held(struct telnet_conn *c)
{
    size_t n = telnet_feed(&c->telnet, c->held, c->held_len, c->net->now_ms);
    if (c->state != CONN_OPEN)
        return;
    memmove(c->held, c->held + n, c->held_len - n);
    c->held_len -= n;
}

static void receive(struct telnet_conn *c)
{
    for (int i = 0;
         i < READS && c->state == CONN_OPEN && c->held_len < sizeof c->held;
         i++) {
        ssize_t n =
            recv(c->fd, c->held + c->held_len, sizeof c->held - c->held_len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            close_now(c);
            return;
        }
        c->held_len += (size_t)n;
        feed_held(c);
    }
}

static void ready(void *ctx, short events)
{
    struct telnet_conn *c = ctx;
    if (c->state == CONN_FREE)
        return; /* closed by another of this round */
    if (events & POLLIN)
        receive(c);
    else if (events & (POLLERR | POLLHUP))
        close_now(c);
    if (c->state != CONN_FREE)
        telnet_conn_flush(c);
}

void telnet_watch(struct telnet_conn *c)
{
    short events = 0;
    if (c->state == CONN_FREE)
        return;
    if (c->state == CONN_OPEN && c->held_len == 0)
        events |= POLLIN;
    if (ring_used(&c->telnet.out) || c->state == CONN_FLUSHING)
        events |= POLLOUT;
    net_watch(c->net, c->fd, events, ready, c);
}

uint64_t telnet_conn_tick(struct telnet_conn *c)
{
    uint64_t now_ms = c->net->now_ms;
    if (c->state == CONN_FREE)
        return UINT64_MAX;
    if (c->state == CONN_OPEN) {
        telnet_tick(&c->telnet, now_ms);
        if (c->state == CONN_OPEN && c->held_len)
            feed_held(c);
        if (is_logged_in(c) && c->held_len && net_look_ahead(c->net, c->fd))
            c->held_len = 0;
    }
    telnet_conn_flush(c);
    if (c->state == CONN_FLUSHING && now_ms >= c->flush_ms)
        close_now(c);
    if (c->state == CONN_FREE)
        return UINT64_MAX;
    if (c->state == CONN_FLUSHING)
        return c->flush_ms;
    uint64_t at = telnet_deadline(&c->telnet);
    return c->held_len && now_ms + STALL_MS < at ? now_ms + STALL_MS : at;
}

void telnet_conn_close(struct telnet_conn *c, const char *why)
{
    if (c->state == CONN_OPEN)
        telnet_shutdown(&c->telnet, why);
}
