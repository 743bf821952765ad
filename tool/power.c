#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy power on|off [--wait] [--json]\n"
    "                  [--flash FILE | --control SOCKET]\n"
    "Switches the board's power; 'wipy run' stays. --wait returns when the\n"
    "services answer.\n";

int cmd_power(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy power", usage, argc, argv);
    bool wait = false;
    const struct args_option own[] = {{"wait", "", &wait, NULL}};
    const char *to = "";
    unsigned words = 1;
    int code = control_args(&target, &a, own, 1, &to, &words);
    if (code)
        return code;
    bool on = strcmp(to, "on") == 0;
    if (words == 0)
        return args_wrong(&a, "on or off?");
    if (!on && strcmp(to, "off") != 0)
        return args_wrong(&a, "'%s' is neither on nor off", to);
    return control_do(&target, json_pack("{s:s, s:b, s:b}", "op", "power", "on",
                                         on, "wait", wait));
}
