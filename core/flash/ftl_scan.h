/* Private to mounting: what a pass over the flash finds out. */
#ifndef WIPY_FLASH_FTL_SCAN_H
#define WIPY_FLASH_FTL_SCAN_H

#include "ftl_int.h"

struct scan {
    uint32_t epoch_limit;  /* newer ones are not looked at */
    bool any;              /* a header of ours was seen */
    uint64_t newest;       /* seq of any record */
    bool crowded;          /* there was no room for all deltas */
    enum record_kind only; /* of deltas; RECORD_NONE = both kinds */
    uint64_t limit;        /* records with higher numbers are left out */
    bool deep;             /* go on behind a torn record */
    bool doubt;            /* an epoch that lost its commits was passed over */
};

/* Finds the newest epoch, its last commit and the newest base of every
 * sector. Unit states are CLOSED and FREE afterwards; live records are not
 * counted yet. LOST are those whose header cannot be read. Writes nothing. */
void scan_units(struct ftl *ftl, struct scan *scan);
/* Then: the small changes that count. */
void scan_deltas(struct ftl *ftl, struct scan *scan);
/* Makes all records above the last commit, and torn ones, invalid for ever.
 * Sets `readonly` when the flash does not let it. */
void scan_kill(struct ftl *ftl, struct scan *scan);

/* An erase or a program that is cut short leaves bits 1 that are 1 before and
 * after it: what is the same in all headers is still there. */
bool header_is_remnant(const uint8_t raw[UNIT_HEADER]);

/* ---- ftl_damage.c ---- */

/* Moves the walk from the torn record `torn` to the next sound one behind it;
 * false = none near. */
bool record_behind(struct ftl *ftl, struct record_walk *walk,
                   const struct record *torn);
/* Neither blank nor cleared at an earlier mount. */
bool head_is_torn(struct ftl *ftl, uint32_t place);
/* Walks to what ends the unit's log; `r` is of that. */
enum record_read log_end(struct ftl *ftl, struct record_walk *walk,
                         struct record *r);
/* Puts torn records right that are one bit short of sound; true when it did:
 * scan again. */
bool damage_heal(struct ftl *ftl);
/* After a scan up to the last commit: whether something is lost that no power
 * cut can have taken. Says what in `ftl->damage`. */
bool damage_find(struct ftl *ftl);

#endif
