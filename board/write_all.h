#ifndef WIPY_BOARD_WRITE_ALL_H
#define WIPY_BOARD_WRITE_ALL_H

#include <stdbool.h>
#include <stddef.h>

/* Writes everything, however many calls it takes; false with errno. */
bool write_all(int fd, const void *data, size_t len);

#endif
