/* The SD slot of the board as the volumes want it. */
#ifndef WIPY_FIRMWARE_CARD_H
#define WIPY_FIRMWARE_CARD_H

#include "bus/cpu.h"
#include "firmware/volume/volume.h"

struct volume_card card_of(struct bus_cpu *bus);

#endif
