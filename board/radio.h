/* The radio as far as the board has a say: on which address and ports the
 * services may listen. The CPU opens the ports itself; the board tries them
 * first, so that a port in use is told before anything starts. */
#ifndef WIPY_BOARD_RADIO_H
#define WIPY_BOARD_RADIO_H

#include <stdbool.h>
#include <stdint.h>

#include "board/problem.h"

enum { RADIO_DEFAULT = -1 }; /* no port asked for */

struct radio_wish {
    const char *bind; /* dotted address; NULL = 127.0.0.1 */
    /* The serial line knows no password: only where asked for, else here. */
    const char *serial_bind;
    int telnet, ftp, ftp_data, serial; /* 0 = any free, or RADIO_DEFAULT */
};

struct radio {
    uint32_t address, serial_address; /* network order */
    uint16_t telnet, ftp, ftp_data;
};

/* Settles address and ports. Defaults: 23 and 21 if this process may listen
 * there, else 2323 and 2121; 2024 for data, any if that is in use. WIPY_EBUSY
 * when a port is in use, WIPY_EINVAL for an address that is none of ours. */
int radio_settle(struct radio *radio, const struct radio_wish *wish,
                 struct problem *problem);

/* A listening TCP socket, or -1 with errno; `*got` is its port. */
int radio_listen(uint32_t address, uint16_t port, uint16_t *got);

/* Why radio_listen failed (from errno), in words, and what to do. */
int radio_problem(struct problem *problem, const char *service,
                  uint32_t address, uint16_t port);

#endif
