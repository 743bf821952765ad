/* The tool's serial port on a tty: which lines it moves, in which order and
 * for how long, by the circuit between them and the chip (loader/lines.h). A
 * pty has no modem lines: ioctl(2) is ours here and has them. At the pty's
 * other end is the board's loader. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "loader/lines.h"
#include "loader/rom.h"
#include "tool/clock.h"
#include "tool/loader.h"

enum { CHIP = 1 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rom_loader rom;
static struct lines lines;
static bool no_lines, in_loader, end;
static int bits, sets, master;
static char path[64], seen[128];
static uint64_t held_ms, hold_ms;

/* ---- the kernel's part ---- */

static void moved(void)
{
    static const char *const names[] = {"", "held ", "boot ", "download "};
    uint64_t now = clock_now_ms();
    enum lines_event event =
        lines_set(&lines, bits & TIOCM_DTR, bits & TIOCM_RTS, now);
    strcat(seen, names[event]);
    if (event == LINES_HELD) {
        held_ms = now;
        in_loader = false;
        rom_stop(&rom);
    } else if (event != LINES_NOTHING) {
        hold_ms = now - held_ms;
        in_loader = event == LINES_DOWNLOAD;
    }
    if (event == LINES_DOWNLOAD)
        rom_start(&rom, true);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *to = va_arg(args, void *);
    va_end(args);
    if (no_lines || (request != TIOCMGET && request != TIOCMSET))
        return (int)syscall(SYS_ioctl, fd, request, to);
    pthread_mutex_lock(&lock);
    if (request == TIOCMGET) {
        *(int *)to = bits;
    } else {
        bits = *(int *)to;
        sets++;
        moved();
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

/* ---- the board ---- */

static int chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    (void)ctx, (void)off;
    memset(to, 0xff, len);
    return 0;
}

static void serve(void)
{
    static uint8_t in[4096];
    const uint8_t *at;
    size_t len;
    ssize_t got = read(master, in, sizeof in);
    pthread_mutex_lock(&lock);
    if (got > 0 && in_loader)
        rom_feed(&rom, in, (size_t)got);
    while ((len = rom_output(&rom, &at)) > 0) {
        ssize_t put = write(master, at, len);
        if (put <= 0)
            break;
        rom_output_drop(&rom, (size_t)put);
    }
    pthread_mutex_unlock(&lock);
}

static void *run_board(void *unused)
{
    while (!__atomic_load_n(&end, __ATOMIC_RELAXED)) {
        struct pollfd fd = {.fd = master, .events = POLLIN};
        poll(&fd, 1, 5);
        serve();
    }
    return unused;
}

static pthread_t board;
static int slave;

static int set_up(void **state)
{
    static struct flash flash = {.size = CHIP, .read = chip_read};
    static uint32_t efuse[EFUSE_WORDS];
    (void)state;
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    snprintf(path, sizeof path, "%s", ptsname(master));
    slave = open(path, O_RDWR | O_NOCTTY);
    rom_efuse_make(efuse, (const uint8_t[6]){0x24, 0x0a, 0xc4, 1, 2, 3}, 1);
    rom_init(&rom, &(struct rom_config){.flash = &flash, .efuse = efuse});
    lines_init(&lines);
    no_lines = in_loader = end = false;
    seen[0] = 0;
    sets = 0;
    bits = TIOCM_DTR | TIOCM_RTS; /* as the kernel leaves them when it opens */
    moved();
    return pthread_create(&board, NULL, run_board, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    __atomic_store_n(&end, true, __ATOMIC_RELAXED);
    pthread_join(board, NULL);
    close(slave);
    return close(master);
}

/* ---- what is relied on ---- */

static void opening_resets_nothing(void **state)
{
    struct port *port;
    struct termios t;
    char why[PORT_NAME_MAX];
    (void)state;
    assert_int_equal(port_open(&port, path, 115200, why), 0);
    assert_true(port_has_lines(port));
    assert_int_equal(tcgetattr(slave, &t), 0);
    assert_false(t.c_cflag & HUPCL); /* nor does closing */
    port_close(port);
    assert_int_equal(sets, 0);
    assert_string_equal(seen, "");
}

static void connecting_enters_the_loader_leaving_boots(void **state)
{
    struct loader *l = loader_new(
        &(struct loader_options){.port = path, .baud = 921600, .quiet = true});
    (void)state;
    if (loader_connect(l) < 0)
        fail_msg("%s", l->error);
    assert_string_equal(seen, "held download ");
    assert_in_range(hold_ms, 99, 1000);
    assert_int_equal(sets, 3); /* both lines in one call each */
    assert_int_equal(bits & (TIOCM_DTR | TIOCM_RTS), 0);
    assert_int_equal(l->chip.flash_size, CHIP);
    loader_disconnect(l);
    assert_string_equal(seen, "held download held boot ");
    assert_in_range(hold_ms, 99, 1000);
    assert_int_equal(bits & (TIOCM_DTR | TIOCM_RTS), 0);
    loader_free(l);
}

static void a_port_without_lines_says_so(void **state)
{
    struct port *port;
    char why[PORT_NAME_MAX];
    (void)state;
    no_lines = true;
    assert_int_equal(port_open(&port, path, 115200, why), 0);
    assert_false(port_has_lines(port));
    assert_int_equal(port_set_lines(port, true, false), WIPY_ENOTSUP);
    port_close(port);
    assert_string_equal(seen, "");
}

static void a_second_tool_is_kept_out(void **state)
{
    struct port *first, *second;
    char why[PORT_NAME_MAX];
    (void)state;
    assert_int_equal(port_open(&first, path, 115200, why), 0);
    assert_int_equal(port_open(&second, path, 115200, why), WIPY_EBUSY);
    assert_string_equal(why, "in use by another program");
    port_close(first);
    assert_string_equal(seen, "");
}

/* What other tools do to the lines, both at a time: D, R, DR or none. */
static void other_tools_resets_work(void **state)
{
    static const struct {
        const char *steps, *events;
    } cases[] = {
        {"- DR R D -", "held download "}, /* Unix tight reset */
        {"R D -", "held download "},      /* classic reset */
        {"R -", "held boot "},            /* hard reset */
        {"DR -", ""},                     /* open and close */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lines_init(&lines);
        seen[0] = 0;
        for (const char *s = cases[i].steps; *s; s += strspn(s, " ")) {
            size_t len = strcspn(s, " ");
            int value = (memchr(s, 'D', len) ? TIOCM_DTR : 0) |
                        (memchr(s, 'R', len) ? TIOCM_RTS : 0);
            assert_int_equal(ioctl(slave, TIOCMSET, &value), 0);
            s += len;
        }
        assert_string_equal(seen, cases[i].events);
    }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(opening_resets_nothing),
        WITH(connecting_enters_the_loader_leaving_boots),
        WITH(a_port_without_lines_says_so),
        WITH(a_second_tool_is_kept_out),
        WITH(other_tools_resets_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
