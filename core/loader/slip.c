#include "loader/slip.h"

#include <string.h>

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

/* Whether one of the eight bytes is `byte`: subtracting 1 borrows into the
 * top bit only of a byte that was 0, or behind one that was. */
static bool word_has(uint64_t word, uint8_t byte)
{
    const uint64_t ones = 0x0101010101010101u;
    word ^= ones * byte;
    return (word - ones) & ~word & (ones << 7);
}

/* The ordinary bytes at the start, which need no second look. */
static size_t plain_run(const uint8_t *data, size_t len)
{
    size_t n = 0;
    for (uint64_t word; n + sizeof word <= len; n += sizeof word) {
        memcpy(&word, data + n, sizeof word);
        if (word_has(word, END) || word_has(word, ESC))
            break;
    }
    while (n < len && data[n] != END && data[n] != ESC)
        n++;
    return n;
}

static void slip_run(struct slip *s, const uint8_t *data, size_t len)
{
    if (len > s->size - s->len) {
        len = s->size - s->len;
        s->broken = true;
    }
    memcpy(s->data + s->len, data, len);
    s->len += len;
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
            size_t run = plain_run(data + i, len - i);
            slip_run(s, data + i, run);
            i += run;
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

/* Runs without special bytes are copied at once. */
void slip_add(struct ring *out, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        size_t run = plain_run(p, len);
        ring_put(out, p, run);
        if (run == len)
            break;
        ring_put(out, (uint8_t[2]){ESC, p[run] == END ? ESC_END : ESC_ESC}, 2);
        p += run + 1;
        len -= run + 1;
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
