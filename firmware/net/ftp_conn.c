/* An FTP session, its sockets and its file operations. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "private.h"

/* ---- what the session asks for: login, time ---- */

static uint64_t login_wait(void *ctx)
{
    struct ftp_conn *c = ctx;
    return login_wait_ms(&c->net->login, c->peer.addr, c->net->now_ms);
}

static enum ftp_verdict login(void *ctx, const char *user, size_t user_len,
                              const char *password, size_t password_len)
{
    struct ftp_conn *c = ctx;
    char from[16];
    enum login_verdict v =
        login_check(&c->net->login, c->peer.addr, user, user_len, password,
                    password_len, c->net->now_ms);
    if (v != LOGIN_OK)
        net_log(c->net, "ftp: wrong login from %s",
                address_text(from, c->peer.addr));
    return v == LOGIN_OK      ? FTP_LOGIN_OK
           : v == LOGIN_WRONG ? FTP_LOGIN_WRONG
                              : FTP_LOGIN_LOCKED;
}

static int64_t now(void *ctx)
{
    struct ftp_conn *c = ctx;
    const struct net_config *config = &c->net->config;
    return config->clock ? config->clock(config->ctx) : (int64_t)time(NULL);
}

/* ---- the data connection ---- */

static struct ftp_addr ftp_address(uint32_t addr, uint16_t port)
{
    struct ftp_addr a = {.port = port};
    memcpy(a.ip, &addr, 4);
    return a;
}

/* An encrypted connection says goodbye first, or the client takes the end for
 * an attack. That may have to wait for room; meanwhile the session goes on. */
static void data_close(void *ctx, bool reset)
{
    struct ftp_conn *c = ctx;
    socket_close(&c->listener, false);
    c->connecting = c->shaking = false;
    if (reset || stream_goodbye(&c->data)) {
        stream_close(&c->data, reset);
        return;
    }
    stream_close(&c->leaving, true);
    c->leaving = c->data;
    c->leaving_ms = c->net->now_ms + FLUSH_MS;
    c->data = (struct stream){.fd = -1};
}

/* The well-known data port if nobody has it, else any: so the first session
 * behaves as the originals and the others work at all. */
static int data_listen(void *ctx, struct ftp_addr *addr)
{
    struct ftp_conn *c = ctx;
    data_close(c, false);
    uint16_t port = c->net->config.listen.ftp_data_port;
    int fd = socket_listen(c->local, &port, 1);
    if (fd == -EADDRINUSE || fd == -EACCES) {
        port = 0;
        fd = socket_listen(c->local, &port, 1);
    }
    if (fd < 0)
        return WIPY_EIO;
    c->listener = fd;
    *addr = ftp_address(c->local, port);
    return 0;
}

static int data_connect(void *ctx, const struct ftp_addr *to)
{
    struct ftp_conn *c = ctx;
    uint32_t addr;
    memcpy(&addr, to->ip, 4);
    data_close(c, false);
    int fd = socket_connect(c->local, addr, to->port);
    if (fd < 0)
        return WIPY_EIO;
    c->data.fd = fd;
    c->connecting = true;
    return 0;
}

/* ---- TLS ---- */

static bool tls_offered(void *ctx)
{
    struct ftp_conn *c = ctx;
    return c->net->tls_loader.identity.usable;
}

static void tls_start(void *ctx)
{
    struct ftp_conn *c = ctx;
    struct net *net = c->net;
    size_t moved;
    /* 234 goes out plain; a line always fits a connection that is read. */
    (void)stream_flush(&c->control, &c->ftp.out, &moved);
    if (ring_used(&c->ftp.out) ||
        !stream_encrypt(&c->control, c->control_tls, &net->tls_loader.identity,
                        &net->tls_cache))
        socket_close(&c->control.fd, true);
}

static void tls_data(void *ctx, bool on)
{
    struct ftp_conn *c = ctx;
    c->protect = on;
}

static void data_failed(struct ftp_conn *c);

/* The session hears of an encrypted connection when it is ready: an empty
 * file has no bytes that would bring the handshake about. */
static void data_shake(struct ftp_conn *c)
{
    int left = stream_shake(&c->data);
    c->shaking = left > 0;
    if (left < 0)
        data_failed(c);
    else if (left == 0)
        ftp_data_opened(&c->ftp, c->net->now_ms);
}

/* The data connection is there: encrypted when PROT P was said. */
static void data_opened(struct ftp_conn *c)
{
    struct net *net = c->net;
    /* One engine per session: a goodbye still on its way loses. */
    if (c->protect)
        stream_close(&c->leaving, true);
    if (c->protect &&
        !stream_encrypt(&c->data, c->data_tls, &net->tls_loader.identity,
                        &net->tls_cache)) {
        data_failed(c);
        return;
    }
    data_shake(c);
}

/* ---- files and the end ---- */

static void file_start(void *ctx, struct ftp_op *op)
{
    struct ftp_conn *c = ctx;
    files_start(&c->files, op);
}

static void ended(void *ctx)
{
    struct ftp_conn *c = ctx;
    c->state = CONN_FLUSHING;
    c->flush_ms = c->net->now_ms + FLUSH_MS;
    net_count_logins(c->net);
}

static const struct ftp_ops ops = {
    .file = file_start,
    .login_wait = login_wait,
    .login = login,
    .listen = data_listen,
    .connect = data_connect,
    .close = data_close,
    .tls_offered = tls_offered,
    .tls_start = tls_start,
    .tls_data = tls_data,
    .now = now,
    .ended = ended,
};

static void close_now(struct ftp_conn *c)
{
    if (c->state == CONN_OPEN)
        ftp_hangup(&c->ftp, c->net->now_ms);
    if (c->state == CONN_OPEN) {
        /* A file operation is under way: `ended` comes later. A dead socket
         * would ring until then. */
        stream_close(&c->control, false);
        return;
    }
    data_close(c, true);
    stream_close(&c->leaving, true);
    stream_close(&c->control, false);
    c->state = CONN_FREE;
}

static void flush(struct ftp_conn *c)
{
    size_t moved = 0;
    bool alive =
        c->control.fd >= 0 && stream_flush(&c->control, &c->ftp.out, &moved);
    if (!alive) {
        stream_close(&c->control, false);
        close_now(c);
    } else if (c->state == CONN_FLUSHING && !ring_used(&c->ftp.out) &&
               stream_goodbye(&c->control)) {
        /* What the client sent after its QUIT must not turn our goodbye
         * into a reset. */
        shutdown(c->control.fd, SHUT_WR);
        close_now(c);
    } else if (moved && c->state == CONN_OPEN) {
        ftp_sent(&c->ftp, c->net->now_ms);
    }
}

/* ---- bytes ---- */

static void receive_control(struct ftp_conn *c)
{
    char data[FTP_IN_SIZE];
    for (;;) {
        size_t room = FTP_IN_SIZE - c->ftp.in_len;
        if (c->state != CONN_OPEN || !room || c->ftp.eof)
            return;
        ssize_t n = stream_recv(&c->control, data, room);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            close_now(c);
        else if (n == 0)
            ftp_feed_end(&c->ftp, c->net->now_ms);
        else
            ftp_feed(&c->ftp, data, (size_t)n, c->net->now_ms);
        if (n <= 0)
            return;
    }
}

static void control_ready(void *ctx, short events)
{
    struct ftp_conn *c = ctx;
    if (c->state == CONN_FREE || c->control.fd < 0)
        return;
    bool logged_in = ftp_logged_in(&c->ftp);
    if (events & POLLIN)
        receive_control(c);
    else if (events & (POLLERR | POLLHUP))
        close_now(c);
    if (c->state != CONN_FREE)
        flush(c);
    if (logged_in != ftp_logged_in(&c->ftp))
        net_count_logins(c->net);
}

static void listener_ready(void *ctx, short events)
{
    struct ftp_conn *c = ctx;
    struct peer peer;
    char from[16];
    (void)events;
    if (c->listener < 0)
        return;
    int fd = socket_accept(c->listener, &peer);
    if (fd < 0)
        return;
    if (peer.addr != c->peer.addr) {
        net_log(c->net, "ftp: data connection from %s refused: not the client",
                address_text(from, peer.addr));
        socket_close(&fd, true);
        return;
    }
    socket_close(&c->listener, false);
    c->data.fd = fd;
    data_opened(c);
}

static void data_failed(struct ftp_conn *c)
{
    ftp_data_failed(&c->ftp, c->net->now_ms);
    stream_close(&c->data, true);
}

static void connected(struct ftp_conn *c)
{
    int err = 0;
    socklen_t len = sizeof err;
    c->connecting = false;
    if (getsockopt(c->data.fd, SOL_SOCKET, SO_ERROR, &err, &len) || err)
        data_failed(c);
    else
        data_opened(c);
}

static void receive_data(struct ftp_conn *c)
{
    size_t room;
    while (c->data.fd >= 0 && (ftp_data_want(&c->ftp) & FTP_WANT_IN)) {
        uint8_t *to = ftp_data_room(&c->ftp, &room);
        ssize_t n = stream_recv(&c->data, to, room);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            data_failed(c);
            return;
        }
        /* A killed client closes both connections: then this end is not the
         * end of the file. */
        if (n == 0 && c->state == CONN_OPEN)
            receive_control(c);
        if (c->data.fd >= 0)
            ftp_data_received(&c->ftp, (size_t)n, c->net->now_ms);
        if (n == 0)
            return;
    }
}

static void send_data(struct ftp_conn *c)
{
    size_t len;
    while (c->data.fd >= 0) {
        const uint8_t *from = ftp_data_pending(&c->ftp, &len);
        if (!len)
            return;
        ssize_t n = stream_send(&c->data, from, len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            data_failed(c);
            return;
        }
        ftp_data_sent(&c->ftp, (size_t)n, c->net->now_ms);
    }
}

static void data_ready(void *ctx, short events)
{
    struct ftp_conn *c = ctx;
    if (c->state == CONN_FREE || c->data.fd < 0)
        return;
    unsigned want = ftp_data_want(&c->ftp);
    if (c->connecting)
        connected(c);
    else if (c->shaking)
        data_shake(c);
    else if (want & FTP_WANT_IN)
        receive_data(c);
    else if (want & FTP_WANT_OUT)
        send_data(c);
    else if (events & (POLLERR | POLLHUP))
        data_failed(c);
    if (c->state != CONN_FREE)
        flush(c);
}

/* A file operation ended. Whatever can move now is moved at once: waiting for
 * the next round would halve the speed, and TLS may hold bytes that poll does
 * not know of. */
static void file_done(void *ctx)
{
    struct ftp_conn *c = ctx;
    /* Before an upload is committed: is its client still there? */
    if (c->ftp.t.eof && c->state == CONN_OPEN && c->control.fd >= 0)
        receive_control(c);
    ftp_op_done(&c->ftp, c->net->now_ms);
    if (ftp_data_want(&c->ftp) & FTP_WANT_OUT)
        send_data(c);
    if (stream_holds_input(&c->data))
        receive_data(c);
    if (c->state != CONN_FREE)
        flush(c);
}

static void leaving_ready(void *ctx, short events)
{
    struct ftp_conn *c = ctx;
    if ((events & (POLLERR | POLLHUP)) || stream_goodbye(&c->leaving))
        stream_close(&c->leaving, false);
}

void ftp_watch(struct ftp_conn *c)
{
    if (c->state == CONN_FREE)
        return;
    if (c->control.fd >= 0) {
        bool room = c->ftp.in_len < FTP_IN_SIZE && !c->ftp.eof;
        short events = stream_events(&c->control, c->state == CONN_OPEN && room,
                                     ring_used(&c->ftp.out) > 0);
        net_watch(c->net, c->control.fd, events, control_ready, c);
    }
    if (c->listener >= 0)
        net_watch(c->net, c->listener, POLLIN, listener_ready, c);
    unsigned want = ftp_data_want(&c->ftp);
    bool opening = c->connecting || c->shaking;
    short events = stream_events(&c->data, (want & FTP_WANT_IN) || c->shaking,
                                 (want & FTP_WANT_OUT) || opening);
    /* While the file side is behind, nothing is asked: an error would ring
     * all the time, and shows at the next byte anyway. */
    if (c->data.fd >= 0 && (events || !ftp_transferring(&c->ftp)))
        net_watch(c->net, c->data.fd, events, data_ready, c);
    if (c->leaving.fd >= 0)
        net_watch(c->net, c->leaving.fd, POLLOUT, leaving_ready, c);
}

uint64_t ftp_conn_tick(struct ftp_conn *c)
{
    uint64_t now_ms = c->net->now_ms;
    if (c->state == CONN_FREE)
        return UINT64_MAX;
    if (c->state == CONN_OPEN)
        ftp_tick(&c->ftp, now_ms);
    if (c->state == CONN_OPEN && stream_holds_input(&c->control))
        receive_control(c);
    flush(c);
    if (c->leaving.fd >= 0 && now_ms >= c->leaving_ms)
        stream_close(&c->leaving, true);
    if (c->state == CONN_FLUSHING && now_ms >= c->flush_ms)
        close_now(c);
    if (c->state == CONN_FREE)
        return UINT64_MAX;
    uint64_t at =
        c->state == CONN_FLUSHING ? c->flush_ms : ftp_deadline(&c->ftp);
    return c->leaving.fd >= 0 && c->leaving_ms < at ? c->leaving_ms : at;
}

void ftp_conn_close(struct ftp_conn *c, const char *why)
{
    if (c->state == CONN_OPEN)
        ftp_shutdown(&c->ftp, why, c->net->now_ms);
}

/* ---- coming in ---- */

static void refuse(int fd)
{
    static const char text[] =
        "421 Too many sessions: close one, or try again later\r\n";
    (void)!send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    socket_close(&fd, false);
}

static bool one_address_has_all(const struct net *net)
{
    for (int i = 1; i < FTP_SLOTS - 1; i++)
        if (net->ftp[i].peer.addr != net->ftp[0].peer.addr)
            return false;
    return true;
}

/* All slots are taken. Who has not logged in for a while gives way; so does an
 * idle session of an address that has them all. */
static struct ftp_conn *make_way(struct net *net, uint32_t addr)
{
    struct ftp_conn *victim = NULL;
    bool greedy = one_address_has_all(net) && net->ftp[0].peer.addr != addr;
    for (int i = 0; i < FTP_SLOTS - 1; i++) {
        struct ftp_conn *c = &net->ftp[i];
        bool lobby = !ftp_logged_in(&c->ftp);
        bool old = net->now_ms - c->opened_ms >=
                   (c->peer.addr == addr ? LOBBY_MS : LOBBY_OTHER_MS);
        bool idle = !ftp_transferring(&c->ftp) &&
                    net->now_ms - c->ftp.active_ms >= TAKEOVER_MS;
        bool may = lobby ? old : greedy && idle;
        if (may && !c->ftp.op_busy &&
            (!victim || c->ftp.active_ms < victim->ftp.active_ms))
            victim = c;
    }
    return victim;
}

static struct ftp_conn *unused_slot(struct net *net)
{
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        if (net->ftp[i].state == CONN_FREE)
            return &net->ftp[i];
    return NULL;
}

/* An end that came after poll looked at the session, but before the newcomer:
 * nobody is refused for the sake of a client that is gone. */
static void notice_ends(struct net *net)
{
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        control_ready(&net->ftp[i], POLLIN);
}

bool ftp_slot_is_coming(const struct net *net)
{
    bool coming = false;
    for (int i = 0; i < FTP_SLOTS - 1; i++) {
        if (net->ftp[i].state == CONN_FREE)
            return false;
        coming |= net->ftp[i].state == CONN_OPEN && net->ftp[i].ftp.gone;
    }
    return coming;
}

static struct ftp_conn *free_slot(struct net *net, const struct peer *peer)
{
    if (probe_is_peer(net, peer, 1))
        return net->ftp[FTP_SLOTS - 1].state == CONN_FREE
                   ? &net->ftp[FTP_SLOTS - 1]
                   : NULL;
    struct ftp_conn *unused = unused_slot(net);
    if (!unused) {
        notice_ends(net);
        unused = unused_slot(net);
    }
    if (unused)
        return unused;
    struct ftp_conn *victim = make_way(net, peer->addr);
    if (!victim)
        return NULL;
    ftp_conn_close(victim, "Somebody else needs this session");
    flush(victim);
    close_now(victim);
    return victim->state == CONN_FREE ? victim : NULL;
}

static void open_session(struct ftp_conn *c, int fd, const struct peer *peer)
{
    struct net *net = c->net;
    struct ftp_config config = {
        .peer = ftp_address(peer->addr, peer->port),
        .idle_ms = net->timeout_s * 1000,
        .data_ms = net->config.wipy1 ? FTP_DATA_MS / 2 : FTP_DATA_MS,
        .buffer = {c->buffer[0], c->buffer[1]},
        .buffer_size = FTP_BUFFER,
    };
    int one = 1;
    socket_keepalive(fd);
    socket_no_delay(fd);
    /* The urgent byte some clients put before ABOR stays in the stream. */
    (void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
    c->state = CONN_OPEN;
    c->control = (struct stream){.fd = fd};
    c->data = c->leaving = (struct stream){.fd = -1};
    c->listener = -1;
    c->connecting = c->shaking = c->protect = false;
    c->peer = *peer;
    c->local = socket_local(fd).addr;
    c->opened_ms = net->now_ms;
    files_init(&c->files, &net->files_env, file_done, c);
    ftp_init(&c->ftp, &ops, c, &config, net->now_ms);
    flush(c);
}

void ftp_accept(struct net *net)
{
    struct peer peer;
    for (int i = 0; i < ACCEPTS && !ftp_slot_is_coming(net); i++) {
        int fd = socket_accept(net->ftp_listener.fd, &peer);
        if (fd < 0)
            return;
        struct ftp_conn *c = free_slot(net, &peer);
        tls_load(net);
        if (c)
            open_session(c, fd, &peer);
        else
            refuse(fd);
    }
}
