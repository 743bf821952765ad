/* The part of the update engine that chooses the slot and keeps the record. */
#ifndef WIPY_UPDATE_SLOT_H
#define WIPY_UPDATE_SLOT_H

#include "update.h"

/* The slot an upload would take now, or SLOT_NONE. */
unsigned slot_spare(const struct update *u);

/* The same into `*slot`; when an upload cannot begin the answer says why. */
int slot_choose(struct update *u, unsigned *slot);

/* Marks u->slot as receiving: the image in it is given up, nothing may select
 * it from here on. */
int slot_open(struct update *u, enum boot_reason reason);

/* What was stored can never become an image: nobody shall resume it. */
void slot_give_up(struct update *u);

/* The image in u->slot is checked and whole: it starts next. */
int slot_commit(struct update *u, const uint8_t digest[SHA256_LEN]);

#endif
