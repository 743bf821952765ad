/* wipy image table, wipy image csv: the partition table as file and text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "image/table.h"
#include "image_parts.h"
#include "loader_args.h"
#include "outcome.h"

enum { CSV_MAX = 65536 };

struct table_options {
    const char *out, *csv, *file;
    uint32_t chip_size;
    bool json;
};

/* MiB, as people write it. */
static bool is_unit(const char *s)
{
    return !*s || !strcmp(s, "M") || !strcmp(s, "MB");
}

static int parse_options(struct table_options *o, struct args *a,
                         unsigned words)
{
    const char *size = "8";
    unsigned found = words;
    const struct args_option options[] = {
        {"out", "", NULL, &o->out},
        {"csv", "", NULL, &o->csv},
        {"flash-size", "", NULL, &size},
        {"json", "", &o->json, NULL},
    };
    *o = (struct table_options){0};
    int code = args_read(a, options, 4, &o->file, &found);
    if (code)
        return code;
    if (found < words)
        return args_wrong(a, "which file?");
    o->chip_size = (*size == '4' || *size == '8') && is_unit(size + 1)
                       ? (uint32_t)(*size - '0') << 20
                       : 0;
    if (!o->chip_size)
        return args_wrong(a, "--flash-size %s: 4M or 8M", size);
    return EXIT_OK;
}

static int refuse(const char *path, const struct table_fault *fault,
                  const char *unit)
{
    if (fault->row)
        complain("wipy: %s: %s %u: %s\n", path, unit, fault->row,
                 fault->reason);
    else
        complain("wipy: %s: %s\n", path, fault->reason);
    return EXIT_FILE;
}

static int table_from_file(struct table *t, const struct table_options *o)
{
    struct file_data text;
    struct table_fault fault;
    int code = file_read(o->csv, CSV_MAX, &text);
    if (code)
        return code;
    int err = table_from_csv(t, (const char *)text.data, text.len, o->chip_size,
                             &fault);
    free(text.data);
    return err ? refuse(o->csv, &fault, "line") : EXIT_OK;
}

static json_t *table_json(const struct table *t, const struct table_options *o)
{
    json_t *rows = json_array();
    for (unsigned i = 0; i < t->count; i++) {
        const struct partition *p = &t->row[i];
        char subtype[12];
        part_subtype_name(p->type, p->subtype, subtype);
        json_array_append_new(
            rows,
            json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "name", p->label,
                      "type_name", part_type_name(p->type), "subtype_name",
                      subtype, "type", (json_int_t)p->type, "subtype",
                      (json_int_t)p->subtype, "offset", (json_int_t)p->off,
                      "size", (json_int_t)p->size, "flags",
                      (json_int_t)p->flags));
    }
    return json_pack("{s:s,s:I,s:I,s:b,s:o}", "file", o->out ? o->out : o->file,
                     "offset", (json_int_t)TABLE_OFF, "chip_size",
                     (json_int_t)o->chip_size, "md5", t->has_md5, "partitions",
                     rows);
}

int image_table_command(struct args *a)
{
    struct table_options o;
    int code = parse_options(&o, a, 0);
    if (!code && !o.out)
        code = args_wrong(a, "want --out FILE");
    if (code)
        return code;
    struct table t = *table_default(o.chip_size);
    if (o.csv && (code = table_from_file(&t, &o)) != EXIT_OK)
        return code;
    uint8_t bytes[TABLE_LEN];
    (void)table_write(&t, bytes);
    code = file_write(o.out, bytes, sizeof bytes, 0644);
    if (!code && o.json)
        print_json(table_json(&t, &o));
    else if (!code)
        printf("partitions.bin 0x%06x  %u partitions, %u MiB chip\n",
               (unsigned)TABLE_OFF, t.count, o.chip_size >> 20);
    return code;
}

int image_csv_command(struct args *a)
{
    struct table_options o;
    struct file_data file;
    int code = parse_options(&o, a, 1);
    if (code)
        return code;
    if (o.out || o.csv)
        return args_wrong(a, "csv reads FILE and prints: no --out, no --csv");
    const char *path = o.file;
    code = file_read(path, TABLE_SECTOR, &file);
    if (code)
        return code;
    struct table t;
    struct table_fault fault;
    static char text[TABLE_ROWS_MAX * 80];
    if (table_parse(&t, file.data, file.len, o.chip_size, &fault) != 0)
        code = refuse(path, &fault, "row");
    else if (o.json)
        print_json(table_json(&t, &o));
    else if (table_to_csv(&t, text, sizeof text) < 0)
        code = EXIT_FAILED;
    else
        fputs(text, stdout);
    free(file.data);
    return code;
}
