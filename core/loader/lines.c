#include "loader/lines.h"

void lines_init(struct lines *l)
{
    *l = (struct lines){0};
}

bool lines_io0_low(const struct lines *l)
{
    return l->dtr && !l->rts;
}

static enum lines_event rise(struct lines *l)
{
    l->en_low = l->rising = false;
    return lines_io0_low(l) ? LINES_DOWNLOAD : LINES_BOOT;
}

enum lines_event lines_set(struct lines *l, bool dtr, bool rts, uint64_t now_ms)
{
    l->dtr = dtr;
    l->rts = rts;
    if (rts && !dtr) {
        bool was_low = l->en_low;
        l->en_low = true;
        l->rising = false;
        return was_low ? LINES_NOTHING : LINES_HELD;
    }
    if (!l->en_low)
        return LINES_NOTHING;
    if (!(rts && dtr))
        return rise(l);
    if (!l->rising) {
        l->rising = true;
        l->rise_ms = now_ms + LINES_EN_RISE_MS;
    }
    return LINES_NOTHING;
}

enum lines_event lines_tick(struct lines *l, uint64_t now_ms, int *next_ms)
{
    *next_ms = -1;
    if (!l->rising)
        return LINES_NOTHING;
    if (now_ms >= l->rise_ms)
        return rise(l);
    *next_ms = (int)(l->rise_ms - now_ms);
    return LINES_NOTHING;
}
