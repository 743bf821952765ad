#define _XOPEN_SOURCE 700 /* realpath */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/write_all.h"
#include "commands.h"
#include "outcome.h"

static int file_failed(const char *path, const char *what)
{
    complain("wipy: %s: %s\n", path, what);
    return EXIT_FILE;
}

static int too_long(const char *path, size_t max)
{
    complain("wipy: %s: longer than %zu bytes\n", path, max);
    return EXIT_FILE;
}

static int read_stream(FILE *f, const char *path, size_t max,
                       struct file_data *to)
{
    size_t room = 65536;
    to->len = 0;
    to->data = malloc(room + 1);
    for (;;) {
        if (!to->data)
            return file_failed(path, "not enough memory");
        size_t n = fread(to->data + to->len, 1, room - to->len, f);
        to->len += n;
        if (to->len > max)
            return too_long(path, max);
        if (n == 0)
            break;
        if (to->len == room) {
            room *= 2;
            uint8_t *more = realloc(to->data, room + 1);
            if (!more)
                free(to->data);
            to->data = more;
        }
    }
    to->data[to->len] = 0;
    return ferror(f) ? file_failed(path, strerror(errno)) : EXIT_OK;
}

int file_read(const char *path, size_t max, struct file_data *to)
{
    *to = (struct file_data){0};
    if (strcmp(path, "-") == 0)
        return read_stream(stdin, "standard input", max, to);
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f)
        return file_failed(path, strerror(errno));
    bool known = fstat(fileno(f), &st) == 0;
    int code = known && S_ISDIR(st.st_mode)
                   ? file_failed(path, "is a directory")
               : known && S_ISREG(st.st_mode) && (uint64_t)st.st_size > max
                   ? too_long(path, max)
                   : read_stream(f, path, max, to);
    fclose(f);
    if (code != EXIT_OK) {
        free(to->data);
        *to = (struct file_data){0};
    }
    return code;
}

const char *file_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whole or not at all: first beside it, then in its place. */
static bool replace(const char *path, const void *data, size_t len,
                    unsigned mode)
{
    char beside[PATH_MAX];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof beside) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    bool fine = write_all(fd, data, len);
    int why = errno;
    if (close(fd) != 0 && fine) {
        fine = false;
        why = errno;
    }
    if (fine && rename(beside, path) == 0)
        return true;
    if (fine)
        why = errno;
    unlink(beside);
    errno = why;
    return false;
}

/* A device or a pipe must not be replaced by a file. */
static bool write_into(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool fine = fd >= 0 && write_all(fd, data, len);
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return fine;
}

int file_write(const char *path, const void *data, size_t len, unsigned mode)
{
    struct stat st;
    char real[PATH_MAX]; /* behind links, which stay */
    const char *at = realpath(path, real) ? real : path;
    bool special = stat(at, &st) == 0 && !S_ISREG(st.st_mode);
    bool fine =
        special ? write_into(at, data, len) : replace(at, data, len, mode);
    return fine ? EXIT_OK : file_failed(path, strerror(errno));
}
