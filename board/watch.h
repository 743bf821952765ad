/* A descriptor watched by the loop, without the handle's life to care for:
 * uv_poll_t must stay in memory until its close is through, so it lives on
 * the heap here and frees itself. */
#ifndef WIPY_BOARD_WATCH_H
#define WIPY_BOARD_WATCH_H

#include <uv.h>

struct watch;

/* Calls `on(ctx, events)` with UV_READABLE, UV_WRITABLE or both. A broken or
 * hung-up descriptor is reported as readable: the read tells. `events` as
 * for uv_poll_start; 0 = silent for now. The descriptor stays the caller's.
 * NULL when the host refuses. */
struct watch *watch_open(uv_loop_t *loop, int fd, int events,
                         void (*on)(void *ctx, int events), void *ctx);

/* Other events from now on; 0 = silent. NULL is allowed. */
void watch_set(struct watch *watch, int events);

/* No call comes after this; the descriptor may be closed at once. NULL is
 * allowed. */
void watch_close(struct watch *watch);

#endif
