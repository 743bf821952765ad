/* The MD5 of a file, made by a thread of its own while the board is busy.
 *
 * Work between two processes that talk over a socket of one machine does not
 * spread over its processors by itself: each wakes the other on its own. A
 * thread is started on an idle one. */
#ifndef WIPY_TOOL_FILE_DIGEST_H
#define WIPY_TOOL_FILE_DIGEST_H

#include <pthread.h>
#include <stdbool.h>

#include "base/digest.h"

struct file_digest {
    const uint8_t *data;
    size_t len;
    uint8_t md5[MD5_LEN];
    bool running; /* the thread was not joined yet */
    pthread_t thread;
};

/* `data` must stay until file_digest_get. */
void file_digest_begin(struct file_digest *d, const uint8_t *data, size_t len);

/* Waits for the thread; may be called again, and must be at least once. */
const uint8_t *file_digest_get(struct file_digest *d);

#endif
