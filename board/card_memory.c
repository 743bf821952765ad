#define _GNU_SOURCE
#include "card_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus/bus.h"

static int make_memory(void)
{
    int fd = memfd_create("wipy-card", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (fd >= 0 && ftruncate(fd, BUS_CARD_MEMORY) == 0 &&
        fcntl(fd, F_ADD_SEALS, seals) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

struct card_memory *card_memory_new(void)
{
    struct card_memory *m = malloc(sizeof *m);
    if (!m)
        return NULL;
    *m = (struct card_memory){.fd = make_memory(), .users = 1};
    m->at = m->fd < 0 ? MAP_FAILED
                      : mmap(NULL, BUS_CARD_MEMORY, PROT_READ | PROT_WRITE,
                             MAP_SHARED, m->fd, 0);
    if (m->at != MAP_FAILED)
        return m;
    if (m->fd >= 0)
        close(m->fd);
    free(m);
    return NULL;
}

struct card_memory *card_memory_hold(struct card_memory *memory)
{
    memory->users++;
    return memory;
}

void card_memory_drop(struct card_memory *memory)
{
    if (!memory || --memory->users)
        return;
    munmap(memory->at, BUS_CARD_MEMORY);
    close(memory->fd);
    free(memory);
}
