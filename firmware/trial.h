/* The trial of a new image: it is confirmed when, for 10 s of board time, the
 * volume is mounted and its own services answer real sessions over loopback,
 * and the user's healthy() said yes, if there is one (ARCHITECTURE section
 * 5). Also feeds the watchdog the bootloader armed for it, as long as loop
 * and storage thread both live.
 *
 * A push machine of the loop: it is fed board time and the ends of what it
 * began, and acts through a table of functions (trial_board.c). */
#ifndef WIPY_FIRMWARE_TRIAL_H
#define WIPY_FIRMWARE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

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

/* UNASKED: Python cannot be asked yet, TRIAL_WAIT: it is thinking. */
enum trial_answer { TRIAL_UNASKED, TRIAL_WAIT, TRIAL_YES, TRIAL_NO };

/* What a trial does on its board. None of them blocks. */
struct trial_board {
    void *ctx;
    bool (*on_trial)(void *ctx); /* the record still says so */
    bool (*is_up)(void *ctx);    /* volume mounted, services listen */
    void (*test)(void *ctx);     /* starts sessions over loopback */
    int (*tested)(void *ctx);    /* 1 they run, 0 they answered, < 0 not */
    void (*look)(void *ctx);     /* ends in trial_looked() */
    enum trial_answer (*ask)(void *ctx); /* healthy(), again and again */
    void (*waits)(void *ctx);            /* for long: tell everybody */
    void (*confirm)(void *ctx);          /* ends in trial_confirmed() */
    void (*refused)(void *ctx);          /* healthy() said no: tell everybody */
    void (*ended)(void *ctx);        /* confirmed, or given up by the user */
    uint32_t (*watchdog)(void *ctx); /* ms it has to be fed in, 0: not by us */
    void (*ping)(void *ctx);         /* storage, which ends in trial_pinged() */
    void (*feed)(void *ctx);
};

struct trial {
    const struct trial_board *board;
    enum trial_state state;
    uint64_t now_ms;   /* board time of the last tick */
    uint64_t idle_ms;  /* it waits since then */
    bool told;         /* that it waits for long */
    uint64_t since_ms; /* all is well since then */
    uint64_t retry_ms; /* not before: next test after a failed one */
    bool pinging;
    uint64_t fed_ms;
};

/* `board` stays valid. */
void trial_init(struct trial *t, const struct trial_board *board);

/* Returns in how many ms of board time it wants to be called again;
 * UINT32_MAX = no need. */
uint32_t trial_tick(struct trial *t, uint64_t now_ms);

enum trial_file { TRIAL_NO_FILE, TRIAL_FILE, TRIAL_UNKNOWN };

void trial_looked(struct trial *t, enum trial_file found);
void trial_confirmed(struct trial *t); /* or not: the record says */
void trial_pinged(struct trial *t);

#endif
