/* One request of the control socket, taken apart: pure, so that it can be
 * fed anything. docs/CONTROL.md is the protocol. */
#ifndef WIPY_BOARD_REQUEST_H
#define WIPY_BOARD_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/chip.h"
#include "board/pins.h"

enum request_op {
    REQUEST_STATUS,
    REQUEST_RESET,
    REQUEST_POWER,
    REQUEST_PIN,
    REQUEST_LED,
    REQUEST_FAULT,
    REQUEST_SD,
    REQUEST_WATCH,
    REQUEST_QUIT,
};

enum request_fault {
    FAULT_CUT,
    FAULT_FLIP,
    FAULT_FLIPS,
    FAULT_TIMING,
    FAULT_BROWN_OUT,
    FAULT_CLEAR,
};

enum { REQUEST_FLIPS_MAX = 1 << 20, REQUEST_FOR_MAX_MS = 86400000 };

struct request {
    json_t *id; /* as sent, owned: json_decref it; NULL when none was */
    enum request_op op;

    int pin;     /* bit number, -1 = none named */
    bool drives; /* a drive was named */
    enum pin_drive drive;
    uint32_t for_ms; /* board time; 0 = until told otherwise */
    bool on;         /* power, timing */
    bool loader;     /* reset into the serial loader */
    bool wait;       /* answer when the start has settled */
    bool history;    /* led */

    enum request_fault fault;
    uint64_t nth; /* cut: which chip command from now */
    enum chip_tear tear;
    uint32_t addr;
    unsigned bit;
    uint32_t count;

    bool insert, remove;
    char file[1024];
};

/* Reads one line. Returns 0, or WIPY_EINVAL with a sentence in `why` (at
 * least 160 bytes). `request->id` is set whenever the line had one. */
int request_read(struct request *request, const char *line, size_t len,
                 char *why, size_t why_size);

#endif
