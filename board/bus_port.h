/* The board's end of the command socket: one command at a time, answered when
 * the chip is done with it (--chip-timing), the card has moved its sectors or
 * the file is safe. Slow work runs off the loop. */
#ifndef WIPY_BOARD_BUS_PORT_H
#define WIPY_BOARD_BUS_PORT_H

#include <stdbool.h>
#include <uv.h>

#include "board/card_memory.h"
#include "board/chip_file.h"
#include "board/clock.h"
#include "board/commands.h"
#include "board/sdcard.h"
#include "board/watch.h"

/* What a command makes the board do. Called from the loop. */
struct bus_port_events {
    void *ctx;
    void (*reset)(void *ctx, bool into_loader);
    int (*arm_watchdog)(void *ctx, uint32_t ms); /* returns the status */
    void (*sleep)(void *ctx, uint32_t ms);
    void (*power_failed)(void *ctx); /* the planned cut came */
};

struct bus_port {
    uv_loop_t *loop;
    struct chip *chip;
    const struct chip_file *file;
    struct sdcard *card;
    const struct clock *clock;
    bool timing; /* the chip takes its data-sheet time */
    struct bus_port_events ev;

    int socket; /* of this start, -1 = no CPU */
    struct card_memory *memory;
    struct watch *watch;
    int timer_fd; /* the chip is busy until it fires */
    struct watch *timer_watch;
    struct bus_answer answer;    /* held back until then */
    _Atomic unsigned generation; /* answers of an earlier start are dropped */
    uint8_t packet[COMMAND_PACKET_MAX + 1];
};

/* The pointers stay the caller's. Returns 0 or WIPY_EIO. */
int bus_port_init(struct bus_port *port, uv_loop_t *loop, struct chip *chip,
                  const struct chip_file *file, struct sdcard *card,
                  const struct clock *clock, struct bus_port_events ev);
void bus_port_release(struct bus_port *port);

/* Serves the command socket of a new start; both stay the caller's. */
void bus_port_start(struct bus_port *port, int socket,
                    struct card_memory *memory);

/* Sends an answer with `len` bytes behind it; from any thread. */
void bus_port_answer(int socket, const struct bus_answer *answer,
                     const void *payload, size_t len);

/* The CPU stopped: nothing is answered any more. Call before the socket is
 * closed. */
void bus_port_stop(struct bus_port *port);

#endif
