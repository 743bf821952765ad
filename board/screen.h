/* What is sent to a terminal to keep a status line at its bottom: pure, bytes
 * in a buffer of the caller.
 *
 * The line is outside the scroll region. It is drawn with the cursor saved
 * and restored, and never between the bytes of an escape sequence or a UTF-8
 * character of the text above: screen_text() keeps track of those. */
#ifndef WIPY_BOARD_SCREEN_H
#define WIPY_BOARD_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct screen {
    unsigned rows, columns; /* 0 = no status line (too small, unknown) */
    bool utf8;              /* the terminal draws more than ASCII */
    uint8_t escape;         /* inside an escape sequence of the text */
    uint8_t more;           /* bytes of a character that are still to come */
};

struct screen_status {
    uint32_t rgb;
    char text[400]; /* one line of printable text; cut to the width */
};

enum { SCREEN_DRAW_MAX = 700 };

/* Follows text on its way to the terminal. */
void screen_text(struct screen *s, const uint8_t *text, size_t len);

/* True when something may be drawn now. */
bool screen_is_between(const struct screen *s);

/* Bytes that set the scroll region up, take it back, draw the line. All need
 * SCREEN_DRAW_MAX; return the length, 0 when there is no room for a line. */
size_t screen_begin(const struct screen *s, char *to);
size_t screen_end(const struct screen *s, char *to);
size_t screen_draw(const struct screen *s, const struct screen_status *status,
                   char *to);

#endif
