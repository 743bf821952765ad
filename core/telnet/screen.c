#include "screen.h"

#include <stdio.h>
#include <string.h>

enum { BS = 8, TAB = 9, LF = 10, CR = 13, ESC = 27, DEL = 127, TAB_STOP = 8 };

struct text {
    uint8_t *at;
    size_t len;
};

static void add(struct text *out, const char *text)
{
    size_t n = strlen(text);
    memcpy(out->at + out->len, text, n);
    out->len += n;
}

static void add_some(struct text *out, uint8_t byte, uint32_t count)
{
    memset(out->at + out->len, byte, count);
    out->len += count;
}

/* ESC [ count final, nothing for 0. */
static void add_control(struct text *out, uint32_t count, char final)
{
    char text[16];
    if (count == 0)
        return;
    snprintf(text, sizeof text, "\x1b[%u%c", (unsigned)count, final);
    add(out, text);
}

/* ---- where the cursor is ---- */

static uint32_t row(const struct screen *s)
{
    return s->width ? s->at / s->width - s->hanging : 0;
}

static uint32_t last_row(const struct screen *s)
{
    return s->width && s->end ? (s->end - 1) / s->width : 0;
}

static uint32_t column(const struct screen *s)
{
    if (s->hanging)
        return s->width - 1u;
    return s->width ? s->at % s->width : s->at;
}

static void go_right(struct screen *s, uint32_t count)
{
    s->at += count;
    s->end = s->end > s->at ? s->end : s->at;
    if (count)
        s->hanging = s->width && s->at % s->width == 0;
}

static void new_line(struct screen *s, uint32_t at)
{
    s->at = s->end = at;
    s->hanging = s->lost = false;
}

/* ---- movements ---- */

static void go_back(struct screen *s, uint32_t count, struct text *out)
{
    uint32_t from = row(s);
    bool hung = s->hanging;
    count = count < s->at ? count : s->at;
    if (s->dumb) {
        count = count < SCREEN_DUMB_MOVE ? count : SCREEN_DUMB_MOVE;
        add_some(out, BS, count);
        s->at -= count;
        s->hanging = false;
        return;
    }
    if (count == 0)
        return;
    s->at -= count;
    s->hanging = false;
    if (!hung && row(s) == from) {
        if (count <= 4)
            add_some(out, BS, count);
        else
            add_control(out, count, 'D');
        return;
    }
    /* From the start of the row: terminals do not agree where a BS leads
     * from a full one. */
    add(out, "\r");
    add_control(out, from - row(s), 'A');
    add_control(out, column(s), 'C');
}

static void erase(struct screen *s, struct text *out)
{
    uint32_t gone = s->end > s->at ? s->end - s->at : 0;
    if (s->dumb) {
        gone = gone < SCREEN_DUMB_MOVE ? gone : SCREEN_DUMB_MOVE;
        add_some(out, ' ', gone);
        add_some(out, BS, gone);
    } else if (!s->hanging) {
        add(out, last_row(s) > row(s) ? "\x1b[J" : "\x1b[K");
    } else if (gone) { /* not the last column, but what is below it */
        add(out, "\r\n\x1b[J");
        s->hanging = false;
    }
    s->end = s->at;
}

static void carriage_return(struct screen *s, struct text *out)
{
    add(out, "\r");
    if (s->lost)
        new_line(s, 0);
    s->at -= column(s) + s->hanging;
    s->hanging = false;
}

/* Also from an upper row: what comes next is below all of the line. */
static void line_feed(struct screen *s, struct text *out)
{
    uint32_t below = last_row(s) > row(s) ? last_row(s) - row(s) : 0;
    if (!s->dumb)
        add_control(out, below, 'B');
    add(out, "\n");
    new_line(s, column(s));
}

static void tab(struct screen *s, struct text *out)
{
    uint32_t from = column(s), to = (from / TAB_STOP + 1) * TAB_STOP;
    add(out, "\t");
    if (s->width && to > s->width - 1u)
        to = s->width - 1u;
    if (to > from) {
        go_right(s, to - from);
        s->hanging = false;
    }
}

/* ---- escape sequences ---- */

/* The number of ESC [ n final; `none` without one, UINT32_MAX when it is
 * something else. */
static uint32_t number(const struct screen *s, uint32_t none)
{
    uint32_t n = 0;
    if (s->sequence_len == 3)
        return none;
    for (int i = 2; i < s->sequence_len - 1; i++) {
        uint8_t digit = s->sequence[i];
        if (digit < '0' || digit > '9' || n > 99999)
            return UINT32_MAX;
        n = n * 10 + digit - '0';
    }
    return n;
}

static void forward(struct screen *s)
{
    uint32_t n = number(s, 1);
    uint32_t most = s->width ? s->width - 1u - column(s) : n;
    if (!s->hanging)
        s->at += n < most ? n : most;
}

static void pass_sequence(struct screen *s, struct text *out)
{
    if (s->dumb)
        return;
    memcpy(out->at + out->len, s->sequence, s->sequence_len);
    out->len += s->sequence_len;
}

static void sequence_end(struct screen *s, struct text *out)
{
    uint8_t final = s->sequence[s->sequence_len - 1];
    bool control = s->sequence[1] == '[' && s->sequence_len > 2;
    if (control && final == 'D' && number(s, 1) != UINT32_MAX) {
        go_back(s, number(s, 1) + (number(s, 1) == 0), out);
    } else if (control && final == 'K' && number(s, 0) == 0) {
        erase(s, out);
    } else {
        pass_sequence(s, out);
        if (control && final == 'C' && !s->dumb && number(s, 1) != UINT32_MAX)
            forward(s);
        else if (!(control && final == 'm') && !s->dumb)
            s->lost = true;
    }
    s->sequence_len = 0;
}

/* A byte behind ESC. False: it is not of the sequence, which is broken. */
static bool sequence_byte(struct screen *s, uint8_t byte, struct text *out)
{
    if (byte < ' ' || byte >= DEL) {
        pass_sequence(s, out);
        s->lost = !s->dumb;
        s->sequence_len = 0;
        return false;
    }
    s->sequence[s->sequence_len++] = byte;
    bool opens = s->sequence_len == 2 && byte == '[';
    bool ends = byte >= '@' && !opens;
    if (s->sequence_len == SCREEN_SEQUENCE && !ends) {
        if (s->dumb) { /* left out to its end */
            s->sequence_len--;
            return true;
        }
        ends = true;
    }
    if (ends)
        sequence_end(s, out);
    return true;
}

/* ---- bytes ---- */

void screen_lose(struct screen *s)
{
    new_line(s, 0);
    s->sequence_len = 0;
    s->lost = !s->dumb;
}

void screen_set(struct screen *s, uint16_t width, bool dumb)
{
    bool was_active = screen_is_active(s);
    if (width == s->width && dumb == s->dumb)
        return;
    s->width = width;
    s->dumb = dumb;
    s->hanging = false; /* terminals fold again what they show */
    if (!was_active || dumb)
        screen_lose(s);
}

bool screen_is_active(const struct screen *s)
{
    return s->width || s->dumb;
}

static void control_byte(struct screen *s, uint8_t byte, struct text *out)
{
    switch (byte) {
    case BS:
        go_back(s, 1, out);
        break;
    case TAB:
        tab(s, out);
        break;
    case LF:
        line_feed(s, out);
        break;
    case ESC:
        s->sequence[0] = ESC;
        s->sequence_len = 1;
        break;
    default:
        add_some(out, byte, 1);
    }
}

static bool is_plain(uint8_t byte)
{
    return byte >= ' ' && byte != DEL;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t screen_byte(struct screen *s, uint8_t byte, uint8_t out[SCREEN_OUT])
{
    struct text text = {out, 0};
    if (s->sequence_len && sequence_byte(s, byte, &text))
        return text.len;
    if (byte == CR) {
        carriage_return(s, &text);
    } else if (is_plain(byte) || s->lost) {
        add_some(&text, byte, 1);
        go_right(s, !is_continuation(byte));
    } else {
        control_byte(s, byte, &text);
    }
    return text.len;
}

size_t screen_plain(struct screen *s, const uint8_t *text, size_t len)
{
    size_t n = 0;
    uint32_t columns = 0;
    if (s->sequence_len)
        return 0;
    while (n < len && (is_plain(text[n]) || (s->lost && text[n] != CR)))
        columns += !is_continuation(text[n++]);
    go_right(s, columns);
    return n;
}
