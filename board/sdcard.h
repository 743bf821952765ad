/* The card slot: a file or block device in place of a card, read and written
 * in sectors of 512 bytes. */
#ifndef WIPY_BOARD_SDCARD_H
#define WIPY_BOARD_SDCARD_H

#include <stdbool.h>
#include <stdint.h>

#include "board/problem.h"

struct sdcard {
    int fd; /* -1 = the slot is empty */
    bool readonly;
    uint64_t sectors;
    uint32_t insertions;      /* so far, this one included */
    _Atomic unsigned changes; /* insertions and removals; for other threads */
    char path[1024];
};

void sdcard_init(struct sdcard *card);

/* Puts `path` into the slot: read-only when it cannot be written. It must be
 * whole sectors, at least one, and nobody else's: WIPY_EBUSY when another
 * board has it. A card in the slot is taken out first, if the new one fits. */
int sdcard_insert(struct sdcard *card, const char *path,
                  struct problem *problem);

/* Takes the card out; the slot may be empty already. */
void sdcard_remove(struct sdcard *card);

/* `len` is a multiple of 512. WIPY_ENOENT without a card, WIPY_ERANGE past
 * its end, WIPY_EPERM when it is read-only, WIPY_EIO. These three work on a
 * descriptor of the card, so that they may run on another thread while the
 * card is taken out. */
int sdcard_read(int fd, uint64_t sectors, uint32_t first, void *to,
                uint32_t len);
int sdcard_write(int fd, uint64_t sectors, uint32_t first, const void *from,
                 uint32_t len);
int sdcard_sync(int fd);

#endif
