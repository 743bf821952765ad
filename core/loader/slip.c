#include "loader/slip.h"

#include "base/span.h"

enum { END = 0xc0, ESC = 0xdb, ESC_END = 0xdc, ESC_ESC = 0xdd };

void slip_init(struct slip *s, void *memory, size_t size)
{
    *s = (struct slip){.data = memory, .size = size};
}

static void slip_restart(struct slip *s, bool inside)
{
    s->len = 0;
    s->inside = inside;
    s->escaped = s->broken = s->done = false;
}

static void slip_store(struct slip *s, uint8_t byte)
{
    if (s->len == s->size)
        s->broken = true;
    else
        s->data[s->len++] = byte;
}

static void slip_byte(struct slip *s, uint8_t byte)
{
    if (!s->escaped) {
        if (byte == ESC)
            s->escaped = true;
        else
            slip_store(s, byte);
        return;
    }
    s->escaped = false;
    if (byte == ESC_END)
        slip_store(s, END);
    else if (byte == ESC_ESC)
        slip_store(s, ESC);
    else
        s->broken = true;
}

/* The ordinary bytes at the start; returns how many. */
static size_t slip_run(struct slip *s, const uint8_t *data, size_t len)
{
    size_t room = s->size - s->len;
    size_t run =
        span_copy(s->data + s->len, data, len < room ? len : room, END, ESC);
    s->len += run;
    return run;
}

/* A lost C0 turns inside and outside round for one frame only: the two C0
 * between frames look like an empty frame, which begins anew. */
enum slip_event slip_push(struct slip *s, const uint8_t *data, size_t len,
                          size_t *used)
{
    if (s->done)
        slip_restart(s, false);
    for (size_t i = 0; i < len; i++) {
        if (s->inside && !s->escaped) {
            i += slip_run(s, data + i, len - i);
            if (i == len)
                break;
        }
        if (data[i] != END) {
            if (s->inside)
                slip_byte(s, data[i]);
            continue;
        }
        if (!s->inside || (s->len == 0 && !s->escaped && !s->broken)) {
            slip_restart(s, true);
            continue;
        }
        *used = i + 1;
        bool broken = s->broken || s->escaped;
        s->done = true;
        return broken ? SLIP_BROKEN : SLIP_FRAME;
    }
    *used = len;
    return SLIP_MORE;
}

size_t slip_worst(size_t len)
{
    return 2 * len + 2;
}

static void ring_byte(struct ring *out, uint8_t byte)
{
    ring_put(out, &byte, 1);
}

void slip_begin(struct ring *out)
{
    ring_byte(out, END);
}

static void ring_escape(struct ring *out, uint8_t byte)
{
    ring_put(out, (uint8_t[2]){ESC, byte == END ? ESC_END : ESC_ESC}, 2);
}

void slip_add(struct ring *out, const void *data, size_t len)
{
    const uint8_t *p = data, *end = p + len;
    uint8_t *to;
    size_t room;
    while (p < end && (room = ring_space(out, &to)) > 0) {
        size_t span = (size_t)(end - p) < room ? (size_t)(end - p) : room;
        size_t run = span_copy(to, p, span, END, ESC);
        ring_fill(out, run);
        p += run;
        if (run < span)
            ring_escape(out, *p++);
    }
}

void slip_end(struct ring *out)
{
    ring_byte(out, END);
}

size_t slip_encode(uint8_t *to, const void *data, size_t len)
{
    struct ring out;
    ring_init(&out, to, slip_worst(len));
    slip_begin(&out);
    slip_add(&out, data, len);
    slip_end(&out);
    return ring_used(&out);
}
