/* The loop. */
#define _GNU_SOURCE
#include "net.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "private.h"

uint64_t net_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void net_log(struct net *net, const char *format, ...)
{
    char line[200];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (net->config.log)
        net->config.log(net->config.ctx, line);
}

struct net_listen net_listen_of(const struct bus_cpu *bus)
{
    return (struct net_listen){
        .addr = bus->board->bind_addr,
        .telnet_port = bus->board->telnet_port,
        .ftp_port = bus->board->ftp_port,
        .ftp_data_port = bus->board->ftp_data_port,
    };
}

/* ---- making and freeing ---- */

static bool sessions_init(struct net *net)
{
    bool enough = true;
    for (int i = 0; i < TELNET_SLOTS; i++) {
        net->telnet[i].net = net;
        net->telnet[i].fd = -1;
    }
    for (int i = 0; i < FTP_SLOTS; i++) {
        struct ftp_conn *c = &net->ftp[i];
        c->net = net;
        c->control.fd = c->data.fd = c->leaving.fd = c->listener = -1;
        c->control_tls = malloc(sizeof *c->control_tls);
        c->data_tls = malloc(sizeof *c->data_tls);
        enough = enough && c->control_tls && c->data_tls;
    }
    return enough;
}

_Static_assert(NET_TRANSFER_MEMORY == 2 * FTP_SLOTS * FTP_BUFFER,
               "every session has its two");

static bool buffers_init(struct net *net)
{
    uint8_t *memory = net->config.transfer_memory;
    if (!memory)
        memory = net->own_transfer_memory = malloc(NET_TRANSFER_MEMORY);
    for (int i = 0; i < FTP_SLOTS && memory; i++)
        for (int side = 0; side < 2; side++, memory += FTP_BUFFER)
            net->ftp[i].buffer[side] = memory;
    return memory != NULL;
}

static void open_login(struct net *net)
{
    int err = login_open(&net->login, &net->config.store);
    if (err)
        net_log(net,
                "the stored login is unusable (%s): micro / python is "
                "in force, set a new one with network.Server",
                wipy_strerror(err));
}

struct net *net_new(const struct net_config *config)
{
    struct net *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    net->config = *config;
    net->files_env = (struct files_env){
        .storage = config->storage,
        .volumes = config->volumes,
        .update = config->update,
        .update_done = config->update_done,
        .ctx = config->ctx,
    };
    net->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    net->telnet_listener.fd = net->ftp_listener.fd = -1;
    net->probe[0].fd = net->probe[1].fd = -1;
    net->probe[0].result = net->probe[1].result = WIPY_EPERM;
    net->timeout_s = NET_TIMEOUT_DEFAULT_S;
    net->want_running = true;
    pthread_mutex_init(&net->lock, NULL);
    pthread_cond_init(&net->served, NULL);
    uart_init(&net->uart, config->uart);
    br_ssl_session_cache_lru_init(&net->tls_cache, net->tls_sessions,
                                  sizeof net->tls_sessions);
    open_login(net);
    bool ready = sessions_init(net) && buffers_init(net);
    if (net->wake < 0 || !ready) {
        net_free(net);
        return NULL;
    }
    return net;
}

void net_free(struct net *net)
{
    for (int i = 0; i < TELNET_SLOTS; i++)
        socket_close(&net->telnet[i].fd, false);
    for (int i = 0; i < FTP_SLOTS; i++) {
        struct ftp_conn *c = &net->ftp[i];
        stream_close(&c->control, false);
        stream_close(&c->data, false);
        stream_close(&c->leaving, false);
        socket_close(&c->listener, false);
        free(c->control_tls);
        free(c->data_tls);
    }
    for (int i = 0; i < 2; i++)
        socket_close(&net->probe[i].fd, false);
    socket_close(&net->telnet_listener.fd, false);
    socket_close(&net->ftp_listener.fd, false);
    if (net->wake >= 0)
        close(net->wake);
    pthread_cond_destroy(&net->served);
    pthread_mutex_destroy(&net->lock);
    free(net->own_transfer_memory);
    free(net);
}

/* ---- one round ---- */

void net_watch(struct net *net, int fd, short events,
               void (*ready)(void *ctx, short events), void *ctx)
{
    if (net->watch_count == WATCHES)
        return; /* cannot be: WATCHES counts them all */
    net->polls[net->watch_count] = (struct pollfd){.fd = fd, .events = events};
    net->watches[net->watch_count++] = (struct watch){ready, ctx};
}

static void wake_ready(void *ctx, short events)
{
    struct net *net = ctx;
    uint64_t count;
    (void)events;
    (void)!read(net->wake, &count, sizeof count);
}

static void board_ready(void *ctx, short events)
{
    struct net *net = ctx;
    uint64_t count;
    (void)events;
    if (read(net->config.bell, &count, sizeof count) < 0 && errno != EAGAIN)
        net->config.bell = -1;
    if (net->config.board_changed)
        net->config.board_changed(net->config.ctx);
}

static void storage_ready(void *ctx, short events)
{
    struct net *net = ctx;
    (void)events;
    storage_reap(net->config.storage);
}

static void output_ready(void *ctx, short events)
{
    (void)ctx; /* net_move_output comes each round */
    (void)events;
}

static void telnet_ready(void *ctx, short events)
{
    (void)events;
    telnet_accept(ctx);
}

static void ftp_ready(void *ctx, short events)
{
    (void)events;
    ftp_accept(ctx);
}

static void watch_all(struct net *net, bool behind)
{
    const struct net_config *config = &net->config;
    net->watch_count = 0;
    net_watch(net, net->wake, POLLIN, wake_ready, net);
    if (config->bell >= 0)
        net_watch(net, config->bell, POLLIN, board_ready, net);
    if (config->storage)
        net_watch(net, config->storage->bell, POLLIN, storage_ready, net);
    if (!behind)
        net_watch(net, console_bell(config->console), POLLIN, output_ready,
                  net);
    uart_watch(net);
    /* Control connections come before the listeners, so that a session that
     * has just ended is free for the one that comes. */
    for (int i = 0; i < TELNET_SLOTS; i++)
        telnet_watch(&net->telnet[i]);
    for (int i = 0; i < FTP_SLOTS; i++)
        ftp_watch(&net->ftp[i]);
    probe_watch(net);
    if (net->telnet_listener.fd >= 0)
        net_watch(net, net->telnet_listener.fd, POLLIN, telnet_ready, net);
    if (net->ftp_listener.fd >= 0 && !ftp_slot_is_coming(net))
        net_watch(net, net->ftp_listener.fd, POLLIN, ftp_ready, net);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t tick_all(struct net *net)
{
    uint64_t at = earliest(uart_tick(net), probe_tick(net));
    for (int i = 0; i < TELNET_SLOTS; i++)
        at = earliest(at, telnet_conn_tick(&net->telnet[i]));
    for (int i = 0; i < FTP_SLOTS; i++)
        at = earliest(at, ftp_conn_tick(&net->ftp[i]));
    at = earliest(at, net_listeners_deadline(net));
    if (net->config.tick) {
        int ms = net->config.tick(net->config.ctx, net->now_ms);
        if (ms >= 0)
            at = earliest(at, net->now_ms + (uint64_t)ms);
    }
    return at;
}

static int poll_timeout(uint64_t now_ms, uint64_t at)
{
    if (at == UINT64_MAX)
        return -1;
    uint64_t ms = at > now_ms ? at - now_ms : 0;
    return ms > 60000 ? 60000 : (int)ms;
}

static void serve(struct net *net, int timeout_ms)
{
    int n = poll(net->polls, net->watch_count, timeout_ms);
    net->now_ms = net_now();
    for (unsigned i = 0; n > 0 && i < net->watch_count; i++) {
        short events = net->polls[i].revents;
        if (!events)
            continue;
        n--;
        net->watches[i].ready(net->watches[i].ctx, events);
    }
}

/* Boots when every session has ended, which takes FLUSH_MS at most. */
static void boot_safely(struct net *net)
{
    if (!net_all_closed(net))
        return;
    net->boot_wanted = false;
    net->config.safe_boot(net->config.ctx);
}

void net_run(struct net *net)
{
    net->loop = pthread_self();
    atomic_store(&net->looping, true);
    net->now_ms = net_now();
    tls_load(net);
    while (!atomic_load(&net->stopping)) {
        net->now_ms = net_now();
        net_follow_wish(net);
        bool behind = net_move_output(net);
        uint64_t at = tick_all(net);
        if (net->boot_wanted)
            boot_safely(net);
        net_tell_waiters(net);
        watch_all(net, behind);
        serve(net, poll_timeout(net->now_ms, at));
    }
    atomic_store(&net->looping, false);
}

/* ---- from other threads ---- */

void net_wake(struct net *net)
{
    uint64_t one = 1;
    (void)!write(net->wake, &one, sizeof one);
}

void net_stop(struct net *net)
{
    atomic_store(&net->stopping, true);
    net_wake(net);
}

bool net_is_up(const struct net *net)
{
    return atomic_load(&net->running) && atomic_load(&net->looping);
}

unsigned net_logins(const struct net *net)
{
    return atomic_load(&net->logins);
}

/* Strangers can bring these lines about as fast as they connect, and push all
 * others out of the log: one in a while, with the number of those left out. */
void net_log_refusal(struct net *net, const char *format, ...)
{
    char line[120], more[40] = "";
    va_list args;
    if (net->refusal_ms && net->now_ms - net->refusal_ms < REFUSAL_MS) {
        net->refusals++;
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (net->refusals)
        snprintf(more, sizeof more, "; %u more since the last", net->refusals);
    net_log(net, "%s%s", line, more);
    net->refusals = 0;
    net->refusal_ms = net->now_ms;
}

enum login_verdict net_login(struct net *net, const char *service,
                             uint32_t addr, const char *user, size_t user_len,
                             const char *password, size_t password_len)
{
    char from[16], locked[40] = "";
    enum login_verdict v = login_check(&net->login, addr, user, user_len,
                                       password, password_len, net->now_ms);
    uint64_t wait_ms = login_wait_ms(&net->login, addr, net->now_ms);
    if (wait_ms > FTP_LOGIN_PATIENCE_MS)
        snprintf(locked, sizeof locked, ", locked out for %u s",
                 (unsigned)(wait_ms / 1000));
    address_text(from, addr);
    if (v == LOGIN_LOCKED)
        net_log_refusal(net, "%s: refused login from %s%s", service, from,
                        locked);
    else
        net_log(net, "%s: %s from %s%s", service,
                v == LOGIN_OK ? "login" : "wrong login", from, locked);
    return v;
}

void net_count_logins(struct net *net)
{
    unsigned count = 0;
    for (int i = 0; i < TELNET_SLOTS; i++)
        count += net->telnet[i].state == CONN_OPEN &&
                 net->telnet[i].telnet.state == TELNET_PROMPT;
    for (int i = 0; i < FTP_SLOTS; i++)
        count +=
            net->ftp[i].state == CONN_OPEN && ftp_logged_in(&net->ftp[i].ftp);
    atomic_store(&net->logins, count);
}
