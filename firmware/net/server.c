/* What other threads ask of the loop. */
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>

#include "base/err.h"
#include "private.h"

void net_close_sessions(struct net *net, const char *why)
{
    for (int i = 0; i < TELNET_SLOTS; i++)
        telnet_conn_close(&net->telnet[i], why);
    for (int i = 0; i < FTP_SLOTS; i++)
        ftp_conn_close(&net->ftp[i], why);
}

bool net_all_closed(const struct net *net)
{
    for (int i = 0; i < TELNET_SLOTS; i++)
        if (net->telnet[i].state != CONN_FREE)
            return false;
    for (int i = 0; i < FTP_SLOTS; i++)
        if (net->ftp[i].state != CONN_FREE)
            return false;
    return net->telnet_listener.fd < 0 && net->ftp_listener.fd < 0;
}

void net_tell_waiters(struct net *net)
{
    bool closed = net_all_closed(net);
    pthread_mutex_lock(&net->lock);
    if (closed != net->closed) {
        net->closed = closed;
        pthread_cond_broadcast(&net->served);
    }
    pthread_mutex_unlock(&net->lock);
}

/* Waits until all sessions are closed, but no longer than they may take. */
static void wait_closed(struct net *net)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FLUSH_MS / 1000 + 1;
    while (!net->closed && atomic_load(&net->looping))
        if (pthread_cond_timedwait(&net->served, &net->lock, &until) ==
            ETIMEDOUT)
            break;
}

void net_close_all(struct net *net)
{
    bool inside =
        atomic_load(&net->looping) && pthread_equal(net->loop, pthread_self());
    if (inside) {
        net_close_sessions(net, "The board is being reset.");
        for (int i = 0; i < TELNET_SLOTS; i++)
            telnet_conn_tick(&net->telnet[i]);
        for (int i = 0; i < FTP_SLOTS; i++)
            ftp_conn_tick(&net->ftp[i]);
        return;
    }
    pthread_mutex_lock(&net->lock);
    net->want_closed = true;
    net_wake(net);
    wait_closed(net);
    pthread_mutex_unlock(&net->lock);
}

int net_server_init(struct net *net, const char *user, const char *password,
                    unsigned timeout_s)
{
    if (timeout_s && timeout_s < NET_TIMEOUT_MIN_S)
        return WIPY_EINVAL;
    if (timeout_s > UINT32_MAX / 1000 || !user != !password)
        return WIPY_EINVAL;
    int err = user ? login_set(&net->login, user, password) : 0;
    if (err)
        return err;
    if (timeout_s)
        atomic_store(&net->timeout_s, timeout_s);
    pthread_mutex_lock(&net->lock);
    net->want_running = true;
    pthread_mutex_unlock(&net->lock);
    net_wake(net);
    return 0;
}

void net_server_deinit(struct net *net)
{
    pthread_mutex_lock(&net->lock);
    net->want_running = false;
    net_wake(net);
    wait_closed(net);
    pthread_mutex_unlock(&net->lock);
}

bool net_server_isrunning(const struct net *net)
{
    return atomic_load(&net->running);
}

unsigned net_server_timeout(const struct net *net)
{
    return atomic_load(&net->timeout_s);
}
