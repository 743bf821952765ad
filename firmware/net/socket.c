#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private.h"

static struct sockaddr_in address(uint32_t addr, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = addr,
        .sin_port = htons(port),
    };
}

static void set(int fd, int level, int option, int value)
{
    /* Comfort only: a kernel that refuses still moves bytes. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

int socket_listen(uint32_t addr, uint16_t *port, int backlog)
{
    struct sockaddr_in a = address(addr, *port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, backlog)) {
        int err = -errno;
        close(fd);
        return err;
    }
    *port = socket_local(fd).port;
    return fd;
}

int socket_accept(int listener, struct peer *peer)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    int fd = accept4(listener, (struct sockaddr *)&a, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    *peer = (struct peer){a.sin_addr.s_addr, ntohs(a.sin_port)};
    return fd;
}

int socket_connect(uint32_t from, uint32_t addr, uint16_t port)
{
    struct sockaddr_in own = address(from, 0), a = address(addr, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&own, sizeof own) ||
        (connect(fd, (struct sockaddr *)&a, sizeof a) &&
         errno != EINPROGRESS)) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

struct peer socket_local(int fd)
{
    struct sockaddr_in a = {0};
    socklen_t len = sizeof a;
    (void)getsockname(fd, (struct sockaddr *)&a, &len);
    return (struct peer){a.sin_addr.s_addr, ntohs(a.sin_port)};
}

void socket_keepalive(int fd)
{
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TRIES);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60000);
}

void socket_no_delay(int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void socket_input_room(int fd, int bytes)
{
    set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

void socket_close(int *fd, bool reset)
{
    if (*fd < 0)
        return;
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(*fd);
    *fd = -1;
}

bool socket_flush(int fd, struct ring *out, size_t *moved)
{
    const uint8_t *at;
    size_t len;
    *moved = 0;
    while ((len = ring_peek(out, &at)) > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        ring_drop(out, (size_t)n);
        *moved += (size_t)n;
    }
    return true;
}

const char *address_text(char to[16], uint32_t addr)
{
    const uint8_t *p = (const uint8_t *)&addr;
    snprintf(to, 16, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
    return to;
}
