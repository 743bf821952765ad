#include "ftp_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void broke(struct ftp_client *f, const char *why)
{
    f->code = 0;
    snprintf(f->reply, sizeof f->reply, "%s", why);
}

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all, *a;
    if (getaddrinfo(host, port, &hints, &all) != 0)
        return -1;
    int fd = -1;
    for (a = all; a && fd < 0; a = a->ai_next) {
        struct timeval patience = {.tv_sec = FTP_PATIENCE_S};
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd;
}

/* One line without its end; false when the connection broke. */
static int read_line(struct ftp_client *f, char *to, size_t size)
{
    size_t len = 0;
    for (;;) {
        if (f->in_at == f->in_len) {
            ssize_t n = recv(f->fd, f->in, sizeof f->in, 0);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return 0;
            f->in_at = 0;
            f->in_len = (size_t)n;
        }
        char c = f->in[f->in_at++];
        if (c == '\n')
            break;
        if (c != '\r' && len + 1 < size)
            to[len++] = c;
    }
    to[len] = 0;
    return 1;
}

/* Up to the line "ddd text" (RFC 959, 4.2). */
static int read_reply(struct ftp_client *f)
{
    char line[FTP_REPLY_MAX];
    do {
        if (!read_line(f, line, sizeof line)) {
            broke(f, "the connection broke");
            return 0;
        }
    } while (strlen(line) < 3 || strspn(line, "0123456789") != 3 ||
             line[3] == '-');
    f->code = atoi(line);
    snprintf(f->reply, sizeof f->reply, "%s", line[3] ? line + 4 : "");
    for (char *c = f->reply; *c; c++) /* it is shown on terminals */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return f->code;
}

static int send_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        p += n;
        len -= (size_t)n;
    }
    return 1;
}

int ftp_open(struct ftp_client *f, const char *where)
{
    char host[256], port[16] = "21";
    memset(f, 0, sizeof *f);
    snprintf(host, sizeof host, "%s", where);
    char *colon = strrchr(host, ':');
    if (colon && strchr(host, ':') == colon) {
        snprintf(port, sizeof port, "%s", colon + 1);
        *colon = 0;
    }
    f->fd = dial(host, port);
    if (f->fd < 0) {
        broke(f, "nobody answers there");
        return -1;
    }
    return read_reply(f) / 100 == 2 ? 0 : -1;
}

void ftp_close(struct ftp_client *f)
{
    if (f->fd >= 0) {
        (void)send_all(f->fd, "QUIT\r\n", 6);
        close(f->fd);
    }
    f->fd = -1;
}

int ftp_command(struct ftp_client *f, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 2, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line - 2) {
        broke(f, "the command is too long");
        return 0;
    }
    memcpy(line + n, "\r\n", 2);
    if (!send_all(f->fd, line, (size_t)n + 2)) {
        broke(f, "the connection broke");
        return 0;
    }
    return read_reply(f);
}

/* Opens the data connection the server offers; its address is that of the
 * control connection, whatever PASV says. */
static int open_data(struct ftp_client *f)
{
    char host[256], port[16];
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    if (ftp_command(f, "EPSV") == 229) {
        const char *at = strstr(f->reply, "|||");
        snprintf(port, sizeof port, "%d", at ? atoi(at + 3) : 0);
    } else if (ftp_command(f, "PASV") == 227) {
        const char *at = strchr(f->reply, '(');
        int a, b, c, d, high, low;
        if (!at ||
            sscanf(at, "(%d,%d,%d,%d,%d,%d", &a, &b, &c, &d, &high, &low) != 6)
            return -1;
        snprintf(port, sizeof port, "%d", high * 256 + low);
    } else {
        return -1;
    }
    if (getpeername(f->fd, (struct sockaddr *)&peer, &len) != 0 ||
        getnameinfo((struct sockaddr *)&peer, len, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0)
        return -1;
    return dial(host, port);
}

int ftp_store(struct ftp_client *f, const char *path, const uint8_t *data,
              size_t len, size_t offset,
              void (*progress)(size_t done, size_t all))
{
    enum { PIECE = 16384 };
    int fd = open_data(f);
    if (fd < 0) {
        broke(f, "no data connection");
        return 0;
    }
    if (offset)
        (void)ftp_command(f, "REST %zu", offset);
    if (ftp_command(f, "STOR %s", path) / 100 != 1) {
        close(fd);
        return f->code;
    }
    size_t at = offset;
    while (at < len) {
        size_t n = len - at < PIECE ? len - at : PIECE;
        if (!send_all(fd, data + at, n))
            break; /* the reply says why */
        at += n;
        if (progress)
            progress(at, len);
    }
    close(fd);
    return read_reply(f);
}
