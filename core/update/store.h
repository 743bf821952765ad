/* The part of the update engine that writes the slot. */
#ifndef WIPY_UPDATE_STORE_H
#define WIPY_UPDATE_STORE_H

#include "update.h"

/* The slot on the chip, as memory. */
const uint8_t *store_view(const struct update *u);

/* Writes at slot offset u->stored (a multiple of the sector) and moves it on.
 * Sectors that hold these bytes already are left alone; others are erased
 * where they are not blank, 64 KiB at once where a block begins; what was
 * programmed is read back and compared. Whole 64 KiB are noted in the
 * record. */
int store_write(struct update *u, const uint8_t *data, size_t len);

/* Erases the block at `*off` unless it is blank; moves `*off` on. */
int store_erase_ahead(struct update *u, uint32_t *off);

#endif
