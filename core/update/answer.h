/* Everything the update engine can say: one table of error, outcome and
 * sentence. */
#ifndef WIPY_UPDATE_ANSWER_H
#define WIPY_UPDATE_ANSWER_H

#include "update.h"

enum answer {
    ANSWER_UPDATED,
    ANSWER_PREPARED,
    ANSWER_VERIFIED,
    /* Refused before anything was changed. */
    ANSWER_BUSY,
    ANSWER_ON_TRIAL,
    ANSWER_KEYS_LOST,
    ANSWER_NO_RECORD,
    ANSWER_NO_SLOT,
    ANSWER_SLOT_RUNS,
    ANSWER_TOO_LONG,
    ANSWER_RESUME,
    ANSWER_NOT_BEGUN,
    ANSWER_EMPTY,
    ANSWER_NONE_PENDING,
    ANSWER_ROTTEN,
    /* During an upload: it is over. */
    ANSWER_TOO_SHORT,
    ANSWER_IMAGE_TOO_LONG,
    ANSWER_CUT_SHORT,
    ANSWER_BYTES_FOLLOW,
    ANSWER_FAULT,
    ANSWER_OTHER_MACHINE,
    ANSWER_REAL_ESP32,
    ANSWER_SIGNATURE,
    ANSWER_INCOMPLETE,
    /* The flash failed with u->error. */
    ANSWER_FLASH,
    ANSWER_LOCKED,
    ANSWER_NOT_PREPARED,
};

/* Sets text and outcome; returns the error. */
int update_say(struct update *u, enum answer a);

#endif
