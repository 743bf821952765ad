#define _GNU_SOURCE
#include "bus_port.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "board/bus_job.h"

/* ---- answers ---- */

void bus_port_answer(int socket, const struct bus_answer *answer,
                     const void *payload, size_t len)
{
    struct iovec parts[2] = {
        {.iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof *answer},
        {.iov_base = (void *)(uintptr_t)payload, .iov_len = len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = len ? 2 : 1};
    /* Lost when the CPU does not read its answers: its own harm. */
    ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)n;
}

static void answer_now(struct bus_port *port, uint32_t id, int status)
{
    struct bus_answer answer = {.id = id, .status = status};
    bus_port_answer(port->socket, &answer, NULL, 0);
}

/* ---- a busy chip ---- */

/* Answers when the chip is through; no further command is read meanwhile. */
static void answer_after(struct bus_port *port, uint32_t id, uint32_t busy_us)
{
    uint64_t ns = clock_real_ns(port->clock, busy_us);
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(ns / 1000000000u),
                     .tv_nsec = (long)(ns % 1000000000u)}};
    if (ns == 0) {
        answer_now(port, id, 0);
        return;
    }
    port->answer = (struct bus_answer){.id = id, .status = 0};
    timerfd_settime(port->timer_fd, 0, &when, NULL);
    watch_set(port->timer_watch, UV_READABLE);
    watch_set(port->watch, 0);
}

static void stop_timer(struct bus_port *port)
{
    static const struct itimerspec never;
    timerfd_settime(port->timer_fd, 0, &never, NULL);
    watch_set(port->timer_watch, 0);
}

static void on_chip_done(void *ctx, int events)
{
    (void)events;
    struct bus_port *port = ctx;
    stop_timer(port);
    bus_port_answer(port->socket, &port->answer, NULL, 0);
    watch_set(port->watch, UV_READABLE);
}

static void run_on_chip(struct bus_port *port, const struct command *command)
{
    uint32_t busy_us;
    int status = command_on_chip(command, port->chip, &busy_us);
    if (port->chip->dead) {
        port->ev.power_failed(port->ev.ctx); /* stops us */
        return;
    }
    if (status == 0 && port->timing)
        answer_after(port, command->id, busy_us);
    else
        answer_now(port, command->id, status);
}

/* ---- one command ---- */

static void dispatch(struct bus_port *port, const struct command *command,
                     size_t len)
{
    const struct bus_port_events *ev = &port->ev;
    switch (command->op) {
    case BUS_RESET:
        ev->reset(ev->ctx, command->addr == 1);
        break;
    case BUS_SLEEP:
        ev->sleep(ev->ctx, command->len);
        break;
    case BUS_WDT_ARM:
        answer_now(port, command->id, ev->arm_watchdog(ev->ctx, command->len));
        break;
    default:
        if (bus_job_is_for(command->op))
            bus_job_start(port, command, len);
        else
            run_on_chip(port, command);
        break;
    }
}

static void on_command(void *ctx, int events)
{
    (void)events;
    struct bus_port *port = ctx;
    struct command command;
    /* One byte more than any good packet, so that a longer one shows. */
    ssize_t n = recv(port->socket, port->packet, sizeof port->packet, 0);
    if (n < 0)
        return;
    if (n == 0) { /* the CPU ended; its end is noticed elsewhere */
        watch_set(port->watch, 0);
        return;
    }
    int err = command_read(&command, port->packet, (size_t)n);
    if (err)
        answer_now(port, command.id, err);
    else
        dispatch(port, &command, (size_t)n);
}

int bus_port_init(struct bus_port *port, uv_loop_t *loop, struct chip *chip,
                  const struct chip_file *file, struct sdcard *card,
                  const struct clock *clock, struct bus_port_events ev)
{
    memset(port, 0, offsetof(struct bus_port, packet));
    port->loop = loop;
    port->chip = chip;
    port->file = file;
    port->card = card;
    port->clock = clock;
    port->ev = ev;
    port->socket = -1;
    port->timer_fd =
        timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (port->timer_fd < 0)
        return WIPY_EIO;
    port->timer_watch = watch_open(loop, port->timer_fd, 0, on_chip_done, port);
    return port->timer_watch ? 0 : WIPY_EIO;
}

void bus_port_release(struct bus_port *port)
{
    bus_port_stop(port);
    watch_close(port->timer_watch);
    port->timer_watch = NULL;
    if (port->timer_fd >= 0)
        close(port->timer_fd);
    port->timer_fd = -1;
}

void bus_port_start(struct bus_port *port, int socket,
                    struct card_memory *memory)
{
    bus_port_stop(port);
    port->socket = socket;
    port->memory = memory;
    port->watch = watch_open(port->loop, socket, UV_READABLE, on_command, port);
}

void bus_port_stop(struct bus_port *port)
{
    port->generation++;
    stop_timer(port);
    watch_close(port->watch);
    port->watch = NULL;
    port->socket = -1;
}
