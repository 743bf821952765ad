/* The part of the update engine that judges and hashes the bytes. */
#ifndef WIPY_UPDATE_INTAKE_H
#define WIPY_UPDATE_INTAKE_H

#include "answer.h"

/* Starts afresh in u->slot. */
void intake_begin(struct update *u, uint32_t size);

/* Goes on behind the `resume` bytes that are stored: they are hashed again
 * from the chip; nothing of them is believed. */
int intake_resume(struct update *u, uint32_t resume);

/* The next bytes. */
int intake_write(struct update *u, const uint8_t *data, size_t len);

/* What waits in the sector buffer goes to the chip too. */
int intake_flush(struct update *u);

/* The whole image, as it is on the chip: 0 and its digest, or the failure. */
int intake_check(struct update *u, uint8_t digest[SHA256_LEN]);

/* The upload is over. */
int intake_fail(struct update *u, enum answer a);
int intake_fail_flash(struct update *u, int err);

#endif
