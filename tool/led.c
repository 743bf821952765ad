#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"
#include "outcome.h"

static const char usage[] =
    "usage: wipy led [--history | --watch] [--json]\n"
    "                [--flash FILE | --control SOCKET]\n"
    "Shows the board's LED: its colour and pattern, the changes so far with\n"
    "their time on the board's clock, or every change as it comes.\n";

static void show_change(const json_t *change)
{
    json_int_t ms = json_integer_value(json_object_get(change, "ms"));
    printf("%6lld.%03lld s  %s\n", (long long)(ms / 1000),
           (long long)(ms % 1000), control_text(change, "rgb"));
}

static bool on_event(void *ctx, const json_t *event)
{
    const struct control_target *target = ctx;
    const char *name = json_string_value(json_object_get(event, "event"));
    if (!name || strcmp(name, "led") != 0)
        return true;
    if (target->json) {
        print_json_line(event);
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
        print_json(result);
        return EXIT_OK;
    }
    json_array_foreach(json_object_get(result, "history"), i, change)
        show_change(change);
    if (!history)
        printf("%s  %s\n", control_text(result, "rgb"),
               control_text(result, "pattern"));
    json_decref(result);
    return EXIT_OK;
}

int cmd_led(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy led", usage, argc, argv);
    bool history = false, watch = false;
    const struct args_option own[] = {{"history", "", &history, NULL},
                                      {"watch", "", &watch, NULL}};
    int code = control_args(&target, &a, own, 2, NULL, NULL);
    if (code)
        return code;
    if (watch)
        outcome_in_lines();
    return watch ? control_watch(&target, on_event, &target)
                 : show(&target, history);
}
