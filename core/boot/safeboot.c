#include "safeboot.h"

/* Spec 4.2: the light toggles 6 times slowly (3 s), 12 times faster (3 s),
 * then 15 times quickly (1.5 s). */
enum { END_1 = 6, END_2 = END_1 + 12, END_3 = END_2 + 15 };

void safeboot_init(struct safeboot *s, uint32_t debounce_ms)
{
    *s = (struct safeboot){.debounce_ms = debounce_ms};
}

/* One look per toggle: a release is noticed before the next one. The third
 * window does not look; its end is the end. */
void safeboot_step(struct safeboot *s, bool pin_high)
{
    unsigned n = s->toggles;
    s->window = n == 0 ? 0 : n <= END_1 ? 1 : n <= END_2 ? 2 : 3;
    if (n == END_3 || (!pin_high && s->window < 3)) {
        s->lit = false;
        s->done = true;
    } else if (!s->debounced) {
        s->debounced = true;
        s->wait_ms = s->debounce_ms;
    } else {
        s->lit = !s->lit;
        s->wait_ms = n < END_1 ? 500 : n < END_2 ? 250 : 100;
        s->toggles++;
    }
}
