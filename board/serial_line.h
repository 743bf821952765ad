/* The serial line: the CPU (or the ROM's loader) at one end, carriers at the
 * other - the terminal, a pty, a TCP port.
 *
 * What the CPU prints goes to every carrier; a carrier that is full loses it,
 * as on a wire nobody reads. What the loader answers goes to the carrier
 * whose client talks to it, and waits for room there. What carriers send is
 * merged; a carrier is told when there is room again. */
#ifndef WIPY_BOARD_SERIAL_LINE_H
#define WIPY_BOARD_SERIAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/ring.h"
#include "board/pace.h"
#include "board/watch.h"

enum {
    SERIAL_LINE_CARRIERS_MAX = 3,
    SERIAL_LINE_IN_SIZE = 4096,
    SERIAL_LINE_SAID_MAX = 256
};

struct carrier {
    void *ctx;
    /* Bytes for the client; returns how many were taken. Without a client it
     * takes, and drops, all. */
    size_t (*put)(void *ctx, const uint8_t *data, size_t len);
    /* There is room again for what serial_line_feed did not take. May be NULL.
     */
    void (*resume)(void *ctx);
    /* Keys of a person, which the loader must not see: one would break the
     * session of a flashing tool on another carrier. */
    bool person;
};

/* Who listens instead of the CPU while the ROM's loader runs. */
struct serial_line_loader {
    void *ctx;
    size_t (*feed)(void *ctx, const uint8_t *data, size_t len);
    void (*room)(void *ctx); /* the client's carrier has room again */
};

struct serial_line {
    uv_loop_t *loop;
    struct carrier carriers[SERIAL_LINE_CARRIERS_MAX];
    unsigned carrier_count;

    int socket; /* to the CPU, -1 = none runs */
    struct watch *watch;
    struct pace pace;
    struct ring in; /* waiting for the CPU */
    bool held_back; /* a carrier was told there is no room */

    char said[SERIAL_LINE_SAID_MAX]; /* the end of what the CPU of this start
                                        printed */
    size_t said_len;

    struct serial_line_loader loader;
    bool loading;
    const struct carrier *client; /* who talks to the loader, NULL = nobody */
    uint8_t in_memory[SERIAL_LINE_IN_SIZE];
};

void serial_line_init(struct serial_line *line, uv_loop_t *loop,
                      struct serial_line_loader loader);

/* Returns the carrier's place, to be passed to serial_line_feed. */
const struct carrier *serial_line_attach(struct serial_line *line,
                                         struct carrier carrier);

/* The last line with something in it that the CPU of this start printed, cut
 * to `size` and without what a terminal obeys; empty when there is none. */
void serial_line_last_line(const struct serial_line *line, char *to,
                           size_t size);

/* The CPU's end of this start; the descriptor stays the caller's. */
void serial_line_start(struct serial_line *line, int socket);

/* The CPU stopped: what it printed before is still carried. */
void serial_line_stop(struct serial_line *line);

/* The loader takes the line, or gives it back. */
void serial_line_set_loading(struct serial_line *line, bool loading);

/* Bytes from a carrier's client. Returns how many were taken; the rest must
 * be offered again after `resume`. With nobody at the other end all is taken
 * and lost. */
size_t serial_line_feed(struct serial_line *line, const struct carrier *from,
                        const uint8_t *data, size_t len);

/* Prints to every carrier, as the ROM and the board's own messages do. */
void serial_line_print(struct serial_line *line, const char *text);
void serial_line_put(struct serial_line *line, const uint8_t *data, size_t len);

/* The loader's answer to its client; returns how many bytes were taken.
 * Before any client spoke it goes to all. */
size_t serial_line_put_client(struct serial_line *line, const uint8_t *data,
                              size_t len);

/* A carrier's client read something: there may be room for more. */
void serial_line_carrier_drained(struct serial_line *line,
                                 const struct carrier *carrier);

/* The loader can take more: what carriers held back is offered again. */
void serial_line_resume(struct serial_line *line);

#endif
