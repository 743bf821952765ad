/* wipy read: the chip, or a part of it, into a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "commands.h"
#include "file.h"
#include "loader_args.h"
#include "plan.h"

static const char usage[] =
    "usage: wipy read [OPTIONS] PLACE [SIZE] FILE\n"
    "Reads from the chip of a board over its serial line. PLACE is an offset,\n"
    "the name of a partition, or 'all'; SIZE is not needed for a name.\n"
    "\n" SERIAL_ARGS_HELP;

struct read_args {
    struct serial_args serial;
    const char *word[3];
    unsigned count;
};

static int take_arguments(struct read_args *r, int argc, char **argv)
{
    struct args a = args_of("wipy read", usage, argc, argv);
    const char *word;
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int taken = kind == 1 ? serial_args_take(&r->serial, &a) : 0;
        if (taken < 0)
            return -taken;
        if (kind == 2 && r->count < 3)
            r->word[r->count++] = word;
        else if (!taken)
            return args_unknown(&a, word);
    }
    uint32_t number;
    if (r->count < 2)
        return args_wrong(&a, "want what to read and a file for it, as in: "
                              "factory factory.bin");
    if (r->count == 2 && parse_number(r->word[0], &number))
        return args_wrong(&a, "how many bytes at %s? (PLACE SIZE FILE)",
                          r->word[0]);
    if (r->count == 3 && !parse_number(r->word[1], &number))
        return args_wrong(&a, "'%s' is no size", r->word[1]);
    return 0;
}

/* Which bytes are meant: 0 or an exit code after a message. */
static int resolve(struct loader *l, const struct read_args *r, uint32_t *off,
                   uint32_t *len)
{
    static struct plan p;
    int code = plan_of_board(&p, l);
    if (!code)
        code = plan_locate(&p, r->word[0], off, len, l->chip.flash_size);
    if (!code && r->count == 3)
        parse_number(r->word[1], len); /* it is a number */
    return code;
}

static int read_out(struct loader *l, const struct read_args *r)
{
    uint32_t off, len;
    int code = serial_connect(l, &r->serial);
    if (!code)
        code = resolve(l, r, &off, &len);
    if (code)
        return code;
    const char *file = r->word[r->count - 1];
    int err = loader_check_range(l, r->word[0], off, len, false);
    if (err < 0)
        return serial_failed(l, err);
    uint8_t *data = malloc(len ? len : 1);
    if (!data)
        return out_of_memory();
    struct progress bar;
    progress_begin(&bar, r->word[0], len, true);
    err = loader_read(l, r->word[0], off, data, len);
    bar.done = len;
    if (err < 0) {
        free(data);
        return serial_failed(l, err);
    }
    char text[96];
    progress_text(&bar, text);
    loader_disconnect(l);
    code = file_write(file, data, len, 0644);
    free(data);
    if (!code && !r->serial.o.quiet)
        printf("%s: 0x%06x, %s\n", file, (unsigned)off, text);
    if (!code && r->serial.json)
        print_json(json_pack("{s:b, s:s, s:I, s:I}", "ok", 1, "file", file,
                             "offset", (json_int_t)off, "bytes",
                             (json_int_t)len));
    return code;
}

int cmd_read(int argc, char **argv)
{
    struct read_args r = {0};
    serial_args_init(&r.serial);
    int code = take_arguments(&r, argc, argv);
    if (code)
        return code;
    struct loader *l = loader_new(&r.serial.o);
    code = read_out(l, &r);
    loader_disconnect(l);
    loader_free(l);
    return code;
}
