/* The board's files: /flash, /sd and the virtual root above them.
 *
 * Everything here belongs to the storage thread (firmware/storage): no lock
 * is taken inside, and a call returns when it is done. FTP, Python and the
 * updater hand the storage thread a job that calls these functions.
 *
 * Paths are absolute UTF-8, at most VOLUME_PATH_MAX bytes: "/flash/lib/x.py".
 * Repeated and trailing slashes, "." and ".." are resolved here. Names are
 * compared without regard to case, as on every FAT volume, and keep the case
 * they were created with.
 *
 * Promises (FLASH-FS.md section 6, issue 4):
 *  - each call that changes /flash and returns 0 is on the flash, whole; one
 *    that a power cut interrupts happened entirely or not at all
 *  - data written to an open file is on the flash after volume_sync,
 *    volume_close or volume_sync_all
 *  - a file opened with VOLUME_TRUNC keeps its old contents, for every other
 *    reader and over every power cut, until the first sync or the close
 *  - rename replaces an existing file in one step
 *  - a damaged volume is never formatted without volume_mkfs
 * /sd is a plain FAT volume. Each call that changes it and returns 0 is on the
 * card, and what is written to an open file after sync or close; between
 * these calls the card is as the last one left it. When the card fails, or is
 * pulled, in the middle of one: every other name keeps its contents; of a
 * file being replaced the old or the new contents are there, whole; of one
 * being renamed the old or the new name, or both for the same file. Clusters
 * may be lost until a PC's fsck finds them. Not so when a file is replaced
 * while somebody reads the old one, or when one call changes more than 32
 * places of FAT and folders (a folder growing by clusters of 128 KiB).
 *
 * Returns: 0 or a count, or a negative errno of Linux (-ENOENT, -EEXIST,
 * -ENOTDIR, -EISDIR, -ENOTEMPTY, -EBUSY, -ENOSPC, -EROFS, -EPERM, -EACCES,
 * -EINVAL, -ENAMETOOLONG, -EBADF, -EMFILE, -ENODEV, -EXDEV, -EIO, -EFBIG),
 * the numbers Python's OSError carries. volume_reason() has the sentence. */
#ifndef WIPY_FIRMWARE_VOLUME_H
#define WIPY_FIRMWARE_VOLUME_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/flash.h"

enum {
    VOLUME_PATH_MAX = 512, /* bytes of a path, without the NUL */
    VOLUME_NAME_MAX = 255, /* bytes of one name, without the NUL */
    VOLUME_FILES = 24,     /* files open at the same time, all volumes */
    VOLUME_DIRS = 16,      /* directories open at the same time */
    VOLUME_CARD_MEMORY = 1280 * 1024, /* what a card is lent at most */
    VOLUME_CARD_MEMORY_LEAST = 256 * 1024,
};

struct volume_card_part {
    uint32_t sector, count;
    const uint8_t *from;
};

/* The SD slot. `insertions` is 0 while no card is in, and another number each
 * time one was put in; the others return 0 or a negative enum wipy_err. What
 * is read or stored is of the card `insertions` told of last, or fails; it
 * lies in `memory`, `memory_size` bytes that the card reaches by itself,
 * VOLUME_CARD_MEMORY_LEAST or more; NULL: anywhere. */
struct volume_card {
    void *ctx;
    uint32_t (*insertions)(void *ctx);
    uint64_t (*sectors)(void *ctx); /* of 512 bytes */
    bool (*readonly)(void *ctx);
    int (*read)(void *ctx, uint32_t sector, void *to, uint32_t count);
    /* One after the other, up to the first that fails; then all that was
     * ever stored is made to stay, if `sync`. */
    int (*store)(void *ctx, const struct volume_card_part *parts,
                 unsigned count, bool sync);
    uint8_t *memory;
    size_t memory_size;
};

struct volume_config {
    struct flash flash;        /* copied */
    flash_off fs_off;          /* the partition `fs` */
    uint32_t fs_size;          /* bytes, a multiple of FLASH_SECTOR */
    struct volume_card card;   /* all NULL: a board without a slot */
    int64_t (*now)(void *ctx); /* Unix seconds, for time stamps; or NULL */
    void *now_ctx;
};

struct volumes;

/* Allocates everything the volumes will ever need (about 0.6 MiB, twice
 * that with a card) and mounts
 * /flash; a blank partition is formatted. Fails only for want of memory
 * (-ENOMEM) or a bad config (-EINVAL): a /flash that cannot be mounted is
 * there with its state, see volume_status. */
int volumes_start(struct volumes **out, const struct volume_config *config);

/* Syncs, unmounts and frees. Open files are closed. NULL is allowed. */
void volumes_stop(struct volumes *v);

/* First-time contents (spec 5.3): the folders sys, lib, cert and the files
 * boot.py and main.py, each only when missing. */
int volume_populate(struct volumes *v);

/* Why the last call failed, for the user: "the name 'a?b' has a character
 * FAT does not allow: '?'". Empty after a success. Never NULL. */
const char *volume_reason(const struct volumes *v);

/* ---- files ---- */

enum volume_flag {
    VOLUME_READ = 1,
    VOLUME_WRITE = 2,
    VOLUME_CREATE = 4,  /* create it when missing */
    VOLUME_EXCL = 8,    /* with CREATE: -EEXIST when it is there */
    VOLUME_TRUNC = 16,  /* start empty; replaces the old file when synced */
    VOLUME_APPEND = 32, /* every write goes to the end */
    VOLUME_HIDDEN = 64, /* a new file has no name before the first sync or the
                         * close: nobody sees or opens it (an upload) */
};

/* Python's modes: r READ; w WRITE|CREATE|TRUNC; a WRITE|CREATE|APPEND;
 * x WRITE|CREATE|EXCL; + adds the other of READ and WRITE.
 * Returns a handle >= 0. One writer per file: -EBUSY for a second one; any
 * number of readers; when the file is replaced they go on reading the old
 * one. */
int volume_open(struct volumes *v, const char *path, unsigned flags);

/* Bytes read, 0 at the end. */
int volume_read(struct volumes *v, int file, void *to, size_t len);

/* Bytes written: all of `len`, or an error (-ENOSPC, -EFBIG, -EIO) after
 * which the file holds what fitted. */
int volume_write(struct volumes *v, int file, const void *from, size_t len);

/* Moves to `at` + start (whence SEEK_SET), position (SEEK_CUR) or end
 * (SEEK_END); returns the new position. Past the end is allowed: the gap
 * reads as zeros once something is written there. */
int64_t volume_seek(struct volumes *v, int file, int64_t at, int whence);

/* The file is then `len` bytes; grown with zeros. Keeps the position. */
int volume_truncate(struct volumes *v, int file, uint64_t len);

/* What was written to this and every other open file is on the medium. */
int volume_sync(struct volumes *v, int file);

/* The handle is free afterwards, whatever is returned; an error says that
 * the last data did not reach the medium and the old file, if there was one,
 * is still in place. */
int volume_close(struct volumes *v, int file);

/* Closes without publishing: for a file opened with TRUNC or EXCL the name
 * keeps its old contents, or none (an upload that broke off). Other files
 * are closed as by volume_close. */
int volume_abandon(struct volumes *v, int file);

/* ---- directories and names ---- */

struct volume_info {
    char name[VOLUME_NAME_MAX + 1]; /* last component; of a volume: "flash" */
    bool is_dir;
    bool readonly;
    uint64_t size;    /* bytes, 0 for a directory */
    int64_t modified; /* Unix seconds, even; 2015-01-01 for a volume */
    uint32_t id;      /* a stable inode-like number, 0 when there is none */
};

/* A handle >= 0. The root lists the mounted volumes. */
int volume_opendir(struct volumes *v, const char *path);
/* 1 and an entry, 0 at the end. "." and ".." are never listed. */
int volume_readdir(struct volumes *v, int dir, struct volume_info *info);
int volume_closedir(struct volumes *v, int dir);

int volume_stat(struct volumes *v, const char *path, struct volume_info *info);

/* Within one volume (-EXDEV otherwise). An existing file `to` is replaced in
 * the same step; a directory is not (-EEXIST). -EBUSY when either is open. */
int volume_rename(struct volumes *v, const char *from, const char *to);
int volume_unlink(struct volumes *v, const char *path); /* files only */
int volume_rmdir(struct volumes *v, const char *path);  /* empty ones only */
int volume_mkdir(struct volumes *v, const char *path);
/* Sets the modification time; FAT keeps it to 2 s, 1980 to 2107. */
int volume_utime(struct volumes *v, const char *path, int64_t modified);

/* Refuses writing, creating or renaming onto these paths with -EPERM: firmware
 * images go through the updater. NULL allows everything; the default refuses
 * /flash/sys/appimg.bin and /flash/sys/mcuimg.bin. Returns NULL to allow, or
 * the reason. `path` is resolved, upper or lower case as the caller gave it.
 * Reading and removing are always allowed. */
void volume_set_refuse(struct volumes *v,
                       const char *(*refuse)(void *ctx, const char *path),
                       void *ctx);

/* ---- volumes ---- */

struct volume_space {
    uint32_t block;   /* bytes of an allocation unit */
    uint64_t blocks;  /* in the volume */
    uint64_t free;    /* blocks */
    uint32_t namemax; /* VOLUME_NAME_MAX */
};

int volume_statvfs(struct volumes *v, const char *path,
                   struct volume_space *space);

/* Everything open on every volume is written and flushed. */
int volume_sync_all(struct volumes *v);

enum volume_state {
    VOLUME_ABSENT = 0, /* no card, or nothing mounted there */
    VOLUME_MOUNTED = 1,
    VOLUME_READONLY = 2, /* damaged or write-protected: readable only */
    VOLUME_DAMAGED = 3,  /* cannot be mounted; volume_mkfs makes it anew */
};

struct volume_status {
    enum volume_state state;
    bool formatted;     /* this start found it blank and formatted it */
    char reason[192];   /* why it is not VOLUME_MOUNTED; or a remark */
    uint32_t erase_min; /* /flash only: wear of the partition's sectors */
    uint32_t erase_max;
    uint32_t bad_blocks; /* /flash only: retired sectors */
};

/* `path` is anywhere in the volume. -ENOENT for no such volume. */
int volume_status(struct volumes *v, const char *path,
                  struct volume_status *status);

/* Mounts the card at `path`, a name directly under the root ("/sd").
 * -ENODEV without a card, -EBUSY when the card is mounted elsewhere, -EEXIST
 * when the name is taken, -EIO or -EINVAL when no FAT volume is on it. A card
 * that is pulled takes its open files with it: calls on them give -ENODEV,
 * and the volume is gone from the root. */
int volume_mount(struct volumes *v, const char *path);

/* -EBUSY while files are open on it, unless `force` (they are closed).
 * /flash may be unmounted and mounted again with volume_mount. */
int volume_umount(struct volumes *v, const char *path, bool force);

/* Makes an empty volume: "/flash" or where the card is mounted ("/sd" when
 * it is not). -EBUSY while files are open on it. For /flash one atomic step;
 * afterwards it is mounted. Call volume_populate for the usual contents. */
int volume_mkfs(struct volumes *v, const char *path);

#endif
