/* The data connection of an FTP session: listening, connecting, its TLS, its
 * bytes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "private.h"

struct ftp_addr ftp_address(uint32_t addr, uint16_t port)
{
    struct ftp_addr a = {.port = port};
    memcpy(a.ip, &addr, 4);
    return a;
}

/* An encrypted connection says goodbye first, or the client takes the end for
 * an attack. That may have to wait for room; meanwhile the session goes on. In
 * the worst case the goodbye is missing, but never what was sent before: no
 * reset for a connection that is leaving. */
void ftp_link_close(void *ctx, bool reset)
{
    struct ftp_conn *c = ctx;
    socket_close(&c->listener, false);
    c->connecting = c->shaking = false;
    if (reset || stream_goodbye(&c->data)) {
        stream_close(&c->data, reset);
        return;
    }
    stream_close(&c->leaving, false);
    c->leaving = c->data;
    c->leaving_ms = c->net->now_ms + FLUSH_MS;
    c->data = (struct stream){.fd = -1};
}

/* The well-known data port if nobody has it, else any: so the first session
 * behaves as the originals and the others work at all. */
int ftp_link_listen(void *ctx, struct ftp_addr *addr)
{
    struct ftp_conn *c = ctx;
    ftp_link_close(c, false);
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

int ftp_link_connect(void *ctx, const struct ftp_addr *to)
{
    struct ftp_conn *c = ctx;
    uint32_t addr;
    memcpy(&addr, to->ip, 4);
    ftp_link_close(c, false);
    int fd = socket_connect(c->local, addr, to->port);
    if (fd < 0)
        return WIPY_EIO;
    c->data.fd = fd;
    c->connecting = true;
    return 0;
}

/* ---- it is there, or not ---- */

static void data_failed(struct ftp_conn *c)
{
    ftp_data_failed(&c->ftp, c->net->now_ms);
    stream_close(&c->data, true);
}

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

/* The data connection is there: encrypted when PROT P was said, with the
 * certificate its session began with. The one on the board may be half of a new
 * pair by now. */
static void data_opened(struct ftp_conn *c)
{
    /* One engine per session: a goodbye still on its way loses. */
    if (c->protect)
        stream_close(&c->leaving, false);
    if (c->protect &&
        !stream_encrypt(&c->data, c->data_tls, &c->control_tls->identity,
                        &c->net->tls_cache)) {
        data_failed(c);
        return;
    }
    data_shake(c);
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
        net_log_refusal(c->net,
                        "ftp: data connection from %s refused: not the client",
                        address_text(from, peer.addr));
        socket_close(&fd, true);
        return;
    }
    socket_close(&c->listener, false);
    c->data.fd = fd;
    data_opened(c);
}

/* ---- bytes ---- */

static bool wants_input(const struct ftp_conn *c)
{
    return c->data.fd >= 0 && (ftp_data_want(&c->ftp) & FTP_WANT_IN);
}

void ftp_link_receive(struct ftp_conn *c)
{
    size_t room;
    for (int i = 0; i < READS && wants_input(c); i++) {
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
            ftp_conn_receive(c);
        if (c->data.fd >= 0)
            ftp_data_received(&c->ftp, (size_t)n, c->net->now_ms);
        if (n == 0)
            return;
    }
}

void ftp_link_send(struct ftp_conn *c)
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
        ftp_link_receive(c);
    else if (want & FTP_WANT_OUT)
        ftp_link_send(c);
    else if (events & (POLLERR | POLLHUP))
        data_failed(c);
    if (c->state != CONN_FREE)
        ftp_conn_flush(c);
}

static void leaving_ready(void *ctx, short events)
{
    struct ftp_conn *c = ctx;
    if ((events & (POLLERR | POLLHUP)) || stream_goodbye(&c->leaving))
        stream_close(&c->leaving, false);
}

/* ---- the loop ---- */

void ftp_link_watch(struct ftp_conn *c)
{
    unsigned want = ftp_data_want(&c->ftp);
    bool opening = c->connecting || c->shaking;
    short events = stream_events(&c->data, (want & FTP_WANT_IN) || c->shaking,
                                 (want & FTP_WANT_OUT) || opening);
    if (c->listener >= 0)
        net_watch(c->net, c->listener, POLLIN, listener_ready, c);
    /* While the file side is behind, nothing is asked: an error would ring
     * all the time, and shows at the next byte anyway. */
    if (c->data.fd >= 0 && (events || !ftp_transferring(&c->ftp)))
        net_watch(c->net, c->data.fd, events, data_ready, c);
    if (c->leaving.fd >= 0)
        net_watch(c->net, c->leaving.fd, POLLOUT, leaving_ready, c);
}

uint64_t ftp_link_tick(struct ftp_conn *c)
{
    if (c->leaving.fd >= 0 && c->net->now_ms >= c->leaving_ms)
        stream_close(&c->leaving, false);
    /* What TLS has decrypted already rings no more. */
    if (stream_holds_input(&c->data) && wants_input(c))
        ftp_link_receive(c);
    if (stream_holds_input(&c->data) && wants_input(c))
        return c->net->now_ms;
    return c->leaving.fd >= 0 ? c->leaving_ms : UINT64_MAX;
}
