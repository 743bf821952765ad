#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy reset [--flash FILE | --control SOCKET] [OPTIONS]\n"
    "Presses the board's reset switch.\n"
    "\n"
    "  --hold PIN   drive PIN (GP28: safe boot) high from before the reset\n"
    "  --low        drive it low instead\n"
    "  --for TIME   let it go after TIME of the board's clock (4s, 500ms)\n"
    "  --loader     start the serial loader, as with P2/G23 to ground\n"
    "  --wait       return when the services answer again\n"
    "  --json       print the answer\n";

int cmd_reset(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy reset", usage, argc, argv);
    const char *hold = NULL, *duration = NULL;
    bool low = false, loader = false, wait = false;
    uint32_t ms;
    const struct args_option own[] = {
        {"hold", "", NULL, &hold},    {"low", "", &low, NULL},
        {"for", "", NULL, &duration}, {"loader", "", &loader, NULL},
        {"wait", "", &wait, NULL},
    };
    int code =
        control_args(&target, &a, own, sizeof own / sizeof own[0], NULL, NULL);
    if (code)
        return code;
    if (duration && (!control_duration(duration, &ms) || !ms))
        return args_wrong(&a, "--for %s: a time like 4s or 500ms", duration);
    if ((low || duration) && !hold)
        return args_wrong(&a, "%s: of which pin? (--hold PIN)",
                          low ? "--low" : "--for");
    json_t *request = json_pack("{s:s, s:b, s:b}", "op", "reset", "loader",
                                loader, "wait", wait);
    if (hold)
        json_object_set_new(request, "hold", json_string(hold));
    if (low)
        json_object_set_new(request, "drive", json_string("low"));
    if (duration)
        json_object_set_new(request, "for_ms", json_integer(ms));
    return control_do(&target, request);
}
