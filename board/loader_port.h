/* The ROM's serial loader (core/loader/rom.h) wired to this board: its chip,
 * its eFuses, its UART, its timer. Runs instead of the CPU. */
#ifndef WIPY_BOARD_LOADER_PORT_H
#define WIPY_BOARD_LOADER_PORT_H

#include "board/chip.h"
#include "board/clock.h"
#include "board/serial_line.h"
#include "loader/rom.h"

struct loader_port_events {
    void *ctx;
    void (*leave)(void *ctx);        /* the client wants the flash booted */
    void (*power_failed)(void *ctx); /* the planned cut came */
};

struct loader_port {
    struct rom_loader *rom; /* on the heap: it is large */
    struct chip *chip;
    struct flash flash;
    const struct clock *clock;
    struct serial_line *line;
    struct loader_port_events ev;
    bool timing;
    bool running;
    bool pumping;           /* output is being carried */
    uint64_t busy_until_us; /* the chip, in board time */
    uv_timer_t tick, leaving;
};

int loader_port_init(struct loader_port *port, uv_loop_t *loop,
                     struct chip *chip, const uint32_t *efuse,
                     const struct clock *clock, struct serial_line *line,
                     struct loader_port_events ev);
void loader_port_release(struct loader_port *port);

/* From reset: banner, then commands. Takes the UART. `strapped` as in
 * rom_start. */
void loader_port_start(struct loader_port *port, bool strapped);
void loader_port_stop(struct loader_port *port);

/* Drops answers that have not left. */
void loader_port_purge(struct loader_port *port);

/* For serial_line_init. */
struct serial_line_loader loader_port_end(struct loader_port *port);

#endif
