/* The data connection, and the commands that use it. */
#include <string.h>

#include "base/err.h"
#include "commands.h"

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

void cmd_pasv(struct ftp *f, const char *arg)
{
    (void)arg;
    struct ftp_addr a;
    if (may_open_data(f, false) && listen_for_data(f, &a))
        reply(f, 227, "(%u,%u,%u,%u,%u,%u)", a.ip[0], a.ip[1], a.ip[2], a.ip[3],
              a.port >> 8, a.port & 255u);
}

void cmd_epsv(struct ftp *f, const char *arg)
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
    } else if (a->port < FTP_PORT_LEAST) {
        reply(f, 504, "Data goes to no port below %d", FTP_PORT_LEAST);
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

void cmd_port(struct ftp *f, const char *arg)
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

void cmd_eprt(struct ftp *f, const char *arg)
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

void cmd_rest(struct ftp *f, const char *arg)
{
    uint64_t at;
    if (!number64(arg, &at)) {
        reply(f, 501, "REST bytes");
        return;
    }
    f->rest = at;
    reply(f, 350, "The next transfer starts at %llu", (unsigned long long)at);
}

void cmd_allo(struct ftp *f, const char *arg)
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

void cmd_retr(struct ftp *f, const char *arg)
{
    open_file(f, arg, FTP_SEND, FTP_WRITE_NEW);
}

void cmd_stor(struct ftp *f, const char *arg)
{
    open_file(f, arg, FTP_RECEIVE, FTP_WRITE_NEW);
}

void cmd_appe(struct ftp *f, const char *arg)
{
    open_file(f, arg, FTP_RECEIVE, FTP_WRITE_APPEND);
}

void cmd_list(struct ftp *f, const char *arg)
{
    if (data_is_there(f))
        list_open(f, FTP_LIST, arg);
}

void cmd_nlst(struct ftp *f, const char *arg)
{
    if (data_is_there(f))
        list_open(f, FTP_NLST, arg);
}

void cmd_mlsd(struct ftp *f, const char *arg)
{
    if (data_is_there(f))
        list_open(f, FTP_MLSD, arg);
}

void cmd_abor(struct ftp *f, const char *arg)
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
