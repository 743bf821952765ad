#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static int err_of(int error)
{
    switch (-error) {
    case ENOENT:
        return WIPY_ENOENT;
    case EEXIST:
        return WIPY_EEXIST;
    case ENOSPC:
    case EFBIG:
        return WIPY_ENOSPC;
    case EBUSY:
    case EMFILE:
        return WIPY_EBUSY;
    case EINVAL:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EXDEV:
        return WIPY_EINVAL;
    case EPERM:
    case EACCES:
    case EROFS:
        return WIPY_EPERM;
    default:
        return WIPY_EIO;
    }
}

/* The sentence when the volume gave none. */
static const char *text_of(int error)
{
    switch (-error) {
    case ENOENT:
        return "No such file or directory";
    case EEXIST:
        return "It exists already";
    case ENOTDIR:
        return "Not a directory";
    case EISDIR:
        return "It is a directory";
    case ENOTEMPTY:
        return "The directory is not empty";
    case EBUSY:
        return "The file is in use: try again later";
    case EMFILE:
        return "Too many files are open: try again later";
    case ENOSPC:
        return "No room left on the volume";
    case EXDEV:
        return "Not from one volume to another";
    case EROFS:
        return "The volume is read-only";
    default:
        return "";
    }
}

static void set_text(struct ftp_op *op, const char *text)
{
    snprintf(op->text, sizeof op->text, "%s", text);
}

/* Sets the result of a call of the volume; true when it succeeded. */
static bool judge(struct files *f, int64_t value)
{
    struct ftp_op *op = f->op;
    op->result = value;
    if (value >= 0)
        return true;
    const char *reason = volume_reason(f->env->volumes);
    op->result = err_of((int)value);
    op->retry = op->result == WIPY_EBUSY;
    set_text(op, reason[0] ? reason : text_of((int)value));
    return false;
}

static void fail(struct ftp_op *op, int err, const char *text)
{
    op->result = err;
    set_text(op, text);
}

static void copy_info(struct ftp_info *to, const struct volume_info *from)
{
    *to = (struct ftp_info){
        .is_dir = from->is_dir,
        .readonly = from->readonly,
        .size = from->size,
        .modified = from->modified,
    };
    _Static_assert(sizeof to->name >= sizeof from->name, "names fit");
    memcpy(to->name, from->name, sizeof from->name);
}

/* ---- the updater ---- */

static bool is_firmware(const struct files *f, const char *path)
{
    return f->env->update && (!strcmp(path, "/flash/sys/appimg.bin") ||
                              !strcmp(path, "/flash/sys/mcuimg.bin"));
}

/* Clients change to the folder before they store; it is there whatever has
 * become of /flash, or the board could not be mended by an update. */
static bool is_firmware_folder(const struct files *f, const char *path)
{
    return f->env->update && !strcmp(path, "/flash/sys");
}

static void judge_update(struct files *f, int err)
{
    struct update *u = f->env->update;
    f->op->result = err;
    f->op->retry = err < 0 && update_outcome(u) == UPDATE_AGAIN;
    set_text(f->op, update_text(u));
}

static void update_open(struct files *f)
{
    struct ftp_op *op = f->op;
    struct update *u = f->env->update;
    uint64_t stored = update_resume_size(u);
    uint64_t resume = op->mode == FTP_WRITE_AT       ? op->offset
                      : op->mode == FTP_WRITE_APPEND ? stored
                                                     : 0;
    bool known = op->mode == FTP_WRITE_NEW && op->size;
    if (resume > stored) {
        fail(op, WIPY_EINVAL, "");
        snprintf(op->text, sizeof op->text,
                 "Only %llu bytes of the upload are stored",
                 (unsigned long long)stored);
        return;
    }
    uint32_t size = UPDATE_SIZE_UNKNOWN;
    if (known)
        size = op->size < UINT32_MAX ? (uint32_t)op->size : UINT32_MAX - 1;
    judge_update(f, update_begin(u, size, (uint32_t)resume));
    f->updating = op->result == 0;
}

static void update_put(struct files *f)
{
    struct ftp_op *op = f->op;
    const uint8_t *at = op->data;
    int err = 0;
    for (size_t left = op->len; left && err == 0;) {
        size_t part = left < FLASH_BLOCK ? left : FLASH_BLOCK;
        err = update_write(f->env->update, at, part);
        at += part;
        left -= part;
    }
    judge_update(f, err);
}

static void update_close(struct files *f, bool commit)
{
    f->updating = false;
    if (!commit) {
        update_abort(f->env->update);
        return;
    }
    judge_update(f, update_finish(f->env->update));
    if (f->op->result == 0 && f->env->update_done)
        f->env->update_done(f->env->ctx);
}

/* ---- files ---- */

static void stat_path(struct files *f)
{
    struct ftp_op *op = f->op;
    struct volume_info info;
    uint32_t stored =
        is_firmware(f, op->path) ? update_resume_size(f->env->update) : 0;
    if (stored) {
        op->info = (struct ftp_info){.name = "appimg.bin", .size = stored};
        return;
    }
    if (judge(f, volume_stat(f->env->volumes, op->path, &info))) {
        copy_info(&op->info, &info);
    } else if (is_firmware_folder(f, op->path)) {
        fail(op, 0, "");
        op->info = (struct ftp_info){.name = "sys", .is_dir = true};
    }
}

static void close_file(struct files *f)
{
    volume_abandon(f->env->volumes, f->file);
    f->file = -1;
}

/* Moves to the offset; past the end is a mistake of the client. */
static bool seek_to(struct files *f, uint64_t offset)
{
    struct volumes *v = f->env->volumes;
    int64_t size = volume_seek(v, f->file, 0, SEEK_END);
    if (!judge(f, size))
        return false;
    if ((uint64_t)size < offset) {
        fail(f->op, WIPY_EINVAL, "");
        snprintf(f->op->text, sizeof f->op->text,
                 "The file has only %lld bytes", (long long)size);
        return false;
    }
    return judge(f, volume_seek(v, f->file, (int64_t)offset, SEEK_SET));
}

/* A file that gave less than was asked for is at its end, and closed before a
 * read that was started meanwhile. */
static void read_file(struct files *f)
{
    struct ftp_op *op = f->op;
    if (f->file < 0) {
        op->result = 0;
        op->last = true;
        return;
    }
    op->last =
        judge(f, volume_read(f->env->volumes, f->file, op->data, op->len)) &&
        (size_t)op->result < op->len;
    if (op->last)
        close_file(f);
}

static void open_read(struct files *f)
{
    struct ftp_op *op = f->op;
    f->file = volume_open(f->env->volumes, op->path, VOLUME_READ);
    if (!judge(f, f->file))
        return;
    if (seek_to(f, op->offset))
        read_file(f);
    if (op->result < 0)
        close_file(f);
}

static bool has_room(struct files *f)
{
    struct volume_space space;
    struct ftp_op *op = f->op;
    if (!op->size || volume_statvfs(f->env->volumes, op->path, &space) < 0)
        return true;
    uint64_t room = space.free * space.block;
    if (op->size <= room)
        return true;
    fail(op, WIPY_ENOSPC, "");
    snprintf(op->text, sizeof op->text,
             "%llu bytes announced, but only %llu bytes are free",
             (unsigned long long)op->size, (unsigned long long)room);
    return false;
}

static void open_write(struct files *f)
{
    struct ftp_op *op = f->op;
    /* An upload is seen when it is complete, not before. */
    unsigned flags = VOLUME_WRITE | VOLUME_CREATE | VOLUME_HIDDEN;
    if (is_firmware(f, op->path)) {
        update_open(f);
        return;
    }
    if (op->mode == FTP_WRITE_NEW)
        flags |= VOLUME_TRUNC;
    if (op->mode == FTP_WRITE_APPEND)
        flags |= VOLUME_APPEND;
    if (!has_room(f))
        return;
    f->file = volume_open(f->env->volumes, op->path, flags);
    if (!judge(f, f->file) || op->mode != FTP_WRITE_AT)
        return;
    if (!seek_to(f, op->offset) ||
        !judge(f, volume_truncate(f->env->volumes, f->file, op->offset)))
        close_file(f);
}

static void write_file(struct files *f)
{
    struct ftp_op *op = f->op;
    if (f->updating)
        update_put(f);
    else
        judge(f, volume_write(f->env->volumes, f->file, op->data, op->len));
}

static void abandon(struct files *f)
{
    if (f->updating)
        update_close(f, false);
    else
        close_file(f);
}

static void commit(struct files *f)
{
    f->op->result = 0;
    if (f->op->len)
        write_file(f);
    if (f->op->unwanted)
        fail(f->op, WIPY_ECLOSED, "The control connection was lost");
    if (f->op->result < 0) {
        abandon(f);
    } else if (f->updating) {
        update_close(f, true);
    } else {
        judge(f, volume_close(f->env->volumes, f->file));
        f->file = -1;
    }
}

/* ---- directories ---- */

static void open_dir(struct files *f)
{
    f->held = false;
    f->dir = volume_opendir(f->env->volumes, f->op->path);
    judge(f, f->dir);
}

static void read_dir(struct files *f)
{
    struct ftp_op *op = f->op;
    struct writer w = writer_of(op->data, op->len);
    for (;;) {
        if (!f->held) {
            int got = volume_readdir(f->env->volumes, f->dir, &f->entry);
            if (!judge(f, got))
                return;
            if (got == 0)
                break;
        }
        struct ftp_info info;
        copy_info(&info, &f->entry);
        f->held = !ftp_entry_put(&w, &info);
        if (f->held)
            break;
    }
    op->result = (int64_t)w.pos;
}

static void close_dir(struct files *f)
{
    volume_closedir(f->env->volumes, f->dir);
    f->dir = -1;
}

static void delete_path(struct files *f)
{
    int err = volume_unlink(f->env->volumes, f->op->path);
    if (err == -EISDIR)
        err = volume_rmdir(f->env->volumes, f->op->path);
    judge(f, err);
}

static void prepare_slot(struct files *f)
{
    struct update *u = f->env->update;
    if (!u) {
        fail(f->op, WIPY_ENOTSUP, "This board takes no updates");
        return;
    }
    /* One block a job, so that files are served in between. */
    int more = update_prepare(u);
    judge_update(f, more);
    if (more == 0 && !f->op->text[0])
        set_text(f->op, "The spare slot is erased");
}

void files_run(struct files *f, struct ftp_op *op)
{
    struct volumes *v = f->env->volumes;
    f->op = op;
    switch (op->kind) {
    case FTP_OP_STAT:
        stat_path(f);
        break;
    case FTP_OP_OPEN_READ:
        open_read(f);
        break;
    case FTP_OP_OPEN_WRITE:
        open_write(f);
        break;
    case FTP_OP_READ:
        read_file(f);
        break;
    case FTP_OP_WRITE:
        write_file(f);
        break;
    case FTP_OP_COMMIT:
        commit(f);
        break;
    case FTP_OP_ABANDON:
        abandon(f);
        break;
    case FTP_OP_OPENDIR:
        open_dir(f);
        break;
    case FTP_OP_READDIR:
        read_dir(f);
        break;
    case FTP_OP_CLOSEDIR:
        close_dir(f);
        break;
    case FTP_OP_MKDIR:
        judge(f, volume_mkdir(v, op->path));
        break;
    case FTP_OP_RMDIR:
        judge(f, volume_rmdir(v, op->path));
        break;
    case FTP_OP_DELETE:
        delete_path(f);
        break;
    case FTP_OP_RENAME:
        judge(f, volume_rename(v, op->path, op->path2));
        break;
    case FTP_OP_UTIME:
        judge(f, volume_utime(v, op->path, op->time));
        break;
    case FTP_OP_PREPARE:
        prepare_slot(f);
        break;
    }
}

static void run(struct storage_job *job)
{
    struct files_job *j = (struct files_job *)job;
    files_run(j->files, j->op);
}

static void done(struct storage_job *job)
{
    struct files_job *j = (struct files_job *)job;
    struct ftp_op *op = j->op;
    j->op = NULL;
    j->files->done(j->files->ctx, op);
}

void files_init(struct files *f, const struct files_env *env,
                void (*finished)(void *ctx, struct ftp_op *op), void *ctx)
{
    struct files_job job = {.job = {.run = run, .done = done}, .files = f};
    *f = (struct files){
        .job = {job, job},
        .env = env,
        .done = finished,
        .ctx = ctx,
        .file = -1,
        .dir = -1,
    };
}

void files_start(struct files *f, struct ftp_op *op)
{
    struct files_job *job = &f->job[f->job[0].op != NULL];
    job->op = op;
    storage_post(f->env->storage, &job->job);
}
