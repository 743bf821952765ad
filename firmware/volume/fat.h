/* One FatFs instance in its sandbox: the plain FAT operations, without any of
 * the rules of volume.h.
 *
 * Paths are relative to the volume ("/lib/x.py") and at most VOLUME_PATH_MAX
 * bytes. Every function returns an enum fat_result. After FAT_TRAP the
 * instance answers nothing but FAT_TRAP. */
#ifndef WIPY_FIRMWARE_VOLUME_FAT_H
#define WIPY_FIRMWARE_VOLUME_FAT_H

#include <stdbool.h>
#include <stdint.h>

#include "volume.h"

enum fat_result { /* FatFs's FRESULT, and ours */
                  FAT_OK = 0,
                  FAT_DISK_ERR = 1,
                  FAT_INT_ERR = 2,
                  FAT_NOT_READY = 3,
                  FAT_NO_FILE = 4,
                  FAT_NO_PATH = 5,
                  FAT_INVALID_NAME = 6,
                  FAT_DENIED = 7,
                  FAT_EXIST = 8,
                  FAT_INVALID_OBJECT = 9,
                  FAT_WRITE_PROTECTED = 10,
                  FAT_NO_FILESYSTEM = 13,
                  FAT_MKFS_ABORTED = 14,
                  FAT_NOT_ENOUGH_CORE = 17,
                  FAT_INVALID_PARAMETER = 19,
                  FAT_TRAP = 100,
};

enum fat_mode { /* FatFs's FA_ flags */
                FAT_READ = 0x01,
                FAT_WRITE = 0x02,
                FAT_CREATE_NEW = 0x04,
                FAT_CREATE_ALWAYS = 0x08,
};

enum { FAT_IO_MAX = 65536, FAT_SECTOR = 512 };

/* `structure`: a sector of FAT or a folder, not of a file. Nothing is synced
 * from here: the volume commits when a call is through. */
struct fat_disk {
    void *ctx;
    uint64_t sectors;
    int (*read)(void *ctx, uint32_t sector, uint8_t *to, uint32_t count,
                bool structure);
    int (*write)(void *ctx, uint32_t sector, const uint8_t *from,
                 uint32_t count, bool structure);
    int64_t (*now)(void *ctx); /* Unix seconds */
    bool readonly;
};

struct fat_info {
    char name[VOLUME_NAME_MAX + 1];
    uint64_t size;
    int64_t modified;
    bool is_dir, readonly;
};

struct fat;

/* NULL for want of memory. */
struct fat *fat_new(const struct fat_disk *disk);
void fat_free(struct fat *fat);
struct fat_disk *fat_disk(struct fat *fat);

int fat_mount(struct fat *fat);
int fat_unmount(struct fat *fat);
/* A FAT12/16 volume over the whole disk, one sector a cluster, `root` root
 * directory entries (flash); or whatever suits, in one partition of an MBR
 * (card). */
int fat_make_flash(struct fat *fat, uint32_t root);
int fat_make_card(struct fat *fat);

/* `file` is 0 .. VOLUME_FILES-1, `dir` is 0 .. VOLUME_DIRS (the last one is
 * the volume's own). */
int fat_open(struct fat *fat, int file, const char *path, unsigned mode);
int fat_close(struct fat *fat, int file);
int fat_read(struct fat *fat, int file, void *to, uint32_t len, uint32_t *got);
int fat_write(struct fat *fat, int file, const void *from, uint32_t len,
              uint32_t *put);
int fat_seek(struct fat *fat, int file, uint64_t at);
int fat_truncate(struct fat *fat, int file); /* at the position */
int fat_sync(struct fat *fat, int file);
uint64_t fat_size(struct fat *fat, int file);
uint64_t fat_tell(struct fat *fat, int file);

int fat_opendir(struct fat *fat, int dir, const char *path);
/* name[0] is 0 at the end. */
int fat_readdir(struct fat *fat, int dir, struct fat_info *info);
int fat_closedir(struct fat *fat, int dir);

int fat_stat(struct fat *fat, const char *path, struct fat_info *info);
int fat_unlink(struct fat *fat, const char *path);
int fat_rename(struct fat *fat, const char *from, const char *to);
int fat_mkdir(struct fat *fat, const char *path);
int fat_utime(struct fat *fat, const char *path, int64_t modified);
int fat_space(struct fat *fat, uint32_t *cluster_bytes, uint64_t *clusters,
              uint64_t *free_clusters);

/* Of a mounted volume: the sectors below say which clusters are whose (the
 * FATs, exFAT's bitmap); folders and contents lie behind. */
uint32_t fat_fence(const struct fat *fat);

/* "out of bounds memory access" and the like; NULL before any trap. */
const char *fat_trap_text(const struct fat *fat);

/* FAT's local time, taken as UTC; outside 1980..2107 the nearest. */
uint32_t fat_time_of(int64_t unix_seconds);
int64_t fat_time_to_unix(uint32_t date_time);

#endif
