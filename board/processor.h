/* The CPU: one confined process, started from a memory file with the
 * descriptors of bus/bus.h, that dies with the board. */
#ifndef WIPY_BOARD_PROCESSOR_H
#define WIPY_BOARD_PROCESSOR_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "board/confine.h"
#include "board/watch.h"
#include "board/wires.h"

/* How it ended by itself. */
struct processor_end {
    bool by_signal;
    int code; /* number of the signal, or exit status */
};

struct processor {
    pid_t pid;  /* 0 = no CPU runs */
    int end_fd; /* pidfd: readable when it ended */
    struct confine walls;
    struct watch *watch;

    /* Called on the loop when the CPU ended, but not after processor_stop. */
    void (*ended)(void *ctx, struct processor_end end);
    void *ctx;
};

void processor_init(struct processor *cpu,
                    void (*ended)(void *ctx, struct processor_end end),
                    void *ctx);
void processor_release(struct processor *cpu);

/* Starts the executable in `program` on the wires of this start; `chip_fd` is
 * the read-only chip. Returns 0 or fills `problem`. */
int processor_start(struct processor *cpu, uv_loop_t *loop, int program,
                    const struct wires *wires, int chip_fd,
                    struct problem *problem);

/* Kills it, if one runs, and waits until it is gone. */
void processor_stop(struct processor *cpu);

#endif
