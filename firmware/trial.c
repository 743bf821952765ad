#include "firmware/trial.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
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
    atomic_init(&t->question, pending ? ASK_LATER : ASK_NEVER);
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

static void end(struct trial *t, enum trial_state state)
{
    t->state = state;
    atomic_store(&t->question, ASK_NEVER);
    firmware_show_image(t->fw);
}

static void again(struct trial *t)
{
    t->state = TRIAL_STARTING;
    t->retry_ms = bus_now_ms(&t->fw->bus) + RETRY_MS;
}

static void confirm_done(struct storage_job *job)
{
    struct trial *t = trial_of(job, offsetof(struct trial, job));
    if (!life_on_trial(&t->fw->life)) {
        end(t, TRIAL_CONFIRMED);
        return;
    }
    char line[LOG_LINE_LEN];
    snprintf(line, sizeof line, "the image cannot be confirmed: %s",
             wipy_strerror(t->err));
    firmware_log(t->fw, line);
    again(t);
}

static void confirm(struct trial *t)
{
    t->state = TRIAL_CONFIRMING;
    t->job = (struct storage_job){.run = confirm_run, .done = confirm_done};
    storage_post(&t->fw->storage, &t->job);
}

/* ---- healthy() ---- */

static void look_run(struct storage_job *job)
{
    struct trial *t = trial_of(job, offsetof(struct trial, job));
    struct volume_info info;
    t->err = volume_stat(t->fw->volumes, "/flash/healthy.py", &info);
}

static void look_done(struct storage_job *job)
{
    struct trial *t = trial_of(job, offsetof(struct trial, job));
    if (t->err == -ENOENT) {
        confirm(t);
    } else if (t->err) {
        again(t);
    } else {
        t->state = TRIAL_ASKING;
        atomic_store(&t->question, ASK_NOW);
    }
}

static void look(struct trial *t)
{
    t->state = TRIAL_LOOKING;
    t->job = (struct storage_job){.run = look_run, .done = look_done};
    storage_post(&t->fw->storage, &t->job);
}

/* Never answered is never confirmed. */
static void ask(struct trial *t)
{
    int question = atomic_load(&t->question);
    if (question == SAID_YES) {
        confirm(t);
    } else if (question == SAID_NO) {
        firmware_log(t->fw, "healthy() said no: the image stays on trial");
        t->state = TRIAL_FAILED;
    }
}

int trial_asks(const struct trial *t)
{
    int question = atomic_load(&t->question);
    return question == ASK_NOW ? 1 : question == ASK_LATER ? 0 : -1;
}

void trial_answer(struct trial *t, bool yes)
{
    int asked = ASK_NOW;
    atomic_compare_exchange_strong(&t->question, &asked,
                                   yes ? SAID_YES : SAID_NO);
}

/* ---- the sessions ---- */

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

/* Confirmed or given up from Python. */
static bool decided(const struct trial *t)
{
    return t->state != TRIAL_NONE && t->state != TRIAL_CONFIRMING &&
           t->state != TRIAL_LOOKING && t->state != TRIAL_CONFIRMED &&
           !life_on_trial(&t->fw->life);
}

static uint32_t advance(struct trial *t, uint64_t now_ms)
{
    if (decided(t))
        end(t, TRIAL_CONFIRMED);
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
        look(t);
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
    uint32_t until_test = advance(t, now_ms);
    uint32_t until_feed = feed(t, now_ms);
    return until_test < until_feed ? until_test : until_feed;
}
