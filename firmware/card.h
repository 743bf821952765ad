/* The SD slot of the board as the volumes want it. */
#ifndef WIPY_FIRMWARE_CARD_H
#define WIPY_FIRMWARE_CARD_H

#include "bus/cpu.h"
#include "firmware/volume/volume.h"

struct volume_card card_of(struct bus_cpu *bus);

/* `len` bytes that the card reaches and the volumes do not use; NULL when the
 * board has none (one of before, or without a slot). */
uint8_t *card_spare_memory(const struct volume_card *card, size_t len);

#endif
