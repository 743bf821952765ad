/* The serial line as one more way to the prompt. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "private.h"

enum { CTRL_F = 6, PATIENCE_MS = 500 };

void uart_init(struct uart *u, int fd)
{
    u->fd = fd;
    ring_init(&u->out, u->out_data, sizeof u->out_data);
}

size_t uart_room(struct uart *u, uint64_t now_ms)
{
    if (u->fd < 0)
        return SIZE_MAX;
    if (!ring_used(&u->out))
        u->lagging = false;
    size_t room = ring_room(&u->out);
    if (!room && now_ms - u->moved_ms >= PATIENCE_MS)
        u->lagging = true;
    return u->lagging ? SIZE_MAX : room;
}

void uart_print(struct uart *u, const void *data, size_t len, uint64_t now_ms)
{
    if (u->fd < 0 || u->lagging)
        return;
    if (!ring_used(&u->out))
        u->moved_ms = now_ms;
    ring_put(&u->out, data, len);
    uart_flush(u, now_ms);
}

void uart_flush(struct uart *u, uint64_t now_ms)
{
    const uint8_t *at;
    size_t len;
    while (u->fd >= 0 && (len = ring_peek(&u->out, &at)) > 0) {
        ssize_t n = send(u->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        ring_drop(&u->out, (size_t)n);
        u->moved_ms = now_ms;
    }
}

/* Takes Ctrl-F out; what is left is for the prompt. */
static void feed_held(struct net *net)
{
    struct uart *u = &net->uart;
    uint8_t *key;
    while ((key = memchr(u->held, CTRL_F, u->held_len)) && net_boot_key(net)) {
        size_t at = (size_t)(key - u->held);
        memmove(key, key + 1, u->held_len - at - 1);
        u->held_len--;
    }
    size_t n = net_input(net, u->held, u->held_len);
    memmove(u->held, u->held + n, u->held_len - n);
    u->held_len -= n;
}

static void ready(void *ctx, short events)
{
    struct net *net = ctx;
    struct uart *u = &net->uart;
    uart_flush(u, net->now_ms);
    if (!(events & (POLLIN | POLLHUP | POLLERR)))
        return;
    if (u->held_len == sizeof u->held)
        return;
    ssize_t n = recv(u->fd, u->held + u->held_len, sizeof u->held - u->held_len,
                     MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        u->fd = -1; /* the board is gone, and we with it soon */
        return;
    }
    u->held_len += (size_t)n;
    feed_held(net);
}

void uart_watch(struct net *net)
{
    struct uart *u = &net->uart;
    if (u->fd < 0)
        return;
    /* Paste faster than the prompt reads waits in the board for a while. */
    short events = u->held_len < sizeof u->held ? POLLIN : 0;
    if (ring_used(&u->out))
        events |= POLLOUT;
    net_watch(net, u->fd, events, ready, net);
}

uint64_t uart_tick(struct net *net)
{
    struct uart *u = &net->uart;
    uint64_t at = UINT64_MAX;
    if (u->fd < 0)
        return at;
    uart_flush(u, net->now_ms);
    if (u->held_len)
        feed_held(net);
    if (u->held_len && net_look_ahead(net, u->fd))
        u->held_len = 0;
    if (u->held_len)
        at = net->now_ms + STALL_MS;
    if (!u->lagging && !ring_room(&u->out) && u->moved_ms + PATIENCE_MS < at)
        at = u->moved_ms + PATIENCE_MS;
    return at;
}
