/* Tells the translation layer which sectors of a FAT volume are free: a
 * cluster whose FAT entry is 0 holds nothing. FatFs as packaged never says so
 * itself, and without it a full-looking log is collected over and over.
 *
 * Knows FAT12 and FAT16 without partition table, as volume_mkfs makes them
 * (Microsoft FAT specification, sections 3 and 4). Anything else is left
 * alone: nothing is trimmed. */
#ifndef WIPY_FLASH_FATTRIM_H
#define WIPY_FLASH_FATTRIM_H

#include "flash/ftl.h"

struct fattrim {
    bool valid;
    bool fat16; /* else FAT12 */
    uint32_t fat, fat_sectors;
    uint32_t data;        /* first sector of cluster 2 */
    uint32_t per_cluster; /* sectors */
    uint32_t clusters;
};

/* Reads the boot sector, trims all that is free (nothing of a volume that is
 * read-only), and stays: from then on every commit trims what it freed. Call after each ftl_mount or ftl_format
 * and again when the volume has been made anew. */
void fattrim_attach(struct fattrim *trim, struct ftl *ftl);

#endif
