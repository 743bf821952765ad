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

#include "firmware/python/files.h"

/* ---- descriptors ---- */

struct vm_fd *fd_of(struct vm *vm, uint32_t fd)
{
    bool open = fd < VM_FDS && vm->fds[fd].kind != FD_FREE &&
                vm->fds[fd].kind != FD_LOST;
    return open ? &vm->fds[fd] : NULL;
}

static unsigned count_fds(const struct vm *vm, enum vm_fd_kind kind)
{
    unsigned count = 0;
    for (int i = 3; i < VM_FDS; i++)
        count += vm->fds[i].kind == kind;
    return count;
}

static int new_fd(struct vm *vm, enum vm_fd_kind kind)
{
    if ((kind == FD_FILE && count_fds(vm, FD_FILE) >= VM_FILES) ||
        (kind == FD_DIR && count_fds(vm, FD_DIR) >= VM_DIRS))
        return -EMFILE;
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

int fd_write_out(struct vm *vm, struct vm_fd *f)
{
    struct file_job j = {
        .handle = f->handle, .from = f->buffer, .len = f->dirty};
    if (!f->dirty)
        return 0;
    f->dirty = 0;
    int64_t n = file_call(vm, &j, job_write);
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
    int64_t r = file_call(vm, &j, job_seek);
    return r < 0 ? (int)r : 0;
}

static int settle(struct vm *vm, struct vm_fd *f)
{
    int err = fd_write_out(vm, f);
    int err2 = read_back(vm, f);
    return err ? err : err2;
}

static int close_fd(struct vm *vm, struct vm_fd *f)
{
    struct file_job j = {.handle = f->handle};
    int err = 0;
    if (f->kind == FD_FILE) {
        err = fd_write_out(vm, f);
        int closed = (int)file_call(vm, &j, job_close);
        err = err ? err : closed;
    } else if (f->kind == FD_DIR) {
        err = (int)file_call(vm, &j, job_closedir);
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

static unsigned open_files(const struct vm *vm)
{
    return count_fds(vm, FD_FILE) + count_fds(vm, FD_DIR);
}

/* A collection closes files and directories; a file that it did not close is
 * closed here, and its object holds the descriptor until it is collected. */
bool files_close_lost(struct vm *vm)
{
    unsigned before = open_files(vm);
    uint32_t lost = before ? gc_lost_files(vm) : 0;
    for (int i = 3; i < VM_FDS; i++)
        if (lost >> i & 1 && vm->fds[i].kind == FD_FILE) {
            close_fd(vm, &vm->fds[i]);
            vm->fds[i].kind = FD_LOST;
        }
    return open_files(vm) < before;
}

int files_sync(struct vm *vm)
{
    int err = 0;
    for (int i = 3; i < VM_FDS; i++)
        if (vm->fds[i].kind == FD_FILE) {
            int e = fd_write_out(vm, &vm->fds[i]);
            err = err ? err : e;
        }
    struct file_job j = {0};
    int64_t e = file_call(vm, &j, job_sync_all);
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
    const struct frozen_file *file = frozen_for(vm, name);
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
    if (f->kind == FD_DIR) {
        f->handle = (int)file_call_unless_open(vm, &j, job_opendir);
    } else {
        j.flags = volume_flags(flags);
        f->handle = (int)file_call_unless_open(vm, &j, job_open);
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
    enum vm_fd_kind kind = flags & GUEST_DIRECTORY ? FD_DIR : FD_FILE;
    int fd = new_fd(vm, kind);
    if (fd == -EMFILE && files_close_lost(vm))
        fd = new_fd(vm, kind);
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
    if (!f && fd < VM_FDS && vm->fds[fd].kind == FD_LOST)
        f = &vm->fds[fd];
    if (!f || f->kind == FD_CONSOLE)
        return EBADF;
    return (u32)-close_fd(vm, f);
}

/* ---- reading ---- */

/* At least one byte of the keyboard; 0 at no time. Enter is \r on a
 * terminal. */
static int64_t read_console(struct vm *vm, uint8_t *to, size_t len)
{
    if (health_is_running(vm))
        return 0; /* the keys are the program's */
    out_flush(vm);
    int n = console_read(vm->config->console, to, len, -1);
    if (n == 0 || n == -EINTR)
        return -MP_EINTR;
    for (int i = 0; i < n; i++)
        if (to[i] == '\r')
            to[i] = '\n';
    return n;
}

/* What is there, up to the end of what was read ahead. */
static int64_t read_some(struct vm *vm, struct vm_fd *f, uint8_t *to,
                         size_t len)
{
    if (f->at == f->have && f->kind == FD_FILE) {
        bool direct = len >= VM_FILE_BUFFER;
        struct file_job j = {.handle = f->handle,
                             .data = direct ? to : f->buffer,
                             .len = direct ? len : VM_FILE_BUFFER};
        int64_t n = file_call(vm, &j, job_read);
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

/* Less than `len` is the end of the file: MicroPython's reader of source
 * takes it for that. */
static int64_t read_file(struct vm *vm, struct vm_fd *f, uint8_t *to,
                         size_t len)
{
    if (!f->readable)
        return -EBADF;
    int err = fd_write_out(vm, f);
    if (err)
        return err;
    size_t done = 0;
    while (done < len) {
        int64_t n = read_some(vm, f, to + done, len - done);
        if (n < 0 && !done)
            return n;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
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
        err = fd_write_out(vm, f);
    if (err)
        return err;
    if (len >= VM_FILE_BUFFER) {
        struct file_job j = {.handle = f->handle, .from = from, .len = len};
        return file_call(vm, &j, job_write);
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
        if (f->kind == FD_CONSOLE && at == MP_TEXT_VERSION)
            out_banner(vm, len);
        else if (f->kind == FD_CONSOLE)
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
    int err = fd_write_out(vm, f);
    struct file_job j = {.handle = f->handle};
    if (!err && f->writable)
        err = (int)file_call(vm, &j, job_sync);
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
        r = err ? err : file_call(vm, &j, job_seek);
    }
    if (r < 0)
        return (u32)-r;
    vm_set_u64(vm, out, (uint64_t)r);
    return 0;
}

/* ---- poll ---- */

/* healthy() sees the end of the keyboard, which does not wait either. */
static bool has_keys(struct vm *vm)
{
    return health_is_running(vm) || console_has_input(vm->config->console);
}

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
            got = has_keys(vm) ? events & POLLIN : 0;
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
