/* The guest's system calls on files, over the volumes.
 *
 * Every call on a volume is a job of the storage thread. Small reads and
 * writes are gathered here, since a job costs some microseconds and
 * MicroPython reads source files in pieces of 24 bytes: a file opened for
 * reading is read ahead, one opened for writing is written behind; what was
 * written reaches the volume at the latest with flush(), close(), a seek or
 * the soft reset. Paths that begin with ".board/" are the modules of
 * frozen.c, wherever the current directory is.
 *
 * __syscall_* return a negative errno, fd_* a positive one. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "firmware/python/inside.h"

/* Of the guest's libc, which are those of Linux on x86. */
enum {
    GUEST_ACCMODE = 03,
    GUEST_RDONLY = 0,
    GUEST_WRONLY = 01,
    GUEST_CREAT = 0100,
    GUEST_EXCL = 0200,
    GUEST_TRUNC = 01000,
    GUEST_APPEND = 02000,
    GUEST_DIRECTORY = 0200000,
    GUEST_AT_FDCWD = -100,
};

/* ---- jobs ---- */

static void job_run(struct storage_job *job)
{
    struct file_job *j = (struct file_job *)job;
    j->run(j);
    if (j->reason && j->result < 0)
        snprintf(j->reason, VM_REASON, "%s", volume_reason(j->volumes));
}

int64_t file_call(struct vm *vm, struct file_job *j,
                  void (*run)(struct file_job *j))
{
    j->job.run = job_run;
    j->volumes = vm->config->volumes;
    j->run = run;
    storage_call(vm->config->storage, &j->job);
    /* The guest takes 27 for an interrupted call and would try for ever. */
    return j->result == -EFBIG ? -ENOSPC : j->result;
}

static void do_open(struct file_job *j)
{
    j->result = volume_open(j->volumes, j->path, j->flags);
}

static void do_close(struct file_job *j)
{
    j->result = volume_close(j->volumes, j->handle);
}

static void do_read(struct file_job *j)
{
    j->result = volume_read(j->volumes, j->handle, j->data, j->len);
}

static void do_write(struct file_job *j)
{
    j->result = volume_write(j->volumes, j->handle, j->from, j->len);
}

static void do_seek(struct file_job *j)
{
    j->result = volume_seek(j->volumes, j->handle, j->at, (int)j->flags);
}

static void do_sync(struct file_job *j)
{
    j->result = volume_sync(j->volumes, j->handle);
}

static void do_sync_all(struct file_job *j)
{
    j->result = volume_sync_all(j->volumes);
}

static void do_stat(struct file_job *j)
{
    j->result = volume_stat(j->volumes, j->path, j->data);
}

static void do_statvfs(struct file_job *j)
{
    j->result = volume_statvfs(j->volumes, j->path, j->data);
}

static void do_opendir(struct file_job *j)
{
    j->result = volume_opendir(j->volumes, j->path);
}

static void do_readdir(struct file_job *j)
{
    j->result = volume_readdir(j->volumes, j->handle, j->data);
}

static void do_closedir(struct file_job *j)
{
    j->result = volume_closedir(j->volumes, j->handle);
}

static void do_mkdir(struct file_job *j)
{
    j->result = volume_mkdir(j->volumes, j->path);
}

static void do_rmdir(struct file_job *j)
{
    j->result = volume_rmdir(j->volumes, j->path);
}

static void do_unlink(struct file_job *j)
{
    j->result = volume_unlink(j->volumes, j->path);
}

static void do_rename(struct file_job *j)
{
    j->result = volume_rename(j->volumes, j->path, j->other);
}

/* ---- paths ---- */

/* Adds `name` to `out`, which is absolute; "/" alone has no trailing slash
 * otherwise. */
static bool add_name(char *out, const char *name, size_t len)
{
    size_t at = strlen(out);
    if (at == 1)
        at = 0;
    if (at + 1 + len > VOLUME_PATH_MAX)
        return false;
    out[at] = '/';
    memcpy(out + at + 1, name, len);
    out[at + 1 + len] = 0;
    return true;
}

static void drop_name(char *out)
{
    char *slash = strrchr(out, '/');
    slash[slash == out] = 0;
}

bool file_path(const struct vm *vm, const char *path,
               char out[VOLUME_PATH_MAX + 1])
{
    strcpy(out, path[0] == '/' ? "/" : vm->cwd);
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && memcmp(path, "..", 2) == 0)
            drop_name(out);
        else if (len && !(len == 1 && path[0] == '.'))
            if (!add_name(out, path, len))
                return false;
        path += len;
        path += strspn(path, "/");
    }
    return true;
}

/* The path at `addr`, resolved; 0 or -errno. */
static int get_path(struct vm *vm, uint32_t dirfd, uint32_t addr,
                    char out[VOLUME_PATH_MAX + 1])
{
    const char *path = vm_cstr(vm, addr);
    if ((int32_t)dirfd != GUEST_AT_FDCWD && path[0] != '/')
        return -EBADF;
    if (!*path)
        return -ENOENT;
    return file_path(vm, path, out) ? 0 : -ENAMETOOLONG;
}

static const char frozen_prefix[] = ".board";

/* Name inside the board's own modules, "" for their folder, NULL when `path`
 * is an ordinary one. */
static const char *frozen_name(const char *path)
{
    size_t len = sizeof frozen_prefix - 1;
    if (strncmp(path, frozen_prefix, len) != 0)
        return NULL;
    if (path[len] == 0)
        return path + len;
    return path[len] == '/' ? path + len + 1 : NULL;
}

/* ---- descriptors ---- */

static struct vm_fd *fd_of(struct vm *vm, uint32_t fd)
{
    return fd < VM_FDS && vm->fds[fd].kind != FD_FREE ? &vm->fds[fd] : NULL;
}

static int new_fd(struct vm *vm, enum vm_fd_kind kind)
{
    for (int i = 3; i < VM_FDS; i++)
        if (vm->fds[i].kind == FD_FREE) {
            struct vm_fd *f = &vm->fds[i];
            f->kind = kind;
            f->text = NULL;
            f->at = f->have = f->dirty = 0;
            f->ended = false;
            return i;
        }
    return -EMFILE;
}

/* What was written behind goes to the volume. 0 or -errno; what could not be
 * written is given up. */
static int write_out(struct vm *vm, struct vm_fd *f)
{
    struct file_job j = {
        .handle = f->handle, .from = f->buffer, .len = f->dirty};
    if (!f->dirty)
        return 0;
    f->dirty = 0;
    int64_t n = file_call(vm, &j, do_write);
    return n < 0 ? (int)n : 0;
}

/* What was read ahead is forgotten: the volume's position is then the
 * program's. */
static int read_back(struct vm *vm, struct vm_fd *f)
{
    int64_t ahead = (int64_t)f->have - (int64_t)f->at;
    f->at = f->have = 0;
    if (!ahead)
        return 0;
    struct file_job j = {.handle = f->handle, .at = -ahead, .flags = SEEK_CUR};
    int64_t r = file_call(vm, &j, do_seek);
    return r < 0 ? (int)r : 0;
}

static int settle(struct vm *vm, struct vm_fd *f)
{
    int err = write_out(vm, f);
    int err2 = read_back(vm, f);
    return err ? err : err2;
}

static int close_fd(struct vm *vm, struct vm_fd *f)
{
    struct file_job j = {.handle = f->handle};
    int err = 0;
    if (f->kind == FD_FILE) {
        err = write_out(vm, f);
        int closed = (int)file_call(vm, &j, do_close);
        err = err ? err : closed;
    } else if (f->kind == FD_DIR) {
        err = (int)file_call(vm, &j, do_closedir);
    }
    f->kind = FD_FREE;
    return err;
}

void files_reset(struct vm *vm)
{
    for (int i = 3; i < VM_FDS; i++)
        if (vm->fds[i].kind != FD_FREE)
            close_fd(vm, &vm->fds[i]);
    for (int i = 0; i < 3; i++)
        vm->fds[i].kind = FD_CONSOLE;
    strcpy(vm->cwd, "/flash");
}

int files_sync(struct vm *vm)
{
    int err = 0;
    for (int i = 3; i < VM_FDS; i++)
        if (vm->fds[i].kind == FD_FILE) {
            int e = write_out(vm, &vm->fds[i]);
            err = err ? err : e;
        }
    struct file_job j = {0};
    int64_t e = file_call(vm, &j, do_sync_all);
    return err ? err : e < 0 ? (int)e : 0;
}

/* ---- opening ---- */

static unsigned volume_flags(uint32_t flags)
{
    unsigned v = 0;
    v |= (flags & GUEST_ACCMODE) != GUEST_WRONLY ? VOLUME_READ : 0u;
    v |= (flags & GUEST_ACCMODE) != GUEST_RDONLY ? VOLUME_WRITE : 0u;
    v |= flags & GUEST_CREAT ? VOLUME_CREATE : 0u;
    v |= flags & GUEST_EXCL ? VOLUME_EXCL : 0u;
    v |= flags & GUEST_TRUNC ? VOLUME_TRUNC : 0u;
    v |= flags & GUEST_APPEND ? VOLUME_APPEND : 0u;
    return v;
}

static int open_frozen(struct vm *vm, const char *name)
{
    const struct frozen_file *file = frozen_find(name);
    if (!file)
        return -ENOENT;
    int fd = new_fd(vm, FD_FROZEN);
    if (fd >= 0) {
        vm->fds[fd].text = file->text;
        vm->fds[fd].have = file->len;
        vm->fds[fd].readable = true;
        vm->fds[fd].writable = false;
    }
    return fd;
}

/* Opens what `path` names into descriptor `fd`; 0 or -errno. */
static int open_path(struct vm *vm, struct vm_fd *f, const char *path,
                     uint32_t flags)
{
    struct file_job j = {.path = path};
    if (flags & GUEST_DIRECTORY) {
        f->kind = FD_DIR;
        f->handle = (int)file_call(vm, &j, do_opendir);
    } else {
        j.flags = volume_flags(flags);
        f->handle = (int)file_call(vm, &j, do_open);
        f->readable = (j.flags & VOLUME_READ) != 0;
        f->writable = (j.flags & VOLUME_WRITE) != 0;
    }
    if (f->handle < 0) {
        f->kind = FD_FREE;
        return f->handle;
    }
    strcpy(f->path, path);
    return 0;
}

u32 Z_envZ___syscall_openat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                            u32 flags, u32 varargs)
{
    (void)varargs;
    struct vm *vm = vm_of_env(env);
    const char *frozen = frozen_name(vm_cstr(vm, path));
    if (frozen)
        return (u32)open_frozen(vm, frozen);
    char resolved[VOLUME_PATH_MAX + 1];
    int err = get_path(vm, dirfd, path, resolved);
    if (err)
        return (u32)err;
    int fd = new_fd(vm, FD_FILE);
    if (fd < 0)
        return (u32)fd;
    err = open_path(vm, &vm->fds[fd], resolved, flags);
    return (u32)(err ? err : fd);
}

#define WASI struct Z_wasi_snapshot_preview1_instance_t *env

static struct vm *vm_of_wasi(WASI)
{
    return (struct vm *)(void *)env;
}

u32 Z_wasi_snapshot_preview1Z_fd_close(WASI, u32 fd)
{
    struct vm *vm = vm_of_wasi(env);
    struct vm_fd *f = fd_of(vm, fd);
    if (!f || f->kind == FD_CONSOLE)
        return EBADF;
    return (u32)-close_fd(vm, f);
}

/* ---- reading ---- */

/* At least one byte of the keyboard; 0 at no time. Enter is \r on a
 * terminal. */
static int64_t read_console(struct vm *vm, uint8_t *to, size_t len)
{
    out_flush(vm);
    int n = console_read(vm->config->console, to, len, -1);
    if (n == 0 || n == -EINTR)
        return -MP_EINTR;
    for (int i = 0; i < n; i++)
        if (to[i] == '\r')
            to[i] = '\n';
    return n;
}

static int64_t read_file(struct vm *vm, struct vm_fd *f, uint8_t *to,
                         size_t len)
{
    if (!f->readable)
        return -EBADF;
    int err = write_out(vm, f);
    if (err)
        return err;
    if (f->at == f->have && f->kind == FD_FILE) {
        bool direct = len >= VM_FILE_BUFFER;
        struct file_job j = {.handle = f->handle,
                             .data = direct ? to : f->buffer,
                             .len = direct ? len : VM_FILE_BUFFER};
        int64_t n = file_call(vm, &j, do_read);
        if (n <= 0 || direct)
            return n;
        f->at = 0;
        f->have = (size_t)n;
    }
    size_t n = f->have - f->at < len ? f->have - f->at : len;
    memcpy(to, (f->text ? f->text : f->buffer) + f->at, n);
    f->at += n;
    return (int64_t)n;
}

/* Storage touches the guest's memory: it must be inside. */
static bool next_piece(struct vm *vm, u32 iovs, u32 i, u32 *at, u32 *len)
{
    *at = vm_u32(vm, iovs + 8 * i);
    *len = vm_u32(vm, iovs + 8 * i + 4);
    return vm_range(vm, *at, *len);
}

u32 Z_wasi_snapshot_preview1Z_fd_read(WASI, u32 fd, u32 iovs, u32 count,
                                      u32 out)
{
    struct vm *vm = vm_of_wasi(env);
    struct vm_fd *f = fd_of(vm, fd);
    if (!f)
        return EBADF;
    if (f->kind == FD_DIR)
        return EISDIR;
    u32 total = 0;
    for (u32 i = 0; i < count; i++) {
        u32 at, len;
        if (!next_piece(vm, iovs, i, &at, &len))
            return EFAULT;
        if (!len)
            continue;
        /* The keyboard gives what is there, not more. */
        if (f->kind == FD_CONSOLE && total)
            break;
        int64_t n = f->kind == FD_CONSOLE
                        ? read_console(vm, vm_at(vm, at), len)
                        : read_file(vm, f, vm_at(vm, at), len);
        if (n < 0 && !total)
            return (u32)-n;
        total += n < 0 ? 0 : (u32)n;
        if (n < (int64_t)len)
            break;
    }
    vm_set_u32(vm, out, total);
    return 0;
}

/* ---- writing ---- */

static int64_t write_file(struct vm *vm, struct vm_fd *f, const uint8_t *from,
                          size_t len)
{
    if (!f->writable)
        return -EBADF;
    int err = read_back(vm, f);
    if (!err && f->dirty + len > VM_FILE_BUFFER)
        err = write_out(vm, f);
    if (err)
        return err;
    if (len >= VM_FILE_BUFFER) {
        struct file_job j = {.handle = f->handle, .from = from, .len = len};
        return file_call(vm, &j, do_write);
    }
    memcpy(f->buffer + f->dirty, from, len);
    f->dirty += len;
    return (int64_t)len;
}

u32 Z_wasi_snapshot_preview1Z_fd_write(WASI, u32 fd, u32 iovs, u32 count,
                                       u32 out)
{
    struct vm *vm = vm_of_wasi(env);
    struct vm_fd *f = fd_of(vm, fd);
    if (!f || f->kind == FD_DIR || f->kind == FD_FROZEN)
        return EBADF;
    u32 total = 0;
    for (u32 i = 0; i < count; i++) {
        u32 at, len;
        if (!next_piece(vm, iovs, i, &at, &len))
            return EFAULT;
        int64_t n = (int64_t)len;
        if (f->kind == FD_CONSOLE)
            out_write(vm, vm_at(vm, at), len);
        else if (len)
            n = write_file(vm, f, vm_at(vm, at), len);
        if (n < 0)
            return (u32)-n;
        total += (u32)n;
    }
    vm_set_u32(vm, out, total);
    return 0;
}

u32 Z_wasi_snapshot_preview1Z_fd_sync(WASI, u32 fd)
{
    struct vm *vm = vm_of_wasi(env);
    struct vm_fd *f = fd_of(vm, fd);
    if (!f)
        return EBADF;
    if (f->kind == FD_CONSOLE)
        out_flush(vm);
    if (f->kind != FD_FILE)
        return 0;
    int err = write_out(vm, f);
    struct file_job j = {.handle = f->handle};
    if (!err && f->writable)
        err = (int)file_call(vm, &j, do_sync);
    return (u32)-err;
}

/* ---- position ---- */

static int64_t seek_frozen(struct vm_fd *f, int64_t at, u32 whence)
{
    int64_t base = whence == SEEK_CUR   ? (int64_t)f->at
                   : whence == SEEK_END ? (int64_t)f->have
                                        : 0;
    if (base + at < 0 || base + at > (int64_t)f->have)
        return -EINVAL;
    f->at = (size_t)(base + at);
    return base + at;
}

u32 Z_wasi_snapshot_preview1Z_fd_seek(WASI, u32 fd, u64 at, u32 whence, u32 out)
{
    struct vm *vm = vm_of_wasi(env);
    struct vm_fd *f = fd_of(vm, fd);
    if (!f)
        return EBADF;
    if (f->kind == FD_CONSOLE || f->kind == FD_DIR)
        return ESPIPE;
    int64_t r;
    if (f->kind == FD_FROZEN) {
        r = seek_frozen(f, (int64_t)at, whence);
    } else {
        int err = settle(vm, f);
        struct file_job j = {
            .handle = f->handle, .at = (int64_t)at, .flags = whence};
        r = err ? err : file_call(vm, &j, do_seek);
    }
    if (r < 0)
        return (u32)-r;
    vm_set_u64(vm, out, (uint64_t)r);
    return 0;
}

/* ---- names ---- */

enum { STAT_SIZE = 96 }; /* struct stat of the guest's libc */

static void put_stat(struct vm *vm, u32 to, const struct volume_info *info)
{
    memset(vm_at(vm, to), 0, STAT_SIZE);
    vm_set_u32(vm, to + 4,
               (info->is_dir ? S_IFDIR : S_IFREG) |
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
    return (int)file_call(vm, &j, do_stat);
}

static int stat_frozen(const char *name, struct volume_info *info)
{
    const struct frozen_file *file = frozen_find(name);
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
    int err = frozen ? stat_frozen(frozen, &info)
                     : get_path(vm, dirfd, path, resolved);
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
        err = write_out(vm, f);
    if (!err && (f->kind == FD_FILE || f->kind == FD_DIR))
        err = stat_path(vm, f->path, &info);
    if (err)
        return (u32)err;
    put_stat(vm, to, &info);
    if (f->kind == FD_CONSOLE)
        vm_set_u32(vm, to + 4, S_IFCHR | 0666u);
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
    return (u32)(err ? err : (int)file_call(vm, &j, run));
}

u32 Z_envZ___syscall_mkdirat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                             u32 mode)
{
    (void)mode;
    return on_path(env, dirfd, path, do_mkdir);
}

u32 Z_envZ___syscall_rmdir(struct Z_env_instance_t *env, u32 path)
{
    return on_path(env, (u32)GUEST_AT_FDCWD, path, do_rmdir);
}

enum { UNLINK_DIR = 512 };

u32 Z_envZ___syscall_unlinkat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                              u32 flags)
{
    return on_path(env, dirfd, path, flags & UNLINK_DIR ? do_rmdir : do_unlink);
}

u32 Z_envZ___syscall_renameat(struct Z_env_instance_t *env, u32 dirfd, u32 path,
                              u32 dirfd2, u32 path2)
{
    struct vm *vm = vm_of_env(env);
    char from[VOLUME_PATH_MAX + 1], to[VOLUME_PATH_MAX + 1];
    int err = get_path(vm, dirfd, path, from);
    err = err ? err : get_path(vm, dirfd2, path2, to);
    struct file_job j = {.path = from, .other = to};
    return (u32)(err ? err : (int)file_call(vm, &j, do_rename));
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
    err = err ? err : (int)file_call(vm, &j, do_statvfs);
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
        int64_t n = file_call(vm, &j, do_readdir);
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

/* ---- poll ---- */

static u32 poll_once(struct vm *vm, u32 list, u32 count)
{
    u32 ready = 0;
    for (u32 i = 0; i < count; i++) {
        u32 at = list + 8 * i;
        struct vm_fd *f = fd_of(vm, vm_u32(vm, at));
        u32 events = vm_u32(vm, at + 4) & 0xffff, got = 0;
        if (!f)
            got = POLLNVAL;
        else if (f->kind != FD_CONSOLE)
            got = events & (POLLIN | POLLOUT);
        else if (vm_u32(vm, at) == 0)
            got = console_has_input(vm->config->console) ? events & POLLIN : 0;
        else
            got = events & POLLOUT;
        vm_set_u16(vm, at + 6, (uint16_t)got);
        ready += got != 0;
    }
    return ready;
}

enum { POLL_MAX = 64, POLL_STEP_US = 5000 };

u32 Z_envZ___syscall_poll(struct Z_env_instance_t *env, u32 list, u32 count,
                          u32 timeout_ms)
{
    struct vm *vm = vm_of_env(env);
    if (count > POLL_MAX)
        return (u32)-EINVAL;
    uint64_t now = wait_now_us(vm);
    uint64_t end =
        (int32_t)timeout_ms < 0 ? UINT64_MAX : now + timeout_ms * 1000ull;
    for (;;) {
        u32 ready = poll_once(vm, list, count);
        now = wait_now_us(vm);
        if (ready || now >= end)
            return ready;
        uint64_t left = end - now;
        if (!wait_quietly(vm,
                          now + (left < POLL_STEP_US ? left : POLL_STEP_US)))
            return (u32)-MP_EINTR;
    }
}
