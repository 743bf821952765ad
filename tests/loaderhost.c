/* A serial port without a board: the loader's board end on a chip in memory
 * or in a file, served over one TCP port (RFC 2217 or plain, as the client
 * speaks) and a pty. Shows how the rooms of core/loader are wired, and lets
 * the clients be tested without the rest.
 *
 * usage: loaderhost [--flash FILE] [--size BYTES] [--baud-real] [--strap]
 *                   [--port N]
 * Prints `ready serial=127.0.0.1:PORT pty=PATH`; ends with its standard input.
 */
#define _XOPEN_SOURCE 700
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "loader/line_rate.h"
#include "loader/lines.h"
#include "loader/rfc2217.h"
#include "loader/rom.h"

struct pending {
    uint8_t data[32 * 1024];
    size_t at, len;
};

struct host {
    struct flash flash;
    uint8_t *chip;
    uint32_t efuse[EFUSE_WORDS];
    struct rom_loader rom;
    struct lines lines;
    bool booted; /* the pretended firmware runs */
    struct line_rate down, up;
    bool baud_real;
    int listener, client, pty, pty_slave;
    struct rfc2217_server server;
    struct pending from_client, from_pty, to_client;
    struct ring firmware; /* what it prints */
    uint8_t firmware_memory[4096];
};

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the chip ---- */

static int chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    memcpy(to, (uint8_t *)ctx + off, len);
    return 0;
}

static int chip_program(void *ctx, flash_off off, const void *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)ctx)[off + i] &= ((const uint8_t *)from)[i];
    return 0;
}

static int chip_erase(void *ctx, flash_off off, size_t len)
{
    memset((uint8_t *)ctx + off, 0xff, len);
    return 0;
}

static void chip_open(struct host *h, const char *path, uint32_t size)
{
    int fd = path ? open(path, O_RDWR | O_CREAT, 0644) : -1;
    bool fresh = !path || lseek(fd, 0, SEEK_END) == 0;
    if (path && (fd < 0 || ftruncate(fd, size) < 0)) {
        perror(path);
        exit(1);
    }
    int flags = path ? MAP_SHARED : MAP_PRIVATE | 0x20 /* anonymous */;
    h->chip = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (fresh)
        memset(h->chip, 0xff, size);
    h->flash = (struct flash){.ctx = h->chip,
                              .size = size,
                              .read = chip_read,
                              .program = chip_program,
                              .erase = chip_erase,
                              .map = h->chip};
}

/* ---- the chip's two ways to start ---- */

static void boot(struct host *h)
{
    char text[ROM_BANNER_MAX];
    rom_stop(&h->rom);
    h->booted = true;
    ring_clear(&h->firmware);
    ring_put(&h->firmware, text, rom_banner(text, ROM_BOOT_FLASH, 0));
    static const char hello[] = "hello from the flash\r\n";
    ring_put(&h->firmware, hello, strlen(hello));
}

static void download(struct host *h)
{
    h->booted = false;
    rom_start(&h->rom, true);
}

static void on_leave(void *ctx)
{
    boot(ctx);
}

static void set_rate(struct host *h, uint32_t baud)
{
    if (!h->baud_real)
        return;
    line_rate_set(&h->down, baud, now_us());
    line_rate_set(&h->up, baud, now_us());
}

/* The loader's own speed counts only where the carrier has none. */
static void on_loader_baud(void *ctx, uint32_t baud)
{
    struct host *h = ctx;
    if (h->client >= 0 && !h->server.telnet)
        set_rate(h, baud);
}

static void on_event(struct host *h, enum lines_event event)
{
    if (event == LINES_HELD) {
        rom_stop(&h->rom);
        h->booted = false;
    } else if (event == LINES_BOOT) {
        boot(h);
    } else if (event == LINES_DOWNLOAD) {
        download(h);
    }
}

/* ---- the UART ---- */

static size_t uart_in(void *ctx, const uint8_t *data, size_t len)
{
    struct host *h = ctx;
    len = line_rate_allow(&h->down, len, now_us());
    size_t used = h->booted ? ring_put(&h->firmware, data, len) /* an echo */
                            : rom_feed(&h->rom, data, len);
    line_rate_spend(&h->down, used);
    return used;
}

static size_t uart_peek(struct host *h, const uint8_t **at)
{
    size_t len =
        h->booted ? ring_peek(&h->firmware, at) : rom_output(&h->rom, at);
    return line_rate_allow(&h->up, len, now_us());
}

static void uart_drop(struct host *h, size_t len)
{
    line_rate_spend(&h->up, len);
    if (h->booted)
        ring_drop(&h->firmware, len);
    else
        rom_output_drop(&h->rom, len);
}

/* ---- the TCP carrier ---- */

static void on_lines(void *ctx, bool dtr, bool rts)
{
    struct host *h = ctx;
    on_event(h, lines_set(&h->lines, dtr, rts, now_us() / 1000));
}

static void on_client_baud(void *ctx, uint32_t baud)
{
    set_rate(ctx, baud);
}

/* It has no line to reset the loader with: its connection does. */
static void on_plain(void *ctx)
{
    struct host *h = ctx;
    if (!h->booted)
        rom_start(&h->rom, true);
}

static void on_purge(void *ctx, unsigned which)
{
    struct host *h = ctx;
    if ((which & RFC2217_PURGE_RX) && h->booted)
        ring_clear(&h->firmware);
    else if (which & RFC2217_PURGE_RX)
        rom_output_purge(&h->rom);
}

static void client_close(struct host *h)
{
    close(h->client);
    h->client = -1;
    on_event(h, lines_set(&h->lines, false, false, now_us() / 1000));
}

/* Tools close and open again at once: the end of the old connection may not
 * have been read when the new one is there. */
static bool client_is_gone(struct host *h)
{
    uint8_t byte;
    ssize_t got = recv(h->client, &byte, 1, MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

static void client_accept(struct host *h)
{
    int fd = accept(h->listener, NULL, NULL);
    if (fd < 0)
        return;
    if (h->client >= 0 && !client_is_gone(h)) {
        close(fd); /* one client owns the line */
        return;
    }
    if (h->client >= 0)
        client_close(h);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    h->client = fd;
    h->from_client.len = h->from_client.at = h->to_client.len =
        h->to_client.at = 0;
    struct rfc2217_events ev = {.ctx = h,
                                .data = uart_in,
                                .plain = on_plain,
                                .lines = on_lines,
                                .baud = on_client_baud,
                                .purge = on_purge};
    rfc2217_server_init(&h->server, &ev, true, 115200);
}

/* Reads more only when everything before was taken: back-pressure. */
static void refill(struct pending *p, int fd, bool *gone)
{
    if (p->at < p->len)
        return;
    ssize_t got = read(fd, p->data, sizeof p->data);
    p->at = 0;
    p->len = got > 0 ? (size_t)got : 0;
    *gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void client_in(struct host *h)
{
    bool gone = false;
    struct pending *p = &h->from_client;
    size_t kept = p->len - p->at;
    if (kept == 1 && !h->server.decided) { /* one FF does not decide yet */
        ssize_t got = recv(h->client, p->data + p->len, 1, 0);
        gone = got == 0;
        p->len += got > 0 ? (size_t)got : 0;
    } else {
        refill(p, h->client, &gone);
    }
    if (gone) {
        client_close(h);
        return;
    }
    p->at += rfc2217_server_feed(&h->server, p->data + p->at, p->len - p->at);
}

static void client_out(struct host *h)
{
    struct pending *p = &h->to_client;
    for (;;) {
        if (p->at == p->len) {
            p->at = 0;
            p->len = rfc2217_server_take(&h->server, p->data, sizeof p->data);
            if (p->len == 0)
                return;
        }
        ssize_t put =
            send(h->client, p->data + p->at, p->len - p->at, MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN)
            client_close(h);
        if (put < 0)
            return;
        p->at += (size_t)put;
    }
}

/* ---- the pty carrier ---- */

static uint32_t speed_of(speed_t speed)
{
    static const struct {
        speed_t code;
        uint32_t baud;
    } speeds[] = {{B9600, 9600},       {B57600, 57600},    {B115200, 115200},
                  {B230400, 230400},   {B460800, 460800},  {B921600, 921600},
                  {B1000000, 1000000}, {B3000000, 3000000}};
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
        if (speeds[i].code == speed)
            return speeds[i].baud;
    return 115200;
}

static void pty_open(struct host *h)
{
    h->pty = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    grantpt(h->pty);
    unlockpt(h->pty);
    /* Held open, or the master reads EIO after each client. */
    h->pty_slave = open(ptsname(h->pty), O_RDWR | O_NOCTTY);
    struct termios t;
    tcgetattr(h->pty_slave, &t);
    t.c_iflag = t.c_oflag = t.c_lflag = 0;
    t.c_cflag = CS8 | CREAD | CLOCAL;
    cfsetispeed(&t, B115200);
    cfsetospeed(&t, B115200);
    tcsetattr(h->pty_slave, TCSANOW, &t);
}

static void pty_in(struct host *h)
{
    struct termios t;
    bool gone;
    refill(&h->from_pty, h->pty, &gone);
    if (h->client >= 0 && h->from_pty.len)
        h->from_pty.at = h->from_pty.len; /* the other carrier has the line */
    if (h->client < 0 && tcgetattr(h->pty, &t) == 0)
        set_rate(h, speed_of(cfgetospeed(&t)));
    struct pending *p = &h->from_pty;
    p->at += uart_in(h, p->data + p->at, p->len - p->at);
}

/* ---- one round ---- */

static void pump_out(struct host *h)
{
    const uint8_t *at = NULL;
    size_t len;
    while ((len = uart_peek(h, &at)) > 0) {
        ssize_t put = h->client >= 0
                          ? (ssize_t)rfc2217_server_put(&h->server, at, len)
                          : write(h->pty, at, len);
        if (put <= 0)
            break;
        uart_drop(h, (size_t)put);
        if (h->client >= 0)
            client_out(h);
    }
    if (h->client >= 0)
        client_out(h);
}

static int step(struct host *h)
{
    int next = -1;
    on_event(h, lines_tick(&h->lines, now_us() / 1000, &next));
    int again = rom_tick(&h->rom, now_us() / 1000);
    if (again >= 0 && (next < 0 || again < next))
        next = again;
    if (h->client >= 0)
        client_in(h);
    pty_in(h);
    pump_out(h);
    const uint8_t *at;
    bool waits =
        h->from_client.at < h->from_client.len ||
        h->from_pty.at < h->from_pty.len ||
        (h->booted ? ring_used(&h->firmware) : rom_output(&h->rom, &at)) > 0;
    if (waits && h->baud_real && (next < 0 || next > 1))
        next = 1;
    return next;
}

static void serve(struct host *h)
{
    for (;;) {
        int wait = step(h);
        bool out = h->client >= 0 && (h->to_client.at < h->to_client.len);
        bool more =
            h->from_client.at >= h->from_client.len || !h->server.decided;
        struct pollfd fds[] = {
            {.fd = 0, .events = POLLIN},
            {.fd = h->listener, .events = POLLIN},
            {.fd = more ? h->client : -1, .events = POLLIN},
            {.fd = out ? h->client : -1, .events = POLLOUT},
            {.fd = h->from_pty.at < h->from_pty.len ? -1 : h->pty,
             .events = POLLIN},
        };
        poll(fds, sizeof fds / sizeof fds[0], wait);
        char end;
        if (fds[0].revents && read(0, &end, 1) <= 0)
            return;
        if (fds[1].revents)
            client_accept(h);
    }
}

static int listen_on(struct host *h, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof at;
    int on = 1;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    h->listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(h->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(h->listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(h->listener, 4) < 0) {
        perror("listen");
        exit(1);
    }
    getsockname(h->listener, (struct sockaddr *)&at, &len);
    return ntohs(at.sin_port);
}

int main(int argc, char **argv)
{
    static struct host h;
    const char *path = NULL;
    uint32_t size = 8 << 20;
    bool strap = false;
    uint16_t port = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--flash") && i + 1 < argc)
            path = argv[++i];
        else if (!strcmp(argv[i], "--size") && i + 1 < argc)
            size = (uint32_t)strtoul(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--port") && i + 1 < argc)
            port = (uint16_t)strtoul(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--baud-real"))
            h.baud_real = true;
        else if (!strcmp(argv[i], "--strap"))
            strap = true;
    }
    chip_open(&h, path, size);
    rom_efuse_make(h.efuse, (const uint8_t[6]){0x24, 0x0a, 0xc4, 1, 2, 3}, 1);
    rom_init(&h.rom, &(struct rom_config){.flash = &h.flash,
                                          .efuse = h.efuse,
                                          .ctx = &h,
                                          .baud = on_loader_baud,
                                          .leave = on_leave});
    ring_init(&h.firmware, h.firmware_memory, sizeof h.firmware_memory);
    lines_init(&h.lines);
    line_rate_init(&h.down, h.baud_real ? 115200 : 0);
    line_rate_init(&h.up, h.baud_real ? 115200 : 0);
    h.client = -1;
    if (strap)
        download(&h);
    else
        boot(&h);
    pty_open(&h);
    printf("ready serial=127.0.0.1:%d pty=%s\n", listen_on(&h, port),
           ptsname(h.pty));
    fflush(stdout);
    serve(&h);
    return 0;
}
