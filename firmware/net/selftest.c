/* The trial's self-test: a real client of our own services. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "private.h"

enum { PROBE_MS = 5000 };

static uint16_t port_of(const struct net *net, int which)
{
    return which ? net->ftp_listener.port : net->telnet_listener.port;
}

/* Our own address; the one to call when we listen on all of them. */
static uint32_t home(const struct net *net)
{
    uint32_t addr = net->config.listen.addr;
    return addr == htonl(INADDR_ANY) ? htonl(INADDR_LOOPBACK) : addr;
}

static void begin(struct net *net, int which)
{
    struct probe *p = &net->probe[which];
    socket_close(&p->fd, false);
    p->matched = 0;
    p->expect = which ? "220 " : "Login as: ";
    p->fd = socket_connect(home(net), home(net), port_of(net, which));
    p->result = p->fd < 0 ? WIPY_ECLOSED : 1;
    p->port = p->fd < 0 ? 0 : socket_local(p->fd).port;
}

void net_selftest_start(struct net *net)
{
    net->probe_until_ms = net->now_ms + PROBE_MS;
    begin(net, 0);
    begin(net, 1);
}

int net_selftest_result(const struct net *net)
{
    int a = net->probe[0].result, b = net->probe[1].result;
    if (a < 0 || b < 0)
        return a < 0 ? a : b;
    return a || b;
}

bool probe_is_peer(const struct net *net, const struct peer *peer, int which)
{
    const struct probe *p = &net->probe[which];
    return p->fd >= 0 && peer->port == p->port && peer->addr == home(net);
}

static void end(struct probe *p, int result)
{
    socket_close(&p->fd, false);
    p->result = result;
}

/* Looks for the expected text anywhere in what came: a banner and options
 * come before telnet's prompt. */
static void match(struct probe *p, const char *data, size_t len)
{
    size_t want = strlen(p->expect);
    for (size_t i = 0; i < len && p->matched < want; i++) {
        if (data[i] == p->expect[p->matched])
            p->matched++;
        else
            p->matched = data[i] == p->expect[0];
    }
    if (p->matched == want)
        end(p, 0);
}

static void ready(void *ctx, short events)
{
    struct probe *p = ctx;
    char data[256];
    (void)events;
    if (p->fd < 0)
        return;
    ssize_t n = recv(p->fd, data, sizeof data, 0);
    if (n > 0)
        match(p, data, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        end(p, WIPY_ECLOSED);
}

void probe_watch(struct net *net)
{
    for (int i = 0; i < 2; i++)
        if (net->probe[i].fd >= 0)
            net_watch(net, net->probe[i].fd, POLLIN, ready, &net->probe[i]);
}

uint64_t probe_tick(struct net *net)
{
    bool late = net->now_ms >= net->probe_until_ms;
    bool running = false;
    for (int i = 0; i < 2; i++) {
        if (net->probe[i].fd >= 0 && late)
            end(&net->probe[i], WIPY_ETIMEOUT);
        running |= net->probe[i].fd >= 0;
    }
    return running ? net->probe_until_ms : UINT64_MAX;
}
