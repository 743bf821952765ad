/* Private to fat.c and fat_sandbox.c: FatFs as a module with a linear memory
 * of its own, what lies where in it, and the calls into it. */
#ifndef WIPY_FIRMWARE_VOLUME_FAT_SANDBOX_H
#define WIPY_FIRMWARE_VOLUME_FAT_SANDBOX_H

#include "fat.h"
#include "ff_exfat.h"

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

    /* Of a FIL, whose 64-bit fields exFAT asks for. */
    FIL_FLAG = 48,
    FIL_POSITION = 56,
    FIL_SECTOR = 72, /* the one in its buffer */

    FA_OPEN_APPEND = 0x30,
    FA_DIRTY = 0x80, /* the buffer is not written yet */
    ATTR_READONLY = 0x01,
    ATTR_DIR = 0x10,
};

_Static_assert(AT_FILES + VOLUME_FILES * FILE_STEP <= AT_DIRS, "files fit");
_Static_assert(AT_DIRS + (VOLUME_DIRS + 1) * DIR_STEP <= AT_WORK, "dirs fit");
_Static_assert(AT_IO + FAT_IO_MAX <= MEM_SIZE, "transfers fit");

/* Whole sectors of a transfer do not pass through the linear memory: FatFs is
 * told of room at AT_IO, and what it moves between there and the disk is moved
 * between the caller's memory and the disk instead. */
struct lent {
    uint8_t *to;         /* of a read, else NULL */
    const uint8_t *from; /* of a write, else NULL */
    u32 len;
    u32 file; /* the FIL */
};

struct Z_env_instance_t {
    wasm_rt_memory_t memory;
    struct fat_disk disk;
    struct lent lent;
};

struct fat {
    struct Z_env_instance_t env;
    Z_ff_exfat_instance_t ff;
    wasm_rt_trap_t trap;
    uint8_t memory[MEM_SIZE];
};

enum fat_op {
    OP_INIT,
    OP_MOUNT,
    OP_PARTITION,
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

struct fat_call {
    struct fat *fat;
    enum fat_op op;
    u32 a, b, c, d;
    u64 wide;
    u32 result;
};

/* The FRESULT of the call, or FAT_TRAP; after a trap nothing is called. */
int fat_call(struct fat_call *c);

#endif
