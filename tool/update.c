/* wipy update: what the vendor's updater does (spec 11.4): firmware packages,
 * single files into partitions, back-up and restore. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "outcome.h"
#include "update_parts.h"
#include "update_steps.h"

static const char usage[] =
    "usage: wipy update [OPTIONS] -t PACKAGE\n"
    "       wipy update [OPTIONS] -f FILE -P PARTITION\n"
    "       wipy update [OPTIONS] copy -P PARTITION [-f FILE] [-b | -r]\n"
    "       wipy update [OPTIONS] cb | nvs | ota [-f FILE] -b | -r\n"
    "       wipy update [OPTIONS] write -a ADDRESS --contents BASE64\n"
    "       wipy update [OPTIONS] erase_fs | erase_all | chip_id | wmac | "
    "list | exit\n"
    "Runs a firmware package (.tar.gz) on a board over its serial line, or\n"
    "writes one file into a partition, and selects it to run. 'copy' backs a\n"
    "partition up (-b, <address>-<partition>.bin) or restores it (-r); 'cb'\n"
    "(configuration block), 'nvs' and 'ota' do so as base64 text, in the\n"
    "vendor's <address>.cb and so on. 'write' changes just those bytes. "
    "'exit'\n"
    "starts the program. Packages spare the configuration block.\n"
    "\n"
    "  --keep-ota            do not touch which image runs\n"
    "  --force               also a package or code of another board\n"
    "  --erase-fs            with -t: also the file system\n"
    "  --erase-nvs           with -t: also the settings\n"
    "\n" SERIAL_ARGS_HELP "\n"
    "The vendor's form 'flash -t PACKAGE' and -s SPEED are understood too;\n"
    "behind a command word -p is a partition, as there.\n";

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

/* ---- the commands ---- */

static int run_file(struct loader *l, const struct update_args *u)
{
    static struct plan p;
    int code = plan_add_file(&p, u->partition, u->file);
    if (!code)
        code = serial_connect(l, &u->job.serial);
    return code ? code : update_run_plan(l, u, &p);
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
    {"flash", run_flash},       {"copy", update_copy},
    {"cb", update_copy_text},   {"nvs", update_copy_text},
    {"ota", update_copy_text},  {"write", update_write},
    {"erase_fs", update_erase}, {"erase_all", update_erase},
    {"wmac", update_identify},  {"chip_id", update_identify},
    {"list", update_list},      {"exit", update_exit},
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
    if (u->verb && args_is(a, "a"))
        return (u->address = args_value(a)) ? 0 : EXIT_USAGE;
    if (!u->verb && args_is(a, "r"))
        return 0; /* the lines reset the board anyway */
    if (args_is(a, "secureboot"))
        return args_wrong(a, "--secureboot: these boards have none; 'wipy keys "
                             "set' makes one accept only signed firmware");
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
        {"backup", "", &u->back_up, NULL},
        {"contents", "", NULL, &u->contents},
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
        u->back_up = true;
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
    if (u->back_up && u->restore)
        return args_wrong(a, "either back up (-b) or restore (-r)");
    if (u->run == update_copy && !u->partition)
        return args_wrong(a, "copy: which partition? (-P NAME)");
    if (u->verb && strcmp(u->verb, "cb") == 0 && !u->back_up && !u->restore)
        return args_wrong(a, "cb: back up (-b) or restore (-r)? The vendor's "
                             "tool restores when nothing is said");
    if (u->run == update_write && !(u->address && u->contents))
        return args_wrong(a, "write: want -a ADDRESS and --contents BASE64");
    if (u->run != run_flash)
        return 0;
    if (u->package && (u->file || u->partition))
        return args_wrong(a, "either a package (-t) or a file (-f, -P)");
    if (!u->package && !(u->file && u->partition))
        return args_wrong(a, "want -t PACKAGE, or -f FILE and -P PARTITION");
    return 0;
}

/* Before its options, which nobody here knows. */
static int take_verb(struct update_args *u, struct args *a, const char *word)
{
    if (u->verb)
        return args_unknown(a, word);
    u->verb = word;
    const char *why = update_not_here(word);
    if (!why)
        return 0;
    complain("wipy update: '%s' is not done here: %s\n", word, why);
    return EXIT_REFUSED;
}

static int take_arguments(struct update_args *u, int argc, char **argv)
{
    struct args a = args_of("wipy update", usage, argc, argv);
    const char *word;
    int kind, code = 0;
    while (!code && (kind = args_next(&a, &word)) != 0) {
        if (kind == 1)
            code = take_option(u, &a, word);
        else
            code = take_verb(u, &a, word);
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
