/* The control socket: JSON, one object a line, one answer a request, and
 * events for those who asked to watch. Protocol: docs/CONTROL.md. */
#ifndef WIPY_BOARD_CONTROL_H
#define WIPY_BOARD_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "board/problem.h"
#include "board/watch.h"

enum {
    CONTROL_CLIENTS_MAX = 16,
    CONTROL_LINE_MAX = 16384,
    CONTROL_BACKLOG_MAX = 1 << 20, /* unread answers before a client is cut */
};

struct control_client {
    struct control *control;
    int fd; /* -1 = free place */
    struct watch *watch;
    bool watching;   /* wants events */
    bool waiting;    /* an answer is owed when the board is settled */
    bool discarding; /* the rest of a line that was too long */
    json_t *waiting_id;
    char *out; /* not yet sent */
    size_t out_len, out_size;
    size_t in_len;
    char in[CONTROL_LINE_MAX];
};

/* Answers one line: a new object, or NULL when the answer comes later
 * (`client->waiting` is set then). */
typedef json_t *control_handler(void *ctx, struct control_client *client,
                                const char *line, size_t len);

struct control {
    uv_loop_t *loop;
    control_handler *handler;
    void *ctx;
    int listening;
    struct watch *door;
    bool bound; /* the path is ours to remove */
    char path[108];
    struct control_client clients[CONTROL_CLIENTS_MAX];
};

/* Listens at `path` (mode 0600). A socket left behind by a dead board is
 * replaced; a living one is WIPY_EBUSY; anything else there is not touched. */
int control_open(struct control *control, uv_loop_t *loop, const char *path,
                 control_handler *handler, void *ctx, struct problem *problem);
void control_close(struct control *control);

/* Sends one object as a line. Takes `json` over. */
void control_send(struct control_client *client, json_t *json);

/* Sends an event to all who watch; `json` stays the caller's. */
void control_publish(struct control *control, json_t *json);

#endif
