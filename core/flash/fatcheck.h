/* Checks the structures of a FAT12 or FAT16 volume without partition table,
 * held in memory: boot sector, FAT, folders, chains (Microsoft FAT
 * specification). It reads nothing outside the image whatever the image
 * says. */
#ifndef WIPY_FLASH_FATCHECK_H
#define WIPY_FLASH_FATCHECK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of scratch memory: one bit a cluster. */
#define FATCHECK_SCRATCH (65536 / 8)

struct fatcheck {
    uint32_t files, folders;
    uint32_t clusters, used; /* of the volume; in chains */
    uint32_t problems;

    /* Told of each problem, a sentence; may be NULL. */
    void (*problem)(void *ctx, const char *text, uint32_t cluster);
    void *ctx;
};

/* Counts into `check` (problem and ctx set by the caller, the rest 0).
 * Returns 0 when the volume is sound, WIPY_ECORRUPT when there are problems,
 * WIPY_EFORMAT when it is no FAT12/16 volume. */
int fatcheck_run(struct fatcheck *check, const uint8_t *image, uint32_t sectors,
                 uint8_t scratch[FATCHECK_SCRATCH]);

#endif
