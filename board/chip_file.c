#define _GNU_SOURCE
#include "chip_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "board/factory.h"

static int open_failed(const char *path, struct problem *problem)
{
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return problem_set(problem, WIPY_EPERM,
                           "chip file %s cannot be written: %s. A chip must "
                           "be writable: change its permissions or copy it",
                           path, strerror(errno));
    return problem_set(problem, errno == EISDIR ? WIPY_EFORMAT : WIPY_EIO,
                       "chip file %s: %s. Give another with --flash", path,
                       strerror(errno));
}

static int open_writable(struct chip_file *file, const char *path,
                         uint32_t size, struct problem *problem)
{
    file->fd = open(path, O_RDWR | O_CLOEXEC);
    if (file->fd < 0 && errno == ENOENT) {
        int err = factory_make(path, size ? size : CHIP_SIZE_8M, problem);
        if (err)
            return err;
        file->made = true;
        file->fd = open(path, O_RDWR | O_CLOEXEC);
    }
    return file->fd < 0 ? open_failed(path, problem) : 0;
}

static int lock_alone(const struct chip_file *file, const char *path,
                      struct problem *problem)
{
    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return problem_set(problem, WIPY_EBUSY,
                           "chip file %s is in use: another board runs on it. "
                           "'wipy status --flash %s' shows it; stop it or "
                           "give another file with --flash",
                           path, path);
    return problem_set(problem, WIPY_EIO, "chip file %s cannot be locked: %s",
                       path, strerror(errno));
}

/* Two descriptions of one file, so that the CPU's cannot be written through.
 * The lock says nothing of a file that lost its name before we had it: 'wipy
 * fs' puts a whole new chip in place of the old one. */
static int open_reading(struct chip_file *file, const char *path,
                        struct problem *problem)
{
    struct stat ours, theirs;
    file->reading_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->reading_fd < 0 && errno != ENOENT)
        return open_failed(path, problem);
    if (file->reading_fd < 0 || fstat(file->fd, &ours) ||
        fstat(file->reading_fd, &theirs) || ours.st_ino != theirs.st_ino ||
        ours.st_dev != theirs.st_dev)
        return problem_set(problem, WIPY_EBUSY,
                           "chip file %s was replaced or removed while it was "
                           "opened: not touched. Start the board again",
                           path);
    return 0;
}

static int check_size(struct chip_file *file, const char *path, uint32_t size,
                      struct problem *problem)
{
    struct stat st;
    if (fstat(file->fd, &st) != 0)
        return open_failed(path, problem);
    if (!S_ISREG(st.st_mode))
        return problem_set(problem, WIPY_EFORMAT,
                           "chip file %s is not a regular file: give another "
                           "with --flash",
                           path);
    bool known = st.st_size == CHIP_SIZE_4M || st.st_size == CHIP_SIZE_8M;
    if (!known || (size && st.st_size != (off_t)size))
        return problem_set(problem, WIPY_EFORMAT,
                           "chip file %s has %lld bytes, the board's chip has "
                           "%u: not touched. Move it away to start with a "
                           "fresh chip%s",
                           path, (long long)st.st_size,
                           size ? size : CHIP_SIZE_8M,
                           known ? ", or see --flash-size" : "");
    file->size = (uint32_t)st.st_size;
    return 0;
}

/* A hole in the file that the disk has no room for would end us with SIGBUS
 * when the chip is programmed. */
static int fill_holes(const struct chip_file *file, const char *path,
                      struct problem *problem)
{
    int err = fallocate(file->fd, 0, 0, file->size) ? errno : 0;
    if (err != ENOSPC && err != EDQUOT)
        return 0; /* done, or the file system cannot */
    return problem_set(problem, WIPY_ENOSPC,
                       "chip file %s: %s. It needs its whole size: make room, "
                       "or give another place with --flash",
                       path, strerror(err));
}

static int map_cells(struct chip_file *file, const char *path,
                     struct problem *problem)
{
    void *cells =
        mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (cells == MAP_FAILED)
        return problem_set(problem, WIPY_EIO, "chip file %s: mmap: %s", path,
                           strerror(errno));
    file->cells = cells;
    return 0;
}

/* A chip never is all zeros: such a file was made by truncate or dd, not by
 * us, and every boot of it would end in the serial loader. */
static int check_content(const struct chip_file *file, const char *path,
                         struct problem *problem)
{
    const uint8_t *cells = file->cells;
    if (cells[0] || memcmp(cells, cells + 1, file->size - 1) != 0)
        return 0;
    return problem_set(problem, WIPY_EFORMAT,
                       "chip file %s holds only zeros, so it is not a chip: "
                       "not touched. Move it away to start with a fresh chip",
                       path);
}

int chip_file_open(struct chip_file *file, const char *path, uint32_t size,
                   struct problem *problem)
{
    *file = (struct chip_file){.fd = -1, .reading_fd = -1};
    int err = open_writable(file, path, size, problem);
    if (!err)
        err = lock_alone(file, path, problem);
    if (!err)
        err = open_reading(file, path, problem);
    if (!err)
        err = check_size(file, path, size, problem);
    if (!err)
        err = fill_holes(file, path, problem);
    if (!err)
        err = map_cells(file, path, problem);
    if (!err)
        err = check_content(file, path, problem);
    if (err)
        chip_file_close(file);
    return err;
}

int chip_file_sync(const struct chip_file *file)
{
    return fdatasync(file->fd) == 0 ? 0 : WIPY_EIO;
}

void chip_file_close(struct chip_file *file)
{
    if (file->cells)
        munmap(file->cells, file->size);
    if (file->reading_fd >= 0)
        close(file->reading_fd);
    if (file->fd >= 0)
        close(file->fd); /* the lock goes with it */
    *file = (struct chip_file){.fd = -1, .reading_fd = -1};
}
