#define _DEFAULT_SOURCE /* flock */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "clock.h"
#include "loader/rfc2217.h"
#include "port_tty.h"

enum kind { KIND_TTY, KIND_SOCKET, KIND_RFC2217 };

enum {
    CONNECT_MS = 5000,
    BUSY_MS = 5000,
    BUSY_AGAIN_MS = 250,
    LOOK_MS = 100, /* a signal between looking and waiting waits so long */
};

volatile sig_atomic_t port_interrupted;

struct port {
    enum kind kind;
    int fd;
    bool gone;
    uint8_t raw[16384]; /* read from fd, not yet taken by the layer above */
    size_t raw_at, raw_len;
    /* Its rings serve all kinds; its protocol only KIND_RFC2217. */
    struct rfc2217_client net;
};

/* ---- moving bytes ---- */

static void digest_raw(struct port *p)
{
    const uint8_t *at = p->raw + p->raw_at;
    size_t len = p->raw_len - p->raw_at;
    p->raw_at += p->kind == KIND_RFC2217 ? rfc2217_client_feed(&p->net, at, len)
                                         : ring_put(&p->net.in, at, len);
}

static void receive(struct port *p)
{
    ssize_t got = read(p->fd, p->raw, sizeof p->raw);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        p->gone = true;
    p->raw_at = 0;
    p->raw_len = got > 0 ? (size_t)got : 0;
    digest_raw(p);
}

static void transmit(struct port *p)
{
    const uint8_t *at;
    size_t len = ring_peek(&p->net.out, &at);
    ssize_t put = p->kind == KIND_TTY ? write(p->fd, at, len)
                                      : send(p->fd, at, len, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR)
        p->gone = true;
    if (put > 0)
        ring_drop(&p->net.out, (size_t)put);
}

/* One wait, perhaps a shorter one; carries bytes both ways, so that two full
 * buffers never wait for each other. Returns 0, WIPY_ECLOSED or
 * WIPY_ECANCELED. */
static int pump(struct port *p, int timeout_ms)
{
    bool out = ring_used(&p->net.out) > 0;
    bool in = p->raw_at == p->raw_len;
    struct pollfd fd = {.fd = p->fd};
    if (!in)
        digest_raw(p);
    fd.events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
    if (timeout_ms < 0 || timeout_ms > LOOK_MS)
        timeout_ms = LOOK_MS;
    int ready = poll(&fd, 1, port_interrupted ? 0 : timeout_ms);
    if (ready > 0 && in && (fd.revents & (POLLIN | POLLHUP | POLLERR)))
        receive(p);
    if (ready > 0 && !p->gone && out && (fd.revents & POLLOUT))
        transmit(p);
    if (p->gone)
        return WIPY_ECLOSED;
    return ready <= 0 && port_interrupted ? WIPY_ECANCELED : 0;
}

void port_text(char *to, size_t size, const char *from, size_t len)
{
    size_t made = 0;
    for (size_t i = 0; i < len && made + 1 < size; i++)
        if (from[i] >= ' ' && from[i] <= '~')
            to[made++] = from[i];
    to[made] = 0;
}

static int left_ms(uint64_t end)
{
    uint64_t now = clock_now_ms();
    return now < end ? (int)(end - now) : 0;
}

int port_read(struct port *p, void *to, size_t size, int timeout_ms)
{
    uint64_t end = clock_now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
    int left = timeout_ms;
    while (ring_used(&p->net.in) == 0) {
        int err = pump(p, left);
        if (err < 0 && ring_used(&p->net.in) == 0)
            return err;
        if (ring_used(&p->net.in))
            break;
        if (timeout_ms >= 0 && (left = left_ms(end)) == 0)
            return 0;
    }
    return (int)ring_get(&p->net.in, to, size);
}

static int flush(struct port *p, uint64_t end)
{
    while (ring_used(&p->net.out)) {
        int left = left_ms(end);
        if (left == 0)
            return WIPY_ETIMEOUT;
        int err = pump(p, left);
        if (err < 0)
            return err;
    }
    return 0;
}

int port_write(struct port *p, const void *from, size_t len, int timeout_ms)
{
    const uint8_t *at = from;
    uint64_t end = clock_now_ms() + (uint64_t)timeout_ms;
    int err = 0;
    while (len && !err) {
        size_t put = p->kind == KIND_RFC2217
                         ? rfc2217_client_put(&p->net, at, len)
                         : ring_put(&p->net.out, at, len);
        at += put;
        len -= put;
        if (put == 0 && !ring_used(&p->net.out)) { /* the server is busy */
            if (left_ms(end) == 0)
                return WIPY_ETIMEOUT;
            err = pump(p, 10);
        } else {
            err = flush(p, end);
        }
    }
    return err;
}

/* ---- settings ---- */

/* Waits for the acknowledgements of RFC 2217. A server that never answers is
 * only slow: what was sent counts. */
static int settle(struct port *p)
{
    uint64_t end = clock_now_ms() + PORT_SETTLE_MS;
    int err = flush(p, end);
    while (!err && !rfc2217_client_settled(&p->net) && left_ms(end))
        err = pump(p, left_ms(end));
    p->net.unanswered = 0;
    return err;
}

int port_set_baud(struct port *p, uint32_t baud)
{
    if (p->kind == KIND_SOCKET)
        return 0;
    if (p->kind == KIND_TTY)
        return port_tty_set_baud(p->fd, baud);
    int err = rfc2217_client_set_baud(&p->net, baud);
    return err ? err : settle(p);
}

int port_set_lines(struct port *p, bool dtr, bool rts)
{
    if (p->kind == KIND_SOCKET)
        return WIPY_ENOTSUP;
    if (p->kind == KIND_TTY)
        return port_tty_set_lines(p->fd, dtr, rts);
    int err =
        rfc2217_client_control(&p->net, dtr ? RFC2217_DTR_ON : RFC2217_DTR_OFF);
    if (!err)
        err = rfc2217_client_control(&p->net,
                                     rts ? RFC2217_RTS_ON : RFC2217_RTS_OFF);
    return err ? err : settle(p);
}

bool port_has_lines(const struct port *p)
{
    return p->kind == KIND_RFC2217 ||
           (p->kind == KIND_TTY && port_tty_has_lines(p->fd));
}

bool port_has_baud(const struct port *p)
{
    return p->kind != KIND_SOCKET;
}

void port_purge(struct port *p)
{
    if (p->kind == KIND_RFC2217 &&
        rfc2217_client_purge(&p->net, RFC2217_PURGE_RX) == 0)
        settle(p);
    for (int i = 0; i < 100; i++) {
        p->raw_at = p->raw_len = 0;
        ring_clear(&p->net.in);
        if (pump(p, 0) < 0 || ring_used(&p->net.in) == 0)
            break;
    }
}

int port_fd(const struct port *p)
{
    return p->fd;
}

bool port_has_input(const struct port *p)
{
    return ring_used(&p->net.in) > 0;
}

/* ---- opening ---- */

static int connect_within(int fd, const struct addrinfo *at)
{
    int err = 0;
    socklen_t len = sizeof err;
    struct pollfd out = {.fd = fd, .events = POLLOUT};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    uint64_t end = clock_now_ms() + CONNECT_MS;
    while (poll(&out, 1, LOOK_MS) <= 0)
        if (port_interrupted || left_ms(end) == 0)
            return ETIMEDOUT;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
    return err;
}

/* `address` is HOST:PORT, the host perhaps in brackets. */
static int open_tcp(const char *address, char *why)
{
    char host[PORT_NAME_MAX];
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    if (!colon || len == 0 || len >= sizeof host || colon[1] == 0) {
        snprintf(why, PORT_NAME_MAX, "want HOST:PORT after //");
        return WIPY_EINVAL;
    }
    bool brackets = address[0] == '[' && address[len - 1] == ']';
    memcpy(host, address + brackets, len - 2 * brackets);
    host[len - 2 * brackets] = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int err = getaddrinfo(host, colon + 1, &hints, &list);
    if (err) {
        snprintf(why, PORT_NAME_MAX, "%.100s: %s", host, gai_strerror(err));
        return err == EAI_SERVICE ? WIPY_EINVAL : WIPY_ENOENT;
    }
    int fd = -1, reason = ECONNREFUSED, on = 1;
    for (struct addrinfo *at = list; at && fd < 0 && !port_interrupted;
         at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        reason = fd < 0 ? errno : connect_within(fd, at);
        if (fd >= 0 && reason) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) {
        snprintf(why, PORT_NAME_MAX, "%s", strerror(reason));
        return WIPY_ENOENT;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* The lock keeps a second tool of ours out; the kernel would let it in. */
static int open_tty(const char *path, uint32_t baud, char *why)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        int reason = errno;
        snprintf(why, PORT_NAME_MAX, "%s%s", strerror(reason),
                 strncmp(path, "/dev/", 5) == 0
                     ? ""
                     : "; want /dev/tty..., rfc2217://HOST:PORT or "
                       "socket://HOST:PORT");
        return reason == EBUSY ? WIPY_EBUSY : WIPY_ENOENT;
    }
    int err = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        snprintf(why, PORT_NAME_MAX, "in use by another program");
        err = WIPY_EBUSY;
    } else if (port_tty_setup(fd, baud) < 0) {
        snprintf(why, PORT_NAME_MAX, "not a serial port");
        err = WIPY_EINVAL;
    }
    if (err)
        close(fd);
    return err ? err : fd;
}

/* The other end must agree to be a serial port. */
static int negotiate(struct port *p, uint32_t baud, char *why)
{
    int err = 0;
    uint64_t end = clock_now_ms() + PORT_SETTLE_MS;
    while (!err && !p->net.com_port && !p->net.refused && left_ms(end))
        err = pump(p, left_ms(end));
    if (!err && p->net.com_port)
        err = port_set_baud(p, baud);
    if (!err && p->net.com_port)
        return 0;
    char said[64];
    size_t len = ring_get(&p->net.in, said, sizeof said);
    port_text(said, sizeof said, said, len);
    snprintf(why, PORT_NAME_MAX, "%s%s%s",
             p->gone ? "it closed the connection"
                     : "it does not speak RFC 2217 (try socket://)",
             said[0] ? ", saying: " : "", said);
    return p->gone ? WIPY_EBUSY : WIPY_ENOENT;
}

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static int open_once(struct port **out, const char *name, uint32_t baud,
                     char *why)
{
    const char *rfc2217 = after(name, "rfc2217://");
    const char *plain = after(name, "socket://");
    struct port *p = calloc(1, sizeof *p);
    if (!p) {
        snprintf(why, PORT_NAME_MAX, "out of memory");
        return WIPY_ENOMEM;
    }
    rfc2217_client_init(&p->net);
    p->kind = rfc2217 ? KIND_RFC2217 : plain ? KIND_SOCKET : KIND_TTY;
    if (p->kind != KIND_RFC2217)
        ring_clear(&p->net.out); /* no negotiation */
    p->fd = rfc2217 ? open_tcp(rfc2217, why)
            : plain ? open_tcp(plain, why)
                    : open_tty(name, baud, why);
    int err = p->fd < 0 ? p->fd : 0;
    if (!err && p->kind == KIND_RFC2217)
        err = negotiate(p, baud, why);
    if (!err) {
        *out = p;
        return 0;
    }
    port_close(p);
    return err;
}

/* A line over the network is in use for a moment longer when its last client
 * went without a word. */
int port_open(struct port **out, const char *name, uint32_t baud, char *why)
{
    uint64_t end = clock_now_ms() + BUSY_MS;
    int err = open_once(out, name, baud, why);
    while (err == WIPY_EBUSY && after(name, "rfc2217://") && left_ms(end) &&
           !port_interrupted) {
        poll(NULL, 0, BUSY_AGAIN_MS);
        err = open_once(out, name, baud, why);
    }
    return err < 0 && port_interrupted ? WIPY_ECANCELED : err;
}

void port_close(struct port *p)
{
    if (!p)
        return;
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}
