/* Just enough of FTP (RFC 959) to hand a board a file: one session, passive,
 * blocking with time-outs. */
#ifndef WIPY_TOOL_FTP_CLIENT_H
#define WIPY_TOOL_FTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

enum { FTP_REPLY_MAX = 1024, FTP_PATIENCE_S = 30 };

struct ftp_client {
    int fd;
    int code; /* of the last reply, 0 when the connection broke */
    char reply[FTP_REPLY_MAX]; /* its last line without the code */
    char in[4096];
    size_t in_at, in_len;
};

/* Connects to "host", "host:port" (21 when none) and reads the greeting.
 * 0, or -1 with a sentence in `reply`. */
int ftp_open(struct ftp_client *f, const char *where);
void ftp_close(struct ftp_client *f);

/* Sends a line (printf) and reads its reply; returns the code, 0 when the
 * connection broke. */
int ftp_command(struct ftp_client *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Stores `len` bytes under `path`, from `offset` on; `progress` (may be NULL)
 * is told how many went. Returns the final code. */
int ftp_store(struct ftp_client *f, const char *path, const uint8_t *data,
              size_t len, size_t offset,
              void (*progress)(size_t done, size_t all));

#endif
