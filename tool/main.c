#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "outcome.h"
#include "version.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

/* In the order a user meets them; add a line here for a new command. */
static const struct command commands[] = {
    {"run", cmd_run, "switch a board on"},
    {"status", cmd_status, "show a running board"},
    {"reset", cmd_reset, "press the reset switch, with a pin held"},
    {"power", cmd_power, "switch the power off and on"},
    {"pin", cmd_pin, "show or drive pins"},
    {"led", cmd_led, "show the LED and its history"},
    {"sd", cmd_sd, "put a card in or take it out"},
    {"fault", cmd_fault, "power cuts, bit flips, slow chip"},
    {"image", cmd_image, "build, show, verify, sign firmware images"},
    {"ota", cmd_ota, "upload firmware to a running board"},
    {"slots", cmd_slots, "the three images: which runs, which is next"},
    {"log", cmd_log, "the board's diary"},
    {"keys", cmd_keys, "public keys that firmware must be signed with"},
    {"cert", cmd_cert, "a certificate for FTP over TLS"},
    {"fs", cmd_fs, "the files of a board that is off"},
    {"flash", cmd_flash, "write files onto a board over its serial line"},
    {"read", cmd_read, "read a board's chip over its serial line"},
    {"verify", cmd_verify, "compare a board's chip with files"},
    {"erase", cmd_erase, "erase partitions or the chip"},
    {"chip", cmd_chip, "identify the board at a serial line"},
    {"monitor", cmd_monitor, "the serial line on this terminal"},
    {"package", cmd_package, "make a firmware package of a build"},
    {"update", cmd_update, "flash a firmware package, back up, restore"},
};

static void print_usage(FILE *to)
{
    fprintf(to, "usage: wipy COMMAND [ARGUMENTS]   (wipy COMMAND --help)\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
}

/* What could not be said is a failure. A reader that went away (`| head`) has
 * what it wanted: no word about it. */
static void close_output(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    if (errno != EPIPE)
        fprintf(stderr, "wipy: standard output cannot be written: %s\n",
                errno ? strerror(errno) : "some of it is lost");
    _exit(EXIT_FILE);
}

/* A file opened in the place of a closed standard stream would get what is
 * printed. The wrong way round, so that printing fails as it should. */
static void fill_streams(void)
{
    while (true) {
        int fd = open("/dev/null", O_RDONLY);
        if (fd < 0 || fd > STDERR_FILENO) {
            if (fd >= 0)
                close(fd);
            return;
        }
    }
}

static int run_command(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    complain("wipy: unknown command '%s'; 'wipy --help' lists them\n", argv[1]);
    return EXIT_USAGE;
}

/* Also of a command that does not know the option: it fails, and says so as it
 * was asked to. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-json") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    fill_streams();
    signal(SIGPIPE, SIG_IGN); /* a board half flashed for the sake of `head` */
    atexit(close_output);
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("wipy " WIPY_VERSION);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_OK;
    }
    int code = run_command(argc, argv);
    if (wants_json(argc, argv))
        outcome_print(code);
    return code;
}
