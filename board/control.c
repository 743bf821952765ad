#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

static void drop(struct control_client *client)
{
    watch_close(client->watch);
    client->watch = NULL;
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    free(client->out);
    client->out = NULL;
    client->out_len = client->out_size = client->in_len = 0;
    json_decref(client->waiting_id);
    client->waiting_id = NULL;
    client->watching = client->waiting = client->discarding = false;
}

/* ---- to the client ---- */

/* False when the client is gone. */
static bool flush(struct control_client *client)
{
    size_t sent = 0;
    while (sent < client->out_len) {
        ssize_t n = send(client->fd, client->out + sent, client->out_len - sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    client->out_len -= sent;
    memmove(client->out, client->out + sent, client->out_len);
    watch_set(client->watch, UV_READABLE | (client->out_len ? UV_WRITABLE : 0));
    return true;
}

static bool append(struct control_client *client, const char *text, size_t len)
{
    size_t need = client->out_len + len;
    if (need > CONTROL_BACKLOG_MAX)
        return false;
    if (need > client->out_size) {
        char *bigger = realloc(client->out, need * 2);
        if (!bigger)
            return false;
        client->out = bigger;
        client->out_size = need * 2;
    }
    memcpy(client->out + client->out_len, text, len);
    client->out_len += len;
    return true;
}

/* A client that does not read is cut off rather than waited for. */
static void send_text(struct control_client *client, const char *text)
{
    if (client->fd < 0)
        return;
    if (!append(client, text, strlen(text)) || !append(client, "\n", 1) ||
        !flush(client))
        drop(client);
}

void control_send(struct control_client *client, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text)
        send_text(client, text);
    free(text);
}

void control_publish(struct control *control, json_t *json)
{
    char *text = NULL;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &control->clients[i];
        if (client->fd < 0 || !client->watching)
            continue;
        if (!text)
            text = json_dumps(json, JSON_COMPACT);
        if (text)
            send_text(client, text);
    }
    free(text);
}

/* ---- from the client ---- */

static void handle_line(struct control_client *client, const char *line,
                        size_t len)
{
    struct control *control = client->control;
    if (len && line[len - 1] == '\r')
        len--;
    if (len == 0)
        return;
    json_t *answer = control->handler(control->ctx, client, line, len);
    if (answer)
        control_send(client, answer);
}

static void refuse_long_line(struct control_client *client)
{
    client->discarding = true;
    client->in_len = 0;
    control_send(client,
                 json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code",
                           "invalid", "text", "a request must fit 16 KiB"));
}

static void take_lines(struct control_client *client)
{
    size_t start = 0;
    char *end;
    while (client->fd >= 0 &&
           (end = memchr(client->in + start, '\n', client->in_len - start))) {
        size_t len = (size_t)(end - client->in) - start;
        if (!client->discarding)
            handle_line(client, client->in + start, len);
        client->discarding = false;
        start += len + 1;
    }
    if (client->fd < 0)
        return;
    client->in_len -= start;
    memmove(client->in, client->in + start, client->in_len);
    if (client->discarding)
        client->in_len = 0;
    else if (client->in_len == sizeof client->in)
        refuse_long_line(client);
}

static void on_client(void *ctx, int events)
{
    struct control_client *client = ctx;
    if (events & UV_WRITABLE && !flush(client)) {
        drop(client);
        return;
    }
    if (!(events & UV_READABLE))
        return;
    ssize_t n = recv(client->fd, client->in + client->in_len,
                     sizeof client->in - client->in_len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(client);
        return;
    }
    client->in_len += (size_t)n;
    take_lines(client);
}

static void on_door(void *ctx, int events)
{
    (void)events;
    struct control *control = ctx;
    int fd =
        accept4(control->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &control->clients[i];
        if (client->fd >= 0)
            continue;
        client->fd = fd;
        client->watch =
            watch_open(control->loop, fd, UV_READABLE, on_client, client);
        return;
    }
    close(fd);
}

/* ---- life ---- */

static int connect_to(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int err = connect(fd, (const struct sockaddr *)at, sizeof *at) ? errno : 0;
    close(fd);
    return err;
}

/* Removes a socket that nobody listens on. */
static int clear_way(const struct sockaddr_un *at, struct problem *problem)
{
    struct stat st;
    const char *path = at->sun_path;
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return problem_set(problem, WIPY_EEXIST,
                           "%s is in the way of the control socket: move it, "
                           "or give another place with --control",
                           path);
    if (connect_to(at) != ECONNREFUSED)
        return problem_set(problem, WIPY_EBUSY,
                           "control socket %s belongs to a running board: "
                           "stop it, or give another place with --control",
                           path);
    unlink(path);
    return 0;
}

static int bind_private(struct control *control, const struct sockaddr_un *at)
{
    mode_t before = umask(0177);
    int err = bind(control->listening, (const struct sockaddr *)at, sizeof *at);
    umask(before);
    control->bound = err == 0;
    return err == 0 && listen(control->listening, 16) == 0 ? 0 : -1;
}

int control_open(struct control *control, uv_loop_t *loop, const char *path,
                 control_handler *handler, void *ctx, struct problem *problem)
{
    memset(control, 0, sizeof *control);
    control->loop = loop;
    control->handler = handler;
    control->ctx = ctx;
    control->listening = -1;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        control->clients[i].control = control;
        control->clients[i].fd = -1;
    }
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return problem_set(problem, WIPY_EINVAL,
                           "the control socket's name %s is longer than the "
                           "107 characters the system allows: give a shorter "
                           "one with --control",
                           path);
    strcpy(at.sun_path, path);
    strcpy(control->path, path);
    int err = clear_way(&at, problem);
    if (err)
        return err;
    control->listening =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listening < 0 || bind_private(control, &at) != 0)
        return problem_set(problem, WIPY_EIO, "control socket %s: %s", path,
                           strerror(errno));
    control->door =
        watch_open(loop, control->listening, UV_READABLE, on_door, control);
    return 0;
}

void control_close(struct control *control)
{
    if (!control->handler)
        return; /* was never opened */
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        drop(&control->clients[i]);
    watch_close(control->door);
    control->door = NULL;
    if (control->listening >= 0)
        close(control->listening);
    control->listening = -1;
    if (control->bound)
        unlink(control->path);
    control->bound = false;
}
