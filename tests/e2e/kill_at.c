/* Preloaded into a program: kills it at the KILL_AT-th call that changes files
 * (open to write, write, fsync, rename, ...), as kill -9 or a power cut would.
 * A write that is hit stores half; writes are short, so that there are many.
 * Each call is noted in the file KILL_LOG. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHORT = 1 << 20 };

static ssize_t (*real_write)(int fd, const void *data, size_t len);

static void die(void)
{
    kill(getpid(), SIGKILL);
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* True for the call that is the last. */
static int is_last(const char *name)
{
    static int calls, log = -1;
    const char *at = getenv("KILL_AT"), *path = getenv("KILL_LOG");
    if (!real_write)
        real_write = (ssize_t(*)(int, const void *, size_t))next("write");
    if (log < 0 && path)
        log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (real_write(log, name, strlen(name)) < 0)
        log = -1;
    return at && ++calls == atoi(at);
}

ssize_t write(int fd, const void *data, size_t len)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        real_write = (ssize_t(*)(int, const void *, size_t))next("write");
        return real_write(fd, data, len);
    }
    int last = is_last("write\n");
    if (last)
        len /= 2;
    ssize_t n = real_write(fd, data, len < SHORT ? len : SHORT);
    if (last)
        die();
    return n;
}

int fsync(int fd)
{
    if (is_last("fsync\n"))
        die();
    return ((int (*)(int))next("fsync"))(fd);
}

int fchmod(int fd, mode_t mode)
{
    if (is_last("fchmod\n"))
        die();
    return ((int (*)(int, mode_t))next("fchmod"))(fd, mode);
}

int ftruncate(int fd, off_t len)
{
    if (is_last("ftruncate\n"))
        die();
    return ((int (*)(int, off_t))next("ftruncate"))(fd, len);
}

int unlink(const char *path)
{
    if (is_last("unlink\n"))
        die();
    return ((int (*)(const char *))next("unlink"))(path);
}

/* Twice a place to end: before and after. */
int rename(const char *from, const char *to)
{
    if (is_last("rename\n"))
        die();
    int err = ((int (*)(const char *, const char *))next("rename"))(from, to);
    if (is_last("renamed\n"))
        die();
    return err;
}
