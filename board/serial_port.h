/* The serial line as a TCP port: plain for `socket://` and netcat, RFC 2217
 * with its modem lines for clients that negotiate it.
 *
 * One client at a time. A second is told so and closed while the first lives;
 * it takes over when the first has left or does not acknowledge, or when what
 * the first sent or should read has not moved for SERIAL_STUCK_MS. A client
 * that is silent lives as long as its host answers. */
#ifndef WIPY_BOARD_SERIAL_PORT_H
#define WIPY_BOARD_SERIAL_PORT_H

#include <stdint.h>

#include "board/problem.h"
#include "board/serial_line.h"
#include "loader/lines.h"
#include "loader/rfc2217.h"

enum {
    SERIAL_PORT = 2217, /* unless another is asked for or it is in use */
    SERIAL_STUCK_MS = 1000,
};

struct serial_port_events {
    void *ctx;
    void (*lines)(void *ctx, enum lines_event event);
    void (*plain_client)(void *ctx); /* one connected that has no lines */
    void (*purge)(void *ctx);        /* drop what the loader has to say */
};

struct serial_port {
    uv_loop_t *loop;
    struct serial_line *line;
    const struct carrier *carrier;
    struct serial_port_events ev;
    int listening;
    uint16_t port;
    struct watch *door;

    int client; /* -1 = nobody */
    struct watch *watch;
    struct rfc2217_server server;
    bool offering;     /* its bytes are being fed */
    bool waiting;      /* bytes of or for it wait */
    uint64_t moved_ms; /* since when none of these moved */
    struct lines lines;
    uv_timer_t rise; /* EN's capacitor */
    uint8_t in[64 * 1024], out[4096];
    size_t in_len, out_len;
};

/* Listens on `address` (network order) and `port`; 0 = any free one. With
 * `yielding` a port in use is not an error: any free one is taken. */
int serial_port_open(struct serial_port *port, uv_loop_t *loop,
                     struct serial_line *line, uint32_t address,
                     uint16_t number, bool yielding,
                     struct serial_port_events ev, struct problem *problem);
void serial_port_close(struct serial_port *port);

/* True while the client holds IO0 low: the strap at reset. */
bool serial_port_strapped(const struct serial_port *port);

#endif
