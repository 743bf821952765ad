/* The flash parameters in a bootloader's header, as public flashers set them:
 * mode, frequency, size. */
#ifndef WIPY_TOOL_FLASH_HEADER_H
#define WIPY_TOOL_FLASH_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader_args.h"

struct flash_header {
    bool has_mode, has_freq, has_size, detect;
    uint8_t mode, freq, size; /* as in the header */
};

/* --flash-mode, --flash-freq, --flash-size (and fm, ff, fs): 0 or
 * EXIT_USAGE after a message. "keep" is taken as not given. */
int flash_header_take(struct flash_header *h, struct args *a);

/* Changes the header of an image at 0x1000 and its digest. Others, and an
 * image that is so already, are left alone. 0 or an exit code. */
int flash_header_patch(const struct flash_header *h, const char *name,
                       uint32_t off, uint8_t *data, size_t len,
                       uint32_t chip_size, bool quiet);

#endif
