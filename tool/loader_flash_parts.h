/* Between loader_flash.c, loader_read.c and loader_write.c; not for callers. */
#ifndef WIPY_TOOL_LOADER_FLASH_PARTS_H
#define WIPY_TOOL_LOADER_FLASH_PARTS_H

#include "file_digest.h"
#include "flash/flash.h"
#include "loader_flash.h"

enum {
    ERASE_MS_PER_MB = 40000,
    FRAME_MS = 5000,
};

static inline uint32_t per_mb(uint32_t ms, uint32_t len)
{
    return 3000 + (uint32_t)((uint64_t)ms * len >> 20);
}

static inline uint32_t sectors_of(size_t len)
{
    return (uint32_t)((len + FLASH_SECTOR - 1) / FLASH_SECTOR);
}

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline uint32_t blocks_of(const struct loader *l, size_t len)
{
    return (uint32_t)((len + l->block - 1) / l->block);
}

/* 1 when the chip holds the file at `off`, 0 when not, negative: error. */
int loader_holds(struct loader *l, uint32_t off, struct file_digest *file);

/* Sets differs[i] for each sector of the file that does: the whole is compared
 * first, then blocks of 64 KiB, then, where few differ or `fine`, sectors.
 * Leaves what was not compared. */
int loader_differences(struct loader *l, uint32_t off, struct file_digest *file,
                       bool *differs, bool fine);

/* Announces a write (op FLASH_BEGIN or DEFL_BEGIN); the ROM erases now. */
int loader_begin(struct loader *l, uint8_t op, uint32_t size, uint32_t blocks,
                 uint32_t off);

#endif
