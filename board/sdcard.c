#define _GNU_SOURCE
#include "sdcard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { SECTOR = 512 };

void sdcard_init(struct sdcard *card)
{
    *card = (struct sdcard){.fd = -1};
}

static int open_card(const char *path, bool *readonly)
{
    *readonly = false;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        *readonly = true;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    return fd;
}

/* Bytes of a file or block device; 0 for anything else. */
static uint64_t size_of(int fd)
{
    struct stat st;
    uint64_t bytes = 0;
    if (fstat(fd, &st) != 0)
        return 0;
    if (S_ISREG(st.st_mode))
        return (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &bytes) == 0)
        return bytes;
    return 0;
}

static int check(int fd, const char *path, struct problem *problem)
{
    uint64_t bytes = size_of(fd);
    if (bytes == 0 || bytes % SECTOR)
        return problem_set(problem, WIPY_EFORMAT,
                           "card %s is no card: a file of whole 512-byte "
                           "sectors or a block device is needed",
                           path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return problem_set(problem, WIPY_EBUSY,
                           "card %s is in use: another board has it", path);
    return 0;
}

int sdcard_insert(struct sdcard *card, const char *path,
                  struct problem *problem)
{
    bool readonly;
    if (strlen(path) >= sizeof card->path)
        return problem_set(problem, WIPY_EINVAL, "the card's name is too long");
    int fd = open_card(path, &readonly);
    if (fd < 0)
        return problem_set(problem, WIPY_ENOENT, "card %s: %s", path,
                           strerror(errno));
    int err = check(fd, path, problem);
    if (err) {
        close(fd);
        return err;
    }
    sdcard_remove(card); /* counts the change */
    card->fd = fd;
    card->readonly = readonly;
    card->sectors = size_of(fd) / SECTOR;
    card->insertions++;
    strcpy(card->path, path);
    return 0;
}

void sdcard_remove(struct sdcard *card)
{
    atomic_fetch_add(&card->changes, 1);
    if (card->fd >= 0)
        close(card->fd);
    card->fd = -1;
    card->sectors = 0;
    card->path[0] = 0;
}

static int check_range(int fd, uint64_t sectors, uint32_t first, uint32_t len)
{
    if (fd < 0)
        return WIPY_ENOENT;
    uint64_t count = len / SECTOR;
    return first > sectors || count > sectors - first ? WIPY_ERANGE : 0;
}

int sdcard_read(int fd, uint64_t sectors, uint32_t first, void *to,
                uint32_t len)
{
    int err = check_range(fd, sectors, first, len);
    if (err)
        return err;
    off_t off = (off_t)first * SECTOR;
    return pread(fd, to, len, off) == (ssize_t)len ? 0 : WIPY_EIO;
}

int sdcard_write(int fd, uint64_t sectors, uint32_t first, const void *from,
                 uint32_t len)
{
    int err = check_range(fd, sectors, first, len);
    if (err)
        return err;
    if (pwrite(fd, from, len, (off_t)first * SECTOR) == (ssize_t)len)
        return 0;
    return errno == EBADF || errno == EPERM ? WIPY_EPERM : WIPY_EIO;
}

int sdcard_sync(int fd)
{
    if (fd < 0)
        return WIPY_ENOENT;
    return fdatasync(fd) == 0 || errno == EINVAL ? 0 : WIPY_EIO;
}
