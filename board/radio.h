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

/* Where a service may listen. */
struct radio_port {
    const char *service;
    uint16_t number; /* 0 = any free one */
    uint16_t last;   /* which one that was; 0 = not known yet */
};

struct radio {
    uint32_t address, serial_address; /* network order */
    struct radio_port telnet, ftp, ftp_data;
};

/* Settles address and ports. Defaults: 23 and 21 if this process may listen
 * there, else 2323 and 2121; 2024 for data, any if that is in use. WIPY_EBUSY
 * when a port is in use, WIPY_EINVAL for an address that is none of ours. */
int radio_settle(struct radio *radio, const struct radio_wish *wish,
                 struct problem *problem);

/* The service listens on port `number` now (0 = nowhere), says the CPU. */
void radio_heard(struct radio_port *port, uint32_t number);

/* The port to ask for at a start. Where any would do it is the last one, so
 * that clients find the board again after a reset; 0 when another program has
 * it by now. */
uint16_t radio_next(const struct radio *radio, const struct radio_port *port);

/* A listening TCP socket, or -1 with errno; `*got` is its port. */
int radio_listen(uint32_t address, uint16_t port, uint16_t *got);

/* Why radio_listen failed (from errno), in words, and what to do. */
int radio_problem(struct problem *problem, const char *service,
                  uint32_t address, uint16_t port);

#endif
