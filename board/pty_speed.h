/* The speed a pty's client has set, custom rates included. In a file of its
 * own because the kernel's header for it and <termios.h> exclude each other. */
#ifndef WIPY_BOARD_PTY_SPEED_H
#define WIPY_BOARD_PTY_SPEED_H

#include <stdint.h>

/* Bits per second as set on the slave of `master`; 0 when unknown. */
uint32_t pty_speed(int master);

#endif
