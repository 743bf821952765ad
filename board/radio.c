#define _GNU_SOURCE
#include "radio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

int radio_listen(uint32_t address, uint16_t port, uint16_t *got)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = address};
    socklen_t len = sizeof at;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        listen(fd, 8) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
        *got = ntohs(at.sin_port);
        return fd;
    }
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int radio_problem(struct problem *problem, const char *service,
                  uint32_t address, uint16_t port)
{
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, text, sizeof text);
    if (errno == EADDRINUSE)
        return problem_set(problem, WIPY_EBUSY,
                           "%s port %s:%u is in use by another program. Stop "
                           "it, or give another port with --%s-port N (0 = "
                           "any free one)",
                           service, text, port, service);
    if (errno == EACCES)
        return problem_set(problem, WIPY_ENOTSUP,
                           "%s port %s:%u needs privileges. Give a port from "
                           "1024 on with --%s-port N (0 = any free one)",
                           service, text, port, service);
    return problem_set(problem, WIPY_EINVAL,
                       "%s cannot listen on %s:%u: %s. --bind wants an "
                       "address of this machine",
                       service, text, port, strerror(errno));
}

/* 0 when somebody could listen there now, else errno. */
static int try_port(uint32_t address, uint16_t port)
{
    uint16_t got;
    int fd = radio_listen(address, port, &got);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* `low` and `high` are for those who ask for no port. */
static int settle_port(const struct radio *radio, struct radio_port *port,
                       int wish, uint16_t low, uint16_t high,
                       struct problem *problem)
{
    port->number = (uint16_t)wish;
    if (wish == RADIO_DEFAULT) {
        port->number = low;
        if (try_port(radio->address, low) == 0)
            return 0;
        port->number = high;
    }
    if (port->number == 0)
        return 0;
    errno = try_port(radio->address, port->number);
    return errno ? radio_problem(problem, port->service, radio->address,
                                 port->number)
                 : 0;
}

static int settle_address(const char *option, const char *wish,
                          uint32_t *address, struct problem *problem)
{
    const char *text = wish ? wish : "127.0.0.1";
    if (inet_pton(AF_INET, text, address) == 1)
        return 0;
    return problem_set(problem, WIPY_EINVAL,
                       "--%s %s is no IPv4 address (127.0.0.1 is this machine "
                       "only, 0.0.0.0 everybody)",
                       option, text);
}

int radio_settle(struct radio *radio, const struct radio_wish *wish,
                 struct problem *problem)
{
    *radio = (struct radio){.telnet.service = "telnet",
                            .ftp.service = "ftp",
                            .ftp_data.service = "ftp-data"};
    int err = settle_address("bind", wish->bind, &radio->address, problem);
    if (!err)
        err = settle_address("serial-bind", wish->serial_bind,
                             &radio->serial_address, problem);
    if (!err)
        err =
            settle_port(radio, &radio->telnet, wish->telnet, 23, 2323, problem);
    if (!err)
        err = settle_port(radio, &radio->ftp, wish->ftp, 21, 2121, problem);
    if (!err)
        err = settle_port(radio, &radio->ftp_data, wish->ftp_data, 2024, 0,
                          problem);
    return err;
}

void radio_heard(struct radio_port *port, uint32_t number)
{
    if (port->number == 0 && number && number <= UINT16_MAX)
        port->last = (uint16_t)number;
}

uint16_t radio_next(const struct radio *radio, const struct radio_port *port)
{
    if (port->last && try_port(radio->address, port->last) == 0)
        return port->last;
    return port->number;
}
