/* A serial port over TCP: telnet (RFC 854) with the COM port option
 * (RFC 2217), both ends, as push machines.
 *
 * Data bytes travel as they are with FF doubled; settings travel as
 * sub-negotiations of option 44, and the server answers each with its code
 * plus 100 and the value in force. pyserial and others wait for every such
 * answer, so the server answers at once. */
#ifndef WIPY_LOADER_RFC2217_H
#define WIPY_LOADER_RFC2217_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"

enum rfc2217_command {
    RFC2217_SIGNATURE = 0,
    RFC2217_BAUD = 1,
    RFC2217_DATA_SIZE = 2,
    RFC2217_PARITY = 3,
    RFC2217_STOP_SIZE = 4,
    RFC2217_CONTROL = 5,
    RFC2217_NOTIFY_LINE = 6,
    RFC2217_NOTIFY_MODEM = 7,
    RFC2217_SUSPEND = 8,
    RFC2217_RESUME = 9,
    RFC2217_LINE_MASK = 10,
    RFC2217_MODEM_MASK = 11,
    RFC2217_PURGE = 12,
    RFC2217_SERVER = 100, /* added by the server */
};

enum rfc2217_control {
    RFC2217_FLOW_ASK = 0,
    RFC2217_FLOW_NONE = 1,
    RFC2217_BREAK_ASK = 4,
    RFC2217_BREAK_ON = 5,
    RFC2217_BREAK_OFF = 6,
    RFC2217_DTR_ASK = 7,
    RFC2217_DTR_ON = 8,
    RFC2217_DTR_OFF = 9,
    RFC2217_RTS_ASK = 10,
    RFC2217_RTS_ON = 11,
    RFC2217_RTS_OFF = 12,
};

enum {
    RFC2217_PURGE_RX = 1, /* what the board sent and the client has not read */
    RFC2217_PURGE_TX = 2, /* what the client sent and the board has not read */
    RFC2217_SUB_MAX = 64, /* longest sub-negotiation kept */
};

/* Telnet's syntax, shared by both ends; not for callers. */
struct telnet_parser {
    uint8_t state;
    uint8_t verb;
    size_t sub_len; /* past RFC2217_SUB_MAX: too long, will be skipped */
    uint8_t sub[RFC2217_SUB_MAX];
};

/* ---- the board's end ---- */

/* Called from rfc2217_server_feed, in the order of the stream; all but `data`
 * may be NULL. */
struct rfc2217_events {
    void *ctx;
    /* Bytes for the UART; returns how many were taken. */
    size_t (*data)(void *ctx, const uint8_t *data, size_t len);
    /* The client turned out to be a plain one; before its first byte goes on.
     * A board in its loader calls rom_start here. */
    void (*plain)(void *ctx);
    void (*lines)(void *ctx, bool dtr, bool rts);
    void (*baud)(void *ctx, uint32_t baud);
    /* Drop what waits on the board's side (bits RFC2217_PURGE_*); what waits
     * in here is dropped by the layer. */
    void (*purge)(void *ctx, unsigned which);
};

struct rfc2217_server {
    struct rfc2217_events ev;
    bool telnet;  /* the client negotiates; false: a plain TCP client */
    bool decided; /* `telnet` is known */
    bool dtr, rts, brk;
    bool suspended;           /* the client asked for silence */
    bool us_on[4], him_on[4]; /* options as answered */
    uint32_t baud;
    uint8_t data_size, parity, stop_size, flow;
    uint8_t line_mask, modem_mask;
    struct telnet_parser parser;
    struct ring control; /* answers, ready for the wire */
    struct ring data;    /* from the UART, not yet escaped */
    bool half_escape;    /* the second FF of a pair is still owed */
    uint8_t control_memory[1024];
    uint8_t data_memory[32 * 1024];
    uint8_t plain[4096]; /* for the UART, FF no longer doubled */
};

/* A client connected. With `detect`, one TCP port serves rfc2217:// and
 * socket:// clients alike: a client whose first bytes are a telnet
 * negotiation is one, any other is served plainly (FF not doubled, no lines,
 * no baud). Without, telnet is assumed. `baud` is the speed to report. */
void rfc2217_server_init(struct rfc2217_server *s,
                         const struct rfc2217_events *ev, bool detect,
                         uint32_t baud);

/* Bytes from the socket. Returns how many were taken: fewer when the UART
 * does not take its data or the answers are not read; offer the rest again
 * later. */
size_t rfc2217_server_feed(struct rfc2217_server *s, const uint8_t *data,
                           size_t len);

/* Bytes from the UART for the client. Returns how many were taken. */
size_t rfc2217_server_put(struct rfc2217_server *s, const uint8_t *data,
                          size_t len);
size_t rfc2217_server_room(const struct rfc2217_server *s);

/* Bytes for the socket, at most `size`; 0 when there are none. */
size_t rfc2217_server_take(struct rfc2217_server *s, uint8_t *to, size_t size);

/* True when rfc2217_server_take would give something. */
bool rfc2217_server_has_output(const struct rfc2217_server *s);

/* ---- the host's end ---- */

struct rfc2217_client {
    struct telnet_parser parser;
    bool com_port;       /* the server agreed to option 44 */
    bool refused;        /* the server refused it: plain telnet */
    bool suspended;      /* the server asked for silence */
    uint8_t modem, line; /* last state reported */
    uint32_t baud;       /* last value the server acknowledged */
    unsigned unanswered; /* settings sent and not yet acknowledged */
    struct ring out;
    struct ring in; /* data for the caller */
    uint8_t out_memory[48 * 1024];
    uint8_t in_memory[64 * 1024];
};

/* Connected: queues the negotiation. */
void rfc2217_client_init(struct rfc2217_client *c);

/* Bytes from the socket; returns how many were taken (room of `in`). */
size_t rfc2217_client_feed(struct rfc2217_client *c, const uint8_t *data,
                           size_t len);
/* Data for the board; returns how many were taken. */
size_t rfc2217_client_put(struct rfc2217_client *c, const uint8_t *data,
                          size_t len);
/* Settings; 0 or WIPY_ENOSPC when the output is full. */
int rfc2217_client_set_baud(struct rfc2217_client *c, uint32_t baud);
int rfc2217_client_control(struct rfc2217_client *c,
                           enum rfc2217_control value);
int rfc2217_client_purge(struct rfc2217_client *c, unsigned which);
/* True when the server acknowledged everything sent. */
bool rfc2217_client_settled(const struct rfc2217_client *c);

#endif
