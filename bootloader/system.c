/* What the bootloader needs of a C library, and no more: 28 KiB hold the
 * boot chain's cryptography or a libc, not both comfortably. System calls are
 * made directly; the machine's part is in system_<machine>.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include "system_x86_64.h"
#else
#error "write system_<machine>.h for this machine"
#endif

int main(void);
_Noreturn void system_start(void);
_Noreturn void __stack_chk_fail(void);
int *__errno_location(void);

/* The crypto library is compiled with stack protection, whose canary lies at
 * a fixed place behind the thread pointer. */
static uintptr_t thread_area[16];
static int last_error;

_Noreturn void system_start(void)
{
    thread_area[0] = (uintptr_t)thread_area;
    (void)system_set_thread(thread_area);
    (void)system_call(SYS_exit_group, main(), 0, 0, 0, 0, 0);
    for (;;)
        __builtin_trap();
}

_Noreturn void __stack_chk_fail(void)
{
    __builtin_trap();
}

int *__errno_location(void)
{
    return &last_error;
}

static long check(long result)
{
    if (result >= 0 || result < -4095)
        return result;
    last_error = (int)-result;
    return -1;
}

static long call(long n, long a, long b, long c, long d)
{
    return check(system_call(n, a, b, c, d, 0, 0));
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
    return (void *)check(
        system_call(SYS_mmap, (long)at, (long)len, prot, flags, fd, off));
}

ssize_t write(int fd, const void *from, size_t len)
{
    return call(SYS_write, fd, (long)from, (long)len, 0);
}

ssize_t send(int fd, const void *from, size_t len, int flags)
{
    return check(
        system_call(SYS_sendto, fd, (long)from, (long)len, flags, 0, 0));
}

/* The kernel's message header has the C library's layout but for padding that
 * must be zero, which the initializers of our callers give. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return call(SYS_sendmsg, fd, (long)message, flags, 0);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return call(SYS_recvmsg, fd, (long)message, flags, 0);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct timespec wait = {.tv_sec = timeout_ms / 1000,
                            .tv_nsec = timeout_ms % 1000 * 1000000L};
    return (int)check(
        system_call(SYS_ppoll, (long)fds, (long)count, (long)&wait, 0, 0, 0));
}

int clock_gettime(clockid_t clock, struct timespec *to)
{
    return (int)call(SYS_clock_gettime, clock, (long)to, 0, 0);
}

int nanosleep(const struct timespec *wait, struct timespec *left)
{
    return (int)call(SYS_clock_nanosleep, CLOCK_REALTIME, 0, (long)wait,
                     (long)left);
}

int pause(void)
{
    return (int)check(system_call(SYS_ppoll, 0, 0, 0, 0, 0, 0));
}

int memfd_create(const char *name, unsigned flags)
{
    return (int)call(SYS_memfd_create, (long)name, (long)flags, 0, 0);
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
    return (int)check(system_call(SYS_execveat, fd, (long)"", (long)argv,
                                  (long)envp, AT_EMPTY_PATH, 0));
}

/* ---- memory and strings ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    return system_copy(to, from, len);
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t <= f || t >= f + len)
        return system_copy(to, from, len);
    while (len--)
        t[len] = f[len];
    return to;
}

void *memset(void *to, int value, size_t len)
{
    return system_fill(to, value, len);
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *p = a, *q = b;
    for (size_t i = 0; i < len; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

char *strncpy(char *restrict to, const char *restrict from, size_t len)
{
    size_t n = strnlen(from, len);
    memcpy(to, from, n);
    memset(to + n, 0, len - n);
    return to;
}
