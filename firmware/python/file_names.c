/* System calls on names: stat, rename, directories. See files.c. */
#include <errno.h>

#include "firmware/python/files.h"

/* ---- names ---- */

enum { STAT_SIZE = 96 }; /* struct stat of the guest's libc */

static void put_stat(struct vm *vm, u32 to, const struct volume_info *info)
{
    memset(vm_at(vm, to), 0, STAT_SIZE);
    vm_set_u32(vm, to + 4,
               (info->is_dir ? GUEST_IFDIR : GUEST_IFREG) |
                   (info->readonly ? 0444u : 0666u));
    vm_set_u32(vm, to + 8, 1);
    vm_set_u64(vm, to + 24, info->size);
    vm_set_u32(vm, to + 32, 512);
    vm_set_u32(vm, to + 36, (u32)((info->size + 511) / 512));
    vm_set_u64(vm, to + 40, (uint64_t)info->modified);
    vm_set_u64(vm, to + 56, (uint64_t)info->modified);
    vm_set_u64(vm, to + 72, (uint64_t)info->modified);
    vm_set_u64(vm, to + 88, info->id);
}

static int stat_path(struct vm *vm, const char *path, struct volume_info *info)
{
    struct file_job j = {.path = path, .data = info};
    if (strcmp(path, "/") == 0) {
        memset(info, 0, sizeof *info);
        info->is_dir = true;
        return 0;
    }
    return (int)file_call(vm, &j, job_stat);
}

static int stat_frozen(const struct vm *vm, const char *name,
                       struct volume_info *info)
{
    const struct frozen_file *file = frozen_for(vm, name);
    memset(info, 0, sizeof *info);
    info->is_dir = !*name;
    info->readonly = true;
    info->size = file ? file->len : 0;
    return file || !*name ? 0 : -ENOENT;
}

static u32 stat_at(struct vm *vm, u32 dirfd, u32 path, u32 to)
{
    struct volume_info info;
    char resolved[VOLUME_PATH_MAX + 1];
    const char *frozen = frozen_name(vm_cstr(vm, path));
    int err = 0;
    if (frozen)
        err = stat_frozen(vm, frozen, &info);
    else if (!*vm_cstr(vm, path)) /* as MicroPython's FAT has it */
        strcpy(resolved, vm->cwd);
    else
        err = get_path(vm, dirfd, path, resolved);
    if (!err && !frozen)
        err = stat_path(vm, resolved, &info);
    if (!err)
        put_stat(vm, to, &info);
    return (u32)err;
}

u32 Z_envZ___syscall_stat64(struct Z_env_instance_t *env, u32 path, u32 to)
{
    return stat_at(vm_of_env(env), (u32)GUEST_AT_FDCWD, path, to);
}

u32 Z_envZ___syscall_lstat64(struct Z_env_instance_t *env, u32 path, u32 to)
{
    return stat_at(vm_of_env(env), (u32)GUEST_AT_FDCWD, path, to);
}

u32 Z_envZ___syscall_newfstatat(struct Z_env_instance_t *env, u32 dirfd,
                                u32 path, u32 to, u32 flags)
{
    (void)flags;
    return stat_at(vm_of_env(env), dirfd, path, to);
}

u32 Z_envZ___syscall_fstat64(struct Z_env_instance_t *env, u32 fd, u32 to)
{
    struct vm *vm = vm_of_env(env);
    struct vm_fd *f = fd_of(vm, fd);
    struct volume_info info = {0};
    int err = 0;
    if (!f)
        return (u32)-EBADF;
    if (f->kind == FD_FROZEN)
        info.size = f->have;
    if (f->kind == FD_FILE)
        err = fd_write_out(vm, f);
    if (!err && (f->kind == FD_FILE || f->kind == FD_DIR))
        err = stat_path(vm, f->path, &info);
    if (err)
        return (u32)err;
    put_stat(vm, to, &info);
    if (f->kind == FD_CONSOLE)
        vm_set_u32(vm, to + 4, GUEST_IFCHR | 0666u);
    return 0;
}

u32 Z_envZ___syscall_chdir(struct Z_env_instance_t *env, u32 path)
{
    struct vm *vm = vm_of_env(env);
    struct volume_info info;
    char resolved[VOLUME_PATH_MAX + 1];
    int err = get_path(vm, (u32)GUEST_AT_FDCWD, path, resolved);
    err = err ? err : stat_path(vm, resolved, &info);
    if (err)
        return (u32)err;
    if (!info.is_dir)
        return (u32)-ENOTDIR;
    strcpy(vm->cwd, resolved);
    return 0;
}

u32 Z_envZ___syscall_getcwd(struct Z_env_instance_t *env, u32 to, u32 size)
{
    struct vm *vm = vm_of_env(env);
    u32 len = (u32)strlen(vm->cwd) + 1;
    if (size < len)
        return (u32)-ERANGE;
    memcpy(vm_at(vm, to), vm->cwd, len);
    return len;
}

static u32 on_path(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                   void (*run)(struct file_job *j))
{
    struct vm *vm = vm_of_env(env);
    char resolved[VOLUME_PATH_MAX + 1];
    int err = get_path(vm, dirfd, path, resolved);
    struct file_job j = {.path = resolved};
    return (u32)(err ? err : (int)file_call_unless_open(vm, &j, run));
}

u32 Z_envZ___syscall_mkdirat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                             u32 mode)
{
    (void)mode;
    return on_path(env, dirfd, path, job_mkdir);
}

u32 Z_envZ___syscall_rmdir(struct Z_env_instance_t *env, u32 path)
{
    return on_path(env, (u32)GUEST_AT_FDCWD, path, job_rmdir);
}

enum { UNLINK_DIR = 512 };

u32 Z_envZ___syscall_unlinkat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                              u32 flags)
{
    return on_path(env, dirfd, path,
                   flags & UNLINK_DIR ? job_rmdir : job_unlink);
}

u32 Z_envZ___syscall_renameat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                              u32 dirfd2, u32 path2)
{
    struct vm *vm = vm_of_env(env);
    char from[VOLUME_PATH_MAX + 1], to[VOLUME_PATH_MAX + 1];
    int err = get_path(vm, dirfd, path, from);
    err = err ? err : get_path(vm, dirfd2, path2, to);
    struct file_job j = {.path = from, .other = to};
    return (u32)(err ? err : (int)file_call_unless_open(vm, &j, job_rename));
}

enum { STATFS_SIZE = 88, FAT_MAGIC = 0x4d44 };

u32 Z_envZ___syscall_statfs64(struct Z_env_instance_t *env, u32 path, u32 size,
                              u32 to)
{
    struct vm *vm = vm_of_env(env);
    struct volume_space space = {0};
    char resolved[VOLUME_PATH_MAX + 1];
    int err = size < STATFS_SIZE
                  ? -EINVAL
                  : get_path(vm, (u32)GUEST_AT_FDCWD, path, resolved);
    struct file_job j = {.path = resolved, .data = &space};
    err = err ? err : (int)file_call(vm, &j, job_statvfs);
    if (err)
        return (u32)err;
    memset(vm_at(vm, to), 0, STATFS_SIZE);
    vm_set_u32(vm, to, FAT_MAGIC);
    vm_set_u32(vm, to + 4, space.block);
    vm_set_u64(vm, to + 8, space.blocks);
    vm_set_u64(vm, to + 16, space.free);
    vm_set_u64(vm, to + 24, space.free);
    vm_set_u32(vm, to + 56, space.namemax);
    vm_set_u32(vm, to + 60, space.block);
    return 0;
}

/* ---- directories ---- */

enum { DIRENT_SIZE = 280, DIRENT_NAME = 19, DIRENT_DIR = 4, DIRENT_FILE = 8 };

static void put_dirent(struct vm *vm, u32 to, const struct volume_info *info)
{
    memset(vm_at(vm, to), 0, DIRENT_SIZE);
    vm_set_u64(vm, to, info->id ? info->id : 1);
    vm_set_u16(vm, to + 16, DIRENT_SIZE);
    *vm_at(vm, to + 18) = info->is_dir ? DIRENT_DIR : DIRENT_FILE;
    memcpy(vm_at(vm, to + DIRENT_NAME), info->name, strlen(info->name) + 1);
}

u32 Z_envZ___syscall_getdents64(struct Z_env_instance_t *env, u32 fd, u32 to,
                                u32 size)
{
    struct vm *vm = vm_of_env(env);
    struct vm_fd *f = fd_of(vm, fd);
    if (!f || f->kind != FD_DIR)
        return (u32)-EBADF;
    u32 at = 0;
    while (!f->ended && at + DIRENT_SIZE <= size) {
        struct volume_info info;
        struct file_job j = {.handle = f->handle, .data = &info};
        int64_t n = file_call(vm, &j, job_readdir);
        if (n < 0)
            return (u32)n;
        f->ended = n == 0;
        if (n) {
            put_dirent(vm, to + at, &info);
            at += DIRENT_SIZE;
        }
    }
    return at;
}
