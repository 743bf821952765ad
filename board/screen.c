#include "screen.h"

#include <stdio.h>
#include <string.h>

enum { ESC_NONE, ESC_SEEN, ESC_CSI, ESC_STRING };

enum { ROWS_MIN = 4, COLUMNS_MIN = 20 };

/* ---- following the text ---- */

static void follow_escape(struct screen *s, uint8_t c)
{
    switch (s->escape) {
    case ESC_SEEN:
        s->escape = c == '['                  ? ESC_CSI
                    : strchr("]P_^X", c) && c ? ESC_STRING
                    : c >= 0x20 && c < 0x30   ? ESC_SEEN
                                              : ESC_NONE;
        break;
    case ESC_CSI:
        if (c >= 0x40 && c < 0x7f)
            s->escape = ESC_NONE;
        break;
    default: /* a string ends with BEL or ESC \ */
        if (c == 7)
            s->escape = ESC_NONE;
        break;
    }
}

static uint8_t following(uint8_t c)
{
    return c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
}

void screen_text(struct screen *s, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text[i];
        if (c == 0x1b)
            s->escape = ESC_SEEN;
        else if (s->escape)
            follow_escape(s, c);
        else if (c >= 0x80 && c < 0xc0)
            s->more = s->more ? s->more - 1 : 0;
        else
            s->more = following(c);
    }
}

bool screen_is_between(const struct screen *s)
{
    return s->escape == ESC_NONE && s->more == 0;
}

/* ---- drawing ---- */

static bool fits(const struct screen *s)
{
    return s->rows >= ROWS_MIN && s->columns >= COLUMNS_MIN;
}

/* A new line makes room when the cursor is at the bottom; setting the region
 * moves the cursor, so it is saved around it. */
size_t screen_begin(const struct screen *s, char *to)
{
    if (!fits(s))
        return 0;
    return (size_t)snprintf(to, SCREEN_DRAW_MAX, "\n\0337\033[1;%ur\0338\033[A",
                            s->rows - 1);
}

size_t screen_end(const struct screen *s, char *to)
{
    if (!fits(s))
        return 0;
    return (size_t)snprintf(to, SCREEN_DRAW_MAX,
                            "\0337\033[r\033[%u;1H\033[2K\0338", s->rows);
}

/* Index of the 6x6x6 colour cube, as bright as the colour can be: an LED at a
 * third of its power is bright to the eye. */
static unsigned cube_colour(uint32_t rgb)
{
    unsigned part[3] = {rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255};
    unsigned most = 1;
    for (int i = 0; i < 3; i++)
        if (part[i] > most)
            most = part[i];
    unsigned index = 16;
    for (int i = 0; i < 3; i++)
        index += (part[i] * 5 + most / 2) / most *
                 (i == 0   ? 36
                  : i == 1 ? 6
                           : 1);
    return index;
}

size_t screen_draw(const struct screen *s, const struct screen_status *status,
                   char *to)
{
    if (!fits(s))
        return 0;
    unsigned colour = status->rgb ? cube_colour(status->rgb) : 238;
    const char *dot = s->utf8 ? "\342\227\217" : status->rgb ? "*" : "o";
    int n = snprintf(to, SCREEN_DRAW_MAX,
                     "\0337\033[%u;1H\033[0;48;5;236;38;5;%um %s "
                     "\033[38;5;252m%.*s\033[K\033[0m\0338",
                     s->rows, colour, dot, (int)s->columns - 4, status->text);
    return n < 0 || n >= SCREEN_DRAW_MAX ? 0 : (size_t)n;
}
