#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy led [--history | --watch] [--json]\n"
    "                [--flash FILE | --control SOCKET]\n"
    "Shows the board's LED: its colour and pattern, the changes so far with\n"
    "their time on the board's clock, or every change as it comes.\n";

static const struct option options[] = {
    CONTROL_OPTIONS,
    {"history", no_argument, NULL, 'H'},
    {"watch", no_argument, NULL, 'w'},
    {NULL, 0, NULL, 0},
};

static void show_change(const json_t *change)
{
    json_int_t ms = json_integer_value(json_object_get(change, "ms"));
    const char *rgb = json_string_value(json_object_get(change, "rgb"));
    printf("%6lld.%03lld s  %s\n", (long long)(ms / 1000),
           (long long)(ms % 1000), rgb ? rgb : "?");
}

static bool on_event(void *ctx, const json_t *event)
{
    const struct control_target *target = ctx;
    const char *name = json_string_value(json_object_get(event, "event"));
    if (!name || strcmp(name, "led") != 0)
        return true;
    if (target->json) {
        json_dumpf(event, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        show_change(event);
    }
    return fflush(stdout) == 0;
}

static int show(const struct control_target *target, bool history)
{
    json_t *result, *change;
    size_t i;
    int code = control_call(
        target, json_pack("{s:s, s:b}", "op", "led", "history", history),
        &result);
    if (code != EXIT_OK)
        return code;
    if (target->json) {
        control_print(result, JSON_COMPACT);
        return EXIT_OK;
    }
    json_array_foreach(json_object_get(result, "history"), i, change)
        show_change(change);
    if (!history)
        printf("%s  %s\n", json_string_value(json_object_get(result, "rgb")),
               json_string_value(json_object_get(result, "pattern")));
    json_decref(result);
    return EXIT_OK;
}

int cmd_led(int argc, char **argv)
{
    struct control_target target = {0};
    bool history = false, watch = false;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (c == 'H')
            history = true;
        else if (c == 'w')
            watch = true;
        else if (!control_take_option(&target, c, optarg)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        fprintf(stderr, "wipy led: '%s' is not expected here\n", argv[optind]);
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return watch ? control_watch(&target, on_event, &target)
                 : show(&target, history);
}
