/* wipy chip: who is at the other end of the serial line? */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "commands.h"
#include "loader_args.h"
#include "mirror.h"

static const char usage[] =
    "usage: wipy chip [OPTIONS]\n"
    "Identifies the board at a serial line: chip, address, flash, partition\n"
    "table and what its next start runs. 'wipy slots --port' shows its "
    "images.\n"
    "\n" SERIAL_ARGS_HELP;

static void print_table(const struct table *t)
{
    printf("Partitions:\n");
    for (unsigned i = 0; i < t->count; i++) {
        char subtype[12];
        const struct partition *p = &t->row[i];
        part_subtype_name(p->type, p->subtype, subtype);
        printf("  0x%06x  0x%06x  %-4s %-8s %s\n", (unsigned)p->off,
               (unsigned)p->size, part_type_name(p->type), subtype, p->label);
    }
}

static json_t *table_json(const struct table *t)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < t->count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:I, s:I}", "name",
                                        t->row[i].label, "type", t->row[i].type,
                                        "subtype", t->row[i].subtype, "offset",
                                        (json_int_t)t->row[i].off, "size",
                                        (json_int_t)t->row[i].size));
    return list;
}

static int tell(struct loader *l, const struct serial_args *s)
{
    struct mirror m = {0};
    struct table_source source;
    static struct table table;
    char next[160], text[160];
    unsigned slot = 0;
    int err = mirror_open(&m, l);
    int boots = err < 0 ? err : mirror_next_boot(&m, &slot, next);
    bool has_table =
        err >= 0 && table_load(&table, m.chip, m.flash.size, &source) == 0;
    if (!has_table)
        table.count = 0;
    mirror_close(&m);
    if (err < 0)
        return err;
    if (s->json) {
        json_t *json = serial_chip_json(l);
        json_object_set_new(json, "partitions", table_json(&table));
        json_object_set_new(json, "boots",
                            boots ? json_null() : json_string(slot_name(slot)));
        print_json(json);
        return 0;
    }
    loader_describe(l, text);
    printf("%s: %s\nFlash id: 0x%06x\n", l->name, text,
           (unsigned)l->chip.flash_id);
    if (has_table)
        print_table(&table);
    else
        printf("Partitions: no good partition table at 0x8000\n");
    printf("Next start: %s\n",
           boots < 0 && boots != WIPY_ENOENT ? "unknown" : next);
    return 0;
}

int cmd_chip(int argc, char **argv)
{
    struct serial_args s;
    struct args a = args_of("wipy chip", usage, argc, argv);
    const char *word;
    serial_args_init(&s);
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int taken = kind == 1 ? serial_args_take(&s, &a) : 0;
        if (taken <= 0)
            return taken < 0 ? -taken : args_unknown(&a, word);
    }
    s.o.quiet = true;
    struct loader *l = loader_new(&s.o);
    int err = loader_connect(l), code = 0;
    if (!err)
        err = tell(l, &s);
    if (err < 0)
        code = serial_failed(l, err);
    loader_disconnect(l);
    loader_free(l);
    return code;
}
