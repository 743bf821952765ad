/* The memory a card's sectors are moved to and from: shared with the CPU of
 * one start, and kept until the last transfer that start asked for is done. */
#ifndef WIPY_BOARD_CARD_MEMORY_H
#define WIPY_BOARD_CARD_MEMORY_H

#include <stdint.h>

struct card_memory {
    uint8_t *at; /* BUS_CARD_MEMORY bytes */
    int fd;
    unsigned users;
};

/* One user; NULL when the host gives none. The CPU cannot change its size. */
struct card_memory *card_memory_new(void);
struct card_memory *card_memory_hold(struct card_memory *memory);
void card_memory_drop(struct card_memory *memory); /* NULL is allowed */

#endif
