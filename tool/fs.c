/* wipy fs: the files of a board that is off. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "flash/fatcheck.h"
#include "flash/ftl.h"
#include "fs_chip.h"

enum { IMAGE_MAX = 1 << 30, FILE_BYTES_MAX = 64 << 20 };

static const char usage[] =
    "usage: wipy fs ls CHIP [PATH] [--json]      list a folder of /flash\n"
    "       wipy fs cat CHIP PATH                a file to the output\n"
    "       wipy fs get CHIP PATH FILE           a file to this computer\n"
    "       wipy fs put CHIP FILE PATH           and back\n"
    "       wipy fs rm CHIP PATH                 a file or an empty folder\n"
    "       wipy fs export CHIP IMAGE            /flash as a FAT image\n"
    "       wipy fs import CHIP IMAGE            replace /flash by its files\n"
    "       wipy fs check CHIP [--json]          is everything sound?\n"
    "CHIP is the chip file of a board that is off (wipy run --flash CHIP); "
    "--flash CHIP\n"
    "names it too.\n"
    "PATH may leave /flash out.\n";

struct job {
    struct fs_chip_file chip;
    struct volumes *v;
    int argc;
    const char **argv; /* after CHIP */
    bool json;
};

static int volume_error(const struct job *job, int err)
{
    const char *why = volume_reason(job->v);
    fprintf(stderr, "wipy fs: %s: %s\n", job->chip.path,
            why[0] ? why : strerror(-err));
    return err == -EPERM ? EXIT_REFUSED : EXIT_FAILED;
}

/* "lib/x.py" and "/flash/lib/x.py" are the same. */
static const char *path_of(const char *path, char to[VOLUME_PATH_MAX + 16])
{
    if (strncmp(path, "/flash", 6) == 0 && (path[6] == 0 || path[6] == '/'))
        return path;
    snprintf(to, VOLUME_PATH_MAX + 16, "/flash/%s", path + strspn(path, "/"));
    return to;
}

/* ---- looking ---- */

static void print_entry(const struct job *job, json_t *list,
                        const struct volume_info *info)
{
    char when[32];
    time_t t = info->modified;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    if (!job->json) {
        printf("%9llu  %s  %s%s\n", (unsigned long long)info->size, when,
               info->name, info->is_dir ? "/" : "");
        return;
    }
    json_array_append_new(list,
                          json_pack("{s:s, s:b, s:I, s:s}", "name", info->name,
                                    "folder", info->is_dir, "size",
                                    (json_int_t)info->size, "modified", when));
}

static int do_ls(struct job *job)
{
    char buf[VOLUME_PATH_MAX + 16];
    struct volume_info info;
    const char *path = path_of(job->argc ? job->argv[0] : "/flash", buf);
    int dir = volume_opendir(job->v, path);
    if (dir == -ENOTDIR && volume_stat(job->v, path, &info) == 0) {
        print_entry(job, NULL, &info);
        return EXIT_OK;
    }
    if (dir < 0)
        return volume_error(job, dir);
    json_t *list = json_array();
    int more;
    while ((more = volume_readdir(job->v, dir, &info)) == 1)
        print_entry(job, list, &info);
    if (more < 0)
        return volume_error(job, more);
    volume_closedir(job->v, dir);
    if (job->json) {
        json_dumpf(list, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(list);
    return EXIT_OK;
}

static int copy_out(struct job *job, const char *path, FILE *to)
{
    static uint8_t buf[65536];
    int file = volume_open(job->v, path, VOLUME_READ);
    int len = file;
    while (file >= 0 && (len = volume_read(job->v, file, buf, sizeof buf)) > 0)
        if (fwrite(buf, 1, (size_t)len, to) != (size_t)len)
            break;
    if (len < 0)
        return volume_error(job, len);
    volume_close(job->v, file);
    if (fflush(to) || ferror(to)) {
        perror("wipy fs: writing");
        return EXIT_FILE;
    }
    return EXIT_OK;
}

static int do_cat(struct job *job)
{
    char buf[VOLUME_PATH_MAX + 16];
    return copy_out(job, path_of(job->argv[0], buf), stdout);
}

static int do_get(struct job *job)
{
    char buf[VOLUME_PATH_MAX + 16], *data = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&data, &len);
    int code = memory ? copy_out(job, path_of(job->argv[0], buf), memory)
                      : EXIT_FAILED;
    if (memory)
        fclose(memory);
    if (!code)
        code = file_write(job->argv[1], data, len, 0644);
    free(data);
    return code;
}

/* ---- changing: on a copy, saved when all went well ---- */

static int write_whole(struct volumes *v, const char *path, const void *data,
                       size_t len)
{
    int file =
        volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (file < 0)
        return file;
    int err = volume_write(v, file, data, len);
    if (err < 0) {
        char why[192];
        snprintf(why, sizeof why, "%s", volume_reason(v));
        volume_abandon(v, file);
        fprintf(stderr, "wipy fs: %s\n", why);
        return err;
    }
    return volume_close(v, file);
}

static int save(struct job *job)
{
    int err = volume_sync_all(job->v);
    return err ? volume_error(job, err) : fs_chip_save(&job->chip);
}

static int do_put(struct job *job)
{
    char buf[VOLUME_PATH_MAX + 16], whole[VOLUME_PATH_MAX + 300];
    struct file_data data;
    struct volume_info info;
    const char *path = path_of(job->argv[1], buf);
    int code = file_read(job->argv[0], FILE_BYTES_MAX, &data);
    if (code)
        return code;
    if (volume_stat(job->v, path, &info) == 0 && info.is_dir) {
        const char *name = strrchr(job->argv[0], '/');
        snprintf(whole, sizeof whole, "%s/%s", path,
                 name ? name + 1 : job->argv[0]);
        path = whole;
    }
    int err = write_whole(job->v, path, data.data, data.len);
    free(data.data);
    return err ? volume_error(job, err) : save(job);
}

static int do_rm(struct job *job)
{
    char buf[VOLUME_PATH_MAX + 16];
    const char *path = path_of(job->argv[0], buf);
    int err = volume_unlink(job->v, path);
    if (err == -EISDIR)
        err = volume_rmdir(job->v, path);
    return err ? volume_error(job, err) : save(job);
}

/* ---- images ---- */

/* The sectors FAT sees, in one piece; NULL after a message. */
static uint8_t *read_sectors(struct fs_chip_file *chip, uint32_t *sectors,
                             uint32_t *unreadable, struct ftl_stats *stats)
{
    struct ftl *ftl = malloc(sizeof *ftl);
    void *memory = malloc(FTL_MEMORY(chip->fs_size));
    int err = ftl_mount(ftl, &chip->flash, chip->fs_off, chip->fs_size, memory,
                        FTL_MEMORY(chip->fs_size));
    uint8_t *image = NULL;
    if (err) {
        fprintf(stderr, "wipy fs: %s: %s\n", chip->path,
                err == WIPY_ENOENT ? "/flash is blank"
                : err == WIPY_EFORMAT
                    ? "the partition holds data, but no volume of ours"
                    : wipy_strerror(err));
    } else {
        *sectors = ftl->sectors;
        *unreadable = 0;
        image = calloc(ftl->sectors, FTL_SECTOR);
        for (uint32_t i = 0; i < ftl->sectors; i++)
            *unreadable +=
                ftl_read(ftl, i, image + (size_t)i * FTL_SECTOR, 1) != 0;
        ftl_get_stats(ftl, stats);
    }
    free(memory);
    free(ftl);
    return image;
}

static int do_export(struct job *job)
{
    uint32_t sectors, unreadable;
    struct ftl_stats stats;
    uint8_t *image = read_sectors(&job->chip, &sectors, &unreadable, &stats);
    if (!image)
        return EXIT_FAILED;
    if (unreadable)
        fprintf(stderr,
                "wipy fs: %s: %u sectors cannot be read; they are zeros in "
                "the image\n",
                job->chip.path, unreadable);
    int code =
        file_write(job->argv[0], image, (size_t)sectors * FTL_SECTOR, 0644);
    free(image);
    return code ? code : unreadable ? EXIT_VERIFY : EXIT_OK;
}

static int copy_bytes(struct job *job, int in, int out)
{
    static uint8_t buf[65536];
    int len;
    while ((len = volume_read(job->v, in, buf, sizeof buf)) > 0) {
        int err = volume_write(job->v, out, buf, (size_t)len);
        if (err < 0)
            return err;
    }
    return len;
}

static int copy_file(struct job *job, const char *from, const char *to,
                     const struct volume_info *info)
{
    int in = volume_open(job->v, from, VOLUME_READ);
    if (in < 0)
        return volume_error(job, in), in;
    int out =
        volume_open(job->v, to, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (out < 0)
        return volume_error(job, out), out;
    int err = copy_bytes(job, in, out);
    if (err)
        volume_error(job, err); /* while the reason is still known */
    int closed = volume_close(job->v, out);
    volume_close(job->v, in);
    if (!err)
        err = closed;
    return err ? err : volume_utime(job->v, to, info->modified);
}

static int copy_tree(struct job *job, const char *from, const char *to)
{
    struct volume_info info;
    int dir = volume_opendir(job->v, from);
    int more = dir;
    while (dir >= 0 && (more = volume_readdir(job->v, dir, &info)) == 1) {
        char a[VOLUME_PATH_MAX + 300], b[VOLUME_PATH_MAX + 300];
        snprintf(a, sizeof a, "%s/%s", from, info.name);
        snprintf(b, sizeof b, "%s/%s", to, info.name);
        if (info.is_dir) {
            more = volume_mkdir(job->v, b);
            if (more)
                volume_error(job, more);
            else
                more = copy_tree(job, a, b);
        } else {
            more = copy_file(job, a, b, &info);
        }
        if (more < 0)
            break;
    }
    if (dir >= 0)
        volume_closedir(job->v, dir);
    return more;
}

static int do_import(struct job *job)
{
    struct file_data image;
    int code = file_read(job->argv[0], IMAGE_MAX, &image);
    if (code)
        return code;
    volumes_stop(job->v);
    job->v = NULL;
    code = fs_chip_volumes(&job->chip, &job->v, image.data, image.len);
    if (!code) {
        volume_set_refuse(job->v, NULL, NULL); /* plain files here */
        int err = volume_mount(job->v, "/image"), bad = err;
        if (err)
            fprintf(stderr, "wipy fs: %s: no FAT or exFAT volume: %s\n",
                    job->argv[0], volume_reason(job->v));
        if (!err && (err = volume_mkfs(job->v, "/flash")) != 0)
            volume_error(job, err);
        if (!err)
            err = copy_tree(job, "/image", "/flash");
        code = bad ? EXIT_FILE : err ? EXIT_FAILED : save(job);
    }
    volumes_stop(job->v);
    job->v = NULL;
    free(image.data);
    return code;
}

static void print_problem(void *ctx, const char *text, uint32_t cluster)
{
    (void)ctx;
    printf("  %s (cluster %u)\n", text, cluster);
}

static int do_check(struct job *job)
{
    static uint8_t scratch[FATCHECK_SCRATCH];
    uint32_t sectors, unreadable;
    struct ftl_stats s;
    uint8_t *image = read_sectors(&job->chip, &sectors, &unreadable, &s);
    if (!image)
        return EXIT_VERIFY;
    struct fatcheck check = {.problem = job->json ? NULL : print_problem};
    int err = fatcheck_run(&check, image, sectors, scratch);
    free(image);
    bool sound = err == 0 && unreadable == 0;
    if (job->json) {
        json_t *j = json_pack(
            "{s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}",
            "sound", sound, "files", check.files, "folders", check.folders,
            "clusters", check.clusters, "used", check.used, "problems",
            check.problems, "unreadable", unreadable, "erase_min", s.erase_min,
            "erase_max", s.erase_max, "erase_mean", s.erase_mean, "bad_blocks",
            s.bad_units * 2, "uncommitted", (int)s.killed);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
        return sound ? EXIT_OK : EXIT_VERIFY;
    }
    if (err == WIPY_EFORMAT)
        puts("  no FAT volume is in the partition");
    if (unreadable)
        printf("  %u sectors cannot be read\n", unreadable);
    printf("%s: %s: %u files, %u folders, %u of %u clusters used; sectors "
           "erased %u to %u times, %u retired\n",
           job->chip.path, sound ? "sound" : "DAMAGED", check.files,
           check.folders, check.used, check.clusters, s.erase_min, s.erase_max,
           s.bad_units * 2);
    return sound ? EXIT_OK : EXIT_VERIFY;
}

/* ---- the command ---- */

static const struct verb {
    const char *name;
    int (*run)(struct job *job);
    int least, most; /* arguments after CHIP */
    bool raw;        /* does not need the volume mounted */
    const char *wants;
} verbs[] = {
    {"ls", do_ls, 0, 1, false, "[PATH]"},
    {"cat", do_cat, 1, 1, false, "PATH"},
    {"get", do_get, 2, 2, false, "PATH FILE"},
    {"put", do_put, 2, 2, false, "FILE PATH"},
    {"rm", do_rm, 1, 1, false, "PATH"},
    {"export", do_export, 1, 1, true, "IMAGE"},
    {"import", do_import, 1, 1, false, "IMAGE"},
    {"check", do_check, 0, 0, true, ""},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int run_verb(const struct verb *verb, struct job *job, const char *path)
{
    int code = fs_chip_open(&job->chip, path);
    if (code)
        return code;
    if (!verb->raw)
        code = fs_chip_volumes(&job->chip, &job->v, NULL, 0);
    if (!code)
        code = verb->run(job);
    volumes_stop(job->v);
    fs_chip_close(&job->chip);
    return code;
}

int cmd_fs(int argc, char **argv)
{
    struct job job = {.argc = 0};
    struct args a = args_of("wipy fs", usage, argc, argv);
    const char *chip = NULL, *word[5];
    const struct args_option options[] = {{"flash", "", NULL, &chip},
                                          {"json", "", &job.json, NULL}};
    unsigned count = 5;
    int code = args_read(&a, options, 2, word, &count);
    if (code)
        return code;
    if (count == 0)
        return args_wrong(&a,
                          "ls, cat, get, put, rm, export, import or check?");
    const struct verb *verb = find_verb(word[0]);
    if (!verb)
        return args_wrong(&a, "there is no '%s'", word[0]);
    int first = chip ? 1 : 2; /* argument after CHIP */
    job.argc = (int)count - first;
    job.argv = word + first;
    if (job.argc < verb->least || job.argc > verb->most)
        return args_wrong(&a, "%s wants %s%s", verb->name, chip ? "" : "CHIP ",
                          verb->wants);
    return run_verb(verb, &job, chip ? chip : word[1]);
}
