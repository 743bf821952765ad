/* wipy monitor: the board's serial line on this terminal. */
#define _DEFAULT_SOURCE /* cfmakeraw */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "clock.h"
#include "commands.h"
#include "loader_args.h"
#include "port.h"

enum { LEAVE = 0x1d /* Ctrl-] */, RESET = 0x14 /* Ctrl-T */ };

static const char usage[] =
    "usage: wipy monitor [OPTIONS]\n"
    "Shows what the board says on its serial line and sends what is typed.\n"
    "Ctrl-] ends, Ctrl-T presses the reset switch (ports with modem lines).\n"
    "\n"
    "  -r, --reset           reset the board first\n"
    "  -p, --port PORT, -b, --baud N (115200), --flash FILE\n";

struct monitor {
    struct port *port;
    bool keyboard; /* standard input is still there */
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
            fputs("\r\nwipy: this port cannot reset the board; use 'wipy "
                  "reset'\r\n",
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
static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
    told_to_end = number;
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
    while (!done && !told_to_end) {
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

static int take_arguments(struct serial_args *s, bool *reset, int argc,
                          char **argv)
{
    struct args a = args_of("wipy monitor", usage, argc, argv);
    const char *word;
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        if (kind == 1 && (args_is(&a, "r") || args_is(&a, "reset"))) {
            *reset = true;
            continue;
        }
        int taken = kind == 1 ? serial_args_take(s, &a) : 0;
        if (taken <= 0)
            return taken < 0 ? -taken : args_unknown(&a, word);
    }
    return 0;
}

static int open_port(struct serial_args *s, struct port **port, char *name)
{
    char how[1024], why[PORT_NAME_MAX];
    if (s->o.port) {
        snprintf(name, PORT_NAME_MAX, "%s", s->o.port);
    } else if (port_find(s->o.flash, name, how) < 0) {
        fprintf(stderr, "wipy: %s\n", how);
        return EXIT_BOARD;
    }
    int err = port_open(port, name, s->o.baud, why);
    if (err < 0)
        fprintf(stderr, "wipy: %s: %s\n", name, why);
    return err < 0 ? loader_exit_code(err) : 0;
}

int cmd_monitor(int argc, char **argv)
{
    struct serial_args s;
    struct monitor m = {.keyboard = true};
    struct termios old, raw;
    char name[PORT_NAME_MAX];
    bool reset = false;
    serial_args_init(&s);
    s.o.baud = 115200;
    int code = take_arguments(&s, &reset, argc, argv);
    if (!code)
        code = open_port(&s, &m.port, name);
    if (code)
        return code;
    bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    if (tty) {
        fprintf(stderr, "%s at %u baud; Ctrl-] ends, Ctrl-T resets\n", name,
                (unsigned)s.o.baud);
        raw = old;
        cfmakeraw(&raw);
        raw.c_oflag = old.c_oflag;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    catch_signals();
    int err = reset ? press_reset(m.port) : 0;
    if (!err)
        err = watch(&m);
    if (tty)
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
    port_close(m.port);
    if (err < 0)
        fprintf(stderr, "wipy: %s: %s\n", name,
                err == WIPY_ECLOSED ? "the connection broke"
                                    : wipy_strerror(err));
    return err < 0 ? loader_exit_code(err) : EXIT_OK;
}
