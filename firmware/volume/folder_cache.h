/* The sectors of FAT and folders FatFs looked at last, of the flash. It walks
 * a folder from its start for every name, several times when it makes one;
 * this spares the flash all but the first walk of a folder of about a thousand
 * files. What is written goes through: nothing here is ever newer than what
 * the translation layer has. */
#ifndef WIPY_FIRMWARE_VOLUME_FOLDER_CACHE_H
#define WIPY_FIRMWARE_VOLUME_FOLDER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

enum { FOLDER_CACHE_SECTORS = 128, FOLDER_CACHE_SECTOR = 512 };

struct folder_cache {
    uint32_t sector[FOLDER_CACHE_SECTORS]; /* plus 1; 0: empty */
    uint32_t random;
    uint8_t data[FOLDER_CACHE_SECTORS][FOLDER_CACHE_SECTOR];
};

/* Before the volume is mounted, and again each time it is. */
void folder_cache_clear(struct folder_cache *c);

/* False when the sector is not held. */
bool folder_cache_get(const struct folder_cache *c, uint32_t sector,
                      uint8_t *to);

/* What was read, or written, there. */
void folder_cache_put(struct folder_cache *c, uint32_t sector,
                      const uint8_t *from);

/* Something else was, or may have been, written there. */
void folder_cache_drop(struct folder_cache *c, uint32_t sector, uint32_t count);

#endif
