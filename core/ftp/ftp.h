/* One FTP control session with its data connection, as a push machine.
 *
 * It is fed the bytes of the control connection, events of the data
 * connection, the ends of file operations and the time; it answers with bytes
 * in `out` and with calls of struct ftp_ops. It owns no descriptor, no file
 * and no clock, and allocates nothing.
 *
 * RFC 959, 1123 section 4.1, 2228 (AUTH PBSZ PROT), 2389 (FEAT OPTS), 2428
 * (EPRT EPSV), 2640 (UTF8), 3659 (SIZE MDTM MLST MLSD REST), draft
 * somers-ftp-mfxx (MFMT), 4217 (TLS); the forms of spec section 7 where they
 * differ. Only IPv4. Always binary; TYPE is accepted and noted.
 *
 * The caller's loop, after every call of a function below:
 *   - sends what is in `out`, and tells by ftp_sent() when there is room again
 *   - polls the data connection for ftp_data_want()
 *   - calls ftp_tick() at ftp_deadline()
 *   - feeds control bytes only while ftp_feed() takes them
 * The session is over when ops->ended was called; it is called once, when no
 * file operation is under way. Send the rest of `out`, then close. */
#ifndef WIPY_FTP_FTP_H
#define WIPY_FTP_FTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/ring.h"

enum {
    FTP_PATH_MAX = 512, /* bytes of a resolved path, without the NUL */
    FTP_NAME_MAX = 255,
    FTP_LINE_MAX = 1024, /* bytes of a command line */
    FTP_IN_SIZE = 2048,
    FTP_OUT_SIZE = 4096,
    FTP_REPLY_MAX = 1400, /* longest reply: HELP, or two paths */
    FTP_TEXT_MAX = 200,   /* reason or result of a file operation */
    FTP_LOGIN_MAX = 32,
    FTP_ENTRY_MAX = FTP_NAME_MAX + 32, /* packed directory entry */
    FTP_BUFFER_MIN = 2048,             /* of each transfer buffer */
};

/* ---- file operations ---- */

enum ftp_op_kind {
    FTP_OP_STAT,       /* path => info */
    FTP_OP_OPEN_READ,  /* path, offset; then as READ */
    FTP_OP_OPEN_WRITE, /* path, mode, offset, size */
    FTP_OP_READ,       /* data, len => result bytes, last */
    FTP_OP_WRITE,      /* data, len => result bytes, all of them */
    FTP_OP_COMMIT,     /* data, len: WRITE of the last bytes, so that a small
                        * file costs one hand-over less; close; what was
                        * written appears; text may say more. When it fails
                        * the file is closed all the same */
    FTP_OP_ABANDON,    /* close; a replaced file keeps its old contents */
    FTP_OP_OPENDIR,    /* path */
    FTP_OP_READDIR,    /* data, len: fill with ftp_entry_put => result
                        * bytes, 0 at the end */
    FTP_OP_CLOSEDIR,
    FTP_OP_MKDIR,   /* path */
    FTP_OP_RMDIR,   /* path */
    FTP_OP_DELETE,  /* path: a file or an empty directory (spec 7.3) */
    FTP_OP_RENAME,  /* path to path2, replacing a file */
    FTP_OP_UTIME,   /* path, time */
    FTP_OP_PREPARE, /* erase the spare update slot ahead, one step =>
                     * 1 while there is more to do; text says which */
};

enum ftp_write_mode {
    FTP_WRITE_NEW,    /* from nothing, appears when committed */
    FTP_WRITE_APPEND, /* at the end of what is there */
    FTP_WRITE_AT,     /* at `offset`, the rest is cut off */
};

struct ftp_info {
    char name[FTP_NAME_MAX + 1];
    bool is_dir;
    bool readonly;
    uint64_t size;
    int64_t modified; /* Unix seconds */
};

/* One operation; at most one is under way per session, but for READ and WRITE:
 * two of these may be, of the same file, to be carried out in their order, so
 * that the file side has the next at hand. `path` pointers stay valid until its
 * end. The executor fills result, text, info. */
struct ftp_op {
    enum ftp_op_kind kind;
    enum ftp_write_mode mode;
    const char *path;
    const char *path2;
    uint8_t *data;
    size_t len;
    uint64_t offset;
    uint64_t size; /* announced by ALLO, 0 = unknown */
    int64_t time;
    /* READ sets it when the end was reached and the file is closed: a small
     * file costs one hand-over to the file side. A READ behind it gives 0
     * bytes. */
    bool last;
    int64_t result; /* >= 0, or a negative enum wipy_err */
    bool retry;     /* of a failure: trying again later can help (4xx) */
    /* Set while a COMMIT is under way: its client is gone, and if nothing has
     * appeared yet it is an ABANDON, WIPY_ECLOSED. */
    _Atomic bool unwanted;
    struct ftp_info info;
    char text[FTP_TEXT_MAX]; /* reason of a failure, or news; may be empty */
};

/* Appends an entry; false when it does not fit (then nothing is written). */
bool ftp_entry_put(struct writer *w, const struct ftp_info *info);

/* ---- what the session asks of its owner ---- */

struct ftp_addr {
    uint8_t ip[4];
    uint16_t port;
};

enum ftp_verdict { FTP_LOGIN_OK, FTP_LOGIN_WRONG, FTP_LOGIN_LOCKED };

struct ftp_ops {
    /* Starts the operation; ftp_op_done() must be called later, never from
     * inside. */
    void (*file)(void *ctx, struct ftp_op *op);

    /* How long to wait before an attempt is judged, in ms; and the verdict.
     * A wait above FTP_LOGIN_PATIENCE_MS is a lock-out, and not waited for. */
    uint64_t (*login_wait)(void *ctx);
    enum ftp_verdict (*login)(void *ctx, const char *user, size_t user_len,
                              const char *password, size_t password_len);

    /* Listens for one data connection of the control peer; gives the address
     * to announce (that of the control connection). Replaces an earlier
     * listener. 0 or negative enum wipy_err. */
    int (*listen)(void *ctx, struct ftp_addr *addr);

    /* Starts to connect to the client's `addr`, already checked to be the
     * control peer's own. 0 or negative; ftp_data_opened() follows. */
    int (*connect)(void *ctx, const struct ftp_addr *addr);

    /* Closes listener and connection; `reset` when the peer must notice that
     * the transfer broke off. */
    void (*close)(void *ctx, bool reset);

    /* TLS is there to be had (a certificate lies on the board); from now on
     * the control connection is encrypted: what is in `out` goes out plain
     * first; data connections from now on are (not) encrypted. */
    bool (*tls_offered)(void *ctx);
    void (*tls_start)(void *ctx);
    void (*tls_data)(void *ctx, bool on);

    int64_t (*now)(void *ctx); /* Unix seconds, for listings */

    void (*ended)(void *ctx);
};

enum {
    FTP_LOGIN_PATIENCE_MS = 8000,
    FTP_LOGIN_TRIES = 5,       /* wrong passwords of one session */
    FTP_LOGIN_TIME_MS = 60000, /* to be logged in, from the greeting on */
    FTP_STRAYS = 20,           /* commands before it, the last is not served */
    FTP_IDLE_MS = 300000,
    FTP_DATA_MS = 10000, /* WiPy 1: 5000 */
    /* A transfer that moves fewer bytes in that time is broken off: a client
     * that takes a byte a second would hold its session for ever. */
    FTP_SLOW_MS = 60000,
    FTP_SLOW_BYTES = 1024,
    /* A refused upload is read to its end, so that the client sees the reason
     * and not a broken pipe; but not for ever. */
    FTP_DRAIN_BYTES = 64 << 20,
    FTP_PORT_LEAST = 1024, /* for PORT and EPRT: no port of a system service */
    FTP_LIST_DAYS = 180,   /* with the time, older ones with the year */
    /* Between the end of an upload and its commit. A client that is killed
     * ends both connections, the control connection up to some 15 ms later on
     * a busy machine; until then nothing tells it from one that is done:
     *   - no time when ALLO announced what came, or TLS said goodbye
     *   - SETTLE_MAX_MS when ALLO announced more than came
     *   - after a pause of more than SETTLE_PAUSE_MS, or without any byte: a
     *     quarter of the upload's time, from SETTLE_PAUSED_MS on
     *   - right behind the last bytes, as at the end of a file: an eighth of
     *     its time, from SETTLE_MS on
     *   - no time likewise up to SETTLE_NONE bytes, what fits one write of any
     *     client, unless it is a multiple of SETTLE_UNIT: clients write so many
     *     when there is more to come, and few files end there */
    FTP_SETTLE_PAUSE_MS = 2,
    FTP_SETTLE_PAUSED_MS = 15,
    FTP_SETTLE_MS = 2,
    FTP_SETTLE_NONE = 4096,
    FTP_SETTLE_UNIT = 512,
    FTP_SETTLE_MAX_MS = 200,
};

struct ftp_config {
    struct ftp_addr peer; /* of the control connection */
    uint32_t idle_ms;
    uint32_t data_ms; /* no progress of a data connection */
    uint8_t *buffer[2];
    size_t buffer_size; /* of each, >= FTP_BUFFER_MIN */
};

/* ---- the session ---- */

enum ftp_data_want { FTP_WANT_IN = 1, FTP_WANT_OUT = 2 };

enum ftp_data_state {
    FTP_DATA_NONE,
    FTP_DATA_LISTENING,
    FTP_DATA_TOLD, /* PORT: connect when a transfer begins */
    FTP_DATA_CONNECTING,
    FTP_DATA_OPEN,
};

enum ftp_transfer_state {
    FTP_IDLE,
    FTP_OPENING, /* file or directory is being opened */
    FTP_WAITING, /* 150 is said, the data connection is not there yet */
    FTP_RUNNING,
    FTP_DRAINING, /* a refused upload: read and forget, then say why */
    FTP_ENDING,   /* data connection done, the file is being closed */
};

enum ftp_transfer_kind {
    FTP_SEND,    /* RETR */
    FTP_RECEIVE, /* STOR, APPE */
    FTP_LIST,
    FTP_NLST,
    FTP_MLSD,
    FTP_STAT, /* a listing over the control connection */
};

struct ftp_transfer {
    enum ftp_transfer_state state;
    enum ftp_transfer_kind kind;
    bool file_open, dir_open;
    bool commit; /* how the file is to be closed */
    bool eof;    /* of the source: file end or data connection end */
    bool abor;   /* ABOR waits for its own reply */
    int code;    /* final reply */
    char text[FTP_TEXT_MAX];
    uint64_t bytes;
    uint64_t announced;   /* by ALLO for this upload, 0 = unknown */
    uint64_t begin_ms;    /* the command came */
    uint64_t progress_ms; /* last time the data connection moved */
    uint64_t pace_ms;     /* FTP_SLOW_MS run since then, */
    uint64_t pace_bytes;  /* when so many had moved */
    uint64_t settle_ms;   /* an upload is not committed before */
    /* RETR: both buffers in turn; STOR: `side` is being filled; listings:
     * buffer 0 is text, buffer 1 packed entries. */
    size_t tail;    /* of `side`: written by the commit */
    int side, next; /* `next`: to be read into */
    size_t len[2], pos[2];
    char pattern[FTP_NAME_MAX + 1]; /* of a listing; empty: all */
    char prefix[FTP_PATH_MAX + 1];  /* before each name of NLST */
    bool single;                    /* a listing of one file */
};

struct ftp {
    const struct ftp_ops *ops;
    void *ctx;
    struct ftp_config config;
    uint64_t now_ms;

    struct ring out;
    uint8_t out_data[FTP_OUT_SIZE];

    char in[FTP_IN_SIZE];
    size_t in_len;
    uint8_t telnet; /* of the option stripper: 0, IAC or the command */
    bool overlong;  /* the line is being thrown away */
    bool eof;       /* the client has finished sending */
    bool closing;   /* 221 or 421 is said */
    bool gone;      /* no reply matters any more */
    bool ended;

    bool user_given, logged_in;
    bool judging;    /* PASS waits until login_ms */
    unsigned strays; /* commands before the login */
    uint64_t login_ms;
    unsigned tries;
    char user[FTP_LOGIN_MAX + 1], password[FTP_LOGIN_MAX + 1];
    size_t user_len, password_len;

    uint64_t start_ms, active_ms;
    bool ascii;
    bool epsv_all;
    bool tls, pbsz, prot;
    unsigned mlst_facts;
    uint64_t rest, allo;

    char cwd[FTP_PATH_MAX + 1];
    char path[FTP_PATH_MAX + 1];
    char from[FTP_PATH_MAX + 1]; /* RNFR */
    bool have_from;

    enum ftp_data_state data;
    struct ftp_addr told; /* PORT */

    struct ftp_op op;
    bool op_busy;
    struct ftp_op io[2]; /* READ or WRITE of each transfer buffer */
    bool io_busy[2];
    void (*then)(struct ftp *f);
    int64_t mfmt;
    struct ftp_transfer t;
};

/* Greets. `f` must stay where it is. */
void ftp_init(struct ftp *f, const struct ftp_ops *ops, void *ctx,
              const struct ftp_config *config, uint64_t now_ms);

/* Control bytes; returns how many were taken. Fewer than `len` means: not
 * now, ask again after the next event. */
size_t ftp_feed(struct ftp *f, const void *data, size_t len, uint64_t now_ms);

/* The client ended its sending side: what is buffered is still answered, an
 * upload under way is abandoned (a killed client looks like this). */
void ftp_feed_end(struct ftp *f, uint64_t now_ms);

/* The control connection is broken. */
void ftp_hangup(struct ftp *f, uint64_t now_ms);

/* Says 421 with `why` and ends as soon as possible. */
void ftp_shutdown(struct ftp *f, const char *why, uint64_t now_ms);

/* `out` has room again. */
void ftp_sent(struct ftp *f, uint64_t now_ms);

/* `op`, given to ops->file, is done. */
void ftp_op_done(struct ftp *f, struct ftp_op *op, uint64_t now_ms);
/* True while any operation is under way. */
bool ftp_file_busy(const struct ftp *f);

uint64_t ftp_deadline(const struct ftp *f); /* UINT64_MAX: none */
void ftp_tick(struct ftp *f, uint64_t now_ms);

/* ---- the data connection ---- */

void ftp_data_opened(struct ftp *f, uint64_t now_ms);

/* It could not be opened, or broke (reset by peer). */
void ftp_data_failed(struct ftp *f, uint64_t now_ms);

/* Which directions to poll for; 0 while the file side is behind. */
unsigned ftp_data_want(const struct ftp *f);

/* Where to receive to; `*len` is 0 when there is no room now. */
uint8_t *ftp_data_room(struct ftp *f, size_t *len);
/* 0 bytes: the client closed its side. */
void ftp_data_received(struct ftp *f, size_t len, uint64_t now_ms);

/* What to send; `*len` is 0 when there is nothing now. */
const uint8_t *ftp_data_pending(const struct ftp *f, size_t *len);
void ftp_data_sent(struct ftp *f, size_t len, uint64_t now_ms);

/* True between login and end: what counts as a session in use. */
bool ftp_logged_in(const struct ftp *f);
/* True when the client is gone and only the file side holds the session. */
bool ftp_is_leaving(const struct ftp *f);
/* True while a transfer runs: such a session is not taken over. */
bool ftp_transferring(const struct ftp *f);

#endif
