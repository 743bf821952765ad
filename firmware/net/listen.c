/* Where the services listen, and when. */
#include <errno.h>
#include <string.h>

#include "private.h"

static void tell_ports(struct net *net)
{
    struct bus_cpu *bus = net->config.bus;
    bool up = net->telnet_listener.fd >= 0 && net->ftp_listener.fd >= 0;
    atomic_store(&net->running, up);
    if (!bus)
        return;
    bus->regs->telnet_port = net->telnet_listener.port;
    bus->regs->ftp_port = net->ftp_listener.port;
    bus->regs->ftp_data_port = net->config.listen.ftp_data_port;
    bus_ring(bus);
}

static void complain(struct net *net, const char *name, uint16_t port, int err)
{
    char addr[16];
    address_text(addr, net->config.listen.addr);
    if (err == -EADDRINUSE)
        net_log(net,
                "%s: port %u of %s is in use by another program; stop it or "
                "choose another: --%s-port N (0: any)",
                name, port, addr, name);
    else if (err == -EACCES)
        net_log(net,
                "%s: port %u needs a privilege; choose one from 1024 up with "
                "--%s-port N (0: any)",
                name, port, name);
    else
        net_log(net, "%s: cannot listen on %s port %u: %s", name, addr, port,
                strerror(-err));
}

/* True when the state of the listener changed. */
static bool listener_open(struct net *net, struct listener *l, const char *name,
                          uint16_t wanted)
{
    if (l->fd >= 0 || net->now_ms < l->retry_ms)
        return false;
    /* "Any free one" stays the same one: clients know it. */
    uint16_t port = wanted ? wanted : l->last;
    int fd = socket_listen(net->config.listen.addr, &port, BACKLOG);
    if (fd < 0 && !wanted) {
        port = 0;
        fd = socket_listen(net->config.listen.addr, &port, BACKLOG);
    }
    if (fd >= 0 && l == &net->telnet_listener)
        socket_input_room(fd, INPUT_AHEAD);
    if (fd < 0) {
        if (!l->complained)
            complain(net, name, wanted, fd);
        l->complained = true;
        l->retry_ms = net->now_ms + RETRY_MS;
        return false;
    }
    if (l->complained)
        net_log(net, "%s: listening on port %u now", name, port);
    l->complained = false;
    l->fd = fd;
    l->port = l->last = port;
    return true;
}

static bool listener_close(struct listener *l)
{
    bool was_open = l->fd >= 0;
    socket_close(&l->fd, false);
    l->port = 0;
    l->retry_ms = 0;
    return was_open;
}

uint64_t net_lobby_ms(struct net *net, const struct newcomer *one,
                      const struct newcomer *other)
{
    unsigned rank = login_rank(&net->login, one->addr, net->now_ms);
    unsigned others = login_rank(&net->login, other->addr, net->now_ms);
    bool known = others == LOGIN_KNOWN_RANK;
    if (known != (rank == LOGIN_KNOWN_RANK))
        return known ? 0 : LOBBY_KNOWN_MS;
    if (one->sessions > 1 && !other->sessions)
        return 0;
    if (one->sessions > other->sessions + 1)
        return LOBBY_OTHER_MS;
    bool stays = one->waits && rank <= others;
    return other->sessions || stays ? UINT64_MAX : LOBBY_OTHER_MS;
}

void net_follow_wish(struct net *net)
{
    pthread_mutex_lock(&net->lock);
    bool reset = net->want_closed, want = net->want_running && !reset;
    pthread_mutex_unlock(&net->lock);
    const struct net_listen *listen = &net->config.listen;
    bool changed;
    if (want) {
        changed = listener_open(net, &net->telnet_listener, "telnet",
                                listen->telnet_port);
        changed |=
            listener_open(net, &net->ftp_listener, "ftp", listen->ftp_port);
    } else {
        changed = listener_close(&net->telnet_listener);
        changed |= listener_close(&net->ftp_listener);
        if (changed)
            net_close_sessions(net, reset ? "The board is being reset."
                                          : "The services are being stopped.");
    }
    if (changed)
        tell_ports(net);
}

uint64_t net_listeners_deadline(const struct net *net)
{
    uint64_t at = UINT64_MAX;
    if (net->telnet_listener.fd < 0 && net->telnet_listener.retry_ms)
        at = net->telnet_listener.retry_ms;
    if (net->ftp_listener.fd < 0 && net->ftp_listener.retry_ms)
        at = net->ftp_listener.retry_ms < at ? net->ftp_listener.retry_ms : at;
    return at;
}
