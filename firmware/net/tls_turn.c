/* Whose handshake is next. Before login only: anybody on the network can ask
 * for one, and its arithmetic is done by the thread that serves all. */
#include "private.h"

static bool is_oldest(const struct net *net, const struct ftp_conn *c)
{
    for (int i = 0; i < FTP_SLOTS; i++) {
        const struct ftp_conn *other = &net->ftp[i];
        if (other->state == CONN_OPEN && other->turn_ms &&
            other->turn_ms < c->turn_ms)
            return false;
    }
    return true;
}

void tls_wait(struct ftp_conn *c)
{
    c->turn_ms = c->net->now_ms;
}

uint64_t tls_turn_ms(const struct net *net)
{
    uint64_t ahead = (TLS_AT_ONCE - 1) * TLS_TURN_MS;
    return net->tls_paid_ms > ahead ? net->tls_paid_ms - ahead : 0;
}

/* The turns given so far last until tls_paid_ms, TLS_TURN_MS each. */
bool tls_turn(struct ftp_conn *c)
{
    struct net *net = c->net;
    if (!c->turn_ms || net->now_ms < tls_turn_ms(net) || !is_oldest(net, c))
        return false;
    if (net->tls_paid_ms < net->now_ms)
        net->tls_paid_ms = net->now_ms;
    net->tls_paid_ms += TLS_TURN_MS;
    c->turn_ms = 0;
    return true;
}
