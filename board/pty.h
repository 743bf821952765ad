/* The serial line as a pseudo terminal: what `screen`, `mpremote` and serial
 * programs open. Raw from the start. While nobody has it open, what the board
 * prints is lost, as on a socket with no cable in it. */
#ifndef WIPY_BOARD_PTY_H
#define WIPY_BOARD_PTY_H

#include "board/problem.h"
#include "board/serial_line.h"

enum { PTY_OUT_SIZE = 65536 };

struct pty {
    struct serial_line *line;
    const struct carrier *carrier;
    int master, slave; /* the slave stays open, or the master reads errors */
    int watcher;       /* inotify: who opens and closes the slave */
    int clients;
    struct watch *watch, *client_watch;
    char path[64];
    struct ring out;
    uint8_t in[1024]; /* read and not yet taken by the line */
    size_t in_len;
    bool offering;
    uint8_t out_memory[PTY_OUT_SIZE];
};

int pty_open(struct pty *pty, uv_loop_t *loop, struct serial_line *line,
             struct problem *problem);
void pty_close(struct pty *pty);

#endif
