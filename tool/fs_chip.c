#define _GNU_SOURCE
#include "fs_chip.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "board/write_all.h"
#include "commands.h"
#include "image/table.h"
#include "outcome.h"

static int fail(const char *path, const char *why)
{
    complain("wipy fs: %s: %s\n", path, why);
    return EXIT_FILE;
}

static int find_partition(struct fs_chip_file *f)
{
    struct table table = {.count = 0};
    struct table_source source;
    if (table_load(&table, f->cells, f->size, &source))
        return fail(f->path, "no partition table is on this chip; is it a "
                             "chip file of 'wipy run'?");
    struct partition fs;
    if (!table_fs(&table, f->size, &fs))
        return fail(f->path, "the partition table has no partition 'fs'");
    f->fs_off = fs.off;
    f->fs_size = fs.size;
    return EXIT_OK;
}

static int map_file(struct fs_chip_file *f)
{
    struct stat st, named;
    if (flock(f->fd, LOCK_EX | LOCK_NB)) {
        complain("wipy fs: %s: a board is using this chip; switch it off "
                 "first, or use FTP\n",
                 f->path);
        return EXIT_BUSY;
    }
    if (fstat(f->fd, &st))
        return fail(f->path, strerror(errno));
    if (stat(f->path, &named) || named.st_ino != st.st_ino ||
        named.st_dev != st.st_dev)
        return fail(f->path, "it was replaced just now; try again");
    if (st.st_size < (1 << 20) || st.st_size > (64 << 20) ||
        st.st_size % FLASH_SECTOR)
        return fail(f->path, "not the size of a flash chip: give the file "
                             "that 'wipy run --flash' was given");
    f->size = (uint32_t)st.st_size;
    f->cells =
        mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, f->fd, 0);
    if (f->cells == MAP_FAILED) {
        f->cells = NULL;
        return fail(f->path, strerror(errno));
    }
    chip_init(&f->chip, f->cells, f->size, 1);
    f->flash = chip_flash(&f->chip);
    return find_partition(f);
}

int fs_chip_open(struct fs_chip_file *f, const char *path)
{
    memset(f, 0, sizeof *f);
    f->path = path;
    f->fd = open(path, O_RDWR | O_CLOEXEC);
    if (f->fd < 0) {
        complain("wipy fs: %s: %s. Give the chip file of a board, as 'wipy run "
                 "--flash' was given it\n",
                 path, strerror(errno));
        return EXIT_FILE;
    }
    int code = map_file(f);
    if (code)
        fs_chip_close(f);
    return code;
}

void fs_chip_close(struct fs_chip_file *f)
{
    if (f->cells)
        munmap(f->cells, f->size);
    f->cells = NULL;
    close(f->fd);
}

/* The new chip, stored under a name of its own, as the old one's owner. */
static int write_copy(const struct fs_chip_file *f, int fd)
{
    struct stat st;
    if (fstat(f->fd, &st) || fchmod(fd, st.st_mode & 07777))
        return -1;
    if ((st.st_uid != geteuid() || st.st_gid != getegid()) &&
        fchown(fd, st.st_uid, st.st_gid))
        return -1;
    return write_all(fd, f->cells, f->size) && fsync(fd) == 0 ? 0 : -1;
}

static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd); /* some file systems cannot; they need not */
    close(fd);
}

/* In one step: the computer may lose its power at any moment, and what the
 * translation layer wrote in order must not be stored out of order. */
int fs_chip_save(struct fs_chip_file *f)
{
    char real[PATH_MAX], copy[PATH_MAX + 8]; /* behind a symbolic link */
    if (!realpath(f->path, real))
        return fail(f->path, strerror(errno));
    /* Always the same name, ours alone while we hold the chip: what a killed
     * run left goes. */
    snprintf(copy, sizeof copy, "%s.saving", real);
    if (unlink(copy) && errno != ENOENT)
        return fail(copy, strerror(errno));
    int fd = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(copy, strerror(errno));
    int err = write_copy(f, fd) || rename(copy, real) ? errno : 0;
    close(fd);
    if (err) {
        unlink(copy);
        return fail(f->path, strerror(err));
    }
    sync_folder(real);
    return EXIT_OK;
}

/* ---- a FAT image as a card ---- */

struct image {
    uint8_t *data;
    size_t len;
};

static uint32_t image_insertions(void *ctx)
{
    return ((struct image *)ctx)->data ? 1 : 0;
}

static uint64_t image_sectors(void *ctx)
{
    return ((struct image *)ctx)->len / 512;
}

static bool image_readonly(void *ctx)
{
    (void)ctx;
    return true;
}

static int image_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    memcpy(to, ((struct image *)ctx)->data + (size_t)sector * 512,
           (size_t)count * 512);
    return 0;
}

static int image_store(void *ctx, const struct volume_card_part *parts,
                       unsigned count, bool sync)
{
    (void)ctx, (void)parts, (void)sync;
    return count ? -1 : 0;
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return time(NULL);
}

int fs_chip_volumes(struct fs_chip_file *f, struct volumes **v, uint8_t *image,
                    size_t len)
{
    static struct image card; /* one card a process */
    card = (struct image){image, len};
    struct volume_config config = {
        .flash = f->flash,
        .fs_off = f->fs_off,
        .fs_size = f->fs_size,
        .card = {.ctx = &card,
                 .insertions = image_insertions,
                 .sectors = image_sectors,
                 .readonly = image_readonly,
                 .read = image_read,
                 .store = image_store},
        .now = now,
    };
    int err = volumes_start(v, &config);
    if (err)
        return fail(f->path, strerror(-err));
    return EXIT_OK;
}
