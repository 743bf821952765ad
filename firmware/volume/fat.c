/* The FAT operations as calls of the sandbox: arguments and results lie in
 * its memory. */
#include "fat.h"

#include <string.h>

#include "base/cursor.h"
#include "fat_sandbox.h"

static int call1(struct fat *fat, enum fat_op op, u32 a)
{
    return fat_call(&(struct fat_call){.fat = fat, .op = op, .a = a});
}

static int call2(struct fat *fat, enum fat_op op, u32 a, u32 b)
{
    return fat_call(&(struct fat_call){.fat = fat, .op = op, .a = a, .b = b});
}

/* "0:" and the path, or an empty one that no name matches when too long. */
static u32 put_path(struct fat *fat, u32 at, const char *path)
{
    char *to = (char *)fat->memory + at;
    size_t len = strlen(path);
    if (len > VOLUME_PATH_MAX)
        len = 0;
    memcpy(to, "0:", 2);
    memcpy(to + 2, path, len);
    to[2 + len] = 0;
    return at;
}

static u32 file_at(int file)
{
    return AT_FILES + (u32)file * FILE_STEP;
}

static u32 dir_at(int dir)
{
    return AT_DIRS + (u32)dir * DIR_STEP;
}

/* ---- volumes ---- */

int fat_mount(struct fat *fat)
{
    return fat_call(&(struct fat_call){.fat = fat,
                                       .op = OP_MOUNT,
                                       .a = AT_FS,
                                       .b = put_path(fat, AT_PATH, ""),
                                       .c = 1});
}

int fat_unmount(struct fat *fat)
{
    return fat_call(&(struct fat_call){
        .fat = fat, .op = OP_MOUNT, .b = put_path(fat, AT_PATH, "")});
}

static int make(struct fat *fat, uint8_t format, uint32_t root, uint32_t unit)
{
    struct writer w = writer_of(fat->memory + AT_INFO, 16);
    write_u8(&w, format);
    write_u8(&w, 1); /* one FAT */
    write_u16(&w, 0);
    write_u32(&w, 0); /* alignment: as the disk says */
    write_u32(&w, root);
    write_u32(&w, unit);
    return fat_call(&(struct fat_call){.fat = fat,
                                       .op = OP_MKFS,
                                       .a = put_path(fat, AT_PATH, ""),
                                       .b = AT_INFO,
                                       .c = AT_WORK,
                                       .d = WORK_SIZE});
}

enum { FM_FAT = 1, FM_ANY = 7, FM_SFD = 8 };
enum { TABLE_SMALL = 1 << 18 }; /* sectors, of a card */

int fat_make_flash(struct fat *fat, uint32_t root)
{
    return make(fat, FM_FAT | FM_SFD, root, FAT_SECTOR);
}

/* A table with one partition, as cards have it; FatFs by itself would write a
 * GUID partition table, which cameras and small boards do not read. */
static int make_table(struct fat *fat)
{
    const struct fat_disk *disk = &fat->env.disk;
    uint64_t first = disk->sectors < TABLE_SMALL ? 64 : 8192;
    uint64_t count = disk->sectors - first;
    uint8_t sector[FAT_SECTOR] = {0};
    struct writer w = writer_of(sector + 446, 66);
    if (disk->sectors < 2 * first)
        return FAT_MKFS_ABORTED;
    write_u32(&w, 0xFFFFFE00); /* not active; no cylinders and heads */
    write_u32(&w, 0xFFFFFE0C); /* FAT32, until it is known */
    write_u32(&w, (uint32_t)first);
    write_u32(&w, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
    put_u16(sector + 510, 0xAA55);
    return disk->write(disk->ctx, 0, sector, 1, true) ? FAT_DISK_ERR : FAT_OK;
}

int fat_make_card(struct fat *fat)
{
    int err = make_table(fat);
    if (!err)
        err = call1(fat, OP_PARTITION, 1);
    return err ? err : make(fat, FM_ANY, 0, 0);
}

int fat_space(struct fat *fat, uint32_t *cluster_bytes, uint64_t *clusters,
              uint64_t *free_clusters)
{
    enum { FATFS_CSIZE = 10, FATFS_N_FATENT = 28 };
    int err = fat_call(&(struct fat_call){.fat = fat,
                                          .op = OP_GETFREE,
                                          .a = put_path(fat, AT_PATH, ""),
                                          .b = AT_COUNT,
                                          .c = AT_COUNT + 8});
    if (err)
        return err;
    const uint8_t *fs = fat->memory + AT_FS;
    *cluster_bytes = (uint32_t)get_u16(fs + FATFS_CSIZE) * FAT_SECTOR;
    *clusters = get_u32(fs + FATFS_N_FATENT) - 2;
    *free_clusters = get_u32(fat->memory + AT_COUNT);
    return 0;
}

uint32_t fat_fence(const struct fat *fat)
{
    enum { FS_TYPE = 0, N_FATENT = 28, DIRBASE = 64, DATABASE = 72 };
    enum { BITBASE = 80, TYPE_FAT32 = 3, TYPE_EXFAT = 4 };
    const uint8_t *fs = fat->memory + AT_FS;
    if (fs[FS_TYPE] < TYPE_FAT32)
        return get_u32(fs + DIRBASE);
    if (fs[FS_TYPE] < TYPE_EXFAT)
        return get_u32(fs + DATABASE);
    const uint32_t per_sector = FAT_SECTOR * 8;
    return get_u32(fs + BITBASE) + get_u32(fs + N_FATENT) / per_sector + 1;
}

/* ---- files ---- */

int fat_open(struct fat *fat, int file, const char *path, unsigned mode)
{
    return fat_call(&(struct fat_call){.fat = fat,
                                       .op = OP_OPEN,
                                       .a = file_at(file),
                                       .b = put_path(fat, AT_PATH, path),
                                       .c = mode});
}

int fat_close(struct fat *fat, int file)
{
    return call1(fat, OP_CLOSE, file_at(file));
}

/* What FatFs moves through the file's own buffer, and so through its memory:
 * up to the first whole sector, and behind the last. */
struct edges {
    uint32_t head, tail_at;
};

static struct edges edges_of(uint64_t position, uint32_t len)
{
    uint32_t head = (uint32_t)(-position % FAT_SECTOR);
    if (head > len)
        head = len;
    return (struct edges){head, len - (len - head) % FAT_SECTOR};
}

static void copy_edges(uint8_t *to, const uint8_t *from, uint64_t position,
                       uint32_t len)
{
    struct edges e = edges_of(position, len);
    memcpy(to, from, e.head);
    memcpy(to + e.tail_at, from + e.tail_at, len - e.tail_at);
}

static uint64_t position_of(const struct fat *fat, int file)
{
    struct reader r = reader_of(fat->memory + file_at(file) + FIL_POSITION, 8);
    return read_u64(&r);
}

static int transfer(struct fat *fat, enum fat_op op, struct lent lent,
                    uint32_t *done)
{
    fat->env.lent = lent;
    int err = fat_call(&(struct fat_call){.fat = fat,
                                          .op = op,
                                          .a = lent.file,
                                          .b = AT_IO,
                                          .c = lent.len,
                                          .d = AT_COUNT});
    fat->env.lent = (struct lent){0};
    uint32_t count = err == FAT_TRAP ? 0 : get_u32(fat->memory + AT_COUNT);
    *done = count <= lent.len ? count : 0;
    return err;
}

/* With a buffer that is not written yet everything goes through FatFs's
 * memory: it lays the buffer over what it read. */
int fat_read(struct fat *fat, int file, void *to, uint32_t len, uint32_t *got)
{
    const uint8_t *io = fat->memory + AT_IO;
    uint64_t at = position_of(fat, file);
    bool all = fat->memory[file_at(file) + FIL_FLAG] & FA_DIRTY;
    if (len > FAT_IO_MAX)
        len = FAT_IO_MAX;
    struct lent lent = {
        .to = all ? NULL : to, .len = len, .file = file_at(file)};
    int err = transfer(fat, OP_READ, lent, got);
    if (all)
        memcpy(to, io, *got);
    else
        copy_edges(to, io, at, *got);
    return err;
}

/* So it does at the end of what a FAT file can hold, where FatFs itself says
 * how much is written. */
int fat_write(struct fat *fat, int file, const void *from, uint32_t len,
              uint32_t *put)
{
    uint8_t *io = fat->memory + AT_IO;
    uint64_t at = position_of(fat, file);
    if (len > FAT_IO_MAX)
        len = FAT_IO_MAX;
    bool all = at % (UINT64_C(1) << 32) + len > UINT32_MAX;
    struct lent lent = {
        .from = all ? NULL : from, .len = len, .file = file_at(file)};
    if (all)
        memcpy(io, from, len);
    else
        copy_edges(io, from, at, len);
    return transfer(fat, OP_WRITE, lent, put);
}

int fat_seek(struct fat *fat, int file, uint64_t at)
{
    return fat_call(&(struct fat_call){
        .fat = fat, .op = OP_SEEK, .a = file_at(file), .wide = at});
}

int fat_truncate(struct fat *fat, int file)
{
    return call1(fat, OP_TRUNCATE, file_at(file));
}

int fat_sync(struct fat *fat, int file)
{
    return call1(fat, OP_SYNC, file_at(file));
}

static uint64_t wide(struct fat *fat, enum fat_op op, int file)
{
    struct fat_call c = {.fat = fat, .op = op, .a = file_at(file)};
    return fat_call(&c) == FAT_TRAP ? 0 : c.wide;
}

uint64_t fat_size(struct fat *fat, int file)
{
    return wide(fat, OP_SIZE, file);
}

uint64_t fat_tell(struct fat *fat, int file)
{
    return wide(fat, OP_TELL, file);
}

/* ---- names ---- */

static void info_of(const struct fat *fat, struct fat_info *info)
{
    enum { SIZE = 0, DATE = 8, TIME = 10, ATTRIB = 12, NAME = 26 };
    const uint8_t *at = fat->memory + AT_INFO;
    struct reader r = reader_of(at + SIZE, 8);
    info->size = read_u64(&r);
    info->modified = fat_time_to_unix((uint32_t)get_u16(at + DATE) << 16 |
                                      get_u16(at + TIME));
    info->is_dir = at[ATTRIB] & ATTR_DIR;
    info->readonly = at[ATTRIB] & ATTR_READONLY;
    memcpy(info->name, at + NAME, VOLUME_NAME_MAX);
    info->name[VOLUME_NAME_MAX] = 0;
}

int fat_opendir(struct fat *fat, int dir, const char *path)
{
    return call2(fat, OP_OPENDIR, dir_at(dir), put_path(fat, AT_PATH, path));
}

int fat_readdir(struct fat *fat, int dir, struct fat_info *info)
{
    int err = call2(fat, OP_READDIR, dir_at(dir), AT_INFO);
    info->name[0] = 0;
    if (!err)
        info_of(fat, info);
    return err;
}

int fat_closedir(struct fat *fat, int dir)
{
    return call1(fat, OP_CLOSEDIR, dir_at(dir));
}

int fat_stat(struct fat *fat, const char *path, struct fat_info *info)
{
    int err = call2(fat, OP_STAT, put_path(fat, AT_PATH, path), AT_INFO);
    if (!err)
        info_of(fat, info);
    return err;
}

int fat_unlink(struct fat *fat, const char *path)
{
    return call1(fat, OP_UNLINK, put_path(fat, AT_PATH, path));
}

int fat_rename(struct fat *fat, const char *from, const char *to)
{
    put_path(fat, AT_PATH, from);
    return call2(fat, OP_RENAME, AT_PATH, put_path(fat, AT_PATH2, to));
}

int fat_mkdir(struct fat *fat, const char *path)
{
    return call1(fat, OP_MKDIR, put_path(fat, AT_PATH, path));
}

int fat_utime(struct fat *fat, const char *path, int64_t modified)
{
    uint32_t t = fat_time_of(modified);
    put_u16(fat->memory + AT_INFO + 8, (uint16_t)(t >> 16));
    put_u16(fat->memory + AT_INFO + 10, (uint16_t)t);
    return call2(fat, OP_UTIME, put_path(fat, AT_PATH, path), AT_INFO);
}
