/* The loop thread: every socket of the board, its sessions, the prompt's
 * rings, the serial line, the end of storage jobs, the timers.
 *
 * It never touches flash or a volume (storage jobs do) and never blocks
 * outside its one poll. All memory is taken by net_new(); sessions are
 * fixed in number. Network time-outs are real time, not board time.
 *
 *     struct console *console = console_new();
 *     struct net_config config = {.listen = net_listen_of(&bus), ...};
 *     struct net *net = net_new(&config);
 *     ... start the vm thread, which may use net_server_* ...
 *     net_run(net);
 *
 * Spec sections 6, 7, 8 (services), 12 items 12-22. */
#ifndef WIPY_FIRMWARE_NET_H
#define WIPY_FIRMWARE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/cpu.h"
#include "firmware/console.h"
#include "firmware/net/login.h"
#include "firmware/storage/storage.h"
#include "firmware/volume/volume.h"
#include "update/update.h"

struct net;

enum {
    NET_FTP_SESSIONS = 4,    /* a fifth is told 421, unless another address
                              * has all four */
    NET_TELNET_SESSIONS = 4, /* a fifth may take over the idlest one */
    NET_TIMEOUT_DEFAULT_S = 300,
    NET_TIMEOUT_MIN_S = 5,
    NET_TRANSFER_MEMORY = 12 * 512 * 1024, /* two buffers an FTP session */
};

/* Where the services listen. Address in network order; port 0 is any free
 * one. `ftp_data_port` is for the first session, others get free ports. */
struct net_listen {
    uint32_t addr;
    uint16_t telnet_port, ftp_port, ftp_data_port;
};

struct net_listen net_listen_of(const struct bus_cpu *bus);

/* What the firmware gives the loop. All hooks are called on the loop thread
 * unless they say otherwise, must not block, and may be NULL. */
struct net_config {
    struct net_listen listen;
    bool wipy1;              /* manners of the first generation */
    struct bus_cpu *bus;     /* bound ports and bells go there; NULL: none */
    int uart;                /* descriptor of the serial line, -1: none */
    int bell;                /* readable when the board changed a register
                              * (BUS_FD_BELL_DOWN), -1: none */
    struct storage *storage; /* running */
    struct volumes *volumes; /* for FTP; used on the storage thread only */
    struct update *update;   /* likewise; NULL: no firmware by FTP */
    /* An FTP upload made a new image pending. Storage thread. */
    void (*update_done)(void *ctx);
    /* NET_TRANSFER_MEMORY bytes that the card reaches by itself, so that files
     * need no copy on the way; NULL: from the heap. */
    uint8_t *transfer_memory;
    struct console *console;
    struct login_store store; /* where a changed login is kept; zeros: not */
    void *ctx;                /* first argument of every hook */

    /* First line a telnet client sees, without line end, e.g. "MicroPython
     * 1.27 on 2026-11-21; WiPy with ESP32"; more lines may follow. Read on
     * the loop thread at each new session. */
    const char *banner;

    /* Called each time round the loop, and again after at most the returned
     * milliseconds (-1: no need). LED, watchdog, self-test live here. */
    int (*tick)(void *ctx, uint64_t now_ms);

    /* Ctrl-F from a logged-in client or the serial line: sessions have been
     * told and closed. Resets into safe boot; should not return. Without it
     * Ctrl-F goes to Python as any other byte. */
    void (*safe_boot)(void *ctx);

    /* The board's bell rang (pins, SD card). */
    void (*board_changed)(void *ctx);

    /* Seconds since 1970 for listings; NULL: the host's clock. */
    int64_t (*clock)(void *ctx);

    /* One line for the log, no line end: logins, failures, refusals. Any
     * thread. */
    void (*log)(void *ctx, const char *line);
};

/* Takes the memory and prepares the services; listening begins with
 * net_run(). Returns NULL only when memory or descriptors are lacking. */
struct net *net_new(const struct net_config *config);

/* The loop. Returns only after net_stop(), which a board never calls. */
void net_run(struct net *net);

/* Makes net_run return (tests). Any thread. */
void net_stop(struct net *net);

/* Frees everything; the loop must have returned and storage be idle. */
void net_free(struct net *net);

/* Wakes the loop so that `tick` is called now. Any thread; async-signal-safe.
 */
void net_wake(struct net *net);

/* Says goodbye to every session, flushes what it can within 200 ms and
 * closes all sockets: before a reset, so that clients see an end instead of
 * silence. Any thread; from another thread than the loop it waits until
 * the loop has done it. */
void net_close_all(struct net *net);

/* True when both services listen and the loop runs. Any thread. */
bool net_is_up(const struct net *net);

/* Clients that are logged in, both services. Any thread. */
unsigned net_logins(const struct net *net);

/* ---- the trial's self-test (ARCHITECTURE section 5) ---- */

/* Starts a real session over loopback with each service: connects, waits for
 * telnet's login prompt and FTP's greeting, closes. Uses slots of its own, so
 * a full house does not fail it. At most 5 s. Loop thread. */
void net_selftest_start(struct net *net);

/* 1 while running, 0 when both answered, otherwise negative enum wipy_err
 * (WIPY_ETIMEOUT, WIPY_ECLOSED, WIPY_EPROTO; WIPY_EPERM: never started). */
int net_selftest_result(const struct net *net);

/* ---- Python's network.Server: the vm thread ---- */

/* Starts the services if they are stopped. `user`, `password` NULL keep the
 * present login (spec 12 item 31), timeout_s 0 keeps the present time-out.
 * Returns 0 or WIPY_EINVAL (see login_set(), or the time-out is below
 * NET_TIMEOUT_MIN_S). A new login is kept in the store. */
int net_server_init(struct net *net, const char *user, const char *password,
                    unsigned timeout_s);

/* Stops both services and drops their sessions. Waits until it is done. */
void net_server_deinit(struct net *net);
bool net_server_isrunning(const struct net *net);
unsigned net_server_timeout(const struct net *net);

#endif
