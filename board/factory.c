#define _GNU_SOURCE
#include "factory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "board/write_all.h"

struct part {
    const char *name, *name_4m;
    uint32_t off, max;
};

/* docs/FORMATS.md, "The chip". */
static const struct part parts[] = {
    {"bootloader.bin", NULL, 0x1000, 0x7000},
    {"partitions.bin", "partitions-4m.bin", 0x8000, 0x1000},
    {"partitions.bin", "partitions-4m.bin", 0x3d5000, 0x1000}, /* 2nd copy */
    {"appimg.bin", NULL, 0x10000, 0x140000},
};

static const char *const folders[] = {"", "../share/wipy/"};

int factory_find(const char *name, char *path, size_t size)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return WIPY_ENOENT;
    self[n] = 0;
    *strrchr(self, '/') = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int len = snprintf(path, size, "%s/%s%s", self, folders[i], name);
        if (len < 0 || (size_t)len >= size)
            return WIPY_ENOMEM;
        if (access(path, R_OK) == 0)
            return 0;
    }
    return WIPY_ENOENT;
}

static int read_part(const struct part *part, uint8_t *cells, uint32_t size,
                     struct problem *problem)
{
    char path[4200];
    bool small = size == 4 << 20 && part->name_4m;
    const char *name = small ? part->name_4m : part->name;
    if (factory_find(name, path, sizeof path) != 0)
        return problem_set(problem, WIPY_ENOENT,
                           "a fresh chip needs %s, which is neither beside "
                           "the program nor in ../share/wipy: build it with "
                           "'make'",
                           name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return problem_set(problem, WIPY_EIO, "%s: %s", path, strerror(errno));
    size_t len = fread(cells + part->off, 1, part->max, file);
    bool bad = ferror(file) || len == 0 || fgetc(file) != EOF;
    fclose(file);
    if (!bad)
        return 0;
    return problem_set(problem, WIPY_EFORMAT,
                       "%s does not fit its place of %u bytes at 0x%x: build "
                       "it again with 'make'",
                       path, part->max, part->off);
}

static int fill(uint8_t *cells, uint32_t size, struct problem *problem)
{
    memset(cells, 0xff, size);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int err = read_part(&parts[i], cells, size, problem);
        if (err)
            return err;
    }
    return 0;
}

/* Gives `temp` its name unless somebody else made the file meanwhile. */
static bool publish(const char *temp, const char *path)
{
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EINVAL || errno == ENOSYS) /* the file system cannot */
        return access(path, F_OK) != 0 ? rename(temp, path) == 0
                                       : unlink(temp) == 0;
    if (errno != EEXIST)
        return false;
    unlink(temp);
    return true;
}

static int save(const char *path, const uint8_t *cells, uint32_t size,
                struct problem *problem)
{
    char temp[4200];
    int len = snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temp)
        return problem_set(problem, WIPY_EINVAL,
                           "the chip file's name is too "
                           "long");
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return problem_set(problem, WIPY_EPERM,
                           "chip file %s cannot be created: %s. Give a "
                           "writable place with --flash",
                           path, strerror(errno));
    bool ok =
        write_all(fd, cells, size) && fsync(fd) == 0 && fchmod(fd, 0644) == 0;
    ok = close(fd) == 0 && ok && publish(temp, path);
    if (ok)
        return 0;
    int err = problem_set(problem, WIPY_ENOSPC,
                          "chip file %s cannot be written: %s. Make room, or "
                          "give another place with --flash",
                          path, strerror(errno));
    unlink(temp);
    return err;
}

int factory_make(const char *path, uint32_t size, struct problem *problem)
{
    uint8_t *cells = malloc(size);
    if (!cells)
        return problem_set(problem, WIPY_ENOMEM, "no memory for a chip");
    int err = fill(cells, size, problem);
    if (!err)
        err = save(path, cells, size, problem);
    free(cells);
    return err;
}
