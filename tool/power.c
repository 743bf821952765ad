#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy power on|off [--wait] [--json]\n"
    "                  [--flash FILE | --control SOCKET]\n"
    "Switches the board's power; 'wipy run' stays. --wait returns when the\n"
    "services answer.\n";

static const struct option options[] = {
    CONTROL_OPTIONS,
    {"wait", no_argument, NULL, 'w'},
    {NULL, 0, NULL, 0},
};

int cmd_power(int argc, char **argv)
{
    struct control_target target = {0};
    bool wait = false;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (c == 'w')
            wait = true;
        else if (!control_take_option(&target, c, optarg)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    const char *to = optind + 1 == argc ? argv[optind] : "";
    bool on = strcmp(to, "on") == 0;
    if (!on && strcmp(to, "off") != 0) {
        if (*to)
            fprintf(stderr, "wipy power: '%s' is neither on nor off\n", to);
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return control_do(&target, json_pack("{s:s, s:b, s:b}", "op", "power", "on",
                                         on, "wait", wait));
}
