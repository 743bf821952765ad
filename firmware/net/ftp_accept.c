/* FTP clients that come in: which of them gets a session. */
#include <sys/socket.h>

#include "private.h"

static void refuse(int fd)
{
    static const char text[] =
        "421 Too many sessions: close one, or try again later\r\n";
    (void)!send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    socket_close(&fd, false);
}

static int sessions_of(const struct net *net, uint32_t addr)
{
    int n = 0;
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        n += net->ftp[i].state != CONN_FREE && net->ftp[i].peer.addr == addr;
    return n;
}

static uint64_t patience_ms(struct net *net, const struct ftp_conn *c,
                            uint32_t addr)
{
    struct newcomer one = {c->peer.addr, sessions_of(net, c->peer.addr),
                           c->ftp.judging};
    struct newcomer other = {addr, sessions_of(net, addr), false};
    return one.addr == addr ? LOBBY_MS : net_lobby_ms(net, &one, &other);
}

/* All slots are taken. Who has not logged in for a while gives way; so does an
 * idle session of an address that has them all. */
static struct ftp_conn *make_way(struct net *net, uint32_t addr)
{
    struct ftp_conn *victim = NULL;
    for (int i = 0; i < FTP_SLOTS - 1; i++) {
        struct ftp_conn *c = &net->ftp[i];
        bool lobby = !ftp_logged_in(&c->ftp);
        bool greedy = c->peer.addr != addr &&
                      sessions_of(net, c->peer.addr) >= NET_FTP_SESSIONS;
        bool old = net->now_ms - c->opened_ms >= patience_ms(net, c, addr);
        bool idle = !ftp_transferring(&c->ftp) &&
                    net->now_ms - c->ftp.active_ms >= TAKEOVER_MS;
        bool may = lobby ? old : greedy && idle;
        if (may && c->state != CONN_FREE && !c->ftp.op_busy &&
            (!victim || c->ftp.active_ms < victim->ftp.active_ms))
            victim = c;
    }
    return victim;
}

static int sessions_in_use(const struct net *net)
{
    int n = 0;
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        n += net->ftp[i].state != CONN_FREE;
    return n;
}

/* Nobody shuts out another address, whatever goes on in all its sessions. */
static struct ftp_conn *unused_slot(struct net *net, uint32_t addr)
{
    struct ftp_conn *unused = NULL;
    uint32_t owner = addr;
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        if (net->ftp[i].state == CONN_FREE)
            unused = &net->ftp[i];
        else
            owner = net->ftp[i].peer.addr;
    int used = sessions_in_use(net);
    bool all_anothers = owner != addr && sessions_of(net, owner) == used;
    return used < NET_FTP_SESSIONS || (used == NET_FTP_SESSIONS && all_anothers)
               ? unused
               : NULL;
}

/* An end that came after poll looked at the session, but before the newcomer:
 * nobody is refused for the sake of a client that is gone. */
static void notice_ends(struct net *net)
{
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        ftp_conn_ready(&net->ftp[i], POLLIN);
}

bool ftp_slot_is_coming(const struct net *net)
{
    bool coming = false;
    for (int i = 0; i < FTP_SLOTS - 1; i++)
        coming |=
            net->ftp[i].state == CONN_OPEN && ftp_is_leaving(&net->ftp[i].ftp);
    return coming && sessions_in_use(net) >= NET_FTP_SESSIONS;
}

static struct ftp_conn *free_slot(struct net *net, const struct peer *peer)
{
    if (probe_is_peer(net, peer, 1))
        return net->ftp[FTP_SLOTS - 1].state == CONN_FREE
                   ? &net->ftp[FTP_SLOTS - 1]
                   : NULL;
    struct ftp_conn *unused = unused_slot(net, peer->addr);
    if (!unused) {
        notice_ends(net);
        unused = unused_slot(net, peer->addr);
    }
    if (unused)
        return unused;
    struct ftp_conn *victim = make_way(net, peer->addr);
    if (!victim)
        return NULL;
    ftp_conn_close(victim, "Somebody else needs this session");
    ftp_conn_flush(victim);
    ftp_conn_drop(victim);
    return victim->state == CONN_FREE ? victim : NULL;
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
            ftp_conn_open(c, fd, &peer);
        else
            refuse(fd);
    }
}
