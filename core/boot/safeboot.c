#include "safeboot.h"

enum { LOOK, DEBOUNCED, WINDOW_1, WINDOW_2, WINDOW_3, DONE };

struct window {
    uint16_t toggle_ms;
    uint8_t toggles;
};

/* Spec 4.2: 3 s slowly, 3 s faster, 1.5 s quickly. */
static const struct window windows[] = {{500, 6}, {250, 12}, {100, 15}};

void safeboot_init(struct safeboot *s, uint32_t debounce_ms)
{
    *s = (struct safeboot){.debounce_ms = debounce_ms};
}

static void finish(struct safeboot *s, uint8_t window)
{
    s->phase = DONE;
    s->window = window;
    s->lit = false;
    s->done = true;
    s->wait_ms = 0;
}

static void toggle(struct safeboot *s)
{
    s->lit = !s->lit;
    s->toggles++;
    s->wait_ms = windows[s->phase - WINDOW_1].toggle_ms;
}

/* One look per toggle: a release is noticed before the next one. The third
 * window does not look; its end is the end. */
static void window_step(struct safeboot *s, bool pin_high)
{
    if (s->phase < WINDOW_3 && !pin_high) {
        finish(s, (uint8_t)(s->phase - WINDOW_1 + 1));
        return;
    }
    if (s->toggles == windows[s->phase - WINDOW_1].toggles) {
        if (s->phase == WINDOW_3) {
            finish(s, 3);
            return;
        }
        s->phase++;
        s->toggles = 0;
    }
    toggle(s);
}

void safeboot_step(struct safeboot *s, bool pin_high)
{
    if (s->phase == DONE)
        return;
    if (s->phase == LOOK && pin_high) {
        s->phase = DEBOUNCED;
        s->wait_ms = s->debounce_ms;
        return;
    }
    if (s->phase <= DEBOUNCED && !pin_high) {
        finish(s, 0);
        return;
    }
    if (s->phase == DEBOUNCED)
        s->phase = WINDOW_1;
    window_step(s, pin_high);
}
