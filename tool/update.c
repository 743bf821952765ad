/* wipy update: what the vendor's updater does (spec 11.4): firmware packages,
 * single files into partitions, back-up and restore. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "flash_job.h"
#include "outcome.h"
#include "update_steps.h"

static const char usage[] =
    "usage: wipy update [OPTIONS] -t PACKAGE\n"
    "       wipy update [OPTIONS] -f FILE -P PARTITION\n"
    "       wipy update [OPTIONS] copy -P PARTITION [-f FILE] [-b | -r]\n"
    "       wipy update [OPTIONS] erase_fs | erase_all | chip_id | wmac | "
    "list\n"
    "Runs a firmware package (.tar.gz) on a board over its serial line, or\n"
    "writes one file into a partition, and selects it to run. 'copy' backs a\n"
    "partition up (-b, <address>-<partition>.bin) or restores it (-r). The\n"
    "configuration block is spared by all but erase_all.\n"
    "\n"
    "  --keep-ota            do not touch which image runs\n"
    "  --force               also a package or code of another board\n"
    "  --erase-fs            with -t: also the file system\n"
    "  --erase-nvs           with -t: also the settings\n"
    "\n" SERIAL_ARGS_HELP "\n"
    "The vendor's form 'flash -t PACKAGE' and -s SPEED are understood too;\n"
    "behind a command word -p is a partition, as there.\n";

struct update_args {
    struct flash_job job;
    const char *verb, *package, *file, *partition;
    bool restore, force, erase_fs, erase_nvs;
    int (*run)(struct loader *l, struct update_args *u);
};

/* ---- packages ---- */

static int erase_all_ranges(struct loader *l, const struct update_args *u,
                            const struct update_steps *steps)
{
    for (unsigned i = 0; i < steps->erases; i++) {
        const struct erase_range *r = &steps->erase[i];
        int err = loader_erase(l, r->off, r->len);
        if (err < 0)
            return err;
        if (!u->job.serial.o.quiet)
            printf("Erased 0x%x bytes at 0x%x\n", (unsigned)r->len,
                   (unsigned)r->off);
    }
    return 0;
}

static void forget_erased(struct mirror *m, const struct update_steps *steps)
{
    for (unsigned i = 0; i < steps->erases; i++)
        memset(m->chip + steps->erase[i].off, 0xff, steps->erase[i].len);
}

/* --erase-fs, --erase-nvs: after the script's own erases. */
static int add_asked(struct update_steps *steps, const struct update_args *u)
{
    const char *names[] = {u->erase_fs ? "fs" : NULL,
                           u->erase_nvs ? "nvs" : NULL};
    for (int i = 0; i < 2; i++) {
        uint32_t off, size;
        if (!names[i])
            continue;
        if (!plan_target(&steps->plan, names[i], &off, &size, 16 << 20) ||
            !update_add_erase(steps, off, size)) {
            complain("wipy: the board has no partition '%s'\n", names[i]);
            return EXIT_USAGE;
        }
    }
    return 0;
}

static int parse_script(const struct archive_member *m, const char *path,
                        struct script *s)
{
    char why[160];
    if (script_parse(s, (const char *)m->data, m->len, why) == 0)
        return 0;
    complain("wipy: %s: %s: %s; nothing was written\n", path, m->name, why);
    return EXIT_REFUSED;
}

static int check_board(const struct update_args *u, const struct package *p,
                       const struct script *s)
{
    char name[32];
    const char *other = update_other_board(p, s, u->package, name);
    if (!other || u->force)
        return 0;
    complain("wipy: %s is for another board (%s), not for a WiPy; nothing was "
             "written. --force flashes it all the same\n",
             u->package, other);
    return EXIT_REFUSED;
}

/* Everything is known good before the first erase. */
static int prepare(struct loader *l, const struct update_args *u,
                   const struct package *p, const struct mirror *m,
                   struct update_steps *steps)
{
    static struct script s;
    const struct archive_member *member =
        update_script(p, u->package, l->chip.flash_size);
    if (!member)
        return EXIT_REFUSED;
    int code = parse_script(member, u->package, &s);
    if (!code)
        code = check_board(u, p, &s);
    if (!code)
        code = update_resolve(steps, l, m, p, &s, u->force);
    if (!code)
        code = add_asked(steps, u);
    if (!code && !u->job.serial.o.quiet) {
        printf("%s, %s:\n", u->package, member->name);
        plan_print(&steps->plan, stdout);
        if (steps->spared)
            printf("The configuration block at 0x3ff000 is kept.\n");
        fflush(stdout);
    }
    return code;
}

static int run_package(struct loader *l, const struct update_args *u)
{
    struct mirror m = {0};
    static struct package p;
    static struct update_steps steps;
    int code = package_read(&p, u->package);
    if (!code)
        code = serial_connect(l, &u->job.serial);
    if (code)
        return code;
    int err = mirror_open(&m, l);
    if (!err)
        code = prepare(l, u, &p, &m, &steps);
    if (!err && !code) {
        err = erase_all_ranges(l, u, &steps);
        forget_erased(&m, &steps);
        if (!err)
            err = flash_job_run(l, &u->job, &steps.plan, &m);
    }
    mirror_close(&m);
    package_free(&p);
    plan_free(&steps.plan);
    return err < 0 ? serial_failed(l, err) : code;
}

/* ---- one file, back-up, restore ---- */

static int run_file(struct loader *l, const struct update_args *u)
{
    struct mirror m = {0};
    static struct plan p;
    int code = plan_add_file(&p, u->partition, u->file);
    if (!code)
        code = serial_connect(l, &u->job.serial);
    int err = code ? 0 : mirror_open(&m, l);
    if (!code && !err)
        code = plan_resolve(&p, &m);
    if (!code && !err)
        code = plan_guard(&p, &l->chip, u->force);
    if (!code && !err)
        err = flash_job_run(l, &u->job, &p, &m);
    mirror_close(&m);
    plan_free(&p);
    return err < 0 ? serial_failed(l, err) : code;
}

static void mac_text(const struct loader *l, char to[13])
{
    const uint8_t *mac = l->chip.mac;
    snprintf(to, 13, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}

/* Where a partition lies on the connected board; exit code after a message. */
static int locate(struct loader *l, const char *name, uint32_t *off,
                  uint32_t *size)
{
    static struct plan p;
    int code = plan_of_board(&p, l);
    return code ? code : plan_locate(&p, name, off, size, l->chip.flash_size);
}

static int back_up(struct loader *l, const struct update_args *u)
{
    char name[64], mac[13];
    uint32_t off, size;
    int code = serial_connect(l, &u->job.serial);
    if (!code)
        code = locate(l, u->partition, &off, &size);
    if (code)
        return code;
    mac_text(l, mac);
    snprintf(name, sizeof name, "%s-%.32s.bin", mac, u->partition);
    const char *file = u->file ? u->file : name;
    uint8_t *data = malloc(size);
    if (!data)
        return out_of_memory();
    int err = loader_read(l, u->partition, off, data, size);
    if (err < 0)
        code = serial_failed(l, err);
    else
        code = file_write(file, data, size, 0644);
    free(data);
    if (!code && !u->job.serial.o.quiet)
        printf("%s: %u bytes of %s\n", file, (unsigned)size, u->partition);
    if (!code && u->job.serial.json)
        print_json(json_pack("{s:b, s:s, s:I}", "ok", 1, "file", file, "bytes",
                             (json_int_t)size));
    return code;
}

static int run_copy(struct loader *l, struct update_args *u)
{
    char name[64], mac[13];
    if (!u->restore)
        return back_up(l, u);
    u->job.keep_ota = true; /* what was selected is not part of it */
    if (u->file)
        return run_file(l, u);
    int code = serial_connect(l, &u->job.serial);
    if (code)
        return code;
    mac_text(l, mac);
    snprintf(name, sizeof name, "%s-%.32s.bin", mac, u->partition);
    port_close(l->port); /* run_file connects anew */
    l->port = NULL;
    u->file = name;
    return run_file(l, u);
}

/* ---- the small commands ---- */

static int run_erase(struct loader *l, struct update_args *u)
{
    bool all = strcmp(u->verb + strlen("erase_"), "all") == 0;
    uint32_t off = 0, size = 0;
    int code = serial_connect(l, &u->job.serial);
    if (!code && !all)
        code = locate(l, "fs", &off, &size);
    if (code)
        return code;
    int err = loader_erase(l, off, all ? l->chip.flash_size : size);
    if (err < 0)
        return serial_failed(l, err);
    if (!u->job.serial.o.quiet)
        printf(all ? "The chip is erased; only the serial loader works now\n"
                   : "The file system is erased\n");
    return 0;
}

static int run_identify(struct loader *l, struct update_args *u)
{
    char mac[13], text[160];
    int code = serial_connect(l, &u->job.serial);
    if (code)
        return code;
    if (u->job.serial.json) {
        print_json(serial_chip_json(l));
        return 0;
    }
    mac_text(l, mac);
    loader_describe(l, text);
    puts(strcmp(u->verb, "wmac") == 0 ? mac : text);
    return 0;
}

static int run_list(struct loader *l, struct update_args *u)
{
    (void)l;
    char name[PORT_NAME_MAX], how[1024];
    int err = port_find(u->job.serial.o.flash, name, how);
    if (u->job.serial.json)
        print_json(json_pack("{s:b, s:s?, s:s}", "ok", 1, "port",
                             err ? NULL : name, "text", how));
    else if (err == 0)
        printf("%s (%s)\n", name, how);
    else
        puts(how);
    return EXIT_OK;
}

/* A package, or a file and its place. */
static int run_flash(struct loader *l, struct update_args *u)
{
    return u->package ? run_package(l, u) : run_file(l, u);
}

static const struct verb {
    const char *name;
    int (*run)(struct loader *l, struct update_args *u);
} verbs[] = {
    {"flash", run_flash},     {"copy", run_copy},     {"erase_fs", run_erase},
    {"erase_all", run_erase}, {"wmac", run_identify}, {"chip_id", run_identify},
    {"list", run_list},
};

/* Without a command word it is to flash; erase-fs is erase_fs too. */
static const struct verb *find_verb(struct update_args *u)
{
    char name[16] = "flash";
    if (u->verb)
        snprintf(name, sizeof name, "%s", u->verb);
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

/* ---- arguments ---- */

static int take_option(struct update_args *u, struct args *a, const char *word)
{
    if (u->verb && args_is(a, "p"))
        return (u->partition = args_value(a)) ? 0 : EXIT_USAGE;
    static const char *const ignored[] = {"v",    "verbose", "d",    "debug",
                                          "ftdi", "pic",     "reset"};
    if (args_among(a, ignored, sizeof ignored / sizeof ignored[0]))
        return 0; /* adapters and chatter of the vendor's tool */
    struct serial_args *s = &u->job.serial;
    const struct args_option options[] = {
        {"tar", "t", NULL, &u->package},
        {"file", "f", NULL, &u->file},
        {"partition", "P", NULL, &u->partition},
        {"restore", "r", &u->restore, NULL},
        {"continuation", "c", &s->o.no_reset, NULL},
        {"noexit", "x", &s->o.stay, NULL},
        {"keep-ota", "", &u->job.keep_ota, NULL},
        {"erase-fs", "", &u->erase_fs, NULL},
        {"erase-nvs", "", &u->erase_nvs, NULL},
        {"force", "", &u->force, NULL},
    };
    int taken = args_take(a, options, sizeof options / sizeof options[0]);
    if (taken)
        return taken < 0 ? -taken : 0;
    if (args_is(a, "b") && u->verb) { /* back up, not a speed */
        u->restore = false;
        return 0;
    }
    taken = serial_args_take(s, a);
    return taken < 0 ? -taken : taken ? 0 : args_unknown(a, word);
}

/* What is needed is there, and not more than can be done. */
static int check_arguments(const struct args *a, const struct update_args *u)
{
    if (!u->run)
        return args_wrong(a, "there is no command '%s'", u->verb);
    if (u->run == run_copy && !u->partition)
        return args_wrong(a, "copy: which partition? (-P NAME)");
    if (u->run != run_flash)
        return 0;
    if (u->package && (u->file || u->partition))
        return args_wrong(a, "either a package (-t) or a file (-f, -P)");
    if (!u->package && !(u->file && u->partition))
        return args_wrong(a, "want -t PACKAGE, or -f FILE and -P PARTITION");
    return 0;
}

static int take_arguments(struct update_args *u, int argc, char **argv)
{
    struct args a = args_of("wipy update", usage, argc, argv);
    const char *word;
    int kind, code = 0;
    while (!code && (kind = args_next(&a, &word)) != 0) {
        if (kind == 1)
            code = take_option(u, &a, word);
        else if (u->verb)
            code = args_unknown(&a, word);
        else
            u->verb = word;
    }
    if (code)
        return code;
    const struct verb *verb = find_verb(u);
    u->run = verb ? verb->run : NULL;
    return check_arguments(&a, u);
}

int cmd_update(int argc, char **argv)
{
    struct update_args u = {0};
    serial_args_init(&u.job.serial);
    int code = take_arguments(&u, argc, argv);
    if (code)
        return code;
    struct loader *l = loader_new(&u.job.serial.o);
    code = u.run(l, &u);
    loader_disconnect(l);
    loader_free(l);
    return code;
}
