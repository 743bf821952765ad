#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "control.h"
#include "outcome.h"

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
        printf("%s: %lld sectors%s\n", control_text(card, "file"),
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
        complain("wipy sd: %s: %s\n", name, strerror(errno));
        return EXIT_FILE;
    }
    json_t *request = json_pack("{s:s, s:s}", "op", "sd", "insert", path);
    free(path);
    return control_show(target, request, show);
}

int cmd_sd(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy sd", usage, argc, argv);
    const char *word[2];
    unsigned words = 2;
    int code = control_args(&target, &a, NULL, 0, word, &words);
    if (code)
        return code;
    if (words == 2 && strcmp(word[0], "insert") == 0)
        return insert(&target, word[1]);
    json_t *request = json_pack("{s:s}", "op", "sd");
    if (words == 1 && strcmp(word[0], "remove") == 0)
        json_object_set_new(request, "remove", json_true());
    else if (words > 0) {
        json_decref(request);
        return args_wrong(&a, "want insert FILE, remove, or nothing");
    }
    return control_show(&target, request, show);
}
