/* A world for one FTP session: files in memory, a data connection that plays
 * along, a clock. Shared by the unit test and the fuzz target. */
#ifndef WIPY_TESTS_FTP_MODEL_H
#define WIPY_TESTS_FTP_MODEL_H

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "ftp/ftp.h"

enum { MODEL_FILES = 24, MODEL_FILE_SIZE = 8192, MODEL_OUT = 1 << 17 };

struct model_file {
    bool used, is_dir;
    char path[FTP_PATH_MAX + 1];
    uint8_t data[MODEL_FILE_SIZE];
    size_t len;
    int64_t modified;
};

struct model {
    struct ftp ftp;
    struct ftp_op *op[2]; /* waiting for model_step, in their order */
    bool closed;          /* the file that is read came to its end */
    struct model_file file[MODEL_FILES];
    uint8_t buffer[2][FTP_BUFFER_MIN];
    uint64_t now_ms;
    bool ended;

    /* the open file or directory */
    int open, dir_at;
    enum ftp_write_mode mode;
    uint64_t pos;
    char dir_path[FTP_PATH_MAX + 1];
    uint8_t staged[MODEL_FILE_SIZE];
    size_t staged_len;
    char target[FTP_PATH_MAX + 1];
    int fail_write; /* error the next write gives */
    int blocks;     /* of the slot, to be erased */

    /* the data connection */
    bool listening, connecting, data_open, no_data; /* no_data: never comes */
    const char *upload;                             /* what STOR receives */
    size_t upload_len, uploaded, chunk;
    bool upload_ended, upload_breaks;
    char data[MODEL_OUT]; /* what RETR and listings sent */
    size_t data_len;
    unsigned resets, listens;

    char out[MODEL_OUT]; /* the control connection */
    size_t out_len;

    bool tls;
    uint64_t login_wait;
    unsigned attempts;
    int files_open; /* leak check: opens minus closes */
};

static inline struct model_file *model_find(struct model *m, const char *path)
{
    for (int i = 0; i < MODEL_FILES; i++)
        if (m->file[i].used && !strcmp(m->file[i].path, path))
            return &m->file[i];
    return NULL;
}

static inline struct model_file *model_add(struct model *m, const char *path,
                                           bool is_dir, const char *text)
{
    for (int i = 0; i < MODEL_FILES; i++) {
        struct model_file *f = &m->file[i];
        if (f->used)
            continue;
        *f = (struct model_file){.used = true, .is_dir = is_dir};
        f->modified = 1420070400 + i * 86400; /* from 2015-01-01 on */
        snprintf(f->path, sizeof f->path, "%s", path);
        f->len = strlen(text);
        memcpy(f->data, text, f->len);
        return f;
    }
    return NULL;
}

static inline bool model_parent_ok(struct model *m, const char *path)
{
    char parent[FTP_PATH_MAX + 1];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        return false; /* nothing can be made at the virtual root */
    *slash = '\0';
    struct model_file *f = model_find(m, parent);
    return f && f->is_dir;
}

static inline bool model_is_in(const char *dir, const char *path)
{
    size_t len = strcmp(dir, "/") ? strlen(dir) : 0;
    return !strncmp(path, dir, len) && path[len] == '/' && path[len + 1] &&
           !strchr(path + len + 1, '/');
}

static inline void model_info(const struct model_file *f, struct ftp_info *info)
{
    *info = (struct ftp_info){.is_dir = f->is_dir,
                              .size = f->is_dir ? 0 : f->len,
                              .modified = f->modified};
    snprintf(info->name, sizeof info->name, "%.255s",
             strrchr(f->path, '/') + 1);
}

static inline int64_t model_read(struct model *m, struct ftp_op *op)
{
    struct model_file *f = model_find(m, m->target);
    op->last = m->closed;
    if (m->closed)
        return 0;
    size_t left = f->len - m->pos;
    size_t n = left < op->len ? left : op->len;
    memcpy(op->data, f->data + m->pos, n);
    m->pos += n;
    op->last = m->closed = n < op->len;
    m->files_open -= op->last;
    return (int64_t)n;
}

static inline int64_t model_open(struct model *m, struct ftp_op *op)
{
    struct model_file *f = model_find(m, op->path);
    bool write = op->kind == FTP_OP_OPEN_WRITE;
    if (f && f->is_dir)
        return WIPY_EINVAL;
    if (!f && (!write || !model_parent_ok(m, op->path)))
        return WIPY_ENOENT;
    size_t len = f ? f->len : 0;
    if (op->offset > len)
        return WIPY_EINVAL;
    m->pos = op->offset;
    m->mode = op->mode;
    m->staged_len = 0;
    snprintf(m->target, sizeof m->target, "%s", op->path);
    if (write && op->mode != FTP_WRITE_NEW && f) {
        m->staged_len = op->mode == FTP_WRITE_APPEND ? len : op->offset;
        memcpy(m->staged, f->data, m->staged_len);
    }
    m->files_open++;
    m->closed = false;
    return write ? 0 : model_read(m, op);
}

static inline int64_t model_commit(struct model *m, bool wrote)
{
    m->files_open--;
    if (!wrote)
        return 0;
    struct model_file *f = model_find(m, m->target);
    if (!f)
        f = model_add(m, m->target, false, "");
    if (!f)
        return WIPY_ENOSPC;
    memcpy(f->data, m->staged, m->staged_len);
    f->len = m->staged_len;
    return 0;
}

static inline int64_t model_write(struct model *m, struct ftp_op *op)
{
    int err = m->fail_write;
    m->fail_write = 0;
    if (!err && m->staged_len + op->len > MODEL_FILE_SIZE)
        err = WIPY_ENOSPC;
    if (err)
        return err;
    memcpy(m->staged + m->staged_len, op->data, op->len);
    m->staged_len += op->len;
    return (int64_t)op->len;
}

static inline int64_t model_readdir(struct model *m, struct ftp_op *op)
{
    struct writer w = writer_of(op->data, op->len);
    for (; m->dir_at < MODEL_FILES; m->dir_at++) {
        struct model_file *f = &m->file[m->dir_at];
        struct ftp_info info;
        if (!f->used || !model_is_in(m->dir_path, f->path))
            continue;
        model_info(f, &info);
        if (!ftp_entry_put(&w, &info))
            break;
    }
    return (int64_t)w.pos;
}

static inline int64_t model_remove(struct model *m, struct ftp_op *op)
{
    struct model_file *f = model_find(m, op->path);
    if (!f)
        return WIPY_ENOENT;
    if (!f->is_dir && op->kind == FTP_OP_RMDIR)
        return WIPY_EINVAL;
    for (int i = 0; i < MODEL_FILES; i++)
        if (m->file[i].used && model_is_in(op->path, m->file[i].path))
            return WIPY_EBUSY;
    f->used = false;
    return 0;
}

static inline int64_t model_rename(struct model *m, struct ftp_op *op)
{
    struct model_file *f = model_find(m, op->path);
    struct model_file *to = model_find(m, op->path2);
    if (!f || !model_parent_ok(m, op->path2))
        return WIPY_ENOENT;
    if (f == to)
        return 0;
    if (to && to->is_dir)
        return WIPY_EEXIST;
    if (to)
        to->used = false;
    snprintf(f->path, sizeof f->path, "%s", op->path2);
    return 0;
}

static inline int64_t model_run(struct model *m, struct ftp_op *op)
{
    struct model_file *f;
    static const struct model_file root = {.is_dir = true, .path = "/"};
    switch (op->kind) {
    case FTP_OP_STAT:
        f = model_find(m, op->path);
        if (f)
            model_info(f, &op->info);
        else if (!strcmp(op->path, "/"))
            model_info(&root, &op->info);
        else
            return WIPY_ENOENT;
        return 0;
    case FTP_OP_OPEN_READ:
    case FTP_OP_OPEN_WRITE:
        return model_open(m, op);
    case FTP_OP_READ:
        return model_read(m, op);
    case FTP_OP_WRITE:
        return model_write(m, op);
    case FTP_OP_COMMIT: {
        int64_t put = op->len ? model_write(m, op) : 0;
        if (op->unwanted)
            put = WIPY_ECLOSED;
        m->files_open -= put < 0;
        return put < 0 ? put : model_commit(m, m->ftp.t.kind == FTP_RECEIVE);
    }
    case FTP_OP_ABANDON:
        m->files_open--;
        return 0;
    case FTP_OP_OPENDIR:
        m->dir_at = 0;
        snprintf(m->dir_path, sizeof m->dir_path, "%s", op->path);
        m->files_open++;
        return 0;
    case FTP_OP_READDIR:
        return model_readdir(m, op);
    case FTP_OP_CLOSEDIR:
        m->files_open--;
        return 0;
    case FTP_OP_MKDIR:
        if (model_find(m, op->path) || !model_parent_ok(m, op->path))
            return model_find(m, op->path) ? WIPY_EEXIST : WIPY_ENOENT;
        return model_add(m, op->path, true, "") ? 0 : WIPY_ENOSPC;
    case FTP_OP_RMDIR:
    case FTP_OP_DELETE:
        return model_remove(m, op);
    case FTP_OP_RENAME:
        return model_rename(m, op);
    case FTP_OP_UTIME:
        f = model_find(m, op->path);
        if (!f)
            return WIPY_ENOENT;
        f->modified = op->time;
        return 0;
    case FTP_OP_PREPARE:
        if (m->blocks)
            return m->blocks-- > 0;
        snprintf(op->text, sizeof op->text, "erased");
        return 0;
    }
    return WIPY_ENOTSUP;
}

/* ---- what the session asks for ---- */

static inline void model_file(void *ctx, struct ftp_op *op)
{
    struct model *m = ctx;
    m->op[m->op[0] != NULL] = op;
}

static inline uint64_t model_login_wait(void *ctx)
{
    struct model *m = ctx;
    return m->login_wait > m->now_ms ? m->login_wait - m->now_ms : 0;
}

static inline enum ftp_verdict model_login(void *ctx, const char *user,
                                           size_t user_len,
                                           const char *password,
                                           size_t password_len)
{
    struct model *m = ctx;
    if (model_login_wait(m))
        return FTP_LOGIN_LOCKED;
    m->attempts++;
    bool right = user_len == 5 && !memcmp(user, "micro", 5) &&
                 password_len == 6 && !memcmp(password, "python", 6);
    return right ? FTP_LOGIN_OK : FTP_LOGIN_WRONG;
}

static inline int model_listen(void *ctx, struct ftp_addr *addr)
{
    struct model *m = ctx;
    m->listening = true;
    m->listens++;
    *addr = (struct ftp_addr){{192, 168, 1, 1}, 2024};
    return 0;
}

static inline int model_connect(void *ctx, const struct ftp_addr *addr)
{
    struct model *m = ctx;
    (void)addr;
    m->connecting = true;
    return 0;
}

static inline void model_close(void *ctx, bool reset)
{
    struct model *m = ctx;
    m->listening = m->connecting = m->data_open = false;
    m->resets += reset;
}

static inline bool model_tls(void *ctx)
{
    struct model *m = ctx;
    return m->tls;
}

static inline void model_tls_start(void *ctx)
{
    (void)ctx;
}

static inline void model_tls_data(void *ctx, bool on)
{
    (void)ctx;
    (void)on;
}

static inline int64_t model_now(void *ctx)
{
    (void)ctx;
    return 1421000000; /* 2015-01-11 */
}

static inline void model_end(void *ctx)
{
    struct model *m = ctx;
    m->ended = true;
}

static const struct ftp_ops model_ops = {
    .file = model_file,
    .login_wait = model_login_wait,
    .login = model_login,
    .listen = model_listen,
    .connect = model_connect,
    .close = model_close,
    .tls_offered = model_tls,
    .tls_start = model_tls_start,
    .tls_data = model_tls_data,
    .now = model_now,
    .ended = model_end,
};

/* ---- driving it ---- */

static inline void model_init(struct model *m)
{
    memset(m, 0, sizeof *m);
    m->now_ms = 1000;
    m->upload = "";
    m->chunk = 700;
    model_add(m, "/flash", true, "");
    model_add(m, "/flash/sys", true, "");
    model_add(m, "/flash/boot.py", false, "# boot\n");
    model_add(m, "/flash/a b.txt", false, "with a space");
    struct ftp_config config = {
        .peer = {{192, 168, 1, 2}, 40000},
        .idle_ms = FTP_IDLE_MS,
        .data_ms = FTP_DATA_MS,
        .buffer = {m->buffer[0], m->buffer[1]},
        .buffer_size = sizeof m->buffer[0],
    };
    ftp_init(&m->ftp, &model_ops, m, &config, m->now_ms);
}

static inline bool model_move_data(struct model *m)
{
    size_t len;
    unsigned want = ftp_data_want(&m->ftp);
    if (want & FTP_WANT_OUT) {
        const uint8_t *p = ftp_data_pending(&m->ftp, &len);
        len = len < m->chunk ? len : m->chunk;
        if (m->data_len + len <= MODEL_OUT) {
            memcpy(m->data + m->data_len, p, len);
            m->data_len += len;
        }
        ftp_data_sent(&m->ftp, len, m->now_ms);
        return true;
    }
    if (!(want & FTP_WANT_IN))
        return false;
    uint8_t *to = ftp_data_room(&m->ftp, &len);
    size_t left = m->upload_len - m->uploaded;
    if (!left && m->upload_breaks) {
        ftp_data_failed(&m->ftp, m->now_ms);
        return true;
    }
    len = len < left ? len : left;
    len = len < m->chunk ? len : m->chunk;
    memcpy(to, m->upload + m->uploaded, len);
    m->uploaded += len;
    ftp_data_received(&m->ftp, len, m->now_ms);
    return true;
}

/* One thing that can happen; false when all is quiet. */
static inline bool model_step(struct model *m)
{
    uint8_t text[512];
    size_t n = ring_get(&m->ftp.out, text, sizeof text);
    if (n) {
        if (m->out_len + n < MODEL_OUT) {
            memcpy(m->out + m->out_len, text, n);
            m->out_len += n;
            m->out[m->out_len] = '\0';
        }
        ftp_sent(&m->ftp, m->now_ms);
        return true;
    }
    if (m->op[0]) {
        struct ftp_op *op = m->op[0];
        m->op[0] = m->op[1];
        m->op[1] = NULL;
        op->result = model_run(m, op);
        op->retry = op->result == WIPY_EBUSY;
        ftp_op_done(&m->ftp, op, m->now_ms);
        return true;
    }
    if ((m->listening || m->connecting) && !m->no_data &&
        m->ftp.t.state == FTP_WAITING) {
        m->listening = m->connecting = false;
        m->data_open = true;
        m->uploaded = 0;
        ftp_data_opened(&m->ftp, m->now_ms);
        return true;
    }
    if (model_move_data(m))
        return true;
    if (ftp_deadline(&m->ftp) > m->now_ms + FTP_SETTLE_MAX_MS)
        return false;
    m->now_ms = ftp_deadline(&m->ftp); /* an upload settles */
    ftp_tick(&m->ftp, m->now_ms);
    return true;
}

static inline void model_settle(struct model *m)
{
    for (int i = 0; i < 100000 && model_step(m); i++)
        ;
}

/* Feeds everything, letting the world move when the session takes no more. */
static inline void model_feed(struct model *m, const void *data, size_t len)
{
    const char *p = data;
    for (int i = 0; len && !m->ended && i < 100000; i++) {
        size_t n = ftp_feed(&m->ftp, p, len, m->now_ms);
        p += n;
        len -= n;
        if (!n && !model_step(m))
            break;
    }
}

#endif
