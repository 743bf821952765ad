/* Listings: LIST, NLST, MLSD, MLST and STAT of a path. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "internal.h"

enum { LINE_MAX_LEN = FTP_PATH_MAX + FTP_NAME_MAX + 128 };

/* ---- packed entries ---- */

bool ftp_entry_put(struct writer *w, const struct ftp_info *info)
{
    size_t len = strlen(info->name);
    if (w->size - w->pos < 18 + len)
        return false;
    write_u8(w, (uint8_t)(info->is_dir | info->readonly << 1));
    write_u64(w, info->size);
    write_u64(w, (uint64_t)info->modified);
    write_u8(w, (uint8_t)len);
    write_bytes(w, info->name, len);
    return true;
}

static void entry_get(struct reader *r, struct ftp_info *info)
{
    uint8_t flags = read_u8(r);
    info->is_dir = flags & 1;
    info->readonly = flags & 2;
    info->size = read_u64(r);
    info->modified = (int64_t)read_u64(r);
    uint8_t len = read_u8(r);
    read_bytes(r, info->name, len);
    info->name[len] = '\0';
}

/* ---- lines ---- */

/* Spec 7.6, with "Aug" for the original's "Ago". */
void list_line(char *to, size_t size, const struct ftp_info *info, int64_t now)
{
    static const char month[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct date d = date_of(info->modified);
    int64_t age = now - info->modified;
    bool recent = age >= 0 && age <= FTP_LIST_DAYS * 86400;
    char when[8];
    if (recent)
        snprintf(when, sizeof when, "%02u:%02u", (unsigned)d.hour % 100u,
                 (unsigned)d.minute % 100u);
    else
        snprintf(when, sizeof when, "%5u", (unsigned)d.year % 10000u);
    snprintf(to, size, "%crw-rw-r--   1 root  root %9llu %s %2d %s %s",
             info->is_dir ? 'd' : '-', (unsigned long long)info->size,
             month[d.month - 1], d.day, when, info->name);
}

/* RFC 3659 section 7.2: facts, a space, the name. */
void mlst_line(char *to, size_t size, const struct ftp_info *info,
               const char *name, unsigned facts)
{
    char stamp[15];
    char *p = to;
    char *const end = to + size;
    *p = '\0';
    if (facts & FACT_TYPE)
        p += snprintf(p, (size_t)(end - p), "type=%s;",
                      info->is_dir ? "dir" : "file");
    if ((facts & FACT_SIZE) && !info->is_dir)
        p += snprintf(p, (size_t)(end - p), "size=%llu;",
                      (unsigned long long)info->size);
    date_stamp(stamp, info->modified);
    if (facts & FACT_MODIFY)
        p += snprintf(p, (size_t)(end - p), "modify=%s;", stamp);
    if (facts & FACT_PERM)
        p += snprintf(p, (size_t)(end - p), "perm=%s;",
                      info->is_dir ? (info->readonly ? "el" : "cdeflmp")
                                   : (info->readonly ? "r" : "adfrw"));
    snprintf(p, (size_t)(end - p), " %s", name);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* '*' and '?', without regard to case as FAT compares. One point to return
 * to is enough: a later '*' makes an earlier one settled. */
bool name_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *from = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            from = name;
        } else if (*pattern == '?' ||
                   (*pattern && lower(*pattern) == lower(*name))) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* ---- filling ---- */

static void entry_line(const struct ftp *f, char *to, size_t size,
                       const struct ftp_info *info, int64_t now)
{
    if (f->t.kind == FTP_NLST)
        snprintf(to, size, "%s%s", f->t.prefix, info->name);
    else if (f->t.kind == FTP_MLSD)
        mlst_line(to, size, info, info->name, f->mlst_facts);
    else
        list_line(to, size, info, now);
}

static void put_entry(struct ftp *f, const struct ftp_info *info, int64_t now)
{
    char line[LINE_MAX_LEN];
    entry_line(f, line, sizeof line, info, now);
    size_t len = strlen(line);
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\r' || line[i] == '\n')
            line[i] = '?';
    uint8_t *at = f->config.buffer[0] + f->t.len[0];
    memcpy(at, line, len);
    memcpy(at + len, "\r\n", 2);
    f->t.len[0] += len + 2;
}

static bool text_has_room(const struct ftp *f)
{
    return f->config.buffer_size - f->t.len[0] >= LINE_MAX_LEN + 2;
}

static void entries_to_text(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    struct reader r = reader_of(f->config.buffer[1], t->len[1]);
    read_skip(&r, t->pos[1]);
    int64_t now = f->ops->now(f->ctx);
    while (reader_left(&r) && text_has_room(f)) {
        struct ftp_info info;
        entry_get(&r, &info);
        if (!t->pattern[0] || name_matches(t->pattern, info.name))
            put_entry(f, &info, now);
    }
    t->pos[1] = r.pos;
    if (!reader_left(&r))
        t->pos[1] = t->len[1] = 0;
}

static void readdir_done(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (t->state == FTP_RUNNING && f->op.result < 0) {
        transfer_stop(f, false, 451, "%s", op_reason(f));
    } else if (t->state == FTP_RUNNING) {
        t->len[1] = (size_t)f->op.result;
        t->eof = f->op.result == 0;
    } else {
        transfer_source_idle(f);
    }
}

void list_pump(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (t->single) {
        if (!t->eof)
            put_entry(f, &f->op.info, f->ops->now(f->ctx));
        t->eof = true;
        return;
    }
    if (t->pos[0] == t->len[0])
        entries_to_text(f);
    if (f->op_busy || t->eof || t->len[1])
        return;
    f->op.data = f->config.buffer[1];
    f->op.len = f->config.buffer_size;
    op_start(f, FTP_OP_READDIR, readdir_done);
}

/* ---- opening ---- */

static void listed_file(struct ftp *f)
{
    /* NLST repeats the name as the client wrote it. */
    size_t len = strlen(f->t.prefix);
    if (f->t.kind == FTP_NLST && len) {
        f->op.info.name[0] = '\0';
        f->t.prefix[len - 1] = '\0'; /* the slash after it */
    }
    f->t.single = true;
    transfer_opened(f);
}

static void list_looked(struct ftp *f)
{
    if (f->t.state != FTP_OPENING || f->op.result < 0) {
        transfer_opened(f);
    } else if (f->op.info.is_dir) {
        op_start(f, FTP_OP_OPENDIR, transfer_opened);
    } else if (f->t.kind == FTP_MLSD) {
        transfer_stop(f, false, 501, "%s is a file: use MLST", f->path);
    } else if (f->t.pattern[0]) {
        transfer_stop(f, false, 550, "%s is a file", f->path);
    } else {
        listed_file(f);
    }
}

/* "-la path": the options change nothing here. */
static const char *skip_options(const char *arg)
{
    while (arg[0] == '-') {
        arg += strcspn(arg, " ");
        arg += strspn(arg, " ");
    }
    return arg;
}

/* What NLST puts before each name, so that the client can use the line as a
 * path: the directory part of a pattern, or the directory named. */
static void set_prefix(struct ftp *f, const char *arg, bool pattern)
{
    char *to = f->t.prefix;
    size_t len = strlen(arg);
    if (pattern)
        len = (size_t)(path_name(arg) - arg);
    if (len > FTP_PATH_MAX - 1 || (len == 1 && arg[0] == '.'))
        len = 0;
    memcpy(to, arg, len);
    to[len] = '\0';
    if (len && !pattern && to[len - 1] != '/')
        memcpy(to + len, "/", 2);
}

void list_open(struct ftp *f, enum ftp_transfer_kind kind, const char *arg)
{
    struct ftp_transfer *t = &f->t;
    f->rest = f->allo = 0; /* not for the transfer behind this one */
    if (kind != FTP_MLSD)
        arg = skip_options(arg);
    bool pattern = kind != FTP_MLSD && strpbrk(path_name(arg), "*?");
    if (!command_path(f, arg)) {
        data_close(f, false);
        return;
    }
    transfer_open(f, kind);
    t->single = false;
    t->pattern[0] = '\0';
    set_prefix(f, arg, pattern);
    if (pattern) {
        snprintf(t->pattern, sizeof t->pattern, "%s", path_name(f->path));
        path_cut(f->path);
    }
    f->op.path = f->path;
    op_start(f, FTP_OP_STAT, list_looked);
}
