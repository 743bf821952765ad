/* wipy erase: a part of the chip, or all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "loader_args.h"
#include "outcome.h"
#include "plan.h"

static const char usage[] =
    "usage: wipy erase [OPTIONS] PLACE [SIZE] [PLACE [SIZE] ...]\n"
    "       wipy erase [OPTIONS] all\n"
    "Erases partitions, ranges, or the whole chip of a board over its serial\n"
    "line. PLACE is the name of a partition or an offset; an offset needs a\n"
    "SIZE. 'all' also erases bootloader, settings and file system: only the\n"
    "serial loader works then.\n"
    "\n" SERIAL_ARGS_HELP;

enum { WORDS_MAX = 32 };

struct erase_args {
    struct serial_args serial;
    const char *word[WORDS_MAX];
    unsigned count;
};

static int take_arguments(struct erase_args *e, int argc, char **argv)
{
    struct args a = args_of("wipy erase", usage, argc, argv);
    const char *word;
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int taken = kind == 1 ? serial_args_take(&e->serial, &a) : 0;
        if (taken < 0)
            return -taken;
        if (kind == 2 && e->count < WORDS_MAX)
            e->word[e->count++] = word;
        else if (!taken)
            return args_unknown(&a, word);
    }
    return e->count ? 0
                    : args_wrong(&a, "what is to be erased? a partition, an "
                                     "offset and a size, or 'all'");
}

struct range {
    const char *name;
    uint32_t off, len;
};

/* The range that begins at word *i; an offset has its size behind it. */
static int take_range(struct loader *l, const struct erase_args *e,
                      const struct plan *p, unsigned *i, struct range *r)
{
    uint32_t number;
    r->name = e->word[*i];
    int code = plan_locate(p, r->name, &r->off, &r->len, l->chip.flash_size);
    if (code)
        return code;
    if (parse_number(r->name, &number) &&
        (++*i == e->count || !parse_number(e->word[*i], &r->len))) {
        complain("wipy erase: how many bytes at %s?\n", r->name);
        return EXIT_USAGE;
    }
    if (loader_check_range(l, r->name, r->off, r->len, true) < 0) {
        complain("wipy erase: %s\n", l->error);
        return EXIT_USAGE;
    }
    if (r->len % FLASH_SECTOR) {
        complain("wipy erase: %s: a size is a multiple of 0x1000\n", r->name);
        return EXIT_USAGE;
    }
    return 0;
}

/* All ranges are known good before the first is erased. */
static int resolve(struct loader *l, const struct erase_args *e,
                   struct range *list, unsigned *count)
{
    static struct plan p;
    int code = plan_of_board(&p, l);
    for (unsigned i = 0; !code && i < e->count; i++)
        code = take_range(l, e, &p, &i, &list[(*count)++]);
    return code;
}

static int erase(struct loader *l, const struct erase_args *e)
{
    struct range list[WORDS_MAX];
    unsigned count = 0;
    int code = serial_connect(l, &e->serial);
    if (!code)
        code = resolve(l, e, list, &count);
    for (unsigned i = 0; !code && i < count; i++) {
        int err = loader_erase(l, list[i].off, list[i].len);
        if (err < 0)
            return serial_failed(l, err);
        if (!e->serial.o.quiet)
            printf("Erased %s: 0x%x bytes at 0x%x\n", list[i].name,
                   (unsigned)list[i].len, (unsigned)list[i].off);
    }
    if (!code && e->serial.json)
        print_json(json_pack("{s:b, s:i}", "ok", 1, "ranges", (int)count));
    return code;
}

int cmd_erase(int argc, char **argv)
{
    struct erase_args e = {0};
    serial_args_init(&e.serial);
    int code = take_arguments(&e, argc, argv);
    if (code)
        return code;
    struct loader *l = loader_new(&e.serial.o);
    code = erase(l, &e);
    loader_disconnect(l);
    loader_free(l);
    return code;
}
