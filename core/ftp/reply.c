#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "internal.h"

/* A file name may hold any byte but NUL and CR LF; a line must stay one. */
static void put_line(struct ftp *f, char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\r' || line[i] == '\n')
            line[i] = '?';
    if (f->gone || f->closing)
        return; /* nobody listens, or the goodbye was the last word */
    ring_put(&f->out, line, len);
    ring_put(&f->out, "\r\n", 2);
}

static size_t fit(int n, size_t size)
{
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

void reply(struct ftp *f, int code, const char *format, ...)
{
    char line[FTP_REPLY_MAX - 2];
    size_t n = fit(snprintf(line, sizeof line, "%d ", code), sizeof line);
    va_list args;
    va_start(args, format);
    n += fit(vsnprintf(line + n, sizeof line - n, format, args),
             sizeof line - n);
    va_end(args);
    put_line(f, line, n);
}

void reply_line(struct ftp *f, const char *format, ...)
{
    char line[FTP_REPLY_MAX - 2];
    va_list args;
    va_start(args, format);
    size_t n = fit(vsnprintf(line, sizeof line, format, args), sizeof line);
    va_end(args);
    put_line(f, line, n);
}

const char *op_reason(const struct ftp *f)
{
    return f->op.text[0] ? f->op.text : wipy_strerror((int)f->op.result);
}

int op_code(const struct ftp *f, int code)
{
    if (f->op.retry)
        return 450;
    return f->op.result == WIPY_ENOSPC ? 552 : code;
}

void reply_failed(struct ftp *f, int code)
{
    reply(f, op_code(f, code), "%s", op_reason(f));
}
