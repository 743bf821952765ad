#include "watchdog.h"

#include "base/err.h"

enum { LOOKS = 8 };

static void on_look(uv_timer_t *timer);

static void look_again(struct watchdog *dog)
{
    uint64_t ms = clock_real_ms(dog->clock, dog->timeout_ms) / LOOKS;
    uv_update_time(dog->timer.loop);
    uv_timer_start(&dog->timer, on_look, ms ? ms : 1, 0);
}

static void on_look(uv_timer_t *timer)
{
    struct watchdog *dog = timer->data;
    uint64_t now = clock_ms(dog->clock);
    uint32_t feed = atomic_load(dog->feed);
    if (feed != dog->seen) {
        dog->seen = feed;
        dog->fed_ms = now;
    }
    if (now - dog->fed_ms >= dog->timeout_ms)
        dog->bites(dog->ctx);
    else
        look_again(dog);
}

void watchdog_init(struct watchdog *dog, uv_loop_t *loop,
                   const struct clock *clock, const _Atomic uint32_t *feed,
                   void (*bites)(void *ctx), void *ctx)
{
    *dog = (struct watchdog){
        .clock = clock, .feed = feed, .bites = bites, .ctx = ctx};
    uv_timer_init(loop, &dog->timer);
    dog->timer.data = dog;
}

int watchdog_arm(struct watchdog *dog, uint32_t timeout_ms)
{
    if (timeout_ms == 0)
        return WIPY_EINVAL;
    dog->timeout_ms = timeout_ms;
    dog->seen = atomic_load(dog->feed);
    dog->fed_ms = clock_ms(dog->clock);
    look_again(dog);
    return 0;
}

void watchdog_disarm(struct watchdog *dog)
{
    dog->timeout_ms = 0;
    uv_timer_stop(&dog->timer);
}
