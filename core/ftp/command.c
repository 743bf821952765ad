/* The commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "internal.h"

enum command_flag {
    BEFORE_LOGIN = 1, /* allowed then; all others are answered 332 */
    NEEDS_ARG = 2,    /* 501 without */
};

struct command {
    char name[5];
    uint8_t flags;
    void (*run)(struct ftp *f, const char *arg);
};

/* ---- login ---- */

static void keep(char *to, size_t *len, const char *arg)
{
    memset(to, 0, FTP_LOGIN_MAX + 1);
    *len = strlen(arg);
    if (*len > FTP_LOGIN_MAX) { /* cannot be right, is judged all the same */
        *len = FTP_LOGIN_MAX;
        arg = "\x01";
    }
    snprintf(to, FTP_LOGIN_MAX + 1, "%s", arg);
}

static void cmd_user(struct ftp *f, const char *arg)
{
    /* A new name ends the old login (spec 12 item 12). */
    f->logged_in = false;
    f->user_given = true;
    keep(f->user, &f->user_len, arg);
    reply(f, 331, "Password please");
}

static void cmd_pass(struct ftp *f, const char *arg)
{
    if (f->logged_in) {
        reply(f, 230, "Logged in already");
    } else if (!f->user_given) {
        reply(f, 503, "Say USER first");
    } else {
        keep(f->password, &f->password_len, arg);
        uint64_t wait = f->ops->login_wait(f->ctx);
        f->judging = true;
        f->login_ms = f->now_ms + (wait > FTP_LOGIN_PATIENCE_MS ? 0 : wait);
        if (f->now_ms >= f->login_ms)
            login_judge(f);
    }
}

static void login_failed(struct ftp *f, const char *why)
{
    f->tries++;
    if (f->tries < FTP_LOGIN_TRIES) {
        reply(f, 530, "%s", why);
        return;
    }
    reply(f, 421, "%s; connect again to try again", why);
    f->closing = true;
}

void login_judge(struct ftp *f)
{
    uint64_t wait = f->ops->login_wait(f->ctx);
    if (wait && wait <= FTP_LOGIN_PATIENCE_MS) {
        /* Another session of this address failed in the meantime. */
        f->login_ms = f->now_ms + wait;
        return;
    }
    f->judging = false;
    enum ftp_verdict verdict =
        wait ? FTP_LOGIN_LOCKED
             : f->ops->login(f->ctx, f->user, f->user_len, f->password,
                             f->password_len);
    memset(f->password, 0, sizeof f->password);
    if (verdict == FTP_LOGIN_OK) {
        f->logged_in = true;
        f->tries = 0;
        snprintf(f->cwd, sizeof f->cwd, "/");
        reply(f, 230, "Welcome");
    } else if (verdict == FTP_LOGIN_LOCKED) {
        char why[80];
        snprintf(why, sizeof why,
                 "Too many wrong passwords from this address: wait %llu s",
                 (unsigned long long)(f->ops->login_wait(f->ctx) / 1000 + 1));
        login_failed(f, why);
    } else {
        login_failed(f, "Wrong user name or password");
    }
}

static void cmd_rein(struct ftp *f, const char *arg)
{
    (void)arg;
    f->logged_in = f->user_given = f->have_from = f->epsv_all = false;
    f->rest = f->allo = 0;
    f->ascii = false;
    f->mlst_facts = FACT_ALL;
    snprintf(f->cwd, sizeof f->cwd, "/");
    data_close(f, false);
    reply(f, 220, "MicroPython FTP Server");
}

static void cmd_quit(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 221, "Goodbye");
    f->closing = true;
}

/* ---- TLS (RFC 4217) ---- */

static void cmd_auth(struct ftp *f, const char *arg)
{
    /* Never a 3xx: some clients would start a handshake on it. */
    if (!f->ops->tls_offered(f->ctx)) {
        reply(f, 502, "No certificate in /flash/cert: plain FTP only");
    } else if (f->tls) {
        reply(f, 503, "Encrypted already");
    } else if (strcmp(arg, "TLS") != 0 && strcmp(arg, "tls") != 0 &&
               strcmp(arg, "TLS-C") != 0) {
        reply(f, 504, "Only AUTH TLS");
    } else {
        reply(f, 234, "Go ahead");
        f->tls = true;
        f->logged_in = f->user_given = false;
        /* What came in plain behind AUTH could have been put there by
         * somebody in the middle. */
        f->in_len = 0;
        f->telnet = 0;
        f->ops->tls_start(f->ctx);
    }
}

static void cmd_pbsz(struct ftp *f, const char *arg)
{
    (void)arg;
    if (!f->tls) {
        reply(f, 503, "AUTH TLS first");
    } else {
        f->pbsz = true;
        reply(f, 200, "PBSZ=0");
    }
}

static void cmd_prot(struct ftp *f, const char *arg)
{
    char level = (char)(arg[0] & ~0x20);
    if (!f->tls || !f->pbsz) {
        reply(f, 503, "AUTH TLS and PBSZ first");
    } else if (arg[1] || (level != 'P' && level != 'C')) {
        reply(f, level == 'S' || level == 'E' ? 536 : 504,
              "Only PROT P and PROT C");
    } else {
        f->prot = level == 'P';
        f->ops->tls_data(f->ctx, f->prot);
        reply(f, 200,
              level == 'P' ? "Data connections are encrypted"
                           : "Data connections are plain");
    }
}

/* ---- the session ---- */

static void cmd_feat(struct ftp *f, const char *arg)
{
    (void)arg;
    reply_line(f, "211-Features:");
    if (f->ops->tls_offered(f->ctx)) {
        reply_line(f, " AUTH TLS");
        reply_line(f, " PBSZ");
        reply_line(f, " PROT");
    }
    static const char *const features[] = {
        "EPRT",        "EPSV", "MDTM", "MFMT", "PASV",
        "REST STREAM", "SIZE", "TVFS", "UTF8",
    };
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        reply_line(f, " %s", features[i]);
    reply_line(f, " MLST type%s;size%s;modify%s;perm%s;",
               f->mlst_facts & FACT_TYPE ? "*" : "",
               f->mlst_facts & FACT_SIZE ? "*" : "",
               f->mlst_facts & FACT_MODIFY ? "*" : "",
               f->mlst_facts & FACT_PERM ? "*" : "");
    reply(f, 211, "End");
}

static bool word_is(const char *arg, const char *word)
{
    size_t i = 0;
    for (; word[i]; i++)
        if ((arg[i] & ~0x20) != (word[i] & ~0x20))
            return false;
    return arg[i] == '\0' || arg[i] == ' ';
}

static const char *after_word(const char *arg)
{
    arg += strcspn(arg, " ");
    return arg + strspn(arg, " ");
}

/* "type;size;" => a set of facts; unknown ones are left out (RFC 3659 7.9) */
static unsigned facts_of(const char *list)
{
    static const char *const names[] = {"type", "size", "modify", "perm"};
    unsigned facts = 0;
    while (*list) {
        size_t len = strcspn(list, ";");
        for (unsigned i = 0; i < 4; i++) {
            char name[8] = "";
            if (len < sizeof name)
                memcpy(name, list, len);
            if (word_is(name, names[i]))
                facts |= 1u << i;
        }
        list += len + (list[len] == ';');
    }
    return facts;
}

static void cmd_opts(struct ftp *f, const char *arg)
{
    if (word_is(arg, "UTF8")) {
        bool off = word_is(after_word(arg), "OFF");
        reply(f, off ? 504 : 200, off ? "Names are always UTF-8" : "UTF-8");
    } else if (word_is(arg, "MLST")) {
        f->mlst_facts = facts_of(after_word(arg));
        reply(f, 200, "MLST OPTS %s%s%s%s",
              f->mlst_facts & FACT_TYPE ? "type;" : "",
              f->mlst_facts & FACT_SIZE ? "size;" : "",
              f->mlst_facts & FACT_MODIFY ? "modify;" : "",
              f->mlst_facts & FACT_PERM ? "perm;" : "");
    } else {
        reply(f, 501, "No options for that: UTF8 and MLST have some");
    }
}

static void cmd_syst(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 215, "UNIX Type: L8");
}

static void cmd_noop(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 200, "OK");
}

static void cmd_acct(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 202, "Not needed here");
}

static void cmd_type(struct ftp *f, const char *arg)
{
    char type = (char)(arg[0] & ~0x20);
    bool image = type == 'I' && !arg[1];
    bool local = type == 'L' && (!arg[1] || strcmp(arg + 1, " 8") == 0);
    bool ascii = type == 'A' && (!arg[1] || word_is(arg + 1, " N"));
    if (!image && !local && !ascii) {
        reply(f, 504, "Types are A, I and L 8");
        return;
    }
    f->ascii = ascii;
    reply(f, 200, ascii ? "Type A; bytes are sent as they are" : "Type I");
}

static void cmd_mode(struct ftp *f, const char *arg)
{
    bool stream = (arg[0] & ~0x20) == 'S' && !arg[1];
    reply(f, stream ? 200 : 504, stream ? "Mode S" : "Only mode S");
}

static void cmd_stru(struct ftp *f, const char *arg)
{
    bool file = (arg[0] & ~0x20) == 'F' && !arg[1];
    reply(f, file ? 200 : 504, file ? "Structure F" : "Only structure F");
}

static const char *transfer_name(const struct ftp *f)
{
    if (f->t.state == FTP_IDLE)
        return "none";
    return f->t.kind == FTP_RECEIVE ? "receiving"
           : f->t.kind == FTP_SEND  ? "sending"
                                    : "listing";
}

static void cmd_stat(struct ftp *f, const char *arg)
{
    if (*arg) {
        list_open(f, FTP_STAT, arg);
        return;
    }
    reply_line(f, "211-MicroPython FTP Server");
    reply_line(f, " Logged in as %s, directory %s", f->user, f->cwd);
    reply_line(f, " Type: %s, mode: S, structure: F",
               f->ascii ? "A (sent as it is)" : "I");
    reply_line(f, " Transfer: %s, %llu bytes so far", transfer_name(f),
               (unsigned long long)(f->t.state == FTP_IDLE ? 0 : f->t.bytes));
    reply_line(f, " Control connection: %s", f->tls ? "TLS" : "plain");
    reply(f, 211, "End");
}

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

static void cmd_cwd(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_STAT, cwd_looked);
}

static void cmd_cdup(struct ftp *f, const char *arg)
{
    (void)arg;
    path_cut(f->cwd);
    reply(f, 250, "%s", f->cwd);
}

static void cmd_pwd(struct ftp *f, const char *arg)
{
    (void)arg;
    char quoted[2 * FTP_PATH_MAX + 1];
    char *to = quoted;
    for (const char *p = f->cwd; *p; p++) {
        if (*p == '"')
            *to++ = '"'; /* RFC 959 appendix II */
        *to++ = *p;
    }
    *to = '\0';
    reply(f, 257, "\"%s\"", quoted);
}

static void simple_done(struct ftp *f)
{
    if (f->op.result < 0)
        reply_failed(f, 550);
    else
        reply(f, 250, "%s", f->op.text[0] ? f->op.text : f->path);
}

static void cmd_mkd(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_MKDIR, simple_done);
}

static void cmd_rmd(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_RMDIR, simple_done);
}

static void cmd_dele(struct ftp *f, const char *arg)
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

static void cmd_rnfr(struct ftp *f, const char *arg)
{
    f->have_from = false;
    path_op(f, arg, FTP_OP_STAT, rnfr_looked);
}

static void cmd_rnto(struct ftp *f, const char *arg)
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

static void cmd_size(struct ftp *f, const char *arg)
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

static void cmd_mdtm(struct ftp *f, const char *arg)
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

static void cmd_mfmt(struct ftp *f, const char *arg)
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

static void cmd_mlst(struct ftp *f, const char *arg)
{
    path_op(f, arg, FTP_OP_STAT, mlst_looked);
}

/* ---- the data connection ---- */

static bool may_open_data(struct ftp *f, bool extended)
{
    if (f->epsv_all && !extended) {
        reply(f, 503, "EPSV ALL was said: only EPSV now");
        return false;
    }
    data_close(f, false);
    return true;
}

static bool listen_for_data(struct ftp *f, struct ftp_addr *addr)
{
    int err = f->ops->listen(f->ctx, addr);
    if (err) {
        reply(f, 425, "No data port: %s", wipy_strerror(err));
        return false;
    }
    f->data = FTP_DATA_LISTENING;
    f->t.progress_ms = f->now_ms;
    return true;
}

static void cmd_pasv(struct ftp *f, const char *arg)
{
    (void)arg;
    struct ftp_addr a;
    if (may_open_data(f, false) && listen_for_data(f, &a))
        reply(f, 227, "(%u,%u,%u,%u,%u,%u)", a.ip[0], a.ip[1], a.ip[2], a.ip[3],
              a.port >> 8, a.port & 255u);
}

static void cmd_epsv(struct ftp *f, const char *arg)
{
    struct ftp_addr a;
    if (word_is(arg, "ALL")) {
        f->epsv_all = true;
        reply(f, 200, "Only EPSV from now on");
    } else if (*arg && strcmp(arg, "1") != 0) {
        reply(f, 522, "Only IPv4: (1)");
    } else if (may_open_data(f, true) && listen_for_data(f, &a)) {
        reply(f, 229, "Extended passive mode (|||%u|)", a.port);
    }
}

/* The bounce attack: data goes to the client itself or nowhere, and to no
 * port of a system service (RFC 2577 section 3). */
static void accept_port(struct ftp *f, const struct ftp_addr *a)
{
    if (memcmp(a->ip, f->config.peer.ip, 4) != 0) {
        reply(f, 504, "Data goes only to your own address %u.%u.%u.%u",
              f->config.peer.ip[0], f->config.peer.ip[1], f->config.peer.ip[2],
              f->config.peer.ip[3]);
    } else if (a->port < 1024) {
        reply(f, 504, "Data goes to no port below 1024");
    } else if (may_open_data(f, false)) {
        f->told = *a;
        f->data = FTP_DATA_TOLD;
        reply(f, 200, "OK");
    }
}

/* A decimal number of at most `max`, or -1; moves `*p` behind it. */
static long number(const char **p, long max)
{
    long v = 0;
    const char *start = *p;
    while (**p >= '0' && **p <= '9') {
        v = v * 10 + (**p - '0');
        if (v > max)
            return -1;
        ++*p;
    }
    return *p == start ? -1 : v;
}

static bool parse_port(const char *arg, struct ftp_addr *a)
{
    uint8_t v[6];
    for (int i = 0; i < 6; i++) {
        long n = number(&arg, 255);
        if (n < 0 || (i < 5 && *arg++ != ','))
            return false;
        v[i] = (uint8_t)n;
    }
    memcpy(a->ip, v, 4);
    a->port = (uint16_t)(v[4] << 8 | v[5]);
    return *arg == '\0';
}

static void cmd_port(struct ftp *f, const char *arg)
{
    struct ftp_addr a;
    if (!parse_port(arg, &a))
        reply(f, 501, "PORT h1,h2,h3,h4,p1,p2");
    else
        accept_port(f, &a);
}

/* RFC 2428: a delimiter of the client's choice, family, address, port. */
static bool parse_eprt(const char *arg, struct ftp_addr *a)
{
    char mark = *arg++;
    const char *p = strchr(arg, mark);
    if (!mark || !p)
        return false;
    p++;
    for (int i = 0; i < 4; i++) {
        long n = number(&p, 255);
        if (n < 0 || *p++ != (i < 3 ? '.' : mark))
            return false;
        a->ip[i] = (uint8_t)n;
    }
    long port = number(&p, 65535);
    a->port = (uint16_t)port;
    return port >= 0 && p[0] == mark && !p[1];
}

static void cmd_eprt(struct ftp *f, const char *arg)
{
    struct ftp_addr a;
    bool family_1 = arg[0] && arg[1] == '1' && arg[2] == arg[0];
    bool other = arg[0] && arg[1] && arg[2] == arg[0];
    if (other && !family_1)
        reply(f, 522, "Only IPv4: (1)");
    else if (!family_1 || !parse_eprt(arg, &a))
        reply(f, 501, "EPRT |1|address|port|");
    else
        accept_port(f, &a);
}

/* ---- transfers ---- */

static bool number64(const char *arg, uint64_t *to)
{
    uint64_t v = 0;
    size_t n = strspn(arg, "0123456789");
    if (n == 0 || n > 18 || (arg[n] && arg[n] != ' '))
        return false;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint64_t)(arg[i] - '0');
    *to = v;
    return true;
}

static void cmd_rest(struct ftp *f, const char *arg)
{
    uint64_t at;
    if (!number64(arg, &at)) {
        reply(f, 501, "REST bytes");
        return;
    }
    f->rest = at;
    reply(f, 350, "The next transfer starts at %llu", (unsigned long long)at);
}

static void cmd_allo(struct ftp *f, const char *arg)
{
    uint64_t size;
    if (!number64(arg, &size)) {
        reply(f, 501, "ALLO bytes");
        return;
    }
    f->allo = size;
    reply(f, 200, "Checked when the upload begins");
}

static bool data_is_there(struct ftp *f)
{
    if (f->data != FTP_DATA_NONE)
        return true;
    f->rest = f->allo = 0;
    reply(f, 425, "No data connection: say EPSV, PASV or PORT first");
    return false;
}

static void open_file(struct ftp *f, const char *arg,
                      enum ftp_transfer_kind kind, enum ftp_write_mode mode)
{
    uint64_t rest = f->rest, allo = f->allo;
    if (!data_is_there(f))
        return;
    f->rest = f->allo = 0; /* for one transfer only */
    if (!command_path(f, arg)) {
        data_close(f, false);
        return;
    }
    f->op.path = f->path;
    f->op.mode = mode == FTP_WRITE_NEW && rest ? FTP_WRITE_AT : mode;
    f->op.offset = rest;
    f->op.size = allo;
    f->op.data = f->config.buffer[0];
    f->op.len = f->config.buffer_size;
    transfer_open(f, kind);
    if (f->op.mode == FTP_WRITE_NEW)
        f->t.announced = allo;
    op_start(f, kind == FTP_SEND ? FTP_OP_OPEN_READ : FTP_OP_OPEN_WRITE,
             transfer_opened);
}

static void cmd_retr(struct ftp *f, const char *arg)
{
    open_file(f, arg, FTP_SEND, FTP_WRITE_NEW);
}

static void cmd_stor(struct ftp *f, const char *arg)
{
    open_file(f, arg, FTP_RECEIVE, FTP_WRITE_NEW);
}

static void cmd_appe(struct ftp *f, const char *arg)
{
    open_file(f, arg, FTP_RECEIVE, FTP_WRITE_APPEND);
}

static void cmd_list(struct ftp *f, const char *arg)
{
    if (data_is_there(f))
        list_open(f, FTP_LIST, arg);
}

static void cmd_nlst(struct ftp *f, const char *arg)
{
    if (data_is_there(f))
        list_open(f, FTP_NLST, arg);
}

static void cmd_mlsd(struct ftp *f, const char *arg)
{
    if (data_is_there(f))
        list_open(f, FTP_MLSD, arg);
}

static void cmd_abor(struct ftp *f, const char *arg)
{
    (void)arg;
    if (f->t.state == FTP_IDLE) {
        data_close(f, true);
        reply(f, 226, "No transfer to abort");
        return;
    }
    f->t.abor = true;
    transfer_stop(f, false, 426, "Aborted as told");
}

static void prepared(struct ftp *f)
{
    if (f->op.result > 0) /* a block is erased, more are left */
        op_start(f, FTP_OP_PREPARE, prepared);
    else if (f->op.result < 0)
        reply_failed(f, 550);
    else
        reply(f, 200, "%s", f->op.text);
}

static void cmd_site(struct ftp *f, const char *arg)
{
    if (word_is(arg, "PREPARE"))
        op_start(f, FTP_OP_PREPARE, prepared);
    else if (word_is(arg, "HELP"))
        reply(f, 214, "SITE PREPARE erases the spare update slot ahead");
    else
        reply(f, 504, "Only SITE PREPARE and SITE HELP");
}

/* ---- the table ---- */

static void cmd_help(struct ftp *f, const char *arg);

static const struct command commands[] = {
    {"ABOR", 0, cmd_abor},
    {"ACCT", 0, cmd_acct},
    {"ALLO", NEEDS_ARG, cmd_allo},
    {"APPE", NEEDS_ARG, cmd_appe},
    {"AUTH", BEFORE_LOGIN | NEEDS_ARG, cmd_auth},
    {"CDUP", 0, cmd_cdup},
    {"CLNT", 0, cmd_noop},
    {"CWD", NEEDS_ARG, cmd_cwd},
    {"DELE", NEEDS_ARG, cmd_dele},
    {"EPRT", NEEDS_ARG, cmd_eprt},
    {"EPSV", 0, cmd_epsv},
    {"FEAT", BEFORE_LOGIN, cmd_feat},
    {"HELP", 0, cmd_help},
    {"LIST", 0, cmd_list},
    {"MDTM", NEEDS_ARG, cmd_mdtm},
    {"MFMT", NEEDS_ARG, cmd_mfmt},
    {"MKD", NEEDS_ARG, cmd_mkd},
    {"MLSD", 0, cmd_mlsd},
    {"MLST", 0, cmd_mlst},
    {"MODE", NEEDS_ARG, cmd_mode},
    {"NLST", 0, cmd_nlst},
    {"NOOP", 0, cmd_noop},
    {"OPTS", NEEDS_ARG, cmd_opts},
    {"PASS", BEFORE_LOGIN, cmd_pass},
    {"PASV", 0, cmd_pasv},
    {"PBSZ", BEFORE_LOGIN | NEEDS_ARG, cmd_pbsz},
    {"PORT", NEEDS_ARG, cmd_port},
    {"PROT", BEFORE_LOGIN | NEEDS_ARG, cmd_prot},
    {"PWD", 0, cmd_pwd},
    {"QUIT", BEFORE_LOGIN, cmd_quit},
    {"REIN", 0, cmd_rein},
    {"REST", NEEDS_ARG, cmd_rest},
    {"RETR", NEEDS_ARG, cmd_retr},
    {"RMD", NEEDS_ARG, cmd_rmd},
    {"RNFR", NEEDS_ARG, cmd_rnfr},
    {"RNTO", NEEDS_ARG, cmd_rnto},
    {"SITE", NEEDS_ARG, cmd_site},
    {"SIZE", NEEDS_ARG, cmd_size},
    {"STAT", 0, cmd_stat},
    {"STOR", NEEDS_ARG, cmd_stor},
    {"STRU", NEEDS_ARG, cmd_stru},
    {"SYST", 0, cmd_syst},
    {"TYPE", NEEDS_ARG, cmd_type},
    {"USER", BEFORE_LOGIN, cmd_user},
    {"XCUP", 0, cmd_cdup},
    {"XCWD", NEEDS_ARG, cmd_cwd},
    {"XMKD", NEEDS_ARG, cmd_mkd},
    {"XPWD", 0, cmd_pwd},
    {"XRMD", NEEDS_ARG, cmd_rmd},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (word_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static void cmd_help(struct ftp *f, const char *arg)
{
    if (*arg) {
        const struct command *c = find(arg);
        reply(f, c ? 214 : 502, c ? "%s is offered" : "%s is not offered",
              c ? c->name : "That command");
        return;
    }
    char line[80];
    size_t len = 0;
    reply_line(f, "214-These commands are offered:");
    for (size_t i = 0; i < COMMANDS; i++) {
        len += (size_t)snprintf(line + len, sizeof line - len, " %s",
                                commands[i].name);
        if (len > 60 || i == COMMANDS - 1) {
            reply_line(f, "%s", line);
            len = 0;
        }
    }
    reply(f, 214, "End");
}

bool command_is_urgent(const char *line)
{
    const char *end = line + strcspn(line, "\r\n");
    char name[5] = "";
    if (end - line != 4)
        return false;
    memcpy(name, line, 4);
    return word_is(name, "ABOR") || word_is(name, "STAT");
}

enum { STRAYS_MAX = 20 };

static void refuse_before_login(struct ftp *f)
{
    /* Somebody who talks another protocol, or tries things. */
    if (++f->strays < STRAYS_MAX) {
        reply(f, 332, "Log in first");
        return;
    }
    reply(f, 421, "Log in first; goodbye");
    f->closing = true;
}

void command_run(struct ftp *f, char *line)
{
    const struct command *c = find(line);
    char *arg = line + strcspn(line, " ");
    if (*arg)
        arg++; /* one space: a name may begin with another */
    bool allowed = f->logged_in || (c && (c->flags & BEFORE_LOGIN));
    if (!allowed)
        refuse_before_login(f);
    else if (!c)
        reply(f, 502, "Not offered");
    else if ((c->flags & NEEDS_ARG) && !*arg)
        reply(f, 501, "%s needs an argument", c->name);
    else
        c->run(f, arg);
}
