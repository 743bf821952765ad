/* The trial of a new image: it is confirmed when, for 10 s of board time, the
 * volume is mounted and its own services answer real sessions over loopback,
 * and the user's healthy() said yes, if there is one (ARCHITECTURE section
 * 5). Also feeds the watchdog the bootloader armed for it, as long as loop
 * and storage thread both live.
 *
 * A push machine of the loop: trial_tick(). The vm thread answers for
 * healthy() by trial_asks() and trial_answer(). */
#ifndef WIPY_FIRMWARE_TRIAL_H
#define WIPY_FIRMWARE_TRIAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "firmware/storage/storage.h"

struct firmware;

enum trial_state {
    TRIAL_NONE = 0,   /* nothing to confirm */
    TRIAL_STARTING,   /* services are not up yet */
    TRIAL_TESTING,    /* sessions over loopback run */
    TRIAL_WAITING,    /* they answered; the 10 s go on */
    TRIAL_LOOKING,    /* is there a /flash/healthy.py? */
    TRIAL_ASKING,     /* healthy() is asked */
    TRIAL_CONFIRMING, /* the record is being written */
    TRIAL_CONFIRMED,  /* done, or given up by the user */
    TRIAL_FAILED,     /* healthy() said no: the next reset counts */
};

/* What the vm thread is asked and says. */
enum trial_question {
    ASK_NEVER = 0, /* no trial */
    ASK_LATER,
    ASK_NOW,
    SAID_YES,
    SAID_NO,
};

struct trial {
    enum trial_state state;
    uint64_t since_ms; /* board time: all is well since then */
    uint64_t retry_ms; /* not before: next test after a failed one */
    struct storage_job job;
    struct firmware *fw;
    int err;              /* of the job */
    _Atomic int question; /* enum trial_question */

    /* The watchdog: a ping through the storage thread feeds it. */
    struct storage_job ping;
    bool pinging;
    uint64_t fed_ms;
};

void trial_init(struct trial *t, struct firmware *fw);

/* Returns in how many ms of board time it wants to be called again;
 * UINT32_MAX = no need. */
uint32_t trial_tick(struct trial *t, uint64_t now_ms);

/* For the vm thread: is healthy() wanted? 1 now, 0 not yet, -1 never. */
int trial_asks(const struct trial *t);

/* Its answer; ignored unless asked. The loop has to be woken. */
void trial_answer(struct trial *t, bool yes);

#endif
