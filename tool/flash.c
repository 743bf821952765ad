/* wipy flash: one's own files onto the chip of a board. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "flash_header.h"
#include "flash_job.h"
#include "flash_show.h"
#include "loader_args.h"
#include "plan.h"

struct flash_args {
    struct flash_job job;
    struct flash_header header;
    const char *images; /* folder of --all-images */
    bool show, dry_run, force, erase_all;
};

static const char usage[] =
    "usage: wipy flash [OPTIONS] PLACE FILE [PLACE FILE ...]\n"
    "       wipy flash [OPTIONS] --all-images FOLDER\n"
    "Writes files onto the chip of a board over its serial line, checks them\n"
    "and selects what was flashed to run.\n"
    "PLACE is an offset (0x10000) or the name of a partition (factory, ota_0,\n"
    "bootloader, partitions, fs ...).\n"
    "\n"
    "  --all-images FOLDER   bootloader.bin, partitions.bin and appimg.bin\n"
    "  --show                what goes where and why, and the full command\n"
    "  -n, --dry-run         show, write nothing\n"
    "  --keep-ota            do not touch which image runs\n"
    "  --all-sectors         write also what is there already\n"
    "  -u, --no-compress     send the bytes as they are\n"
    "  --no-verify           no digest at the end\n"
    "  -e, --erase-all       erase the whole chip before\n"
    "  --force               write what cannot run there\n"
    "\n" SERIAL_ARGS_HELP "\n"
    "The public tool's command lines are understood as they are:\n"
    "  wipy flash --chip esp32 --port /dev/ttyUSB0 --baud 460800 write_flash "
    "-z\n"
    "      --flash_mode dio --flash_freq 80m --flash_size detect 0x10000 "
    "appimg.bin\n";

/* ---- arguments ---- */

static int take_option(struct flash_args *f, struct args *a, const char *word)
{
    int taken = serial_args_take(&f->job.serial, a);
    if (taken)
        return taken < 0 ? -taken : 0;
    if (args_is(a, "flash-mode") || args_is(a, "flash-freq") ||
        args_is(a, "flash-size") || args_is(a, "fm") || args_is(a, "ff") ||
        args_is(a, "fs"))
        return flash_header_take(&f->header, a);
    static const char *const ignored[] = {"z", "compress", "verify",
                                          "no-progress", "V"};
    if (args_among(a, ignored, sizeof ignored / sizeof ignored[0]))
        return 0; /* as it is anyway */
    const struct args_option options[] = {
        {"all-images", "", NULL, &f->images},
        {"show", "", &f->show, NULL},
        {"dry-run", "n", &f->dry_run, NULL},
        {"keep-ota", "", &f->job.keep_ota, NULL},
        {"force", "", &f->force, NULL},
        {"erase-all", "e", &f->erase_all, NULL},
        {"all-sectors", "", &f->job.write.all, NULL},
        {"no-compress", "u", &f->job.write.plain, NULL},
        {"no-verify", "", &f->job.write.no_verify, NULL},
    };
    taken = args_take(a, options, sizeof options / sizeof options[0]);
    return taken < 0 ? -taken : taken ? 0 : args_unknown(a, word);
}

/* A file's name where a place belongs is a common slip. */
static bool is_place(const char *word)
{
    return strchr(word, '.') == NULL && strchr(word, '/') == NULL;
}

static int take_pair(struct plan *p, struct args *a, const char *place)
{
    const char *path;
    int kind = args_next(a, &path);
    if (kind == 2)
        return plan_add_file(p, place, path);
    return args_wrong(a, "'%s' needs a file behind it, as in: %s appimg.bin",
                      place, is_place(place) ? place : "factory");
}

static bool is_verb(const char *word)
{
    return strcmp(word, "write_flash") == 0 || strcmp(word, "write-flash") == 0;
}

static int take_arguments(struct flash_args *f, struct plan *p, int argc,
                          char **argv)
{
    struct args a = args_of("wipy flash", usage, argc, argv);
    const char *word;
    int kind, code = 0;
    while (!code && (kind = args_next(&a, &word)) != 0) {
        if (kind == 1)
            code = take_option(f, &a, word);
        else if (!is_verb(word))
            code = take_pair(p, &a, word);
    }
    if (!code && f->images && p->count)
        return args_wrong(&a, "--all-images names all files: no more go with "
                              "it");
    if (!code && !f->images && p->count == 0)
        return args_wrong(&a, "want a place and a file, as in: factory "
                              "appimg.bin");
    return code;
}

/* ---- the three files of a build ---- */

static int add_image(struct plan *p, const char *folder, const char *target,
                     const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return plan_add_file(p, target, path);
}

static int add_images(struct plan *p, const char *folder)
{
    int code = add_image(p, folder, "0x1000", "bootloader.bin");
    if (!code)
        code = add_image(p, folder, "0x8000", "partitions.bin");
    return code ? code : add_image(p, folder, "0x10000", "appimg.bin");
}

/* A chip of another size has its own map: partitions-4m.bin in our builds,
 * partitions_4MB.bin in the vendor's. */
static int fit_table(struct plan *p, const char *folder, uint32_t chip_size)
{
    static const char *const names[] = {"partitions-%um.bin",
                                        "partitions_%uMB.bin"};
    char path[4096], name[32];
    struct stat st;
    struct file_data file;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(name, sizeof name, names[i], (unsigned)(chip_size >> 20));
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (stat(path, &st) < 0)
            continue;
        int code = file_read(path, TABLE_SECTOR, &file);
        if (code)
            return code;
        struct plan_item *item = &p->item[1];
        free(item->data);
        item->data = file.data;
        item->len = item->file_len = file.len;
        snprintf(item->name, sizeof item->name, "%s", name);
        return 0;
    }
    return 0;
}

/* ---- flashing ---- */

static int flash_all(struct loader *l, const struct flash_args *f,
                     struct plan *p, struct mirror *m)
{
    int err = 0;
    if (f->erase_all) {
        err = loader_erase(l, 0, l->chip.flash_size);
        if (!err)
            memset(m->chip, 0xff, m->flash.size);
    }
    return err ? err : flash_job_run(l, &f->job, p, m);
}

/* Everything that can be refused is, before anything is erased. */
static int prepare(struct loader *l, const struct flash_args *f, struct plan *p,
                   struct mirror *m)
{
    int code = 0;
    if (f->images)
        code = fit_table(p, f->images, l->chip.flash_size);
    if (!code)
        code = plan_resolve(p, m);
    for (unsigned i = 0; !code && i < p->count; i++)
        code = flash_header_patch(&f->header, p->item[i].name, p->item[i].off,
                                  p->item[i].data, p->item[i].len,
                                  l->chip.flash_size, f->job.serial.o.quiet);
    return code ? code : plan_guard(p, &l->chip, f->force);
}

/* The table and the command are worth showing also when no board answers. */
static void show_offline(const struct flash_args *f, struct plan *p)
{
    char port[PORT_NAME_MAX], how[1024];
    const char *name = f->job.serial.o.port;
    if (plan_resolve_offline(p, 8 << 20))
        return;
    if (!name)
        name = port_find(f->job.serial.o.flash, port, how) < 0 ? "PORT" : port;
    flash_show(&(struct flash_show){name, f->images, f->force}, &f->job, p);
}

static int run(struct loader *l, const struct flash_args *f, struct plan *p)
{
    struct mirror m = {0};
    int code = 0, err = loader_connect(l);
    if (err < 0 && f->show && f->images)
        show_offline(f, p);
    if (err < 0)
        return serial_failed(l, err);
    serial_connected(l, &f->job.serial);
    err = mirror_open(&m, l);
    if (!err) {
        code = prepare(l, f, p, &m);
        if (!code && f->show)
            flash_show(&(struct flash_show){l->name, f->images, f->force},
                       &f->job, p);
        if (!code && f->dry_run)
            outcome_add("dry_run", json_true());
        else if (!code)
            err = flash_all(l, f, p, &m);
        loader_disconnect(l);
    }
    mirror_close(&m);
    return err < 0 ? serial_failed(l, err) : code;
}

int cmd_flash(int argc, char **argv)
{
    static struct plan p;
    struct flash_args f = {0};
    serial_args_init(&f.job.serial);
    int code = take_arguments(&f, &p, argc, argv);
    if (!code && f.images)
        code = add_images(&p, f.images);
    if (!code) {
        struct loader *l = loader_new(&f.job.serial.o);
        f.show = f.show || f.dry_run;
        code = run(l, &f, &p);
        loader_free(l);
    }
    plan_free(&p);
    return code;
}
