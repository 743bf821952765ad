/* wipy fs: the files of a board that is off. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "commands.h"
#include "file.h"
#include "fs_job.h"
#include "outcome.h"

enum { FILE_BYTES_MAX = 64 << 20 };

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

int fs_volume_error(const struct fs_job *job, int err)
{
    const char *why = volume_reason(job->v);
    complain("wipy fs: %s: %s\n", job->chip.path,
             why[0] ? why : strerror(-err));
    if (err == -EIO)
        complain(
            "'wipy fs check' says more; 'wipy fs import' makes /flash anew "
            "from an image\n");
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

static void print_entry(const struct fs_job *job, json_t *list,
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

static int do_ls(struct fs_job *job)
{
    char buf[VOLUME_PATH_MAX + 16];
    struct volume_info info;
    const char *path = path_of(job->argc ? job->argv[0] : "/flash", buf);
    int dir = volume_opendir(job->v, path);
    bool is_file = dir == -ENOTDIR && volume_stat(job->v, path, &info) == 0;
    if (dir < 0 && !is_file)
        return fs_volume_error(job, dir);
    json_t *list = json_array();
    int more = 0;
    if (is_file)
        print_entry(job, list, &info);
    while (!is_file && (more = volume_readdir(job->v, dir, &info)) == 1)
        print_entry(job, list, &info);
    if (!is_file)
        volume_closedir(job->v, dir);
    if (more == 0 && job->json)
        print_json(json_incref(list));
    json_decref(list);
    return more < 0 ? fs_volume_error(job, more) : EXIT_OK;
}

static int copy_out(struct fs_job *job, const char *path, FILE *to)
{
    static uint8_t buf[65536];
    int file = volume_open(job->v, path, VOLUME_READ);
    int len = file;
    while (file >= 0 && (len = volume_read(job->v, file, buf, sizeof buf)) > 0)
        if (fwrite(buf, 1, (size_t)len, to) != (size_t)len)
            break;
    if (len < 0)
        return fs_volume_error(job, len);
    volume_close(job->v, file);
    if (fflush(to) || ferror(to)) {
        complain("wipy fs: writing: %s\n", strerror(errno));
        return EXIT_FILE;
    }
    return EXIT_OK;
}

static int do_cat(struct fs_job *job)
{
    char buf[VOLUME_PATH_MAX + 16];
    return copy_out(job, path_of(job->argv[0], buf), stdout);
}

static int do_get(struct fs_job *job)
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

/* Returns the exit code. */
static int write_whole(struct fs_job *job, const char *path, const void *data,
                       size_t len)
{
    struct volumes *v = job->v;
    int file =
        volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (file < 0)
        return fs_volume_error(job, file);
    int err = volume_write(v, file, data, len);
    if (err < 0) {
        int code = fs_volume_error(job, err); /* while the reason is known */
        volume_abandon(v, file);
        return code;
    }
    err = volume_close(v, file);
    return err ? fs_volume_error(job, err) : EXIT_OK;
}

int fs_save(struct fs_job *job)
{
    int err = volume_sync_all(job->v);
    return err ? fs_volume_error(job, err) : fs_chip_save(&job->chip);
}

static int do_put(struct fs_job *job)
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
    code = write_whole(job, path, data.data, data.len);
    free(data.data);
    return code ? code : fs_save(job);
}

static int do_rm(struct fs_job *job)
{
    char buf[VOLUME_PATH_MAX + 16];
    const char *path = path_of(job->argv[0], buf);
    int err = volume_unlink(job->v, path);
    if (err == -EISDIR)
        err = volume_rmdir(job->v, path);
    return err ? fs_volume_error(job, err) : fs_save(job);
}

/* ---- the command ---- */

static const struct verb {
    const char *name;
    int (*run)(struct fs_job *job);
    int least, most; /* arguments after CHIP */
    bool raw;        /* does not need the volume mounted */
    bool json;       /* --json is for it */
    const char *wants;
} verbs[] = {
    {"ls", do_ls, 0, 1, false, true, "[PATH]"},
    {"cat", do_cat, 1, 1, false, false, "PATH"},
    {"get", do_get, 2, 2, false, false, "PATH FILE"},
    {"put", do_put, 2, 2, false, false, "FILE PATH"},
    {"rm", do_rm, 1, 1, false, false, "PATH"},
    {"export", fs_export, 1, 1, true, false, "IMAGE"},
    {"import", fs_import, 1, 1, false, false, "IMAGE"},
    {"check", fs_check, 0, 0, true, true, ""},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int run_verb(const struct verb *verb, struct fs_job *job,
                    const char *path)
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
    struct fs_job job = {.argc = 0};
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
    if (job.json && !verb->json)
        return args_wrong(&a, "--json is for ls and check");
    return run_verb(verb, &job, chip ? chip : word[1]);
}
