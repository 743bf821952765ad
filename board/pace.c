#include "pace.h"

#include "board/clock.h"

static uint64_t now_us(void)
{
    return clock_monotonic_ns() / 1000;
}

static void on_timer(uv_timer_t *timer)
{
    struct pace *pace = timer->data;
    pace->again(pace->ctx);
}

void pace_init(struct pace *pace, uv_loop_t *loop, void (*again)(void *ctx),
               void *ctx)
{
    *pace = (struct pace){.again = again, .ctx = ctx};
    line_rate_init(&pace->in, PACE_BAUD_AT_RESET);
    line_rate_init(&pace->out, PACE_BAUD_AT_RESET);
    uv_timer_init(loop, &pace->timer);
    pace->timer.data = pace;
}

void pace_set(struct pace *pace, uint32_t baud)
{
    if (!pace->real || baud == 0)
        return;
    line_rate_set(&pace->in, baud, now_us());
    line_rate_set(&pace->out, baud, now_us());
}

/* The loop's timers count milliseconds; the bucket holds four. */
static void come_again(struct pace *pace, const struct line_rate *rate,
                       size_t want)
{
    uint64_t ms = line_rate_wait_us(rate, want) / 2000; /* half, not to lose */
    if (uv_is_active((uv_handle_t *)&pace->timer))
        return;
    uv_update_time(pace->timer.loop);
    uv_timer_start(&pace->timer, on_timer, ms ? ms : 1, 0);
}

size_t pace_allow(struct pace *pace, struct line_rate *rate, size_t want)
{
    if (!pace->real)
        return want;
    size_t may = line_rate_allow(rate, want, now_us());
    if (may < want)
        come_again(pace, rate, want - may);
    return may;
}

void pace_spend(struct pace *pace, struct line_rate *rate, size_t len)
{
    if (pace->real)
        line_rate_spend(rate, len);
}
