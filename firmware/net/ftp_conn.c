/* An FTP session, its sockets and its file operations. */
#include <errno.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

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
    enum login_verdict v = net_login(c->net, "ftp", c->peer.addr, user,
                                     user_len, password, password_len);
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
    else
        tls_wait(c);
}

static void tls_data(void *ctx, bool on)
{
    struct ftp_conn *c = ctx;
    c->protect = on;
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
    .listen = ftp_link_listen,
    .connect = ftp_link_connect,
    .close = ftp_link_close,
    .tls_offered = tls_offered,
    .tls_start = tls_start,
    .tls_data = tls_data,
    .now = now,
    .ended = ended,
};

void ftp_conn_drop(struct ftp_conn *c)
{
    if (c->state == CONN_OPEN)
        ftp_hangup(&c->ftp, c->net->now_ms);
    if (c->state == CONN_OPEN) {
        /* A file operation is under way: `ended` comes later. A dead socket
         * would ring until then. */
        stream_close(&c->control, false);
        return;
    }
    ftp_link_close(c, true);
    stream_close(&c->leaving, false);
    stream_close(&c->control, false);
    c->state = CONN_FREE;
}

void ftp_conn_flush(struct ftp_conn *c)
{
    size_t moved = 0;
    bool alive =
        c->control.fd >= 0 && stream_flush(&c->control, &c->ftp.out, &moved);
    if (!alive) {
        stream_close(&c->control, false);
        ftp_conn_drop(c);
    } else if (c->state == CONN_FLUSHING && !ring_used(&c->ftp.out) &&
               c->leaving.fd < 0 && stream_goodbye(&c->control)) {
        /* What the client sent after its QUIT must not turn our goodbye
         * into a reset. */
        shutdown(c->control.fd, SHUT_WR);
        ftp_conn_drop(c);
    } else if (moved && c->state == CONN_OPEN) {
        ftp_sent(&c->ftp, c->net->now_ms);
    }
}

/* ---- bytes ---- */

static bool wants_input(const struct ftp_conn *c)
{
    return c->state == CONN_OPEN && c->ftp.in_len < FTP_IN_SIZE &&
           !c->ftp.eof && !c->turn_ms;
}

void ftp_conn_receive(struct ftp_conn *c)
{
    char data[FTP_IN_SIZE];
    for (int i = 0; i < READS; i++) {
        if (!wants_input(c))
            return;
        ssize_t n = stream_recv(&c->control, data, FTP_IN_SIZE - c->ftp.in_len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            ftp_conn_drop(c);
        else if (n == 0)
            ftp_feed_end(&c->ftp, c->net->now_ms);
        else
            ftp_feed(&c->ftp, data, (size_t)n, c->net->now_ms);
        if (n <= 0)
            return;
    }
}

void ftp_conn_ready(void *ctx, short events)
{
    struct ftp_conn *c = ctx;
    if (c->state == CONN_FREE || c->control.fd < 0)
        return;
    bool logged_in = ftp_logged_in(&c->ftp);
    if (events & POLLIN)
        ftp_conn_receive(c);
    else if (events & (POLLERR | POLLHUP))
        ftp_conn_drop(c);
    if (c->state != CONN_FREE)
        ftp_conn_flush(c);
    if (logged_in != ftp_logged_in(&c->ftp))
        net_count_logins(c->net);
}

/* A certificate or key that came or went counts for the next connection. */
static void look_at_certificate(struct ftp_conn *c, const struct ftp_op *op)
{
    static const char folder[] = "/flash/cert/";
    bool changes = op->kind == FTP_OP_COMMIT || op->kind == FTP_OP_DELETE ||
                   op->kind == FTP_OP_RENAME;
    if (!changes || op->result < 0 ||
        strncasecmp(c->ftp.path, folder, sizeof folder - 1) != 0)
        return;
    c->net->tls_loader.changed = true;
    tls_load(c->net);
}

/* A file operation ended. Whatever can move now is moved at once: waiting for
 * the next round would halve the speed, and TLS may hold bytes that poll does
 * not know of. */
static void file_done(void *ctx, struct ftp_op *op)
{
    struct ftp_conn *c = ctx;
    /* Before an upload is committed: is its client still there? */
    if (c->ftp.t.eof && c->state == CONN_OPEN && c->control.fd >= 0)
        ftp_conn_receive(c);
    look_at_certificate(c, op);
    ftp_op_done(&c->ftp, op, c->net->now_ms);
    if (ftp_data_want(&c->ftp) & FTP_WANT_OUT)
        ftp_link_send(c);
    if (stream_holds_input(&c->data))
        ftp_link_receive(c);
    if (c->state != CONN_FREE)
        ftp_conn_flush(c);
}

void ftp_watch(struct ftp_conn *c)
{
    if (c->state == CONN_FREE)
        return;
    if (c->control.fd >= 0) {
        short events = stream_events(&c->control, wants_input(c),
                                     ring_used(&c->ftp.out) > 0);
        net_watch(c->net, c->control.fd, events, ftp_conn_ready, c);
    }
    ftp_link_watch(c);
}

uint64_t ftp_conn_tick(struct ftp_conn *c)
{
    uint64_t now_ms = c->net->now_ms;
    if (c->state == CONN_FREE)
        return UINT64_MAX;
    if (c->state == CONN_OPEN)
        ftp_tick(&c->ftp, now_ms);
    if (tls_turn(c) ||
        (c->state == CONN_OPEN && stream_holds_input(&c->control)))
        ftp_conn_receive(c);
    ftp_conn_flush(c);
    if (c->state == CONN_FLUSHING && now_ms >= c->flush_ms)
        ftp_conn_drop(c);
    uint64_t link_at = ftp_link_tick(c);
    if (c->state == CONN_FREE)
        return UINT64_MAX;
    uint64_t at =
        c->state == CONN_FLUSHING ? c->flush_ms : ftp_deadline(&c->ftp);
    if (c->turn_ms && tls_turn_ms(c->net) < at)
        at = tls_turn_ms(c->net);
    if (stream_holds_input(&c->control) && wants_input(c))
        at = now_ms;
    return link_at < at ? link_at : at;
}

void ftp_conn_close(struct ftp_conn *c, const char *why)
{
    if (c->state == CONN_OPEN)
        ftp_shutdown(&c->ftp, why, c->net->now_ms);
}

void ftp_conn_open(struct ftp_conn *c, int fd, const struct peer *peer)
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
    c->turn_ms = 0;
    c->peer = *peer;
    c->local = socket_local(fd).addr;
    c->opened_ms = net->now_ms;
    files_init(&c->files, &net->files_env, file_done, c);
    ftp_init(&c->ftp, &ops, c, &config, net->now_ms);
    ftp_conn_flush(c);
}
