#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy pin [PIN [high|low|free]] [--for TIME] [--json]\n"
    "                [--flash FILE | --control SOCKET]\n"
    "Shows the board's pins, or drives one as a wire to 3V3 or ground would.\n"
    "PIN is GP0 to GP31, P0 to P23 or G0 to G31; TIME is the board's.\n";

static void show_pin(const json_t *pin)
{
    const char *drive = control_text(pin, "drive");
    bool driven = strcmp(drive, "free") != 0;
    printf("%-5s %s  %s%s%s\n", control_text(pin, "pin"),
           json_integer_value(json_object_get(pin, "level")) ? "high" : "low ",
           control_text(pin, "cpu"), driven ? ", driven " : "",
           driven ? drive : "");
}

static void show(const json_t *result)
{
    json_t *pin;
    size_t i;
    const json_t *all = json_object_get(result, "pins");
    json_array_foreach(all, i, pin) show_pin(pin);
    if (!all)
        show_pin(result);
}

int cmd_pin(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy pin", usage, argc, argv);
    const char *duration = NULL, *word[2];
    const struct args_option own[] = {{"for", "", NULL, &duration}};
    unsigned words = 2;
    uint32_t ms = 0;
    int code = control_args(&target, &a, own, 1, word, &words);
    if (code)
        return code;
    if (duration && (!control_duration(duration, &ms) || !ms))
        return args_wrong(&a, "--for %s: a time like 4s or 500ms", duration);
    if (duration && words < 2)
        return args_wrong(&a, "--for: drive which pin how?");
    json_t *request = json_pack("{s:s}", "op", "pin");
    if (words > 0)
        json_object_set_new(request, "pin", json_string(word[0]));
    if (words > 1)
        json_object_set_new(request, "drive", json_string(word[1]));
    if (ms)
        json_object_set_new(request, "for_ms", json_integer(ms));
    return control_show(&target, request, show);
}
