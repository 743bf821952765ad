/* wipy verify: does the chip hold these files? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "loader_args.h"
#include "outcome.h"
#include "plan.h"

static const char usage[] =
    "usage: wipy verify [OPTIONS] PLACE FILE [PLACE FILE ...]\n"
    "Compares the chip of a board with files, by digests made on the board.\n"
    "PLACE is an offset or the name of a partition. Exit code 6 when\n"
    "something differs.\n"
    "\n" SERIAL_ARGS_HELP;

static int take_arguments(struct serial_args *s, struct plan *p, int argc,
                          char **argv)
{
    struct args a = args_of("wipy verify", usage, argc, argv);
    const char *word, *path;
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int taken = kind == 1 ? serial_args_take(s, &a) : 0;
        if (taken < 0)
            return -taken;
        if (kind == 1 && !taken)
            return args_unknown(&a, word);
        if (kind == 1)
            continue;
        if (args_next(&a, &path) != 2)
            return args_wrong(&a,
                              "'%s' needs a file behind it, as in: "
                              "factory appimg.bin",
                              word);
        int code = plan_add_file(p, word, path);
        if (code)
            return code;
    }
    return p->count ? 0
                    : args_wrong(&a, "want a place and a file, as in: factory "
                                     "appimg.bin");
}

static int compare(struct loader *l, const struct serial_args *s,
                   struct plan *p)
{
    int result = 0;
    json_t *list = json_array();
    for (unsigned i = 0; i < p->count; i++) {
        const struct plan_item *item = &p->item[i];
        uint32_t bad = 0;
        unsigned count = 0;
        if (item->note) /* the implied second table */
            continue;
        int err =
            loader_compare(l, item->off, item->data, item->len, &bad, &count);
        if (err < 0 && err != WIPY_ECORRUPT) {
            json_decref(list);
            return err;
        }
        if (err)
            result = WIPY_ECORRUPT;
        if (err)
            complain("wipy: 0x%06x %s differs: %u of %zu sectors, the first at "
                     "0x%06x; 'wipy flash' writes what differs\n",
                     (unsigned)item->off, item->name, count,
                     (item->len + FLASH_SECTOR - 1) / FLASH_SECTOR,
                     (unsigned)bad);
        else if (!s->o.quiet)
            printf("0x%06x %s: the same (%zu bytes)\n", (unsigned)item->off,
                   item->name, item->len);
        json_array_append_new(list, json_pack("{s:I, s:s, s:b, s:i}", "offset",
                                              (json_int_t)item->off, "file",
                                              item->name, "same", !err,
                                              "sectors_differ", (int)count));
    }
    if (s->json)
        print_json(json_pack("{s:b, s:O}", "ok", 1, "files", list));
    json_decref(list);
    return result;
}

int cmd_verify(int argc, char **argv)
{
    static struct plan p;
    struct serial_args s;
    struct mirror m = {0};
    serial_args_init(&s);
    int code = take_arguments(&s, &p, argc, argv);
    struct loader *l = loader_new(&s.o);
    if (!code)
        code = serial_connect(l, &s);
    if (!code) {
        int err = mirror_open(&m, l);
        if (!err)
            code = plan_resolve(&p, &m);
        if (!err && !code) {
            err = compare(l, &s, &p);
            code = err == WIPY_ECORRUPT ? EXIT_VERIFY : 0;
        }
        if (err < 0 && err != WIPY_ECORRUPT)
            code = serial_failed(l, err);
    }
    loader_disconnect(l);
    mirror_close(&m);
    plan_free(&p);
    loader_free(l);
    return code;
}
