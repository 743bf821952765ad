#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy status [--json] [--flash FILE | --control SOCKET]\n"
    "Shows a running board: power, LED, image, reset cause, uptime, "
    "addresses,\n"
    "faults.\n";

static void show_addresses(const json_t *addresses)
{
    static const char *const names[] = {"telnet", "ftp", "serial", "pty",
                                        "control"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        printf("%-12s %s\n", names[i], control_text(addresses, names[i]));
}

static void show_image(const json_t *image)
{
    const char *version = control_text(image, "version");
    const char *note = control_text(image, "note");
    if (*version)
        printf("image        %s in %s%s%s\n", version,
               control_text(image, "slot"), *note ? ", " : "", note);
    else
        puts("image        none runs");
}

static void show(const json_t *s)
{
    const json_t *led = json_object_get(s, "led");
    const json_t *fault = json_object_get(s, "fault");
    const json_t *last = json_object_get(s, "last_fault");
    const json_t *dog = json_object_get(s, "watchdog");
    json_int_t ms = json_integer_value(json_object_get(s, "uptime_ms"));
    printf("power        %s (%s)\n", control_text(s, "power"),
           control_text(s, "state"));
    if (json_is_string(json_object_get(s, "loader")))
        printf("             download mode: %s\n", control_text(s, "loader"));
    printf("led          %s %s\n", control_text(led, "rgb"),
           control_text(led, "pattern"));
    show_image(json_object_get(s, "image"));
    printf("reset cause  %s\n", control_text(s, "reset_cause"));
    printf("uptime       %lld.%03lld s of the board's clock\n",
           (long long)(ms / 1000), (long long)(ms % 1000));
    show_addresses(json_object_get(s, "addresses"));
    printf("mac          %s\n", control_text(s, "mac"));
    if (json_is_object(fault))
        printf("fault        %s\n", control_text(fault, "text"));
    if (json_is_object(last))
        printf("last fault   %s\n", control_text(last, "text"));
    if (json_is_object(dog))
        printf(
            "watchdog     %lld ms\n",
            (long long)json_integer_value(json_object_get(dog, "timeout_ms")));
}

int cmd_status(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy status", usage, argc, argv);
    int code = control_args(&target, &a, NULL, 0, NULL, NULL);
    return code ? code
                : control_show(&target, json_pack("{s:s}", "op", "status"),
                               show);
}
