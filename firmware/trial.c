#include "firmware/trial.h"

#include <stddef.h>

#include "firmware/firmware.h"

enum { POLL_MS = 200, RETRY_MS = 1000 };

static struct trial *trial_of(struct storage_job *job, size_t offset)
{
    return (struct trial *)(void *)((char *)job - offset);
}

void trial_init(struct trial *t, struct firmware *fw)
{
    bool pending = life_on_trial(&fw->life);
    *t = (struct trial){.state = pending ? TRIAL_STARTING : TRIAL_NONE,
                        .fw = fw};
}

/* ---- the watchdog ---- */

static void ping_run(struct storage_job *job)
{
    (void)job; /* that it runs at all is the proof of life */
}

static void ping_done(struct storage_job *job)
{
    struct trial *t = trial_of(job, offsetof(struct trial, ping));
    t->pinging = false;
    t->fw->bus.regs->wdt_feed++;
}

/* The bootloader's watchdog cannot be disarmed: it is fed for as long as the
 * image runs, unless a script took it over with machine.WDT. */
static uint32_t feed(struct trial *t, uint64_t now_ms)
{
    uint32_t timeout = t->fw->life.handover.watchdog_ms;
    if (!timeout || t->fw->script_watchdog)
        return UINT32_MAX;
    uint32_t period = timeout / 4;
    if (now_ms - t->fed_ms >= period && !t->pinging) {
        t->fed_ms = now_ms;
        t->pinging = true;
        t->ping = (struct storage_job){.run = ping_run, .done = ping_done};
        storage_post(&t->fw->storage, &t->ping);
    }
    return period;
}

/* ---- the confirmation ---- */

static void confirm_run(struct storage_job *job)
{
    struct trial *t = trial_of(job, offsetof(struct trial, job));
    t->err = life_confirm(&t->fw->life, REASON_SELF_TEST, firmware_rtc(t->fw));
}

static void confirm_done(struct storage_job *job)
{
    struct trial *t = trial_of(job, offsetof(struct trial, job));
    t->state = TRIAL_CONFIRMED;
    firmware_show_image(t->fw);
}

static void confirm(struct trial *t)
{
    t->state = TRIAL_CONFIRMING;
    t->job = (struct storage_job){.run = confirm_run, .done = confirm_done};
    storage_post(&t->fw->storage, &t->job);
}

static void ask(struct trial *t)
{
    int answer = firmware_ask_healthy(t->fw);
    if (answer < 0)
        return; /* not answered yet */
    if (answer)
        confirm(t);
    else
        t->state = TRIAL_FAILED;
}

static void check_sessions(struct trial *t, uint64_t now_ms)
{
    int result = net_selftest_result(t->fw->net);
    if (result == 0) {
        t->state = TRIAL_WAITING;
    } else if (result < 0) {
        t->state = TRIAL_STARTING;
        t->retry_ms = now_ms + RETRY_MS;
    }
}

static bool all_is_up(const struct trial *t)
{
    return t->fw->volumes_ok && net_is_up(t->fw->net);
}

static uint32_t advance(struct trial *t, uint64_t now_ms)
{
    switch (t->state) {
    case TRIAL_STARTING:
        if (!all_is_up(t) || now_ms < t->retry_ms)
            return POLL_MS;
        t->since_ms = now_ms;
        net_selftest_start(t->fw->net);
        t->state = TRIAL_TESTING;
        return POLL_MS;
    case TRIAL_TESTING:
        check_sessions(t, now_ms);
        return POLL_MS;
    case TRIAL_WAITING:
        if (now_ms - t->since_ms < BOOT_CONFIRM_MS)
            return (uint32_t)(BOOT_CONFIRM_MS - (now_ms - t->since_ms));
        t->state = TRIAL_ASKING;
        return 1;
    case TRIAL_ASKING:
        ask(t);
        return POLL_MS;
    default:
        return UINT32_MAX;
    }
}

uint32_t trial_tick(struct trial *t, uint64_t now_ms)
{
    uint32_t until_test = advance(t, now_ms);
    uint32_t until_feed = feed(t, now_ms);
    return until_test < until_feed ? until_test : until_feed;
}
