#include "firmware/trial_board.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "firmware/firmware.h"

/* The wires a job belongs to. */
#define WIRES(job, member)                                                     \
    ((struct trial_wires *)(void *)((char *)(job)-offsetof(struct trial_wires, \
                                                           member)))

static bool on_trial(void *ctx)
{
    const struct trial_wires *w = ctx;
    return life_on_trial(&w->fw->life);
}

static bool is_up(void *ctx)
{
    const struct trial_wires *w = ctx;
    return w->fw->volumes_ok && net_is_up(w->fw->net);
}

static void test(void *ctx)
{
    const struct trial_wires *w = ctx;
    net_selftest_start(w->fw->net);
}

static int tested(void *ctx)
{
    const struct trial_wires *w = ctx;
    return net_selftest_result(w->fw->net);
}

static void post(struct trial_wires *w, struct storage_job *job,
                 void (*run)(struct storage_job *job),
                 void (*done)(struct storage_job *job))
{
    *job = (struct storage_job){.run = run, .done = done};
    storage_post(&w->fw->storage, job);
}

/* ---- healthy() ---- */

static void look_run(struct storage_job *job)
{
    struct trial_wires *w = WIRES(job, look);
    struct volume_info info;
    w->err = volume_stat(w->fw->volumes, "/flash/healthy.py", &info);
}

static void look_done(struct storage_job *job)
{
    struct trial_wires *w = WIRES(job, look);
    trial_looked(&w->trial, w->err == -ENOENT ? TRIAL_NO_FILE
                            : w->err          ? TRIAL_UNKNOWN
                                              : TRIAL_FILE);
}

static void look(void *ctx)
{
    struct trial_wires *w = ctx;
    post(w, &w->look, look_run, look_done);
}

static enum trial_answer ask(void *ctx)
{
    struct trial_wires *w = ctx;
    switch (vm_health_ask(&w->health)) {
    case VM_HEALTH_RUNNING:
        return TRIAL_WAIT;
    case VM_HEALTH_YES:
        return TRIAL_YES;
    case VM_HEALTH_NO:
        return TRIAL_NO;
    default:
        return TRIAL_UNASKED;
    }
}

#define BUSY "waits: Python is busy"

static void note(struct trial_wires *w, const char *what)
{
    life_note_unhealthy(&w->fw->life, what, firmware_rtc(w->fw));
}

static void refused_run(struct storage_job *job)
{
    struct trial_wires *w = WIRES(job, refused);
    note(w, w->health.reason);
}

static void busy_run(struct storage_job *job)
{
    note(WIRES(job, waits), BUSY);
}

static void tell(struct trial_wires *w, const char *why)
{
    char line[LOG_LINE_LEN];
    snprintf(line, sizeof line, "%s: the image stays on trial", why);
    firmware_log(w->fw, line);
    snprintf(w->fw->life.doubt, sizeof w->fw->life.doubt, "%s", why);
    firmware_show_image(w->fw);
}

static void refused(void *ctx)
{
    struct trial_wires *w = ctx;
    char why[VM_HEALTH_REASON + 16];
    snprintf(why, sizeof why, "healthy() %s", w->health.reason);
    tell(w, why);
    post(w, &w->refused, refused_run, NULL);
}

/* Once for the services and once for Python, long after each other. */
static void waits(void *ctx)
{
    struct trial_wires *w = ctx;
    if (w->trial.state == TRIAL_ASKING) {
        tell(w, "healthy() " BUSY);
        post(w, &w->waits, busy_run, NULL);
    } else {
        tell(w, w->fw->volumes_ok ? "its servers do not answer"
                                  : "/flash is not mounted");
    }
}

/* ---- confirmation ---- */

static void confirm_run(struct storage_job *job)
{
    struct trial_wires *w = WIRES(job, confirm);
    w->err = life_confirm(&w->fw->life, REASON_SELF_TEST, firmware_rtc(w->fw));
}

static void confirm_done(struct storage_job *job)
{
    struct trial_wires *w = WIRES(job, confirm);
    if (on_trial(w)) {
        char line[LOG_LINE_LEN];
        snprintf(line, sizeof line, "the image cannot be confirmed: %s",
                 wipy_strerror(w->err));
        firmware_log(w->fw, line);
    }
    trial_confirmed(&w->trial);
}

static void confirm(void *ctx)
{
    struct trial_wires *w = ctx;
    post(w, &w->confirm, confirm_run, confirm_done);
}

static void ended(void *ctx)
{
    const struct trial_wires *w = ctx;
    firmware_show_image(w->fw);
}

/* ---- the watchdog ---- */

/* A script may have taken it over with machine.WDT. */
static uint32_t watchdog(void *ctx)
{
    const struct trial_wires *w = ctx;
    return w->fw->script_watchdog ? 0 : w->fw->life.handover.watchdog_ms;
}

static void ping_run(struct storage_job *job)
{
    (void)job; /* that it runs at all is the proof of life */
}

static void ping_done(struct storage_job *job)
{
    trial_pinged(&WIRES(job, ping)->trial);
}

static void ping(void *ctx)
{
    struct trial_wires *w = ctx;
    post(w, &w->ping, ping_run, ping_done);
}

static void feed(void *ctx)
{
    struct trial_wires *w = ctx;
    w->fw->bus.regs->wdt_feed++;
}

void trial_wires_init(struct trial_wires *w, struct firmware *fw)
{
    *w = (struct trial_wires){
        .fw = fw,
        .board = {.ctx = w,
                  .on_trial = on_trial,
                  .is_up = is_up,
                  .test = test,
                  .tested = tested,
                  .look = look,
                  .ask = ask,
                  .confirm = confirm,
                  .refused = refused,
                  .waits = waits,
                  .ended = ended,
                  .watchdog = watchdog,
                  .ping = ping,
                  .feed = feed},
    };
    trial_init(&w->trial, &w->board);
}
