/* wipy monitor: the board's serial line on this terminal. */
#define _DEFAULT_SOURCE /* cfmakeraw */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "clock.h"
#include "commands.h"
#include "control.h"
#include "loader_args.h"
#include "outcome.h"
#include "port.h"
#include "running.h"

enum { LEAVE = 0x1d /* Ctrl-] */, RESET = 0x14 /* Ctrl-T */ };

/* A board that left is looked for so often, and for so long. */
enum { AGAIN_MS = 250, PIPED_WAIT_MS = 10000 };

static const char usage[] =
    "usage: wipy monitor [OPTIONS]\n"
    "Shows what the board says on its serial line and sends what is typed.\n"
    "Ctrl-] ends, Ctrl-T presses the reset switch (ports with modem lines). A\n"
    "board that goes away is waited for.\n"
    "\n"
    "  -r, --reset           reset the board first\n"
    "  --wait TIME           how long it is waited for, each time (until "
    "Ctrl-];\n"
    "                        without a terminal 10s)\n"
    "  -p, --port PORT, -b, --baud N (115200), --flash FILE\n";

struct monitor {
    struct serial_args serial;
    bool reset;       /* first */
    const char *wait; /* --wait as it was given */
    uint32_t wait_ms; /* 0 = not given */
    struct port *port;
    char name[PORT_NAME_MAX];
    const char *of_board; /* "serial" or "pty": an address of the running
                             board, which may have another when it is back */
    bool keyboard;        /* standard input is still there */
    bool tty;             /* and a terminal, raw */
};

static int press_reset(struct port *port)
{
    int err = port_set_lines(port, false, true);
    if (err < 0)
        return err;
    clock_sleep_ms(100);
    return port_set_lines(port, false, false);
}

/* 1 = the user is done. */
static int from_keyboard(struct monitor *m)
{
    uint8_t data[256];
    ssize_t got = read(STDIN_FILENO, data, sizeof data);
    if (got <= 0) {
        m->keyboard = false;
        return 0;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (data[i] == LEAVE)
            return 1;
        int err = data[i] == RESET ? press_reset(m->port)
                                   : port_write(m->port, &data[i], 1, 5000);
        if (err == WIPY_ENOTSUP)
            fputs("\nwipy: this port cannot reset the board; use 'wipy "
                  "reset'\n",
                  stderr);
        else if (err < 0)
            return err;
    }
    return 0;
}

static int from_board(struct monitor *m)
{
    char data[4096];
    int got = port_read(m->port, data, sizeof data, 0);
    if (got > 0) {
        fwrite(data, 1, (size_t)got, stdout);
        if (fflush(stdout) != 0)
            return 1; /* nobody reads on; said when the program ends */
    }
    return got < 0 ? got : 0;
}

/* The terminal is put right before the program ends. */
static void on_signal(int number)
{
    (void)number;
    port_interrupted = 1;
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}; /* ends poll() */
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
}

/* Without a keyboard it goes on until the board or the user ends it. */
static int watch(struct monitor *m)
{
    int done = 0;
    while (!done && !port_interrupted) {
        struct pollfd fds[] = {
            {.fd = port_fd(m->port), .events = POLLIN},
            {.fd = m->keyboard ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (!port_has_input(m->port) && poll(fds, 2, 1000) < 0 &&
            errno != EINTR)
            return WIPY_EIO;
        if (fds[1].revents)
            done = from_keyboard(m);
        if (!done)
            done = from_board(m);
    }
    return done;
}

/* ---- a board that went away ---- */

/* Who only listens would not notice that a network is gone: let the kernel
 * ask after ten seconds of silence. A tty is no socket and needs none. */
static void keep_alive(const struct monitor *m)
{
    const int on = 1, idle_s = 10, every_s = 3, times = 3;
    int fd = port_fd(m->port);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

/* The number of a pty may be somebody else's terminal by now: only the board
 * itself says which one it has. */
static bool name_again(struct monitor *m)
{
    if (!m->of_board)
        return strncmp(m->name, "/dev/pts/", 9) != 0;
    json_t *status = running_status(m->serial.o.flash);
    const char *at = running_text(status, "addresses", m->of_board);
    if (at)
        snprintf(m->name, sizeof m->name, "%s%s",
                 strcmp(m->of_board, "serial") == 0 ? "rfc2217://" : "", at);
    json_decref(status);
    return at != NULL;
}

/* A pause. True when the user has enough; other keys are for nobody. */
static bool left_meanwhile(struct monitor *m)
{
    uint8_t keys[256];
    struct pollfd fd = {.fd = m->keyboard ? STDIN_FILENO : -1,
                        .events = POLLIN};
    if (poll(&fd, 1, AGAIN_MS) <= 0)
        return port_interrupted != 0;
    ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
    m->keyboard = got > 0;
    return got > 0 && memchr(keys, LEAVE, (size_t)got);
}

/* Where nobody can type Ctrl-], it is not for ever. */
static bool waited_enough(const struct monitor *m, uint64_t ms)
{
    uint32_t most = m->tty && m->keyboard ? 0 : PIPED_WAIT_MS;
    if (m->wait_ms)
        most = m->wait_ms;
    return most && ms >= most;
}

/* 0 = it is back, 1 = the user is done, negative = it did not come. */
static int wait_for_board(struct monitor *m)
{
    char why[PORT_NAME_MAX];
    uint64_t began = clock_now_ms();
    port_close(m->port);
    m->port = NULL;
    if (!m->of_board && !name_again(m))
        return WIPY_ECLOSED;
    fprintf(stderr, "%swipy: %s: the connection broke; waiting for the board\n",
            m->tty ? "\n" : "", m->name);
    do { /* what goes away may still seem to be there for a moment */
        if (left_meanwhile(m))
            return 1;
        if (waited_enough(m, clock_now_ms() - began))
            return WIPY_ENOENT;
    } while (!name_again(m) ||
             port_open(&m->port, m->name, m->serial.o.baud, why) < 0);
    keep_alive(m);
    fprintf(stderr, "wipy: %s: the board is back\n", m->name);
    return 0;
}

static int watch_on(struct monitor *m)
{
    int done = 0;
    while (!done && !port_interrupted) {
        done = watch(m);
        if (done == WIPY_ECLOSED || done == WIPY_EIO)
            done = wait_for_board(m);
    }
    return port_interrupted ? 0 : done;
}

/* ---- beginning ---- */

static int take_arguments(struct monitor *m, int argc, char **argv)
{
    struct args a = args_of("wipy monitor", usage, argc, argv);
    const struct args_option options[] = {{"reset", "r", &m->reset, NULL},
                                          {"wait", "", NULL, &m->wait}};
    const char *word;
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int taken = kind == 1 ? args_take(&a, options, 2) : 0;
        if (!taken && kind == 1 && !args_is(&a, "json"))
            taken = serial_args_take(&m->serial, &a);
        if (taken <= 0)
            return taken < 0 ? -taken : args_unknown(&a, word);
    }
    if (m->wait && (!control_duration(m->wait, &m->wait_ms) || !m->wait_ms))
        return args_wrong(&a, "--wait %s: a time like 5s or 2m", m->wait);
    return 0;
}

/* Is it an address of the running board? */
static void look_whose(struct monitor *m)
{
    json_t *status = running_status(m->serial.o.flash);
    const char *serial = running_text(status, "addresses", "serial");
    const char *pty = running_text(status, "addresses", "pty");
    char found[PORT_NAME_MAX];
    snprintf(found, sizeof found, "rfc2217://%s", serial ? serial : "");
    if (pty && strcmp(m->name, pty) == 0)
        m->of_board = "pty";
    else if (!m->serial.o.port && strcmp(m->name, found) == 0)
        m->of_board = "serial";
    json_decref(status);
}

static int open_port(struct monitor *m)
{
    char how[1024], why[PORT_NAME_MAX];
    if (m->serial.o.port) {
        snprintf(m->name, sizeof m->name, "%s", m->serial.o.port);
    } else if (port_find(m->serial.o.flash, m->name, how) < 0) {
        complain("wipy: %s\n", how);
        return EXIT_BOARD;
    }
    if (!m->serial.o.port && !m->serial.o.quiet)
        fprintf(stderr, "Port %s (%s)\n", m->name, how);
    int err = port_open(&m->port, m->name, m->serial.o.baud, why);
    if (err < 0) {
        complain("wipy: %s: %s\n", m->name, why);
        return loader_exit_code(err);
    }
    keep_alive(m);
    look_whose(m);
    return 0;
}

/* True when it is one; `old` is how it was. */
static bool make_raw(const struct monitor *m, struct termios *old)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, old) != 0)
        return false;
    fprintf(stderr, "%s at %u baud; Ctrl-] ends, Ctrl-T resets\n", m->name,
            (unsigned)m->serial.o.baud);
    struct termios raw = *old;
    cfmakeraw(&raw);
    raw.c_oflag = old->c_oflag;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    return true;
}

int cmd_monitor(int argc, char **argv)
{
    struct monitor m = {.keyboard = true};
    struct termios old;
    serial_args_init(&m.serial);
    m.serial.o.baud = 115200;
    int code = take_arguments(&m, argc, argv);
    if (!code)
        code = open_port(&m);
    if (code)
        return code;
    m.tty = make_raw(&m, &old);
    catch_signals();
    int err = m.reset ? press_reset(m.port) : 0;
    if (!err)
        err = watch_on(&m);
    if (m.tty)
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
    port_close(m.port);
    if (err < 0)
        complain("wipy: %s: %s\n", m.name,
                 err == WIPY_ECLOSED  ? "the connection broke"
                 : err == WIPY_ENOENT ? "the board did not come back"
                                      : wipy_strerror(err));
    return err < 0 ? loader_exit_code(err) : EXIT_OK;
}
