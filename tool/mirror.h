/* The chip of a board at the other end of a serial line, as memory: read as
 * far as it is needed, the rest FF. What core/boot says of it is what the
 * board will do. */
#ifndef WIPY_TOOL_MIRROR_H
#define WIPY_TOOL_MIRROR_H

#include "boot/boot.h"
#include "loader.h"

struct mirror {
    struct loader *l;
    uint8_t *chip; /* flash_size bytes */
    struct flash flash;
    bool has_slot[SLOTS]; /* its image was read */
    bool has_rest;        /* second table and diary were read */
    bool head_only; /* of the slot asked for last only the head was read */
};

/* Reads table, boot record and keys; what is blank is not sent. */
int mirror_open(struct mirror *m, struct loader *l);
void mirror_close(struct mirror *m);

/* Reads the images of the slots, second table and diary too: what `wipy slots`
 * and `wipy log` show of `m->flash`. */
int mirror_read_slots(struct mirror *m);

/* Takes bytes that were just written and verified as if read. */
void mirror_put(struct mirror *m, uint32_t off, const void *data, size_t len);

/* What the next start will run: reads the images it depends on and makes the
 * bootloader's decision on a copy. `text` gets "factory: wipy 1.2.0 (the
 * selected image)" or why nothing boots. Over a slow line an image that was
 * not just written is not read; `text` says so. Returns 0, WIPY_ENOENT when
 * nothing boots, or an error of the line. */
int mirror_next_boot(struct mirror *m, unsigned *slot, char text[160]);

#endif
