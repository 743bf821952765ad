/* The boot ROM: what is in the silicon and runs before anything of ours.
 *
 * It checks the image at 0x1000 as the original's ROM does (magic, bounded
 * segments, XOR checksum) and copies its executable into memory. Whether
 * that executable may run is for the walls of board/confine.h. */
#ifndef WIPY_BOARD_BOOT_ROM_H
#define WIPY_BOARD_BOOT_ROM_H

#include "board/chip.h"
#include "image/image.h"

struct boot_rom_result {
    int program;            /* memory file with the executable, or -1 */
    enum image_fault fault; /* why there is none */
};

/* Looks at the chip's bootloader. `program` is sealed against changes and
 * belongs to the caller; it is -1 with IMAGE_FINE when the host has no memory
 * for it. */
struct boot_rom_result boot_rom_load(const struct chip *chip);

#endif
