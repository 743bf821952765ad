/* Moving bytes between the data connection and a file or listing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "internal.h"

void data_close(struct ftp *f, bool reset)
{
    if (f->data == FTP_DATA_NONE)
        return;
    if (f->data != FTP_DATA_TOLD)
        f->ops->close(f->ctx, reset);
    f->data = FTP_DATA_NONE;
}

/* The client's pace is measured from now on. */
static void pace_begin(struct ftp *f)
{
    f->t.pace_ms = f->now_ms;
    f->t.pace_bytes = f->t.bytes;
}

/* ---- beginning ---- */

void transfer_open(struct ftp *f, enum ftp_transfer_kind kind)
{
    /* The name parts of a listing are set before. */
    struct ftp_transfer *t = &f->t;
    t->state = FTP_OPENING;
    t->kind = kind;
    t->file_open = t->dir_open = t->commit = t->eof = t->abor = false;
    t->code = 0;
    t->text[0] = '\0';
    t->bytes = t->announced = t->tail = 0;
    t->side = 0;
    t->next = 1;
    t->len[0] = t->len[1] = t->pos[0] = t->pos[1] = 0;
    t->progress_ms = t->begin_ms = f->now_ms;
}

static void connect_out(struct ftp *f)
{
    f->data = FTP_DATA_CONNECTING;
    if (f->ops->connect(f->ctx, &f->told) != 0) {
        f->data = FTP_DATA_NONE;
        transfer_stop(f, false, 425, "Cannot connect to %u.%u.%u.%u:%u",
                      f->told.ip[0], f->told.ip[1], f->told.ip[2],
                      f->told.ip[3], f->told.port);
    }
}

static void transfer_begin(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    t->progress_ms = f->now_ms;
    if (t->kind == FTP_STAT) {
        t->state = FTP_RUNNING;
        reply_line(f, "213-Status of %s:", f->path);
        return;
    }
    static const char *const what[] = {"the file", "the upload", "the list",
                                       "the names", "the list"};
    reply(f, 150, "Data connection for %s", what[t->kind]);
    t->state = f->data == FTP_DATA_OPEN ? FTP_RUNNING : FTP_WAITING;
    pace_begin(f);
    if (f->data == FTP_DATA_TOLD)
        connect_out(f);
}

void transfer_opened(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    /* A listing of one file opens nothing. */
    if (f->op.result >= 0 && f->op.kind == FTP_OP_OPENDIR)
        t->dir_open = true;
    else if (f->op.result >= 0 && f->op.kind != FTP_OP_STAT)
        t->file_open = !f->op.last;
    if (f->op.result >= 0 && f->op.kind == FTP_OP_OPEN_READ) {
        t->len[0] = (size_t)f->op.result;
        t->eof = f->op.last;
    }
    if (t->state != FTP_OPENING)
        transfer_source_idle(f); /* stopped in the meantime */
    else if (f->op.result < 0)
        transfer_stop(f, false, op_code(f, 550), "%s", op_reason(f));
    else
        transfer_begin(f);
}

/* ---- the end ---- */

static void finish(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    bool abor = t->abor;
    t->state = FTP_IDLE;
    f->active_ms = f->now_ms;
    if (t->kind == FTP_STAT && t->code == 226)
        reply(f, 213, "End of status");
    else
        reply(f, t->code, "%s", t->text);
    if (abor)
        reply(f, 226, "ABOR done");
}

static void file_closed(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (t->commit && f->op.result < 0) {
        t->code = f->op.result == WIPY_ECLOSED
                      ? 426
                      : op_code(f, f->op.result == WIPY_EIO ? 451 : 550);
        snprintf(t->text, sizeof t->text, "%s", op_reason(f));
    } else if (t->commit && f->op.text[0]) {
        snprintf(t->text, sizeof t->text, "%s", f->op.text);
    }
    /* The file side is done; a refused upload may still be draining. */
    if (t->state == FTP_ENDING)
        finish(f);
}

void transfer_source_idle(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (ftp_file_busy(f))
        return; /* its end calls again */
    if (t->file_open) {
        t->file_open = false;
        f->op.data = f->config.buffer[t->side];
        f->op.len = t->commit ? t->tail : 0;
        op_start(f, t->commit ? FTP_OP_COMMIT : FTP_OP_ABANDON, file_closed);
    } else if (t->dir_open) {
        t->dir_open = false;
        op_start(f, FTP_OP_CLOSEDIR, file_closed);
    } else if (t->state == FTP_ENDING) {
        finish(f);
    }
}

static void set_end(struct ftp *f, bool commit, int code, const char *format,
                    va_list args)
{
    struct ftp_transfer *t = &f->t;
    t->commit = commit;
    t->code = code;
    vsnprintf(t->text, sizeof t->text, format, args);
}

void transfer_stop(struct ftp *f, bool commit, int code, const char *format,
                   ...)
{
    struct ftp_transfer *t = &f->t;
    if (t->state == FTP_IDLE || t->state == FTP_ENDING)
        return;
    if (t->state != FTP_DRAINING) { /* whose reason is known already */
        va_list args;
        va_start(args, format);
        set_end(f, commit, code, format, args);
        va_end(args);
    }
    t->state = FTP_ENDING;
    data_close(f, !t->eof && !commit);
    transfer_source_idle(f);
}

/* An upload the file side refuses. */
static void refuse_upload(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    t->commit = false;
    t->code = op_code(f, f->op.result == WIPY_EIO ? 451 : 550);
    snprintf(t->text, sizeof t->text, "%s", op_reason(f));
    t->state = t->eof ? FTP_ENDING : FTP_DRAINING;
    t->bytes = 0;
    pace_begin(f);
    if (t->eof)
        data_close(f, false);
    transfer_source_idle(f);
}

/* ---- RETR ---- */

static void read_done(struct ftp *f, int side)
{
    struct ftp_transfer *t = &f->t;
    const struct ftp_op *op = &f->io[side];
    if (op->last)
        t->file_open = false;
    if (t->state != FTP_RUNNING) {
        transfer_source_idle(f);
    } else if (op->result < 0) {
        transfer_stop(f, false, 451, "%s", op_reason(f));
    } else {
        t->len[side] = (size_t)op->result;
        t->pos[side] = 0;
        t->eof |= op->last;
    }
}

/* Both buffers are filled in turn, ahead of what is sent. */
static void pump_send(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (t->eof && !t->len[0] && !t->len[1] && !ftp_file_busy(f)) {
        transfer_stop(f, true, 226, "Sent %llu bytes",
                      (unsigned long long)t->bytes);
        return;
    }
    while (!t->eof && !t->len[t->next] && !f->io_busy[t->next]) {
        io_start(f, t->next, FTP_OP_READ, f->config.buffer_size);
        t->next = !t->next;
    }
}

/* ---- STOR ---- */

static void write_done(struct ftp *f, int side)
{
    struct ftp_transfer *t = &f->t;
    t->len[side] = 0;
    if (t->state != FTP_RUNNING)
        transfer_source_idle(f);
    else if (f->io[side].result < 0)
        refuse_upload(f);
}

void transfer_moved(struct ftp *f, int side)
{
    const struct ftp_op *io = &f->io[side];
    pace_begin(f);        /* it was us who were slow */
    if (io->result < 0) { /* for what is said about it */
        f->op.result = io->result;
        f->op.retry = io->retry;
        memcpy(f->op.text, io->text, sizeof f->op.text);
    }
    if (io->kind == FTP_OP_READ)
        read_done(f, side);
    else
        write_done(f, side);
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* How long an upload whose client has just ended its side waits for a sign
 * that the client is gone (ftp.h). */
static uint64_t settle_time(const struct ftp *f)
{
    const struct ftp_transfer *t = &f->t;
    uint64_t spent_ms = f->now_ms - t->begin_ms;
    bool paused = f->now_ms - t->progress_ms > FTP_SETTLE_PAUSE_MS;
    if (f->prot || (t->announced && t->bytes == t->announced))
        return 0;
    if (t->bytes < t->announced)
        return FTP_SETTLE_MAX_MS;
    if (paused || !t->bytes)
        return clamp(spent_ms / 4, FTP_SETTLE_PAUSED_MS, FTP_SETTLE_MAX_MS);
    if (t->bytes <= FTP_SETTLE_NONE && t->bytes % FTP_SETTLE_UNIT)
        return 0;
    return clamp(spent_ms / 8, FTP_SETTLE_MS, FTP_SETTLE_MAX_MS);
}

static void pump_receive(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    size_t len = f->io_busy[t->side] ? 0 : t->len[t->side];
    bool over = t->eof && !ftp_file_busy(f) && f->now_ms >= t->settle_ms;
    if (!over && (len == f->config.buffer_size || (t->eof && len))) {
        io_start(f, t->side, FTP_OP_WRITE, len);
        t->side = !t->side;
    } else if (over) {
        t->tail = len;
        transfer_stop(f, true, 226, "Stored %llu bytes",
                      (unsigned long long)t->bytes);
    }
}

/* ---- listings over the control connection ---- */

static void pump_control(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    size_t room = ring_room(&f->out);
    if (room < 2 * FTP_REPLY_MAX)
        return; /* leave room for the end and for an urgent reply */
    room -= 2 * FTP_REPLY_MAX;
    size_t len = t->len[0] - t->pos[0];
    len = len < room ? len : room;
    ring_put(&f->out, f->config.buffer[0] + t->pos[0], len);
    t->pos[0] += len;
    if (len)
        t->progress_ms = f->now_ms;
    if (t->pos[0] == t->len[0])
        t->pos[0] = t->len[0] = 0;
}

/* ---- all ---- */

void transfer_pump(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (t->state != FTP_RUNNING)
        return;
    if (t->kind == FTP_SEND) {
        pump_send(f);
    } else if (t->kind == FTP_RECEIVE) {
        pump_receive(f);
    } else {
        list_pump(f);
        if (t->kind == FTP_STAT)
            pump_control(f);
        if (t->state == FTP_RUNNING && t->eof && !t->len[0] && !f->op_busy)
            transfer_stop(f, true, 226, "Listed");
    }
}

unsigned ftp_data_want(const struct ftp *f)
{
    size_t len;
    if (f->data != FTP_DATA_OPEN)
        return 0;
    if (f->t.state == FTP_DRAINING)
        return FTP_WANT_IN;
    if (f->t.state != FTP_RUNNING)
        return 0;
    if (f->t.kind == FTP_RECEIVE)
        return !f->t.eof && !f->io_busy[f->t.side] &&
                       f->t.len[f->t.side] < f->config.buffer_size
                   ? FTP_WANT_IN
                   : 0;
    ftp_data_pending(f, &len);
    return len ? FTP_WANT_OUT : 0;
}

uint8_t *ftp_data_room(struct ftp *f, size_t *len)
{
    struct ftp_transfer *t = &f->t;
    bool want = ftp_data_want(f) & FTP_WANT_IN;
    size_t used = t->len[t->side];
    if (t->state == FTP_DRAINING) {
        /* The other buffer may belong to an operation under way. */
        *len = f->config.buffer_size;
        return f->config.buffer[t->side];
    }
    *len = want ? f->config.buffer_size - used : 0;
    return f->config.buffer[t->side] + used;
}

void ftp_data_received(struct ftp *f, size_t len, uint64_t now_ms)
{
    struct ftp_transfer *t = &f->t;
    f->now_ms = f->active_ms = now_ms;
    t->eof = len == 0;
    t->bytes += len;
    t->settle_ms = t->eof ? now_ms + settle_time(f) : 0;
    t->progress_ms = now_ms;
    if (t->state == FTP_DRAINING) {
        if (t->eof || t->bytes > FTP_DRAIN_BYTES)
            transfer_stop(f, false, 0, "%s", "");
    } else if (t->state == FTP_RUNNING && t->kind == FTP_RECEIVE) {
        t->len[t->side] += len;
    }
    session_go_on(f);
}

const uint8_t *ftp_data_pending(const struct ftp *f, size_t *len)
{
    const struct ftp_transfer *t = &f->t;
    bool sends = t->state == FTP_RUNNING && t->kind != FTP_RECEIVE &&
                 t->kind != FTP_STAT;
    int side = t->kind == FTP_SEND ? t->side : 0;
    *len = sends ? t->len[side] - t->pos[side] : 0;
    return f->config.buffer[side] + t->pos[side];
}

void ftp_data_sent(struct ftp *f, size_t len, uint64_t now_ms)
{
    struct ftp_transfer *t = &f->t;
    f->now_ms = t->progress_ms = f->active_ms = now_ms;
    int side = t->kind == FTP_SEND ? t->side : 0;
    t->pos[side] += len;
    t->bytes += len;
    if (t->pos[side] >= t->len[side]) {
        t->pos[side] = t->len[side] = 0;
        if (t->kind == FTP_SEND)
            t->side = !t->side;
    }
    session_go_on(f);
}

void ftp_data_opened(struct ftp *f, uint64_t now_ms)
{
    f->now_ms = f->t.progress_ms = now_ms;
    f->data = FTP_DATA_OPEN;
    if (f->t.state == FTP_WAITING)
        f->t.state = FTP_RUNNING;
    pace_begin(f);
    session_go_on(f);
}

void ftp_data_failed(struct ftp *f, uint64_t now_ms)
{
    f->now_ms = now_ms;
    if (f->t.state == FTP_WAITING)
        transfer_stop(f, false, 425, "The data connection cannot be opened");
    else
        transfer_stop(f, false, 426, "The data connection broke");
    data_close(f, true);
    session_go_on(f);
}

/* ---- time ---- */

static uint64_t pace_deadline(const struct ftp *f)
{
    bool moves = f->t.kind != FTP_STAT && ftp_data_want(f) != 0;
    return moves ? f->t.pace_ms + FTP_SLOW_MS : UINT64_MAX;
}

uint64_t transfer_deadline(const struct ftp *f)
{
    const struct ftp_transfer *t = &f->t;
    if (t->state == FTP_RUNNING && t->kind == FTP_RECEIVE && t->eof)
        return ftp_file_busy(f) ? UINT64_MAX : t->settle_ms;
    bool idle_data = t->state == FTP_IDLE && (f->data == FTP_DATA_OPEN ||
                                              f->data == FTP_DATA_LISTENING);
    bool peer_is_slow =
        t->state == FTP_WAITING || ftp_data_want(f) != 0 ||
        (t->kind == FTP_STAT && t->state == FTP_RUNNING && !f->op_busy);
    uint64_t at = idle_data || peer_is_slow ? t->progress_ms + f->config.data_ms
                                            : UINT64_MAX;
    return at < pace_deadline(f) ? at : pace_deadline(f);
}

void transfer_tick(struct ftp *f)
{
    struct ftp_transfer *t = &f->t;
    if (f->now_ms < transfer_deadline(f))
        return;
    if (t->state == FTP_RUNNING && t->kind == FTP_RECEIVE && t->eof)
        return; /* the session goes on and commits */
    unsigned seconds = (unsigned)(f->config.data_ms / 1000);
    bool stalled = f->now_ms >= t->progress_ms + f->config.data_ms;
    if (!stalled && t->bytes - t->pace_bytes >= FTP_SLOW_BYTES)
        pace_begin(f);
    else if (!stalled)
        transfer_stop(f, false, 426, "Fewer than %d bytes in %d s",
                      FTP_SLOW_BYTES, FTP_SLOW_MS / 1000);
    else if (t->state == FTP_IDLE)
        data_close(f, false); /* silently, as spec 7.4 has it */
    else if (t->kind == FTP_STAT)
        ftp_hangup(f, f->now_ms); /* the control connection is stuck */
    else if (t->state == FTP_WAITING)
        transfer_stop(f, false, 425, "No data connection within %u s", seconds);
    else
        transfer_stop(f, false, 426, "No data for %u s", seconds);
}
