#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "wipy: %s: %s\n", path, what);
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
            return complain(path, "not enough memory");
        size_t n = fread(to->data + to->len, 1, room - to->len, f);
        to->len += n;
        if (to->len > max) {
            fprintf(stderr, "wipy: %s: longer than %zu bytes\n", path, max);
            return EXIT_FILE;
        }
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
    return ferror(f) ? complain(path, strerror(errno)) : EXIT_OK;
}

int file_read(const char *path, size_t max, struct file_data *to)
{
    *to = (struct file_data){0};
    if (strcmp(path, "-") == 0)
        return read_stream(stdin, "standard input", max, to);
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f)
        return complain(path, strerror(errno));
    int code = fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)
                   ? complain(path, "is a directory")
                   : read_stream(f, path, max, to);
    fclose(f);
    if (code != EXIT_OK) {
        free(to->data);
        *to = (struct file_data){0};
    }
    return code;
}

int file_write(const char *path, const void *data, size_t len, unsigned mode)
{
    size_t room = strlen(path) + 8;
    char *beside = malloc(room);
    if (!beside)
        return complain(path, "not enough memory");
    snprintf(beside, room, "%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    const uint8_t *p = data;
    while (fd >= 0 && len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        p += n;
        len -= (size_t)n;
    }
    int code = EXIT_OK;
    if (fd < 0 || len || close(fd) != 0 || rename(beside, path) != 0) {
        code = complain(path, strerror(errno));
        unlink(beside);
    }
    free(beside);
    return code;
}
