#define _GNU_SOURCE
#include "pty_speed.h"

#include <asm/termbits.h>
#include <sys/ioctl.h>

uint32_t pty_speed(int master)
{
    struct termios2 t;
    return ioctl(master, TCGETS2, &t) == 0 ? t.c_ospeed : 0;
}
