#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/err.h"
#include "board/board.h"
#include "commands.h"
#include "outcome.h"

static const char usage[] =
    "usage: wipy run [OPTIONS]\n"
    "Switches a board on and shows its serial line.\n"
    "\n"
    "  --flash FILE        chip file (wipy.flash); made when missing\n"
    "  --flash-size 4M|8M  size of the chip\n"
    "  --board WIPY|WIPY1  which board\n"
    "  --bind ADDR         address of the services (127.0.0.1)\n"
    "  --telnet-port N     23, or 2323 without privileges; 0 = any free port\n"
    "  --ftp-port N        21, or 2121 without privileges\n"
    "  --ftp-data-port N   2024, any free one when that is in use\n"
    "  --serial-port N     the serial line as a TCP port (2217)\n"
    "  --serial-bind ADDR  its address; it asks for no password (127.0.0.1)\n"
    "  --baud-real         the serial line is as slow as its speed says\n"
    "  --sd FILE|DEV       card in the slot\n"
    "  --control SOCKET    control socket (FILE.ctl)\n"
    "  --speed X           the board's clock runs X times as fast\n"
    "  --chip-timing       the flash chip takes its data-sheet time\n"
    "  --cut N[:MODE]      cut power at chip command N; torn none, bits, half\n"
    "                      or all\n"
    "  --seed N            for faults and the address of a new board\n"
    "  --headless          no terminal\n"
    "  --json              events as JSON lines on standard output\n";

static int bad(const char *option, const char *value, const char *wants)
{
    complain("wipy run: --%s %s: %s\n", option, value, wants);
    return EXIT_USAGE;
}

static bool number(const char *text, unsigned long long max,
                   unsigned long long *to)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    *to = strtoull(text, &end, 0);
    return *end == 0 && *to <= max;
}

static int take_port(const char *option, const char *text, int *port)
{
    unsigned long long n;
    if (!number(text, 65535, &n))
        return bad(option, text, "a port is a number from 0 (any) to 65535");
    *port = (int)n;
    return 0;
}

static int take_speed(const char *text, struct board_options *o)
{
    char *end;
    double speed = strtod(text, &end);
    if (end == text || *end || !(speed >= 0.01 && speed <= 1000))
        return bad("speed", text, "a factor from 0.01 to 1000");
    o->speed = (uint32_t)(speed * CLOCK_REAL_TIME + 0.5);
    return 0;
}

static int take_cut(const char *text, struct board_options *o)
{
    static const char wants[] = "N[:MODE], N from 1, MODE none, bits, half or "
                                "all";
    char count[24] = "";
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    unsigned long long n;
    int tear = colon ? chip_tear_by_name(colon + 1) : CHIP_TEAR_NONE;
    if (len >= sizeof count || tear < 0)
        return bad("cut", text, wants);
    memcpy(count, text, len);
    if (!number(count, UINT32_MAX, &n) || n == 0)
        return bad("cut", text, wants);
    o->cut = n;
    o->cut_tear = (enum chip_tear)tear;
    return 0;
}

static int take_board(const char *text, struct board_options *o)
{
    if (strcmp(text, "WIPY") == 0)
        o->kind = BUS_BOARD_WIPY;
    else if (strcmp(text, "WIPY1") == 0)
        o->kind = BUS_BOARD_WIPY1;
    else
        return bad("board", text, "WIPY or WIPY1");
    return 0;
}

static int take_size(const char *text, struct board_options *o)
{
    if (strcmp(text, "8M") == 0)
        o->flash_size = CHIP_SIZE_8M;
    else if (strcmp(text, "4M") == 0)
        o->flash_size = CHIP_SIZE_4M;
    else
        return bad("flash-size", text, "4M or 8M");
    return 0;
}

static int take_seed(const char *text, struct board_options *o)
{
    unsigned long long n;
    if (!number(text, UINT64_MAX, &n))
        return bad("seed", text, "a whole number");
    o->seeded = true;
    o->seed = n;
    return 0;
}

/* What is more than a word or a switch: 0 = taken, -1 = another option, else
 * the exit code. */
static int take_parsed(struct args *a, struct board_options *o)
{
    static const struct {
        const char *name;
        int (*take)(const char *text, struct board_options *o);
    } list[] = {
        {"flash-size", take_size}, {"board", take_board}, {"speed", take_speed},
        {"cut", take_cut},         {"seed", take_seed},
    };
    const struct {
        const char *name;
        int *to;
    } ports[] = {
        {"telnet-port", &o->radio.telnet},
        {"ftp-port", &o->radio.ftp},
        {"ftp-data-port", &o->radio.ftp_data},
        {"serial-port", &o->radio.serial},
    };
    const char *value;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (args_is(a, list[i].name))
            return (value = args_value(a)) ? list[i].take(value, o)
                                           : EXIT_USAGE;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
        if (args_is(a, ports[i].name))
            return (value = args_value(a))
                       ? take_port(ports[i].name, value, ports[i].to)
                       : EXIT_USAGE;
    return -1;
}

static int parse(struct board_options *o, int argc, char **argv)
{
    struct args a = args_of("wipy run", usage, argc, argv);
    const struct args_option options[] = {
        {"flash", "", NULL, &o->flash},
        {"bind", "", NULL, &o->radio.bind},
        {"serial-bind", "", NULL, &o->radio.serial_bind},
        {"sd", "", NULL, &o->sd},
        {"control", "", NULL, &o->control},
        {"chip-timing", "", &o->chip_timing, NULL},
        {"baud-real", "", &o->baud_real, NULL},
        {"headless", "", &o->headless, NULL},
        {"json", "", &o->json, NULL},
    };
    const char *word;
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int code = kind == 1 ? take_parsed(&a, o) : -1;
        if (code > 0)
            return code;
        if (code == 0)
            continue;
        int taken = kind == 1 ? args_take(&a, options,
                                          sizeof options / sizeof options[0])
                              : 0;
        if (taken <= 0)
            return taken < 0 ? -taken : args_unknown(&a, word);
    }
    return EXIT_OK;
}

static int exit_code(int err)
{
    switch (err) {
    case 0:
        return EXIT_OK;
    case WIPY_EBUSY:
        return EXIT_BUSY;
    case WIPY_EINVAL:
        return EXIT_USAGE;
    case WIPY_ENOENT:
    case WIPY_EFORMAT:
    case WIPY_EPERM:
    case WIPY_EEXIST:
    case WIPY_ENOSPC:
        return EXIT_FILE;
    default:
        return EXIT_FAILED;
    }
}

int cmd_run(int argc, char **argv)
{
    struct problem problem = {0};
    struct board_options o = {
        .flash = "wipy.flash",
        .speed = CLOCK_REAL_TIME,
        .radio = {.telnet = RADIO_DEFAULT,
                  .ftp = RADIO_DEFAULT,
                  .ftp_data = RADIO_DEFAULT,
                  .serial = RADIO_DEFAULT},
    };
    int code = parse(&o, argc, argv);
    if (code)
        return code;
    outcome_in_lines();
    int err = board_run(&o, &problem);
    if (err)
        complain("wipy: %s\n", problem.text);
    return exit_code(err);
}
