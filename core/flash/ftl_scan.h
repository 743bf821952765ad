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
};

/* Finds the newest epoch, its last commit and the newest base of every
 * sector. Unit states are CLOSED and FREE afterwards; live records are not
 * counted yet. Torn records are overwritten. */
void scan_units(struct ftl *ftl, struct scan *scan);
/* Then: the small changes that count. */
void scan_deltas(struct ftl *ftl, struct scan *scan);
/* Makes all records above the last commit invalid for ever. Sets `readonly`
 * when the flash does not let it. */
void scan_kill(struct ftl *ftl);

#endif
