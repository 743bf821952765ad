#define _GNU_SOURCE
#include "wires.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { PAGE = 4096, SOCKET_BUFFER = 256 * 1024 };

static int failed(struct problem *problem, const char *what)
{
    return problem_set(problem, WIPY_EIO, "the host gives no %s: %s", what,
                       strerror(errno));
}

/* One page of shared memory, mapped here for writing. */
static void *make_page(const char *name, int *fd, int seals)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0 || ftruncate(*fd, PAGE) != 0)
        return NULL;
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (page == MAP_FAILED)
        return NULL;
    /* After our own mapping: FUTURE_WRITE leaves that one writable. */
    int always = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    return fcntl(*fd, F_ADD_SEALS, seals | always) == 0 ? page : NULL;
}

int wires_open(struct wires *wires, struct problem *problem)
{
    *wires = (struct wires){.command = -1,
                            .far_command = -1,
                            .line = -1,
                            .far_line = -1,
                            .bell_up = -1,
                            .bell_down = -1};
    wires->cpu = make_page("wipy-cpu", &wires->cpu_fd, 0);
    wires->board =
        make_page("wipy-board", &wires->board_fd, F_SEAL_FUTURE_WRITE);
    if (!wires->cpu || !wires->board)
        return failed(problem, "shared memory");
    wires->bell_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wires->bell_down = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wires->bell_up < 0 || wires->bell_down < 0)
        return failed(problem, "event descriptors");
    wires->board->version = BUS_VERSION;
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void wires_close(struct wires *wires)
{
    wires_stop(wires);
    if (wires->cpu)
        munmap(wires->cpu, PAGE);
    if (wires->board)
        munmap(wires->board, PAGE);
    close_fd(&wires->cpu_fd);
    close_fd(&wires->board_fd);
    close_fd(&wires->bell_up);
    close_fd(&wires->bell_down);
}

/* The CPU's end blocks: it waits for the answer of each command. */
static bool make_pair(int type, int *ours, int *theirs)
{
    int pair[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    *ours = pair[0];
    *theirs = pair[1];
    int size = SOCKET_BUFFER; /* a command with its payload must fit */
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0;
}

int wires_start(struct wires *wires, bool keep_retained,
                struct problem *problem)
{
    wires_stop(wires);
    wires_bell_rang(wires);
    size_t kept = offsetof(struct bus_cpu_regs, retained);
    memset(wires->cpu, 0, keep_retained ? kept : PAGE);
    if (!make_pair(SOCK_SEQPACKET, &wires->command, &wires->far_command) ||
        !make_pair(SOCK_STREAM, &wires->line, &wires->far_line))
        return failed(problem, "socket pair");
    wires->card = card_memory_new();
    return wires->card ? 0 : failed(problem, "memory for the card");
}

void wires_handed_over(struct wires *wires)
{
    close_fd(&wires->far_command);
    close_fd(&wires->far_line);
}

void wires_stop(struct wires *wires)
{
    wires_handed_over(wires);
    close_fd(&wires->command);
    close_fd(&wires->line);
    card_memory_drop(wires->card);
    wires->card = NULL;
}

void wires_ring_down(struct wires *wires)
{
    uint64_t one = 1;
    ssize_t n = write(wires->bell_down, &one, sizeof one);
    (void)n; /* a full counter has rung already */
}

uint64_t wires_bell_rang(struct wires *wires)
{
    uint64_t count = 0;
    if (read(wires->bell_up, &count, sizeof count) != sizeof count)
        return 0;
    return count;
}
