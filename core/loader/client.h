/* Host end of the serial loader: one command at a time as a push machine.
 *
 * The caller queues a command, carries bytes both ways and feeds time; the
 * machine finds the matching answer among stale ones, cuts the status off in
 * either dialect and says when time is up. What to ask in which order is the
 * caller's (tool/loader.h). */
#ifndef WIPY_LOADER_CLIENT_H
#define WIPY_LOADER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"
#include "loader/protocol.h"
#include "loader/slip.h"

enum loader_event {
    LOADER_NOTHING = 0,
    LOADER_ANSWER,  /* c->answer is filled */
    LOADER_FRAME,   /* c->in.data, c->in.len: a frame that is no answer */
    LOADER_TIMEOUT, /* of the command last sent */
};

struct loader_answer {
    uint8_t op;
    uint32_t value;
    const uint8_t *data; /* without the status; valid until the next feed */
    size_t len;
    bool failed;
    uint8_t code; /* enum loader_error when failed */
};

struct loader_client {
    bool stub;    /* the board speaks the stub's dialect: two status bytes */
    bool bare;    /* every frame is handed out (READ_FLASH) */
    bool waiting; /* a command is without its answer */
    uint8_t op;
    uint64_t give_up_ms;
    struct loader_answer answer;
    struct slip in;
    struct ring out; /* for the line: ring_peek, ring_drop */
    uint32_t stale;  /* frames that answered nothing asked */
    uint8_t in_memory[LOADER_FRAME_MAX];
    uint8_t out_memory[2 * LOADER_FRAME_MAX + 64];
};

void loader_client_init(struct loader_client *c);

/* Queues `op` with `head` (may be NULL) before `data`; `check` is the
 * checksum field. Drops what was queued before: one command at a time.
 * WIPY_EINVAL when it is longer than LOADER_FRAME_MAX. */
int loader_client_send(struct loader_client *c, uint8_t op, uint32_t check,
                       const void *head, size_t head_len, const void *data,
                       size_t len, uint64_t now_ms, uint32_t timeout_ms);

/* A *_DATA command: sub-header and checksum are made here. */
int loader_client_send_block(struct loader_client *c, uint8_t op,
                             uint32_t sequence, const uint8_t *data, size_t len,
                             uint64_t now_ms, uint32_t timeout_ms);

/* A bare frame (acknowledgement of READ_FLASH). Appended; WIPY_ENOSPC. */
int loader_client_send_frame(struct loader_client *c, const void *data,
                             size_t len);

/* Bytes from the line, up to the next event; `*used` says how many. */
enum loader_event loader_client_feed(struct loader_client *c,
                                     const uint8_t *data, size_t len,
                                     size_t *used);

/* LOADER_TIMEOUT once when the answer is overdue. */
enum loader_event loader_client_tick(struct loader_client *c, uint64_t now_ms);

/* A sentence for an error code of either dialect, never NULL. */
const char *loader_error_text(uint8_t code);

/* The SYNC request's data. */
enum { LOADER_SYNC_LEN = 36 };
void loader_sync_data(uint8_t to[LOADER_SYNC_LEN]);

#endif
