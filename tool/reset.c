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

static const struct option options[] = {
    CONTROL_OPTIONS,
    {"hold", required_argument, NULL, 'H'},
    {"low", no_argument, NULL, 'l'},
    {"for", required_argument, NULL, 'F'},
    {"loader", no_argument, NULL, 'L'},
    {"wait", no_argument, NULL, 'w'},
    {NULL, 0, NULL, 0},
};

static int take_option(json_t *request, int c, const char *value)
{
    uint32_t ms;
    switch (c) {
    case 'H':
        json_object_set_new(request, "hold", json_string(value));
        return 0;
    case 'l':
        json_object_set_new(request, "drive", json_string("low"));
        return 0;
    case 'F':
        if (!control_duration(value, &ms)) {
            fprintf(stderr, "wipy reset: --for %s: a time like 4s or 500ms\n",
                    value);
            return EXIT_USAGE;
        }
        json_object_set_new(request, "for_ms", json_integer(ms));
        return 0;
    case 'L':
        json_object_set_new(request, "loader", json_true());
        return 0;
    case 'w':
        json_object_set_new(request, "wait", json_true());
        return 0;
    default:
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
}

int cmd_reset(int argc, char **argv)
{
    struct control_target target = {0};
    json_t *request = json_pack("{s:s}", "op", "reset");
    int c, code = 0;
    while (!code && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            json_decref(request);
            return EXIT_OK;
        }
        if (!control_take_option(&target, c, optarg))
            code = take_option(request, c, optarg);
    }
    if (!code && optind < argc) {
        fprintf(stderr, "wipy reset: '%s' is not expected here\n",
                argv[optind]);
        code = EXIT_USAGE;
    }
    if (code) {
        json_decref(request);
        return code;
    }
    return control_do(&target, request);
}
