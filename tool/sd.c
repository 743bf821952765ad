#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy sd [insert FILE | remove] [--json]\n"
    "               [--flash FILE | --control SOCKET]\n"
    "Shows, fills or empties the card slot of a running board. FILE is a "
    "block\n"
    "device, or a file of whole 512-byte sectors (mkfs.vfat -C card.img "
    "65536).\n";

static void show(const json_t *result)
{
    const json_t *card = json_object_get(result, "sd");
    if (json_is_object(card))
        printf("%s: %lld sectors%s\n",
               json_string_value(json_object_get(card, "file")),
               (long long)json_integer_value(json_object_get(card, "sectors")),
               json_is_true(json_object_get(card, "readonly")) ? ", read-only"
                                                               : "");
    else
        puts("no card");
}

/* The board may run in another folder. */
static int insert(const struct control_target *target, const char *name)
{
    char *path = realpath(name, NULL);
    if (!path) {
        fprintf(stderr, "wipy sd: %s: %s\n", name, strerror(errno));
        return EXIT_FILE;
    }
    json_t *request = json_pack("{s:s, s:s}", "op", "sd", "insert", path);
    free(path);
    return control_show(target, request, show);
}

int cmd_sd(int argc, char **argv)
{
    struct control_target target = {0};
    int code = control_options(&target, argc, argv, usage);
    if (code >= 0)
        return code;
    int count = argc - optind;
    if (count == 2 && strcmp(argv[optind], "insert") == 0)
        return insert(&target, argv[optind + 1]);
    if (count == 1 && strcmp(argv[optind], "remove") == 0)
        return control_show(
            &target, json_pack("{s:s, s:b}", "op", "sd", "remove", 1), show);
    if (count == 0)
        return control_show(&target, json_pack("{s:s}", "op", "sd"), show);
    fputs(usage, stderr);
    return EXIT_USAGE;
}
