/* The board's end of the wires of bus/bus.h: both register pages, the bells
 * and, new for every start of the CPU, the command socket and the UART. */
#ifndef WIPY_BOARD_WIRES_H
#define WIPY_BOARD_WIRES_H

#include <stdbool.h>
#include <stdint.h>

#include "board/card_memory.h"
#include "board/problem.h"
#include "bus/bus.h"

struct wires {
    struct bus_cpu_regs *cpu;     /* the CPU writes, we look */
    struct bus_board_regs *board; /* we write, the CPU looks */
    int cpu_fd, board_fd;
    int bell_up, bell_down;

    /* Of this start only, -1 while no CPU runs. `far_` are the CPU's ends,
     * closed here once it has them. All are non-blocking on our side. */
    int command, far_command;
    int line, far_line;
    struct card_memory *card;
};

/* Makes the pages and the bells. The pages are sealed: the CPU can neither
 * write the board's page nor change the size of any. */
int wires_open(struct wires *wires, struct problem *problem);
void wires_close(struct wires *wires);

/* A new start: fresh sockets and card memory, registers cleared;
 * `keep_retained` is false at power-on only. Returns 0 or a negative enum
 * wipy_err. */
int wires_start(struct wires *wires, bool keep_retained,
                struct problem *problem);

/* Closes our copies of the CPU's ends, after it has them. */
void wires_handed_over(struct wires *wires);

/* Closes the sockets of this start. */
void wires_stop(struct wires *wires);

/* Tells the CPU that a register changed. */
void wires_ring_down(struct wires *wires);

/* Empties the CPU's bell; returns how often it rang. */
uint64_t wires_bell_rang(struct wires *wires);

#endif
