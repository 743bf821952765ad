/* wipy image table, wipy image csv: the partition table as file and text. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "image/table.h"
#include "image_parts.h"

enum { CSV_MAX = 65536 };

struct table_options {
    const char *out, *csv;
    uint32_t chip_size;
};

/* Leaves what is not an option in argv[optind...]. */
static int parse_options(int argc, char **argv, struct table_options *o)
{
    static const struct option options[] = {
        {"out", required_argument, NULL, 'o'},
        {"csv", required_argument, NULL, 'c'},
        {"flash-size", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int c;
    *o = (struct table_options){.chip_size = 0x800000};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'o')
            o->out = optarg;
        else if (c == 'c')
            o->csv = optarg;
        else if (c == 's' && strtoul(optarg, NULL, 10) == 4)
            o->chip_size = 0x400000;
        else if (c != 's' || strtoul(optarg, NULL, 10) != 8)
            return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int complain(const char *path, const struct table_fault *fault,
                    const char *unit)
{
    if (fault->row)
        fprintf(stderr, "wipy: %s: %s %u: %s\n", path, unit, fault->row,
                fault->reason);
    else
        fprintf(stderr, "wipy: %s: %s\n", path, fault->reason);
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
    return err ? complain(o->csv, &fault, "line") : EXIT_OK;
}

int image_table_command(int argc, char **argv)
{
    struct table_options o;
    int code = parse_options(argc, argv, &o);
    if (code || !o.out || optind != argc) {
        fputs("usage: wipy image table --out FILE [--csv FILE] "
              "[--flash-size 4|8]\n",
              stderr);
        return EXIT_USAGE;
    }
    struct table t = *table_default(o.chip_size);
    if (o.csv && (code = table_from_file(&t, &o)) != EXIT_OK)
        return code;
    uint8_t bytes[TABLE_LEN];
    (void)table_write(&t, bytes);
    code = file_write(o.out, bytes, sizeof bytes, 0644);
    if (!code)
        printf("partitions.bin 0x%06x  %u partitions, %u MiB chip\n",
               (unsigned)TABLE_OFF, t.count, o.chip_size >> 20);
    return code;
}

int image_csv_command(int argc, char **argv)
{
    struct table_options o;
    struct file_data file;
    int code = parse_options(argc, argv, &o);
    if (code || optind + 1 != argc) {
        fputs("usage: wipy image csv FILE [--flash-size 4|8]\n", stderr);
        return EXIT_USAGE;
    }
    const char *path = argv[optind];
    code = file_read(path, TABLE_SECTOR, &file);
    if (code)
        return code;
    struct table t;
    struct table_fault fault;
    static char text[TABLE_ROWS_MAX * 80];
    if (table_parse(&t, file.data, file.len, o.chip_size, &fault) != 0)
        code = complain(path, &fault, "row");
    else if (table_to_csv(&t, text, sizeof text) < 0)
        code = EXIT_FAILED;
    else
        fputs(text, stdout);
    free(file.data);
    return code;
}
