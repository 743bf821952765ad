/* What the client is sent: replies, and the prompt's output as its terminal
 * needs it. */
#include <string.h>

#include "private.h"

void telnet_put(struct telnet *t, const void *data, size_t len)
{
    if (ring_room(&t->out) >= len)
        ring_put(&t->out, data, len);
}

void telnet_put_text(struct telnet *t, const char *text)
{
    telnet_put(t, text, strlen(text));
}

/* BINARY is for programs; what they are sent is not touched. */
static bool is_screen(const struct telnet *t)
{
    return screen_is_active(&t->screen) && !t->binary_out;
}

/* What a byte of the prompt may become: every one may be FF, which is
 * doubled. */
static size_t growth(const struct telnet *t)
{
    return is_screen(t) ? SCREEN_GROWTH : 2;
}

bool telnet_is_full(const struct telnet *t)
{
    return ring_room(&t->out) < SPARE + growth(t);
}

void telnet_notice_lag(struct telnet *t, uint64_t now_ms)
{
    if (t->lagging && ring_used(&t->out) == 0) {
        t->lagging = false;
        telnet_put_text(t, "\r\n[output lost: this client was too slow]\r\n");
        screen_lose(&t->screen);
        t->moved_ms = now_ms;
    }
    if (telnet_is_full(t) && now_ms - t->moved_ms >= TELNET_PATIENCE_MS)
        t->lagging = true;
}

size_t telnet_room(struct telnet *t, uint64_t now_ms)
{
    if (t->state != TELNET_PROMPT)
        return SIZE_MAX;
    telnet_notice_lag(t, now_ms);
    if (t->lagging)
        return SIZE_MAX;
    size_t room = ring_room(&t->out);
    return room < SPARE ? 0 : (room - SPARE) / growth(t);
}

static void put_doubled(struct telnet *t, const uint8_t *p, size_t len)
{
    while (len) {
        const uint8_t *iac = memchr(p, IAC, len);
        size_t run = iac ? (size_t)(iac - p) + 1 : len;
        ring_put(&t->out, p, run);
        if (iac)
            ring_put(&t->out, iac, 1);
        p += run;
        len -= run;
    }
}

static void put_on_screen(struct telnet *t, const uint8_t *p, size_t len)
{
    uint8_t out[SCREEN_OUT];
    for (size_t at = 0; at < len;) {
        size_t run = screen_plain(&t->screen, p + at, len - at);
        if (run) {
            put_doubled(t, p + at, run);
            at += run;
        } else {
            size_t n = screen_byte(&t->screen, p[at++], out);
            /* All or nothing, should a dumb terminal's blanks not fit. */
            if (ring_room(&t->out) >= 2 * n)
                put_doubled(t, out, n);
        }
    }
}

void telnet_print(struct telnet *t, const void *data, size_t len,
                  uint64_t now_ms)
{
    if (t->state != TELNET_PROMPT || t->lagging)
        return;
    if (ring_used(&t->out) == 0)
        t->moved_ms = now_ms;
    t->active_ms = now_ms;
    if (is_screen(t))
        put_on_screen(t, data, len);
    else
        put_doubled(t, data, len);
}

void telnet_sent(struct telnet *t, uint64_t now_ms)
{
    t->moved_ms = now_ms;
}
