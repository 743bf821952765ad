/* Between the files of this room. */
#ifndef WIPY_FIRMWARE_NET_PRIVATE_H
#define WIPY_FIRMWARE_NET_PRIVATE_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "firmware/net/files.h"
#include "firmware/net/net.h"
#include "firmware/net/tls.h"
#include "telnet/telnet.h"

enum {
    /* One more telnet session may log in and then take over the idlest; the
     * last slot of each kind is the self-test's. */
    TELNET_SLOTS = NET_TELNET_SESSIONS + 2,
    /* One more is for an address that has none while another has them all. */
    FTP_SLOTS = NET_FTP_SESSIONS + 2,
    FTP_BUFFER = 524288, /* two a session: large ones are fewer hand-overs */
    WATCHES = 8 + TELNET_SLOTS + 4 * FTP_SLOTS,
    BACKLOG = 64,
    ACCEPTS = 16, /* at most so many a round */
    /* Likewise reads of one connection: who sends faster than we take it must
     * not have the loop for itself. */
    READS = 8,
    FLUSH_MS = 2000, /* to take the last words before the close */
    /* After this a session without login gives way to a newcomer of its own
     * address, of another one (see net_lobby_ms). */
    LOBBY_MS = 3000,
    LOBBY_OTHER_MS = 500,
    LOBBY_KNOWN_MS = 30000, /* of an address that logged in, to a stranger */
    TAKEOVER_MS = 10000,    /* a session that idles this long, likewise */
    RETRY_MS = 5000,        /* between attempts to get a port */
    /* A peer that vanished is noticed when it has not answered that often. */
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_EVERY_S = 10,
    KEEPALIVE_TRIES = 6,
    REFUSAL_MS = 10000,    /* between two lines of the log about them */
    TLS_TURN_MS = 50,      /* between two handshakes: 2 % of the time */
    TLS_AT_ONCE = 8,       /* after a pause; FileZilla opens four */
    STALL_MS = 20,         /* between looks for room in the prompt's input */
    INPUT_AHEAD = 1 << 18, /* of a telnet client, searched for Ctrl-C */
};

/* ---- socket.c: descriptors, all non-blocking ---- */

struct peer {
    uint32_t addr; /* network order */
    uint16_t port; /* host order */
};

/* Listening socket, or -errno. `*port` is wanted, then got. */
int socket_listen(uint32_t addr, uint16_t *port, int backlog);
/* A connection, or -1 when there is none. */
int socket_accept(int listener, struct peer *peer);
/* Starts to connect; the socket, or -errno. */
int socket_connect(uint32_t from, uint32_t addr, uint16_t port);
struct peer socket_local(int fd);
void socket_keepalive(int fd);
void socket_no_delay(int fd);
/* How much the kernel keeps of what was not read; sessions inherit it from
 * their listener. */
void socket_input_room(int fd, int bytes);
/* Close; `reset` tells the peer that it broke off. */
void socket_close(int *fd, bool reset);
/* Sends from the ring; false when the connection is broken. */
bool socket_flush(int fd, struct ring *out, size_t *moved);

const char *address_text(char to[16], uint32_t addr);

/* ---- sessions ---- */

enum conn_state {
    CONN_FREE,
    CONN_OPEN,
    CONN_FLUSHING, /* the session is over; its last words go out */
};

struct telnet_conn {
    struct net *net;
    enum conn_state state;
    int fd;
    struct peer peer;
    uint64_t opened_ms, flush_ms;
    struct telnet telnet;
    uint8_t held[512]; /* read, but the prompt has no room yet */
    size_t held_len;
};

struct ftp_conn {
    struct net *net;
    enum conn_state state;
    struct stream control, data;
    struct stream leaving; /* a data connection saying TLS's goodbye */
    uint64_t leaving_ms;
    int listener;
    bool connecting, shaking; /* the data connection is on its way */
    bool protect;             /* PROT P */
    uint64_t turn_ms; /* since when its handshake waits, 0: it does not */
    struct peer peer;
    uint32_t local; /* our end of the control connection */
    uint64_t opened_ms, flush_ms;
    struct ftp ftp;
    struct files files;
    uint8_t *buffer[2];
    struct tls *control_tls, *data_tls;
};

/* One read of the certificate at a time; `identity` is the one in force. */
struct tls_loader {
    struct storage_job job; /* first */
    struct net *net;
    struct volumes *volumes;
    bool busy, changed; /* changed: since it was read last */
    uint64_t read_ms;
    struct tls_identity identity, fresh;
    char certificate[TLS_PEM_MAX + 1], key[TLS_PEM_MAX + 1];
};

struct listener {
    int fd;
    uint16_t port; /* bound */
    uint16_t last; /* the one before it was closed */
    uint64_t retry_ms;
    bool complained;
};

struct uart {
    int fd; /* -1: none, or gone */
    struct ring out;
    uint8_t out_data[8192];
    uint64_t moved_ms;
    bool lagging;
    uint8_t held[512];
    size_t held_len;
};

struct probe {
    int fd;
    uint16_t port; /* our end */
    const char *expect;
    size_t matched;
    int result; /* 1 running, 0, or an error */
};

struct watch {
    void (*ready)(void *ctx, short events);
    void *ctx;
};

struct net {
    struct net_config config;
    struct login login;
    struct files_env files_env;
    uint64_t now_ms;
    int wake;

    pthread_mutex_t lock; /* the requests of other threads */
    pthread_cond_t served;
    pthread_t loop;
    bool want_running, want_closed, closed;
    _Atomic unsigned timeout_s, logins;
    _Atomic bool running, looping, stopping;
    bool boot_wanted;
    uint64_t refusal_ms; /* when the last was logged; those since */
    unsigned refusals;

    struct listener telnet_listener, ftp_listener;
    struct telnet_conn telnet[TELNET_SLOTS];
    struct ftp_conn ftp[FTP_SLOTS];
    uint8_t *own_transfer_memory; /* NULL: lent by who configured us */
    struct uart uart;
    struct probe probe[2];
    struct tls_loader tls_loader;
    br_ssl_session_cache_lru tls_cache;
    uint8_t tls_sessions[8 * 100];
    uint64_t tls_paid_ms;
    uint64_t probe_until_ms;

    struct pollfd polls[WATCHES];
    struct watch watches[WATCHES];
    unsigned watch_count;
};

/* ---- net.c: the loop ---- */

void net_watch(struct net *net, int fd, short events,
               void (*ready)(void *ctx, short events), void *ctx);
void net_log(struct net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Of somebody who was turned away. */
void net_log_refusal(struct net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
uint64_t net_now(void);
/* Judges an attempt, as login_check(), and writes a line for the log. */
enum login_verdict net_login(struct net *net, const char *service,
                             uint32_t addr, const char *user, size_t user_len,
                             const char *password, size_t password_len);
void net_count_logins(struct net *net);

/* ---- listen.c ---- */

/* A client before its login, or one that has just come. */
struct newcomer {
    uint32_t addr;
    int sessions; /* of its address */
    bool waits;   /* its attempt waits to be judged */
};

/* All sessions are taken: how long `one` is let stand when `other`, of
 * another address, comes. Who crowds gives way at once to who has none; nobody
 * gains a session over an address that has no more than its own: whoever opens
 * connections fastest neither keeps others out nor cuts short those who type.
 * Where strangers come from many addresses, those that logged in before go
 * first, and an attempt that waits is let wait unless one of better rank
 * (login_rank) comes. */
uint64_t net_lobby_ms(struct net *net, const struct newcomer *one,
                      const struct newcomer *other);

/* Opens or closes the services as other threads want it. */
void net_follow_wish(struct net *net);
uint64_t net_listeners_deadline(const struct net *net);

/* ---- server.c: what other threads ask ---- */

void net_close_sessions(struct net *net, const char *why);
bool net_all_closed(const struct net *net);
void net_tell_waiters(struct net *net);

/* ---- prompt.c ---- */

/* Ctrl-F came in; false when the board does not know that key. */
bool net_boot_key(struct net *net);
/* Input for the prompt; returns how much was taken. */
size_t net_input(struct net *net, const uint8_t *data, size_t len);
/* The prompt takes no more input, but Ctrl-C behind what waits must still stop
 * the program that does not read: looks ahead into the socket. True when it
 * was there; then all before it is gone. */
bool net_look_ahead(struct net *net, int fd);
/* The prompt's output to everybody; true when some is left because somebody
 * is behind. */
bool net_move_output(struct net *net);

/* ---- telnet_conn.c ---- */

void telnet_accept(struct net *net);
void telnet_watch(struct telnet_conn *c);
/* Timers and what is held; returns the next deadline. */
uint64_t telnet_conn_tick(struct telnet_conn *c);
void telnet_conn_close(struct telnet_conn *c, const char *why);
void telnet_conn_flush(struct telnet_conn *c);

/* ---- ftp_accept.c ---- */

void ftp_accept(struct net *net);
/* All slots are taken, but the client of one is gone and only a file operation
 * holds it: newcomers wait for that instead of being refused. */
bool ftp_slot_is_coming(const struct net *net);

/* ---- ftp_conn.c: a session and its control connection ---- */

void ftp_conn_open(struct ftp_conn *c, int fd, const struct peer *peer);
void ftp_watch(struct ftp_conn *c);
uint64_t ftp_conn_tick(struct ftp_conn *c);
void ftp_conn_close(struct ftp_conn *c, const char *why);
/* Reads what has come; sends what waits; both end it when it is broken. */
void ftp_conn_receive(struct ftp_conn *c);
void ftp_conn_flush(struct ftp_conn *c);
void ftp_conn_ready(void *ctx, short events);
/* Ends it at once, or as soon as its file operation is over. */
void ftp_conn_drop(struct ftp_conn *c);

/* ---- ftp_link.c: its data connection ---- */

struct ftp_addr ftp_address(uint32_t addr, uint16_t port);
int ftp_link_listen(void *ctx, struct ftp_addr *addr);
int ftp_link_connect(void *ctx, const struct ftp_addr *to);
void ftp_link_close(void *ctx, bool reset);
void ftp_link_receive(struct ftp_conn *c);
void ftp_link_send(struct ftp_conn *c);
void ftp_link_watch(struct ftp_conn *c);
uint64_t ftp_link_tick(struct ftp_conn *c);

/* ---- tls_load.c ---- */

/* Reads certificate and key again, unless that was done a moment ago. */
void tls_load(struct net *net);

/* ---- tls_turn.c ---- */

/* From here on nothing is received until tls_turn() says so, once. */
void tls_wait(struct ftp_conn *c);
bool tls_turn(struct ftp_conn *c);
uint64_t tls_turn_ms(const struct net *net); /* when to ask again */

/* ---- uart.c ---- */

void uart_init(struct uart *u, int fd);
void uart_watch(struct net *net);
size_t uart_room(struct uart *u, uint64_t now_ms);
void uart_print(struct uart *u, const void *data, size_t len, uint64_t now_ms);
void uart_flush(struct uart *u, uint64_t now_ms);
uint64_t uart_tick(struct net *net);

/* ---- selftest.c ---- */

void probe_watch(struct net *net);
uint64_t probe_tick(struct net *net);
/* True when this peer is our own self-test. */
bool probe_is_peer(const struct net *net, const struct peer *peer, int which);

#endif
