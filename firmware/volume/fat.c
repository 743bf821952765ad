#include "fat.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "ff_exfat.h"
#include "firmware/wasm/guard.h"

/* Linear memory: FatFs's own data, stack and heap end at 128 KiB; above that
 * lie the structures the host lends it. */
enum {
    MEM_PAGES = 4,
    MEM_SIZE = MEM_PAGES * 65536,
    AT_FS = 0x20000,
    AT_INFO = 0x21000,  /* FILINFO, MKFS_PARM */
    AT_COUNT = 0x21800, /* results */
    AT_PATH = 0x22000,
    AT_PATH2 = 0x23000,
    AT_FILES = 0x24000,
    FILE_STEP = 0x300,
    AT_DIRS = 0x2A000,
    DIR_STEP = 0x100,
    AT_WORK = 0x2C000, /* f_mkfs */
    WORK_SIZE = 0x4000,
    AT_IO = 0x30000,

    FA_OPEN_APPEND = 0x30,
    ATTR_READONLY = 0x01,
    ATTR_DIR = 0x10,
};

_Static_assert(AT_FILES + VOLUME_FILES * FILE_STEP <= AT_DIRS, "files fit");
_Static_assert(AT_DIRS + (VOLUME_DIRS + 1) * DIR_STEP <= AT_WORK, "dirs fit");
_Static_assert(AT_IO + FAT_IO_MAX <= MEM_SIZE, "transfers fit");

struct Z_env_instance_t {
    wasm_rt_memory_t memory;
    struct fat_disk disk;
};

struct fat {
    struct Z_env_instance_t env;
    Z_ff_exfat_instance_t ff;
    wasm_rt_trap_t trap;
    uint8_t memory[MEM_SIZE];
};

/* ---- what the module imports ---- */

enum { STA_NOINIT = 1, STA_PROTECT = 4 };

wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *env)
{
    return &env->memory;
}

u32 Z_envZ_disk_status(struct Z_env_instance_t *env, u32 drive)
{
    if (drive != 0)
        return STA_NOINIT;
    return env->disk.readonly ? STA_PROTECT : 0;
}

u32 Z_envZ_disk_initialize(struct Z_env_instance_t *env, u32 drive)
{
    return Z_envZ_disk_status(env, drive);
}

u32 Z_envZ_get_fattime(struct Z_env_instance_t *env)
{
    return fat_time_of(env->disk.now(env->disk.ctx));
}

static bool in_memory(u32 at, u64 len)
{
    return at <= MEM_SIZE && len <= MEM_SIZE - at;
}

u32 Z_envZ_disk_ioctl(struct Z_env_instance_t *env, u32 drive, u32 command,
                      u32 at)
{
    enum { SYNC = 0, SECTOR_COUNT = 1, BLOCK_SIZE = 3 };
    struct writer w = writer_of(env->memory.data + at, 8);
    if (drive != 0 || !in_memory(at, 8))
        return 4; /* RES_PARERR */
    switch (command) {
    case SYNC:
        return 0;
    case SECTOR_COUNT:
        write_u64(&w, env->disk.sectors);
        return 0;
    case BLOCK_SIZE:
        write_u32(&w, 1);
        return 0;
    default:
        return 4;
    }
}

static bool is_transfer(const struct Z_env_instance_t *env, u32 drive, u32 at,
                        u32 low, u32 high, u32 count)
{
    uint64_t sector = (uint64_t)high << 32 | low;
    return drive == 0 && high == 0 &&
           in_memory(at, (uint64_t)count * FAT_SECTOR) &&
           sector + count <= env->disk.sectors;
}

/* FatFs's own window, as opposed to the buffers of files and callers. */
static bool is_structure(u32 at, u32 count)
{
    return count == 1 && at >= AT_FS && at < AT_INFO;
}

u32 Z_envZ_ffw_disk_read(struct Z_env_instance_t *env, u32 drive, u32 at,
                         u32 low, u32 high, u32 count)
{
    const struct fat_disk *disk = &env->disk;
    if (!is_transfer(env, drive, at, low, high, count))
        return 4;
    return disk->read(disk->ctx, low, env->memory.data + at, count,
                      is_structure(at, count))
               ? 1
               : 0;
}

u32 Z_envZ_ffw_disk_write(struct Z_env_instance_t *env, u32 drive, u32 at,
                          u32 low, u32 high, u32 count)
{
    const struct fat_disk *disk = &env->disk;
    if (!is_transfer(env, drive, at, low, high, count))
        return 4;
    return disk->write(disk->ctx, low, env->memory.data + at, count,
                       is_structure(at, count))
               ? 1
               : 0;
}

/* ---- calls into the sandbox ---- */

enum op {
    OP_INIT,
    OP_MOUNT,
    OP_MKFS,
    OP_OPEN,
    OP_CLOSE,
    OP_READ,
    OP_WRITE,
    OP_SEEK,
    OP_TRUNCATE,
    OP_SYNC,
    OP_SIZE,
    OP_TELL,
    OP_OPENDIR,
    OP_READDIR,
    OP_CLOSEDIR,
    OP_STAT,
    OP_UNLINK,
    OP_RENAME,
    OP_MKDIR,
    OP_UTIME,
    OP_GETFREE,
};

struct call {
    struct fat *fat;
    enum op op;
    u32 a, b, c, d;
    u64 wide;
    u32 result;
};

static void init(struct fat *fat)
{
    Z_ff_exfat_init_module();
    Z_ff_exfat_instantiate(&fat->ff, &fat->env);
    /* Volume 0 is drive 0, the first FAT partition or the whole disk. */
    Z_ff_exfatZ_ffw_set_vol_to_part(&fat->ff, 0, 0, 0);
}

static void run(void *arg)
{
    struct call *c = arg;
    Z_ff_exfat_instance_t *ff = &c->fat->ff;
    switch (c->op) {
    case OP_INIT:
        init(c->fat);
        break;
    case OP_MOUNT:
        c->result = Z_ff_exfatZ_f_mount(ff, c->a, c->b, c->c);
        break;
    case OP_MKFS:
        c->result = Z_ff_exfatZ_f_mkfs(ff, c->a, c->b, c->c, c->d);
        break;
    case OP_OPEN:
        c->result = Z_ff_exfatZ_f_open(ff, c->a, c->b, c->c);
        break;
    case OP_CLOSE:
        c->result = Z_ff_exfatZ_f_close(ff, c->a);
        break;
    case OP_READ:
        c->result = Z_ff_exfatZ_f_read(ff, c->a, c->b, c->c, c->d);
        break;
    case OP_WRITE:
        c->result = Z_ff_exfatZ_f_write(ff, c->a, c->b, c->c, c->d);
        break;
    case OP_SEEK:
        c->result = Z_ff_exfatZ_f_lseek(ff, c->a, c->wide);
        break;
    case OP_TRUNCATE:
        c->result = Z_ff_exfatZ_f_truncate(ff, c->a);
        break;
    case OP_SYNC:
        c->result = Z_ff_exfatZ_f_sync(ff, c->a);
        break;
    case OP_SIZE:
        c->wide = Z_ff_exfatZ_ffw_f_size_low(ff, c->a) |
                  (u64)Z_ff_exfatZ_ffw_f_size_high(ff, c->a) << 32;
        break;
    case OP_TELL:
        c->wide = Z_ff_exfatZ_ffw_f_tell_low(ff, c->a) |
                  (u64)Z_ff_exfatZ_ffw_f_tell_high(ff, c->a) << 32;
        break;
    case OP_OPENDIR:
        c->result = Z_ff_exfatZ_f_opendir(ff, c->a, c->b);
        break;
    case OP_READDIR:
        c->result = Z_ff_exfatZ_f_readdir(ff, c->a, c->b);
        break;
    case OP_CLOSEDIR:
        c->result = Z_ff_exfatZ_f_closedir(ff, c->a);
        break;
    case OP_STAT:
        c->result = Z_ff_exfatZ_f_stat(ff, c->a, c->b);
        break;
    case OP_UNLINK:
        c->result = Z_ff_exfatZ_f_unlink(ff, c->a);
        break;
    case OP_RENAME:
        c->result = Z_ff_exfatZ_f_rename(ff, c->a, c->b);
        break;
    case OP_MKDIR:
        c->result = Z_ff_exfatZ_f_mkdir(ff, c->a);
        break;
    case OP_UTIME:
        c->result = Z_ff_exfatZ_f_utime(ff, c->a, c->b);
        break;
    case OP_GETFREE:
        c->result = Z_ff_exfatZ_f_getfree(ff, c->a, c->b, c->c);
        break;
    }
}

static int call(struct call *c)
{
    struct fat *fat = c->fat;
    if (fat->trap != WASM_RT_TRAP_NONE)
        return FAT_TRAP;
    fat->trap = wasm_guard_run(run, c);
    return fat->trap == WASM_RT_TRAP_NONE ? (int)c->result : FAT_TRAP;
}

static int call1(struct fat *fat, enum op op, u32 a)
{
    return call(&(struct call){.fat = fat, .op = op, .a = a});
}

static int call2(struct fat *fat, enum op op, u32 a, u32 b)
{
    return call(&(struct call){.fat = fat, .op = op, .a = a, .b = b});
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

struct fat *fat_new(const struct fat_disk *disk)
{
    struct fat *fat = calloc(1, sizeof *fat);
    if (!fat)
        return NULL;
    fat->env.disk = *disk;
    fat->env.memory = (wasm_rt_memory_t){
        .data = fat->memory,
        .pages = MEM_PAGES,
        .max_pages = MEM_PAGES,
        .size = MEM_SIZE,
    };
    if (!wasm_rt_is_initialized())
        wasm_rt_init();
    call1(fat, OP_INIT, 0);
    return fat;
}

void fat_free(struct fat *fat)
{
    free(fat);
}

struct fat_disk *fat_disk(struct fat *fat)
{
    return &fat->env.disk;
}

const char *fat_trap_text(const struct fat *fat)
{
    return fat->trap ? wasm_rt_strerror(fat->trap) : NULL;
}

/* ---- volumes ---- */

int fat_mount(struct fat *fat)
{
    return call(&(struct call){.fat = fat,
                               .op = OP_MOUNT,
                               .a = AT_FS,
                               .b = put_path(fat, AT_PATH, ""),
                               .c = 1});
}

int fat_unmount(struct fat *fat)
{
    return call(&(struct call){
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
    return call(&(struct call){.fat = fat,
                               .op = OP_MKFS,
                               .a = put_path(fat, AT_PATH, ""),
                               .b = AT_INFO,
                               .c = AT_WORK,
                               .d = WORK_SIZE});
}

enum { FM_FAT = 1, FM_ANY = 7, FM_SFD = 8 };

int fat_make_flash(struct fat *fat, uint32_t root)
{
    return make(fat, FM_FAT | FM_SFD, root, FAT_SECTOR);
}

int fat_make_card(struct fat *fat)
{
    return make(fat, FM_ANY, 0, 0);
}

int fat_space(struct fat *fat, uint32_t *cluster_bytes, uint64_t *clusters,
              uint64_t *free_clusters)
{
    enum { FATFS_CSIZE = 10, FATFS_N_FATENT = 28 };
    int err = call(&(struct call){.fat = fat,
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
    return call(&(struct call){.fat = fat,
                               .op = OP_OPEN,
                               .a = file_at(file),
                               .b = put_path(fat, AT_PATH, path),
                               .c = mode});
}

int fat_close(struct fat *fat, int file)
{
    return call1(fat, OP_CLOSE, file_at(file));
}

static int transfer(struct fat *fat, enum op op, int file, uint32_t len,
                    uint32_t *done)
{
    int err = call(&(struct call){.fat = fat,
                                  .op = op,
                                  .a = file_at(file),
                                  .b = AT_IO,
                                  .c = len,
                                  .d = AT_COUNT});
    uint32_t count = err == FAT_TRAP ? 0 : get_u32(fat->memory + AT_COUNT);
    *done = count <= len ? count : 0;
    return err;
}

int fat_read(struct fat *fat, int file, void *to, uint32_t len, uint32_t *got)
{
    if (len > FAT_IO_MAX)
        len = FAT_IO_MAX;
    int err = transfer(fat, OP_READ, file, len, got);
    memcpy(to, fat->memory + AT_IO, *got);
    return err;
}

int fat_write(struct fat *fat, int file, const void *from, uint32_t len,
              uint32_t *put)
{
    if (len > FAT_IO_MAX)
        len = FAT_IO_MAX;
    memcpy(fat->memory + AT_IO, from, len);
    return transfer(fat, OP_WRITE, file, len, put);
}

int fat_seek(struct fat *fat, int file, uint64_t at)
{
    return call(&(struct call){
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

static uint64_t wide(struct fat *fat, enum op op, int file)
{
    struct call c = {.fat = fat, .op = op, .a = file_at(file)};
    return call(&c) == FAT_TRAP ? 0 : c.wide;
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
