#include "firmware/trial.h"

#include "boot/boot.h"

enum {
    POLL_MS = 200,
    RETRY_MS = 1000,
    SERVICES_MS = 30000, /* the volume and the servers are up by then */
    PYTHON_MS = 5000,    /* and Python has come to a safe point */
};

void trial_init(struct trial *t, const struct trial_board *board)
{
    bool pending = board->on_trial(board->ctx);
    *t = (struct trial){.board = board,
                        .state = pending ? TRIAL_STARTING : TRIAL_NONE};
}

/* ---- the watchdog ---- */

void trial_pinged(struct trial *t)
{
    t->pinging = false;
    t->board->feed(t->board->ctx);
}

/* It cannot be disarmed: it is fed for as long as the image runs. That
 * storage answers the ping is its proof of life. */
static uint32_t feed(struct trial *t)
{
    uint32_t period = t->board->watchdog(t->board->ctx) / 4;
    if (!period)
        return UINT32_MAX;
    if (t->now_ms - t->fed_ms >= period && !t->pinging) {
        t->fed_ms = t->now_ms;
        t->pinging = true;
        t->board->ping(t->board->ctx);
    }
    return period;
}

/* ---- the confirmation ---- */

static void end(struct trial *t)
{
    t->state = TRIAL_CONFIRMED;
    t->board->ended(t->board->ctx);
}

static void again(struct trial *t)
{
    t->state = TRIAL_STARTING;
    t->retry_ms = t->now_ms + RETRY_MS;
}

static void confirm(struct trial *t)
{
    t->state = TRIAL_CONFIRMING;
    t->board->confirm(t->board->ctx);
}

void trial_confirmed(struct trial *t)
{
    if (t->board->on_trial(t->board->ctx))
        again(t);
    else
        end(t);
}

/* ---- waiting ---- */

/* Nothing is decided by that: only said, so that nobody wonders. */
static void wait_since(struct trial *t, uint32_t limit_ms)
{
    if (!t->idle_ms)
        t->idle_ms = t->now_ms;
    if (t->told || t->now_ms - t->idle_ms < limit_ms)
        return;
    t->told = true;
    t->board->waits(t->board->ctx);
}

static void waits_no_more(struct trial *t)
{
    t->idle_ms = 0;
    t->told = false;
}

/* ---- healthy() ---- */

void trial_looked(struct trial *t, enum trial_file found)
{
    if (found == TRIAL_NO_FILE)
        confirm(t);
    else if (found == TRIAL_FILE)
        t->state = TRIAL_ASKING;
    else
        again(t);
}

/* Never answered is never confirmed. */
static void ask(struct trial *t)
{
    switch (t->board->ask(t->board->ctx)) {
    case TRIAL_UNASKED:
        wait_since(t, PYTHON_MS);
        break;
    case TRIAL_WAIT:
        waits_no_more(t);
        break;
    case TRIAL_YES:
        confirm(t);
        break;
    case TRIAL_NO:
        t->state = TRIAL_FAILED;
        t->board->refused(t->board->ctx);
    }
}

/* ---- the sessions ---- */

static void check_sessions(struct trial *t)
{
    int result = t->board->tested(t->board->ctx);
    if (result < 0)
        again(t);
    if (result != 0)
        return;
    t->state = TRIAL_WAITING;
    waits_no_more(t);
}

static void begin(struct trial *t)
{
    if (!t->board->is_up(t->board->ctx) || t->now_ms < t->retry_ms)
        return;
    t->since_ms = t->now_ms;
    t->state = TRIAL_TESTING;
    t->board->test(t->board->ctx);
}

/* Confirmed or given up from Python; a job that runs is waited for. */
static bool is_decided(const struct trial *t)
{
    return t->state != TRIAL_NONE && t->state != TRIAL_CONFIRMING &&
           t->state != TRIAL_LOOKING && t->state != TRIAL_CONFIRMED &&
           !t->board->on_trial(t->board->ctx);
}

static uint32_t advance(struct trial *t)
{
    if (is_decided(t))
        end(t);
    uint64_t well_ms = t->now_ms - t->since_ms;
    switch (t->state) {
    case TRIAL_STARTING:
        wait_since(t, SERVICES_MS);
        begin(t);
        return POLL_MS;
    case TRIAL_TESTING:
        wait_since(t, SERVICES_MS);
        check_sessions(t);
        return POLL_MS;
    case TRIAL_WAITING:
        if (well_ms < BOOT_CONFIRM_MS)
            return (uint32_t)(BOOT_CONFIRM_MS - well_ms);
        t->state = TRIAL_LOOKING;
        t->board->look(t->board->ctx);
        return POLL_MS;
    case TRIAL_ASKING:
        ask(t);
        return POLL_MS;
    default:
        return UINT32_MAX;
    }
}

uint32_t trial_tick(struct trial *t, uint64_t now_ms)
{
    t->now_ms = now_ms;
    uint32_t until_test = advance(t);
    uint32_t until_feed = feed(t);
    return until_test < until_feed ? until_test : until_feed;
}
