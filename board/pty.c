#define _GNU_SOURCE
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "board/pty_speed.h"

static void set_events(struct pty *pty)
{
    int events = pty->in_len ? 0 : UV_READABLE;
    if (ring_used(&pty->out))
        events |= UV_WRITABLE;
    watch_set(pty->watch, events);
}

/* ---- board to client ---- */

static void flush(struct pty *pty)
{
    const uint8_t *at;
    size_t len;
    while ((len = ring_peek(&pty->out, &at))) {
        ssize_t n = write(pty->master, at, len);
        if (n <= 0)
            break;
        ring_drop(&pty->out, (size_t)n);
    }
    set_events(pty);
}

static size_t put(void *ctx, const uint8_t *data, size_t len)
{
    struct pty *pty = ctx;
    if (pty->clients == 0)
        return len;
    size_t taken = ring_put(&pty->out, data, len);
    flush(pty);
    return taken;
}

/* ---- client to board ---- */

/* See offer() in serial_port.c. */
static void offer(struct pty *pty)
{
    size_t taken;
    if (pty->offering)
        return;
    pty->offering = true;
    do {
        taken = serial_line_feed(pty->line, pty->carrier, pty->in, pty->in_len);
        pty->in_len -= taken;
        memmove(pty->in, pty->in + taken, pty->in_len);
    } while (taken && pty->in_len);
    pty->offering = false;
}

static void resume(void *ctx)
{
    struct pty *pty = ctx;
    if (pty->in_len)
        offer(pty);
    set_events(pty);
}

static void on_master(void *ctx, int events)
{
    struct pty *pty = ctx;
    if (events & UV_WRITABLE) {
        flush(pty);
        serial_line_carrier_drained(pty->line, pty->carrier);
    }
    if (events & UV_READABLE && pty->in_len == 0) {
        ssize_t n = read(pty->master, pty->in, sizeof pty->in);
        pty->in_len = n > 0 ? (size_t)n : 0;
        pace_set(&pty->line->pace, pty_speed(pty->master));
        if (pty->in_len)
            offer(pty);
    }
    set_events(pty);
}

/* ---- who has it open ---- */

/* The last client is gone: what it did not read is not for the next. */
static void forget_output(struct pty *pty)
{
    ring_clear(&pty->out);
    tcflush(pty->slave, TCIFLUSH);
    set_events(pty);
}

static void on_clients(void *ctx, int events)
{
    (void)events;
    struct pty *pty = ctx;
    _Alignas(struct inotify_event) char data[4096];
    ssize_t n = read(pty->watcher, data, sizeof data);
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
        const struct inotify_event *event =
            (const struct inotify_event *)(void *)(data + at);
        pty->clients += event->mask & IN_OPEN ? 1 : -1;
        at += (ssize_t)(sizeof *event + event->len);
    }
    if (pty->clients <= 0) {
        pty->clients = 0;
        forget_output(pty);
    }
}

/* ---- life ---- */

static bool make_raw(int fd)
{
    struct termios t;
    if (tcgetattr(fd, &t) != 0)
        return false;
    cfmakeraw(&t);
    cfsetspeed(&t, B115200);
    return tcsetattr(fd, TCSANOW, &t) == 0;
}

static bool open_pair(struct pty *pty)
{
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->master < 0 || grantpt(pty->master) || unlockpt(pty->master) ||
        ptsname_r(pty->master, pty->path, sizeof pty->path))
        return false;
    pty->slave = open(pty->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return pty->slave >= 0 && make_raw(pty->slave);
}

static bool watch_clients(struct pty *pty)
{
    pty->watcher = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return pty->watcher >= 0 &&
           inotify_add_watch(pty->watcher, pty->path, IN_OPEN | IN_CLOSE) >= 0;
}

int pty_open(struct pty *pty, uv_loop_t *loop, struct serial_line *line,
             struct problem *problem)
{
    memset(pty, 0, offsetof(struct pty, out_memory));
    pty->line = line;
    pty->master = pty->slave = pty->watcher = -1;
    ring_init(&pty->out, pty->out_memory, sizeof pty->out_memory);
    if (!open_pair(pty) || !watch_clients(pty)) {
        int err = problem_set(problem, WIPY_EIO,
                              "the host gives no pseudo terminal: %s",
                              strerror(errno));
        pty_close(pty);
        return err;
    }
    pty->carrier =
        serial_line_attach(line, (struct carrier){pty, put, resume, false});
    pty->watch = watch_open(loop, pty->master, UV_READABLE, on_master, pty);
    pty->client_watch =
        watch_open(loop, pty->watcher, UV_READABLE, on_clients, pty);
    return 0;
}

void pty_close(struct pty *pty)
{
    watch_close(pty->watch);
    watch_close(pty->client_watch);
    pty->watch = pty->client_watch = NULL;
    int *fds[] = {&pty->master, &pty->slave, &pty->watcher};
    for (int i = 0; i < 3; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}
