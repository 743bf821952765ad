/* The client's terminal, as far as editing a line needs it: what the prompt
 * prints for a line without end becomes what a window of some width, or a
 * terminal without cursor keys, can show.
 *
 * MicroPython's prompt edits a line with three movements: BS and ESC [ n D go
 * back, ESC [ K erases to the right. A terminal does none of them over its
 * edge. Here it is known in which row the cursor is, because the terminal
 * folds what is longer than its width (deferred, as the VT100 and all after
 * it: a full row leaves the cursor in it), so the movements go up, and erase
 * what is below. All else passes; a program that places the cursor itself is
 * left alone until the next CR.
 *
 * A dumb terminal gets no escape sequences: BS and blanks instead, colours
 * and the rest are left out. It cannot go up, so it edits one row only.
 *
 * Columns are characters of UTF-8; wide ones count as one. */
#ifndef WIPY_TELNET_SCREEN_H
#define WIPY_TELNET_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCREEN_DUMB_MOVE = 256, /* columns that a dumb terminal goes at once */
    SCREEN_OUT = 2 * SCREEN_DUMB_MOVE, /* what one byte may become */
    SCREEN_GROWTH = 12,   /* at most so much per byte, but for dumb ones */
    SCREEN_SEQUENCE = 16, /* longer ones pass unread */
};

struct screen {
    uint16_t width; /* columns; 0: a line has no edge */
    bool dumb;
    bool lost;    /* it is not known where the cursor is, until a CR */
    bool hanging; /* the row is full and the cursor still in it */
    uint32_t at;  /* cursor: characters from the start of the line */
    uint32_t end; /* what of the line has been written */
    uint8_t sequence[SCREEN_SEQUENCE]; /* begun */
    uint8_t sequence_len;
};

/* What the client said of its terminal. */
void screen_set(struct screen *s, uint16_t width, bool dumb);

/* Nothing is known any more of where the cursor is. */
void screen_lose(struct screen *s);

/* False: everything passes as it is, and need not be shown to screen_byte(). */
bool screen_is_active(const struct screen *s);

/* What the terminal is to get for this byte; returns how much. */
size_t screen_byte(struct screen *s, uint8_t byte, uint8_t out[SCREEN_OUT]);

/* How much at the start of `text` passes as it is; counted as printed. */
size_t screen_plain(struct screen *s, const uint8_t *text, size_t len);

#endif
