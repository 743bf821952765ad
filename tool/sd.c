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

static const struct option options[] = {
    CONTROL_OPTIONS,
    {NULL, 0, NULL, 0},
};

static int call(const struct control_target *target, json_t *request)
{
    json_t *result;
    int code = control_call(target, request, &result);
    if (code != EXIT_OK)
        return code;
    if (target->json) {
        control_print(result, JSON_COMPACT);
        return EXIT_OK;
    }
    const json_t *card = json_object_get(result, "sd");
    if (json_is_object(card))
        printf("%s: %lld sectors%s\n",
               json_string_value(json_object_get(card, "file")),
               (long long)json_integer_value(json_object_get(card, "sectors")),
               json_is_true(json_object_get(card, "readonly")) ? ", read-only"
                                                               : "");
    else
        puts("no card");
    json_decref(result);
    return EXIT_OK;
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
    return call(target, request);
}

int cmd_sd(int argc, char **argv)
{
    struct control_target target = {0};
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (!control_take_option(&target, c, optarg)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    int count = argc - optind;
    if (count == 2 && strcmp(argv[optind], "insert") == 0)
        return insert(&target, argv[optind + 1]);
    if (count == 1 && strcmp(argv[optind], "remove") == 0)
        return call(&target, json_pack("{s:s, s:b}", "op", "sd", "remove", 1));
    if (count == 0)
        return call(&target, json_pack("{s:s}", "op", "sd"));
    fputs(usage, stderr);
    return EXIT_USAGE;
}
