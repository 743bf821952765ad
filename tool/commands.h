/* The sub-commands of `wipy`: one file each, one function each.
 *
 * A command gets its own arguments (argv[0] is its name) and returns the exit
 * code of the process. */
#ifndef WIPY_TOOL_COMMANDS_H
#define WIPY_TOOL_COMMANDS_H

/* Exit codes, documented in docs/EXIT-CODES.md. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,        /* the action failed; the message says why */
    EXIT_USAGE = 2,         /* wrong usage */
    EXIT_FILE = 3,          /* a file cannot be read, written or is not fit */
    EXIT_BUSY = 4,          /* chip file, port or device in use */
    EXIT_BOARD = 5,         /* no board answers */
    EXIT_VERIFY = 6,        /* a check failed: digest, signature, content */
    EXIT_REFUSED = 7,       /* would do harm; needs --force or another way */
    EXIT_INTERRUPTED = 130, /* Ctrl-C, as shells say it */
};

int cmd_run(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_pin(int argc, char **argv);
int cmd_power(int argc, char **argv);
int cmd_led(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_fault(int argc, char **argv);
int cmd_sd(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_slots(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_ota(int argc, char **argv);
int cmd_fs(int argc, char **argv);
int cmd_flash(int argc, char **argv);
int cmd_read(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_erase(int argc, char **argv);
int cmd_chip(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_package(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_cert(int argc, char **argv);

#endif
