/* The SD slot of the board as the volumes use it. */
#ifndef WIPY_FIRMWARE_VOLUME_CARD_H
#define WIPY_FIRMWARE_VOLUME_CARD_H

#include "bus/cpu.h"
#include "volume.h"

/* `bus` must outlive the volumes. */
struct volume_card card_of_bus(struct bus_cpu *bus);

#endif
