/* The session: its control bytes, its beginning and its end. */
#include "ftp.h"

#include <string.h>

#include "base/err.h"
#include "internal.h"

/* RFC 854: what a client may put into the command stream around ABOR. */
enum { IAC = 255, DONT = 254, WILL = 251 };

void ftp_init(struct ftp *f, const struct ftp_ops *ops, void *ctx,
              const struct ftp_config *config, uint64_t now_ms)
{
    *f = (struct ftp){
        .ops = ops,
        .ctx = ctx,
        .config = *config,
        .now_ms = now_ms,
        .start_ms = now_ms,
        .active_ms = now_ms,
        .mlst_facts = FACT_ALL,
        .cwd = "/",
    };
    ring_init(&f->out, f->out_data, sizeof f->out_data);
    reply(f, 220, "MicroPython FTP Server");
}

bool ftp_logged_in(const struct ftp *f)
{
    return f->logged_in && !f->ended;
}

bool ftp_is_leaving(const struct ftp *f)
{
    bool closes = f->t.state == FTP_IDLE || f->t.state == FTP_ENDING;
    return f->gone || (f->eof && closes && ftp_file_busy(f));
}

bool ftp_transferring(const struct ftp *f)
{
    return f->t.state != FTP_IDLE;
}

static void start(struct ftp *f, struct ftp_op *op, enum ftp_op_kind kind)
{
    op->kind = kind;
    op->result = 0;
    op->retry = false;
    op->last = false;
    op->unwanted = false;
    op->text[0] = '\0';
    f->ops->file(f->ctx, op);
}

void op_start(struct ftp *f, enum ftp_op_kind kind, void (*then)(struct ftp *))
{
    f->op_busy = true;
    f->then = then;
    start(f, &f->op, kind);
}

void io_start(struct ftp *f, int side, enum ftp_op_kind kind, size_t len)
{
    f->io_busy[side] = true;
    f->io[side].data = f->config.buffer[side];
    f->io[side].len = len;
    start(f, &f->io[side], kind);
}

bool ftp_file_busy(const struct ftp *f)
{
    return f->op_busy || f->io_busy[0] || f->io_busy[1];
}

void ftp_op_done(struct ftp *f, struct ftp_op *op, uint64_t now_ms)
{
    f->now_ms = now_ms;
    op->text[sizeof op->text - 1] = '\0';
    f->t.progress_ms = now_ms; /* it was us who were slow */
    if (op == &f->op) {
        f->op_busy = false;
        f->then(f);
    } else {
        int side = op == &f->io[1];
        f->io_busy[side] = false;
        transfer_moved(f, side);
    }
    session_go_on(f);
}

/* ---- lines ---- */

static bool is_busy(const struct ftp *f)
{
    return ftp_file_busy(f) || f->judging || f->t.state != FTP_IDLE;
}

/* Copies the line at `at` to `line` and removes it; false when it was too
 * long to be one. */
static bool take_line(struct ftp *f, size_t at, size_t end, char *line)
{
    size_t len = end - at;
    bool whole = len < FTP_LINE_MAX;
    if (len && f->in[end - 1] == '\r')
        len--;
    if (whole) {
        memcpy(line, f->in + at, len);
        line[len] = '\0';
    }
    memmove(f->in + at, f->in + end + 1, f->in_len - end - 1);
    f->in_len -= end + 1 - at;
    return whole;
}

static const char *line_end(const struct ftp *f, size_t at)
{
    return memchr(f->in + at, '\n', f->in_len - at);
}

/* During a transfer ABOR and STAT overtake what waits before them. */
static bool run_urgent(struct ftp *f)
{
    char line[FTP_LINE_MAX];
    if (f->t.state == FTP_IDLE || ring_room(&f->out) < FTP_REPLY_MAX)
        return false;
    const char *end;
    for (size_t at = 0; (end = line_end(f, at));
         at = (size_t)(end - f->in) + 1) {
        if (!command_is_urgent(f, f->in + at))
            continue;
        if (take_line(f, at, (size_t)(end - f->in), line))
            command_run(f, line);
        return true;
    }
    return false;
}

static void refuse_overlong(struct ftp *f)
{
    f->overlong = false;
    reply(f, 500, "The line is too long: at most %d bytes", FTP_LINE_MAX - 1);
}

/* Handles one line; false when there is nothing to do now. */
static bool next_line(struct ftp *f)
{
    char line[FTP_LINE_MAX];
    if (is_busy(f))
        return run_urgent(f);
    if (ring_room(&f->out) < FTP_REPLY_MAX)
        return false;
    const char *end = line_end(f, 0);
    if (!end) {
        if (f->in_len >= FTP_LINE_MAX || f->overlong) {
            f->overlong = true;
            f->in_len = 0;
        }
        return false;
    }
    bool whole = take_line(f, 0, (size_t)(end - f->in), line);
    if (whole && !f->overlong)
        command_run(f, line);
    else
        refuse_overlong(f);
    return true;
}

static void end(struct ftp *f)
{
    if (f->ended || ftp_file_busy(f) || f->t.state != FTP_IDLE)
        return;
    data_close(f, false);
    f->ended = true;
    memset(f->password, 0, sizeof f->password);
    f->ops->ended(f->ctx);
}

void session_go_on(struct ftp *f)
{
    while (!f->ended && !f->closing && !f->gone && next_line(f))
        transfer_pump(f);
    transfer_pump(f);
    bool over =
        f->gone || f->closing || (f->eof && !is_busy(f) && !line_end(f, 0));
    if (over && !f->ended)
        end(f);
}

/* Takes the options out, in any segmentation: IAC IAC is a byte 255, IAC with
 * WILL..DONT has one more byte, every other IAC command is two bytes. */
static bool strip_option(struct ftp *f, uint8_t byte)
{
    if (f->telnet == 0) {
        f->telnet = byte == IAC ? IAC : 0;
        return byte == IAC || byte == 0;
    }
    bool literal = f->telnet == IAC && byte == IAC;
    bool more = f->telnet == IAC && byte >= WILL && byte <= DONT;
    f->telnet = more ? byte : 0;
    return !literal;
}

size_t ftp_feed(struct ftp *f, const void *data, size_t len, uint64_t now_ms)
{
    const uint8_t *p = data;
    size_t taken = 0;
    f->now_ms = now_ms;
    while (taken < len && !f->ended && f->in_len < FTP_IN_SIZE) {
        while (taken < len && f->in_len < FTP_IN_SIZE) {
            uint8_t byte = p[taken++];
            if (!strip_option(f, byte))
                f->in[f->in_len++] = (char)byte;
        }
        session_go_on(f);
    }
    if (taken)
        f->active_ms = now_ms;
    return f->ended ? len : taken;
}

/* A client that is gone has not waited for 226: perhaps it was killed. */
static void control_lost(struct ftp *f)
{
    if (f->t.kind == FTP_RECEIVE)
        f->op.unwanted = f->t.state == FTP_ENDING;
    transfer_stop(f, false, 426, "The control connection was lost");
}

void ftp_feed_end(struct ftp *f, uint64_t now_ms)
{
    f->now_ms = now_ms;
    f->eof = true;
    if (f->t.kind == FTP_RECEIVE)
        control_lost(f);
    session_go_on(f);
}

void ftp_hangup(struct ftp *f, uint64_t now_ms)
{
    f->now_ms = now_ms;
    f->gone = true;
    f->judging = false;
    control_lost(f);
    session_go_on(f);
}

void ftp_shutdown(struct ftp *f, const char *why, uint64_t now_ms)
{
    f->now_ms = now_ms;
    if (f->closing || f->gone || f->ended)
        return;
    f->judging = false;
    transfer_stop(f, false, 426, "%s", why);
    if (ring_room(&f->out) >= FTP_REPLY_MAX)
        reply(f, 421, "%s", why);
    f->closing = true;
    session_go_on(f);
}

void ftp_sent(struct ftp *f, uint64_t now_ms)
{
    f->now_ms = now_ms;
    session_go_on(f);
}

/* ---- time ---- */

static uint64_t idle_deadline(const struct ftp *f)
{
    uint64_t idle = f->active_ms + f->config.idle_ms;
    uint64_t login = f->start_ms + FTP_LOGIN_TIME_MS;
    return !f->logged_in && login < idle ? login : idle;
}

uint64_t ftp_deadline(const struct ftp *f)
{
    if (f->ended)
        return UINT64_MAX;
    uint64_t at = transfer_deadline(f);
    if (f->judging && f->login_ms < at)
        at = f->login_ms;
    if (!is_busy(f) && idle_deadline(f) < at)
        at = idle_deadline(f);
    return at;
}

void ftp_tick(struct ftp *f, uint64_t now_ms)
{
    f->now_ms = now_ms;
    if (f->ended)
        return;
    if (f->judging && now_ms >= f->login_ms)
        login_judge(f);
    transfer_tick(f);
    if (!is_busy(f) && !f->closing && now_ms >= idle_deadline(f)) {
        /* A client that does not read is not owed a goodbye. */
        if (ring_room(&f->out) >= FTP_REPLY_MAX)
            reply(f, 221,
                  f->logged_in ? "Idle for too long, goodbye"
                               : "No login in time, goodbye");
        f->closing = true;
    }
    session_go_on(f);
}
