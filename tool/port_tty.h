/* The kernel's side of a serial port: speed and modem lines. One file a
 * platform; not for callers other than port.c. */
#ifndef WIPY_TOOL_PORT_TTY_H
#define WIPY_TOOL_PORT_TTY_H

#include <stdbool.h>
#include <stdint.h>

/* Raw 8N1 without flow control; closing drops no line. 0 or WIPY_EIO when
 * this is no terminal. */
int port_tty_setup(int fd, uint32_t baud);

/* After what was written has left. */
int port_tty_set_baud(int fd, uint32_t baud);

bool port_tty_has_lines(int fd);
int port_tty_set_lines(int fd, bool dtr, bool rts);

#endif
