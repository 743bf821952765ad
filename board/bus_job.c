#define _GNU_SOURCE
#include "bus_job.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { STAY_MS = 2 };

struct job {
    uv_work_t work;
    struct bus_port *port;
    unsigned generation;
    const struct chip_file *file;
    /* Our own copies: the CPU may stop and the card be taken out meanwhile. */
    int socket, card_fd;
    uint64_t card_sectors;
    uint32_t card_insertion;
    unsigned card_changes;
    struct card_memory *memory;
    size_t len; /* of the packet */
    uint8_t packet[COMMAND_PACKET_MAX + 1];
};

bool bus_job_is_for(uint32_t op)
{
    switch (op) {
    case BUS_SYNC:
    case BUS_SD_READ:
    case BUS_SD_WRITE:
    case BUS_SD_SYNC:
    case BUS_CARD_READ:
    case BUS_CARD_WRITE:
        return true;
    default:
        return false;
    }
}

/* ---- one command, on a thread of its own ---- */

/* Between the card and the memory the CPU shares: what the CPU does to it
 * meanwhile is its own harm. */
static int move_part(const struct job *job, const struct bus_card_part *p,
                     bool write)
{
    uint8_t *at = job->memory->at + p->at;
    uint32_t len = p->count * 512;
    if (p->count == 0)
        return p->sector == job->card_insertion ? 0 : WIPY_ENOENT;
    return write ? sdcard_write(job->card_fd, job->card_sectors, p->sector, at,
                                len)
                 : sdcard_read(job->card_fd, job->card_sectors, p->sector, at,
                               len);
}

static int move_parts(const struct job *job, const struct command *c)
{
    struct bus_card_part parts[BUS_CARD_PARTS];
    bool write = c->op == BUS_CARD_WRITE;
    int count = command_card_parts(c, parts);
    int err = count < 0 ? count : 0;
    for (int i = 0; i < count && !err; i++)
        err = move_part(job, &parts[i], write);
    return err || !write || c->addr != 1 ? err : sdcard_sync(job->card_fd);
}

/* What is read lies behind the head afterwards. */
static int carry_out(struct job *job, const struct command *c)
{
    switch (c->op) {
    case BUS_SYNC:
        return chip_file_sync(job->file);
    case BUS_SD_READ:
        return sdcard_read(job->card_fd, job->card_sectors, c->addr,
                           job->packet + sizeof(struct bus_command), c->len);
    case BUS_SD_WRITE:
        return sdcard_write(job->card_fd, job->card_sectors, c->addr,
                            c->payload, c->len);
    case BUS_CARD_READ:
    case BUS_CARD_WRITE:
        return move_parts(job, c);
    default:
        return sdcard_sync(job->card_fd);
    }
}

static void serve(struct job *job)
{
    struct command command;
    int status = command_read(&command, job->packet, job->len);
    if (!status)
        status = carry_out(job, &command);
    bool data = command.op == BUS_SD_READ && status == 0;
    struct bus_answer answer = {command.id, status};
    bus_port_answer(job->socket, &answer,
                    job->packet + sizeof(struct bus_command),
                    data ? command.len : 0);
}

/* ---- the next one ---- */

/* Everything is still as it was for the first: the start, the card. */
static bool is_current(const struct job *job)
{
    return atomic_load(&job->port->generation) == job->generation &&
           atomic_load(&job->port->card->changes) == job->card_changes;
}

/* What is not for the card stays where it is: the loop reads it then. */
static bool take_next(struct job *job)
{
    struct pollfd line = {.fd = job->socket, .events = POLLIN};
    struct bus_command head;
    if (poll(&line, 1, STAY_MS) <= 0)
        return false;
    ssize_t n = recv(job->socket, &head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (n != (ssize_t)sizeof head || !is_current(job) ||
        (head.op != BUS_CARD_READ && head.op != BUS_CARD_WRITE))
        return false;
    n = recv(job->socket, job->packet, sizeof job->packet, MSG_DONTWAIT);
    job->len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void job_run(uv_work_t *work)
{
    struct job *job = work->data;
    do
        serve(job);
    while (take_next(job));
}

static void job_free(struct job *job)
{
    if (job->card_fd >= 0)
        close(job->card_fd);
    if (job->socket >= 0)
        close(job->socket);
    card_memory_drop(job->memory);
    free(job);
}

static void job_done(uv_work_t *work, int status)
{
    (void)status;
    struct job *job = work->data;
    struct bus_port *port = job->port;
    if (port->generation == job->generation && port->socket >= 0)
        watch_set(port->watch, UV_READABLE);
    job_free(job);
}

/* NULL when the host gives no memory or descriptors. */
static struct job *job_new(struct bus_port *port)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        return NULL;
    job->work.data = job;
    job->port = port;
    job->generation = port->generation;
    job->file = port->file;
    job->socket = fcntl(port->socket, F_DUPFD_CLOEXEC, 0);
    job->card_fd =
        port->card->fd < 0 ? -1 : fcntl(port->card->fd, F_DUPFD_CLOEXEC, 0);
    job->card_sectors = port->card->sectors;
    job->card_insertion = port->card->insertions;
    job->card_changes = port->card->changes;
    job->memory = card_memory_hold(port->memory);
    if (job->socket >= 0)
        return job;
    job_free(job);
    return NULL;
}

void bus_job_start(struct bus_port *port, const struct command *command,
                   size_t len)
{
    struct job *job = job_new(port);
    if (!job) {
        struct bus_answer answer = {command->id, WIPY_EIO};
        bus_port_answer(port->socket, &answer, NULL, 0);
        return;
    }
    job->len = len;
    memcpy(job->packet, port->packet, len);
    watch_set(port->watch, 0);
    uv_queue_work(port->loop, &job->work, job_run, job_done);
}
