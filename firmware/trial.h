/* The trial of a new image: it is confirmed when, for 10 s of board time, the
 * volume is mounted and its own services answer real sessions over loopback,
 * and the user's healthy() said yes, if there is one (ARCHITECTURE section
 * 5). Also feeds the watchdog the bootloader armed for it, as long as loop
 * and storage thread both live.
 *
 * A push machine of the loop: trial_tick() only. */
#ifndef WIPY_FIRMWARE_TRIAL_H
#define WIPY_FIRMWARE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/storage/storage.h"

struct firmware;

enum trial_state {
    TRIAL_NONE = 0,    /* nothing to confirm */
    TRIAL_STARTING,    /* services are not up yet */
    TRIAL_TESTING,     /* sessions over loopback run */
    TRIAL_WAITING,     /* they answered; the 10 s go on */
    TRIAL_ASKING,      /* healthy() is asked */
    TRIAL_CONFIRMING,  /* the record is being written */
    TRIAL_CONFIRMED,   /* done */
    TRIAL_FAILED,      /* healthy() said no: the next reset counts */
};

struct trial {
    enum trial_state state;
    uint64_t since_ms; /* board time: all is well since then */
    uint64_t retry_ms; /* not before: next test after a failed one */
    struct storage_job job;
    struct firmware *fw;
    int err; /* of the confirmation */

    /* The watchdog: a ping through the storage thread feeds it. */
    struct storage_job ping;
    bool pinging;
    uint64_t fed_ms;
};

void trial_init(struct trial *t, struct firmware *fw);

/* Returns in how many ms of board time it wants to be called again;
 * UINT32_MAX = no need. */
uint32_t trial_tick(struct trial *t, uint64_t now_ms);

#endif
