/* wipy package: a build as the .tar.gz the vendor's updater takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "commands.h"
#include "file.h"
#include "image/image.h"
#include "image/table.h"
#include "loader_args.h"
#include "outcome.h"
#include "script.h"

static const char usage[] =
    "usage: wipy package [-o FILE] [--images FOLDER]\n"
    "Makes WiPy-<version>.tar.gz from bootloader.bin and wipy.bin of a build:\n"
    "what 'wipy update -t' and the vendor's updater flash.\n"
    "\n"
    "  -o, --out FILE        another name\n"
    "  --images FOLDER       where the build is (the folder of this program)\n"
    "  --json                result as JSON\n";

struct package_args {
    const char *out;
    char images[4096];
    bool json;
};

static void images_here(char to[4096])
{
    ssize_t len = readlink("/proc/self/exe", to, 4095);
    if (len > 0) {
        to[len] = 0;
        char *slash = strrchr(to, '/');
        if (slash)
            *slash = 0;
    } else {
        strcpy(to, "build");
    }
}

/* ---- members ---- */

static int add_image(struct package *p, const char *folder, const char *name,
                     enum image_kind kind, struct image *im)
{
    char path[4200];
    struct file_data file;
    uint8_t digest[SHA256_LEN];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int code = file_read(path, ARCHIVE_MEMBER_MAX, &file);
    if (code)
        return code;
    image_parse(im, file.data, file.len);
    enum image_fault fault =
        image_check(im, file.data, file.len, im->machine, NULL, digest);
    bool fits = im->kind == kind &&
                (fault == IMAGE_FINE || fault == IMAGE_NOT_FIRMWARE);
    if (!fits) {
        complain("wipy: %s: %s\n", path,
                 fault == IMAGE_FINE ? "is an image of the other kind"
                                     : image_fault_text(fault));
        code = EXIT_FILE;
    } else {
        code = package_add(p, name, file.data, file.len);
    }
    free(file.data);
    im->data = im->elf = NULL;
    return code;
}

static int add_table(struct package *p, unsigned mib)
{
    char name[32];
    uint8_t bytes[TABLE_LEN];
    const struct table *t = table_default(mib << 20);
    snprintf(name, sizeof name, "partitions_%uMB.bin", mib);
    if (!t || table_write(t, bytes) < 0)
        return EXIT_FAILED;
    return package_add(p, name, bytes, sizeof bytes);
}

/* ---- scripts ---- */

static const char *machine_word(unsigned machine)
{
    switch (machine) {
    case IMAGE_MACHINE_X86_64:
        return "x86_64";
    case IMAGE_MACHINE_AARCH64:
        return "aarch64";
    case IMAGE_MACHINE_XTENSA:
        return "xtensa";
    default:
        return "unknown";
    }
}

/* The whole map: the updater's own one is another board's. */
static bool fill_map(struct script *s, const struct table *t)
{
    bool fine =
        script_add_place(s, "bootloader", BOOTLOADER_OFF, BOOTLOADER_MAX) &&
        script_add_place(s, "partitions", TABLE_OFF, TABLE_SECTOR);
    for (unsigned i = 0; fine && i < t->count; i++)
        fine =
            script_add_place(s, t->row[i].label, t->row[i].off, t->row[i].size);
    return fine;
}

static void fill_steps(struct script *s, const struct table *t,
                       const char *table_file)
{
    script_add_step(s, SCRIPT_WRITE, "bootloader", "bootloader.bin");
    script_add_step(s, SCRIPT_WRITE, "partitions", table_file);
    if (table_find(t, PART_DATA, PART_TABLE2))
        script_add_step(s, SCRIPT_WRITE, "table2", table_file);
    script_add_step(s, SCRIPT_WRITE, "factory", "wipy.bin");
}

static int add_script(struct package *p, const char *name, unsigned mib,
                      unsigned machine)
{
    static struct script s;
    char table_file[32];
    const struct table *t = table_default(mib << 20);
    memset(&s, 0, sizeof s);
    strcpy(s.board, "WIPY");
    snprintf(s.machine, sizeof s.machine, "%s", machine_word(machine));
    snprintf(table_file, sizeof table_file, "partitions_%uMB.bin", mib);
    if (fill_map(&s, t))
        fill_steps(&s, t, table_file);
    char *text = script_text(&s);
    int code = text ? package_add(p, name, text, strlen(text)) : EXIT_FAILED;
    free(text);
    return code;
}

/* In the order the vendor's have them. The vendor's updater falls to script2
 * on a chip of 4 MiB: it gets the same text. There is no list of bare offsets
 * under the name "script": who knows only that writes a boot record where its
 * own map has one, which is the middle of our ota_0. Without it that updater
 * stops before it erases. */
static int fill(struct package *p, const char *images, struct image *app)
{
    struct image boot;
    int code = add_image(p, images, "bootloader.bin", IMAGE_BOOTLOADER, &boot);
    if (!code)
        code = add_table(p, 4);
    if (!code)
        code = add_table(p, 8);
    if (!code)
        code = add_image(p, images, "wipy.bin", IMAGE_FIRMWARE, app);
    if (!code)
        code = add_script(p, "script_4MB", 4, app->machine);
    if (!code)
        code = add_script(p, "script_8MB", 8, app->machine);
    return code ? code : add_script(p, "script2", 4, app->machine);
}

/* ---- the command ---- */

static int take_arguments(struct package_args *o, int argc, char **argv)
{
    struct args a = args_of("wipy package", usage, argc, argv);
    const char *folder = NULL;
    const struct args_option options[] = {{"out", "o", NULL, &o->out},
                                          {"images", "", NULL, &folder},
                                          {"json", "", &o->json, NULL}};
    int code = args_read(&a, options, 3, NULL, NULL);
    images_here(o->images);
    if (folder)
        snprintf(o->images, sizeof o->images, "%s", folder);
    return code;
}

/* A version becomes part of a file name. */
static void default_name(const struct image *im, char to[80])
{
    snprintf(to, 80, "WiPy-%.40s.tar.gz", im->version);
    for (char *c = to; *c; c++)
        if (*c == '/' || *c == '\\' || *c == ' ' || *c == ':')
            *c = '_';
}

int cmd_package(int argc, char **argv)
{
    static struct package p;
    struct package_args o = {0};
    struct image app = {0};
    char name[80];
    int code = take_arguments(&o, argc, argv);
    if (!code)
        code = fill(&p, o.images, &app);
    if (!code && !o.out) {
        default_name(&app, name);
        o.out = name;
    }
    if (!code)
        code = package_write(&p, o.out);
    if (!code && !o.json) {
        printf("%s: %s %s for a WiPy (%s)\n", o.out, app.project, app.version,
               machine_word(app.machine));
        for (unsigned i = 0; i < p.count; i++)
            printf("  %-20s %9zu bytes\n", p.member[i].name, p.member[i].len);
    }
    if (!code && o.json)
        print_json(json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "file", o.out,
                             "version", app.version, "machine",
                             machine_word(app.machine)));
    package_free(&p);
    return code;
}
