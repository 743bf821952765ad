/* The NOR flash as every room above sees it: a small table of functions.
 *
 * Rules of the chip (W25Q data sheet, sections "Page Program", "Sector
 * Erase"): programming can only turn 1 into 0; erasing turns a whole sector
 * to FF; a power cut may leave any part of a command done.
 *
 * All functions return 0 or a negative enum wipy_err; WIPY_ELOCKED when the
 * range is locked until reset. */
#ifndef WIPY_FLASH_FLASH_H
#define WIPY_FLASH_FLASH_H

#include <stddef.h>
#include <stdint.h>

enum {
    FLASH_PAGE = 256,          /* most one program step of the chip covers */
    FLASH_SECTOR = 4096,       /* least that can be erased */
    FLASH_BLOCK = 65536,       /* erased at once when aligned: cheaper a byte */
    FLASH_PROGRAM_MAX = 65536, /* most one program command carries */
};

typedef uint32_t flash_off; /* byte offset on the chip */

struct flash {
    void *ctx;
    uint32_t size; /* bytes; a multiple of FLASH_SECTOR */

    /* `off + len` must lie inside the chip. */
    int (*read)(void *ctx, flash_off off, void *to, size_t len);

    /* Any offset and length up to FLASH_PROGRAM_MAX; applied page by page.
     * Bits already 0 stay 0. Does not verify. */
    int (*program)(void *ctx, flash_off off, const void *from, size_t len);

    /* Both multiples of FLASH_SECTOR; aligned 64 KiB runs use block erase. */
    int (*erase)(void *ctx, flash_off off, size_t len);

    /* Returns when everything before it survives a loss of the host's power.
     * A real chip needs nothing here; NULL means just that. */
    int (*sync)(void *ctx);

    /* Memory-mapped view of the whole chip, or NULL when there is none. */
    const uint8_t *map;
};

static inline int flash_read(const struct flash *f, flash_off off, void *to,
                             size_t len)
{
    return f->read(f->ctx, off, to, len);
}

static inline int flash_program(const struct flash *f, flash_off off,
                                const void *from, size_t len)
{
    return f->program(f->ctx, off, from, len);
}

static inline int flash_erase(const struct flash *f, flash_off off, size_t len)
{
    return f->erase(f->ctx, off, len);
}

static inline int flash_sync(const struct flash *f)
{
    return f->sync ? f->sync(f->ctx) : 0;
}

#endif
