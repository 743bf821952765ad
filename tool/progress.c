#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { REDRAW_US = 100000, BAR_WIDTH = 28 };

static double seconds(const struct progress *p)
{
    return (double)(clock_now_us() - p->start_us) / 1e6;
}

/* So much per second that the time left can be told. */
static double rate(const struct progress *p)
{
    double s = seconds(p);
    return s > 0.001 ? (double)p->done / s : 0;
}

static void draw(struct progress *p)
{
    char bar[BAR_WIDTH + 1];
    uint64_t total = p->total ? p->total : 1;
    size_t full = (size_t)(p->done * BAR_WIDTH / total);
    double speed = rate(p);
    double left = speed > 0 ? (double)(p->total - p->done) / speed : 0;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', full);
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r  %-10.24s [%s] %3u %%  %7.1f kB/s  %4.0f s left ",
            p->what, bar, (unsigned)(p->done * 100 / total), speed / 1000,
            left);
    fflush(stderr);
}

void progress_begin(struct progress *p, const char *what, uint64_t total,
                    bool quiet)
{
    *p = (struct progress){.what = what, .total = total};
    p->start_us = clock_now_us();
    p->on = !quiet && isatty(STDERR_FILENO);
}

void progress_add(struct progress *p, uint64_t bytes)
{
    p->done += bytes;
    if (p->done > p->total)
        p->done = p->total;
    if (!p->on)
        return;
    uint64_t now = clock_now_us();
    if (now - p->drawn_us < REDRAW_US)
        return;
    p->drawn_us = now;
    draw(p);
}

void progress_end(struct progress *p)
{
    if (p->on && p->drawn_us)
        fprintf(stderr, "\r%*s\r", 78, "");
}

void progress_text(const struct progress *p, char to[96])
{
    snprintf(to, 96, "%llu bytes in %.2f s (%.1f kB/s)",
             (unsigned long long)p->done, seconds(p), rate(p) / 1000);
}
