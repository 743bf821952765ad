/* FatFs in its sandbox: what it imports, and every call into it. A trap ends
 * the call, and the instance with it. */
#include "fat_sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "firmware/wasm/guard.h"

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

static bool is_lent(const struct lent *lent, u32 at, u32 count)
{
    return at >= AT_IO &&
           (u64)(at - AT_IO) + (u64)count * FAT_SECTOR <= lent->len;
}

/* FatFs copies the sector that is in the file's buffer from what it wrote. */
static void show_buffered(struct Z_env_instance_t *env, u32 at, u32 sector,
                          u32 count)
{
    uint8_t *memory = env->memory.data;
    u32 held = get_u32(memory + env->lent.file + FIL_SECTOR);
    if (held - sector >= count)
        return;
    at += (held - sector) * FAT_SECTOR;
    memcpy(memory + at, env->lent.from + (at - AT_IO), FAT_SECTOR);
}

u32 Z_envZ_ffw_disk_read(struct Z_env_instance_t *env, u32 drive, u32 at,
                         u32 low, u32 high, u32 count)
{
    const struct fat_disk *disk = &env->disk;
    uint8_t *to = env->memory.data + at;
    if (!is_transfer(env, drive, at, low, high, count))
        return 4;
    if (env->lent.to && is_lent(&env->lent, at, count))
        to = env->lent.to + (at - AT_IO);
    return disk->read(disk->ctx, low, to, count, is_structure(at, count)) ? 1
                                                                          : 0;
}

u32 Z_envZ_ffw_disk_write(struct Z_env_instance_t *env, u32 drive, u32 at,
                          u32 low, u32 high, u32 count)
{
    const struct fat_disk *disk = &env->disk;
    const uint8_t *from = env->memory.data + at;
    if (!is_transfer(env, drive, at, low, high, count))
        return 4;
    if (env->lent.from && is_lent(&env->lent, at, count)) {
        from = env->lent.from + (at - AT_IO);
        show_buffered(env, at, low, count);
    }
    return disk->write(disk->ctx, low, from, count, is_structure(at, count))
               ? 1
               : 0;
}

/* ---- calls into the sandbox ---- */

static void init(struct fat *fat)
{
    Z_ff_exfat_init_module();
    Z_ff_exfat_instantiate(&fat->ff, &fat->env);
    /* Volume 0 is drive 0, the first FAT partition or the whole disk. */
    Z_ff_exfatZ_ffw_set_vol_to_part(&fat->ff, 0, 0, 0);
}

static void run(void *arg)
{
    struct fat_call *c = arg;
    Z_ff_exfat_instance_t *ff = &c->fat->ff;
    switch (c->op) {
    case OP_INIT:
        init(c->fat);
        break;
    case OP_MOUNT:
        c->result = Z_ff_exfatZ_f_mount(ff, c->a, c->b, c->c);
        break;
    case OP_PARTITION:
        c->result = 0;
        Z_ff_exfatZ_ffw_set_vol_to_part(ff, 0, 0, c->a);
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

int fat_call(struct fat_call *c)
{
    struct fat *fat = c->fat;
    if (fat->trap != WASM_RT_TRAP_NONE)
        return FAT_TRAP;
    fat->trap = wasm_guard_run(run, c);
    return fat->trap == WASM_RT_TRAP_NONE ? (int)c->result : FAT_TRAP;
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
    fat_call(&(struct fat_call){.fat = fat, .op = OP_INIT});
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
