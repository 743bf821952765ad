/* Commands that take time, the chip file's sync and the card's: off the loop.
 * Who serves one stays on the line for a moment and serves the card commands
 * that follow, so that a long transfer does not wake the loop at all. */
#ifndef WIPY_BOARD_BUS_JOB_H
#define WIPY_BOARD_BUS_JOB_H

#include "board/bus_port.h"

/* True for those this is for. */
bool bus_job_is_for(uint32_t op);

/* Serves `command`, in a packet of `len` bytes in port->packet, and answers
 * it. The loop reads no further command until this is done. */
void bus_job_start(struct bus_port *port, const struct command *command,
                   size_t len);

#endif
