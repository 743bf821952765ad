/* The user's terminal: what the serial line prints, keys to it, and a status
 * line at the bottom that the text above never touches.
 *
 * Ctrl-] is the prefix of the board's own keys: q ends, r resets, p switches
 * the power, h holds GP28 and lets it go, ? tells, Ctrl-] is sent as it is. */
#ifndef WIPY_BOARD_TERMINAL_H
#define WIPY_BOARD_TERMINAL_H

#include <stdbool.h>
#include <termios.h>
#include <uv.h>

#include "board/problem.h"
#include "board/screen.h"
#include "board/serial_line.h"

enum { TERMINAL_OUT_SIZE = 65536 };

struct terminal_events {
    void *ctx;
    void (*key)(void *ctx, char key); /* after the prefix */
    /* Fills in what the status line shows now. */
    void (*status)(void *ctx, struct screen_status *status);
};

struct terminal {
    bool open;
    uv_loop_t *loop;
    struct serial_line *line;
    const struct carrier *carrier;
    struct terminal_events ev;
    struct termios before; /* how we found it */
    int in, out;
    struct watch *in_watch, *out_watch;
    uv_signal_t resized;
    uv_timer_t redraw; /* many changes, one redraw */
    struct screen screen;
    bool prefixed;     /* the last key was the prefix */
    uint8_t keys[256]; /* not yet taken by the line */
    size_t key_count;
    struct ring ring;
    uint8_t ring_memory[TERMINAL_OUT_SIZE];
};

/* Takes the terminal over if standard input and output are one; otherwise
 * does nothing, and terminal_is_open() is false. */
void terminal_open(struct terminal *t, uv_loop_t *loop,
                   struct serial_line *line, struct terminal_events ev);

/* Gives it back as it was. */
void terminal_close(struct terminal *t);
bool terminal_is_open(const struct terminal *t);

/* A line of the board's own among the text. */
void terminal_say(struct terminal *t, const char *text);

/* Something the status line shows may have changed. */
void terminal_refresh(struct terminal *t);

#endif
