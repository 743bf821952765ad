/* Between the files of this room. */
#ifndef WIPY_FTP_INTERNAL_H
#define WIPY_FTP_INTERNAL_H

#include "ftp.h"

#if defined(__GNUC__)
#define FTP_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define FTP_PRINTF(a, b)
#endif

/* ---- reply.c ---- */

/* "CODE text\r\n". `out` has room for it: commands are only looked at while
 * FTP_REPLY_MAX bytes are free. */
void reply(struct ftp *f, int code, const char *format, ...) FTP_PRINTF(3, 4);
/* A line of a multi-line reply, sent as it is with CRLF. */
void reply_line(struct ftp *f, const char *format, ...) FTP_PRINTF(2, 3);
/* The failed operation `f->op` as a reply: its reason, else the error's
 * sentence; `code` unless trying again can help. */
void reply_failed(struct ftp *f, int code);
/* The reason, and the code `code` becomes. */
const char *op_reason(const struct ftp *f);
int op_code(const struct ftp *f, int code);

/* ---- ftp.c ---- */

/* Hands f->op to the executor; `then` runs when it is done. */
void op_start(struct ftp *f, enum ftp_op_kind kind, void (*then)(struct ftp *));
/* READ or WRITE of a transfer buffer; transfer_moved() runs when it is done. */
void io_start(struct ftp *f, int side, enum ftp_op_kind kind, size_t len);
/* Looks at the buffered lines and ends the session when it is time. Called
 * at the end of every public function. */
void session_go_on(struct ftp *f);

/* ---- command.c ---- */

void command_run(struct ftp *f, char *line);
/* Resolves `arg` into f->path; replies 550 and is false when it is no path. */
bool command_path(struct ftp *f, const char *arg);
/* True for a command that is answered at once during the transfer. */
bool command_is_urgent(const struct ftp *f, const char *line);
void login_judge(struct ftp *f);

/* ---- transfer.c ---- */

void transfer_open(struct ftp *f, enum ftp_transfer_kind kind);
/* The end of an operation that opens: says 150 and goes on, or why not. */
void transfer_opened(struct ftp *f);
/* Ends it: closes the data connection, then commits or abandons the file,
 * then replies. The first reason stays. */
void transfer_stop(struct ftp *f, bool commit, int code, const char *format,
                   ...) FTP_PRINTF(4, 5);
/* An operation of a transfer that was stopped is done: goes on closing. */
void transfer_source_idle(struct ftp *f);
void transfer_moved(struct ftp *f, int side);
void transfer_pump(struct ftp *f);
void transfer_tick(struct ftp *f);
uint64_t transfer_deadline(const struct ftp *f);
void data_close(struct ftp *f, bool reset);

/* ---- list.c ---- */

/* Sets path, pattern, prefix from the argument of LIST, NLST, MLSD, STAT and
 * opens what it names. */
void list_open(struct ftp *f, enum ftp_transfer_kind kind, const char *arg);
/* Turns packed entries into text; asks for more when they are used up. */
void list_pump(struct ftp *f);
/* One line without CRLF. */
void list_line(char *to, size_t size, const struct ftp_info *info, int64_t now);
void mlst_line(char *to, size_t size, const struct ftp_info *info,
               const char *name, unsigned facts);
bool name_matches(const char *pattern, const char *name);

enum ftp_fact {
    FACT_TYPE = 1,
    FACT_SIZE = 2,
    FACT_MODIFY = 4,
    FACT_PERM = 8,
    FACT_ALL = 15,
};

/* ---- path.c ---- */

/* Resolves `arg` against `cwd` into `to` (FTP_PATH_MAX + 1 bytes): absolute,
 * no "." or "..", no double or trailing slash. WIPY_ERANGE when it gets too
 * long, WIPY_EINVAL for a control character or a backslash. `to` may be
 * neither of the other two. */
int path_resolve(char *to, const char *cwd, const char *arg);
const char *path_name(const char *path); /* last component */
void path_cut(char *path);               /* drops the last component */

/* ---- date.c ---- */

struct date {
    int year, month, day, hour, minute, second; /* month 1-12 */
};

struct date date_of(int64_t unix_s);
/* YYYYMMDDhhmmss[.f]; false when it is not a date of 1980 to 2107. */
bool date_parse(const char *text, size_t len, int64_t *unix_s);
void date_stamp(char to[15], int64_t unix_s);

#endif
