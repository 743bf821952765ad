#include "watch.h"

#include <stdlib.h>

struct watch {
    uv_poll_t poll;
    int events;
    void (*on)(void *ctx, int events);
    void *ctx;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    if (status < 0) {
        /* libuv has stopped the poll: the next watch_set() starts it. */
        watch->events = 0;
        events = UV_READABLE;
    }
    watch->on(watch->ctx, events);
}

struct watch *watch_open(uv_loop_t *loop, int fd, int events,
                         void (*on)(void *ctx, int events), void *ctx)
{
    struct watch *watch = malloc(sizeof *watch);
    if (!watch)
        return NULL;
    *watch = (struct watch){.on = on, .ctx = ctx};
    if (uv_poll_init(loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch_set(watch, events);
    return watch;
}

void watch_set(struct watch *watch, int events)
{
    if (!watch || watch->events == events)
        return;
    watch->events = events;
    if (events)
        uv_poll_start(&watch->poll, events, on_poll);
    else
        uv_poll_stop(&watch->poll);
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

void watch_close(struct watch *watch)
{
    if (watch)
        uv_close((uv_handle_t *)&watch->poll, free_watch);
}
