/* Commands on names: directories, files, and facts of them. */
#include <string.h>

#include "base/err.h"
#include "commands.h"

/* ---- directories ---- */

bool command_path(struct ftp *f, const char *arg)
{
    int err = path_resolve(f->path, f->cwd, arg);
    if (err == WIPY_ERANGE)
        reply(f, 550, "The path is too long: at most %d bytes", FTP_PATH_MAX);
    else if (err)
        reply(f, 550, "A name may have no backslash or control character");
    return err == 0;
}

/* Starts an operation on the path `arg` names. */
static void path_op(struct ftp *f, const char *arg, enum ftp_op_kind kind,
                    void (*then)(struct ftp *))
{
    if (!command_path(f, arg))
        return;
    f->op.path = f->path;
    op_start(f, kind, then);
}

static void cwd_looked(struct ftp *f)
{
    if (f->op.result < 0) {
        reply_failed(f, 550);
    } else if (!f->op.info.is_dir) {
        reply(f, 550, "%s is a file", f->path);
    } else {
        memcpy(f->cwd, f->path, sizeof f->cwd);
        reply(f, 250, "%s", f->cwd);
    }
}

void cmd_cwd(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_STAT, cwd_looked);
}

void cmd_cdup(struct ftp *f, const char *arg)
{
    (void)arg;
    path_cut(f->cwd);
    reply(f, 250, "%s", f->cwd);
}

/* RFC 959 appendix II: in quotes, those of the path doubled. */
static void reply_quoted(struct ftp *f, const char *path)
{
    char quoted[2 * FTP_PATH_MAX + 1];
    char *to = quoted;
    for (const char *p = path; *p; p++) {
        if (*p == '"')
            *to++ = '"';
        *to++ = *p;
    }
    *to = '\0';
    reply(f, 257, "\"%s\"", quoted);
}

void cmd_pwd(struct ftp *f, const char *arg)
{
    (void)arg;
    reply_quoted(f, f->cwd);
}

static void simple_done(struct ftp *f)
{
    if (f->op.result < 0)
        reply_failed(f, 550);
    else
        reply(f, 250, "%s", f->op.text[0] ? f->op.text : f->path);
}

static void mkd_done(struct ftp *f)
{
    if (f->op.result < 0)
        reply_failed(f, 550);
    else
        reply_quoted(f, f->path);
}

void cmd_mkd(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_MKDIR, mkd_done);
}

void cmd_rmd(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_RMDIR, simple_done);
}

void cmd_dele(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_DELETE, simple_done);
}

static void rnfr_looked(struct ftp *f)
{
    if (f->op.result < 0) {
        reply_failed(f, 550);
        return;
    }
    memcpy(f->from, f->path, sizeof f->from);
    f->have_from = true;
    reply(f, 350, "And to what name?");
}

void cmd_rnfr(struct ftp *f, const char *arg)
{
    f->have_from = false;
    path_op(f, arg, FTP_OP_STAT, rnfr_looked);
}

void cmd_rnto(struct ftp *f, const char *arg)
{
    if (!f->have_from) {
        reply(f, 503, "Say RNFR first");
        return;
    }
    if (!command_path(f, arg))
        return;
    f->have_from = false;
    f->op.path = f->from;
    f->op.path2 = f->path;
    op_start(f, FTP_OP_RENAME, simple_done);
}

/* ---- facts of a file ---- */

static void size_looked(struct ftp *f)
{
    if (f->op.result < 0)
        reply_failed(f, 550);
    else
        reply(f, 213, "%llu",
              (unsigned long long)(f->op.info.is_dir ? 0 : f->op.info.size));
}

void cmd_size(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_STAT, size_looked);
}

static void mdtm_looked(struct ftp *f)
{
    char stamp[15];
    if (f->op.result < 0) {
        reply_failed(f, 550);
        return;
    }
    date_stamp(stamp, f->op.info.modified);
    reply(f, 213, "%s", stamp);
}

void cmd_mdtm(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_STAT, mdtm_looked);
}

static void mfmt_done(struct ftp *f)
{
    char stamp[15];
    if (f->op.result < 0) {
        reply_failed(f, 550);
        return;
    }
    date_stamp(stamp, f->op.time);
    reply(f, 213, "Modify=%s; %s", stamp, f->path);
}

void cmd_mfmt(struct ftp *f, const char *arg)
{
    const char *name = after_word(arg);
    if (!*name || !date_parse(arg, strcspn(arg, " "), &f->op.time))
        reply(f, 501, "MFMT YYYYMMDDhhmmss name");
    else
        path_op(f, name, FTP_OP_UTIME, mfmt_done);
}

static void mlst_looked(struct ftp *f)
{
    char line[FTP_PATH_MAX + 128];
    if (f->op.result < 0) {
        reply_failed(f, 550);
        return;
    }
    mlst_line(line, sizeof line, &f->op.info, f->path, f->mlst_facts);
    reply_line(f, "250-Facts:");
    reply_line(f, " %s", line);
    reply(f, 250, "End");
}

void cmd_mlst(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_STAT, mlst_looked);
}
