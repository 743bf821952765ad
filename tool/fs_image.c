/* wipy fs: /flash as a FAT image, and is it sound? */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "flash/fatcheck.h"
#include "flash/ftl.h"
#include "fs_job.h"
#include "outcome.h"

enum { IMAGE_MAX = 1 << 30 };

/* The sectors FAT sees, in one piece; NULL after a message. `damaged`: what is
 * lost may not even be known. */
static uint8_t *read_sectors(struct fs_chip_file *chip, uint32_t *sectors,
                             uint32_t *unreadable, struct ftl_stats *stats,
                             bool *damaged)
{
    struct ftl *ftl = malloc(sizeof *ftl);
    void *memory = malloc(FTL_MEMORY(chip->fs_size));
    int err = ftl_mount(ftl, &chip->flash, chip->fs_off, chip->fs_size, memory,
                        FTL_MEMORY(chip->fs_size));
    uint8_t *image = NULL;
    if (err) {
        complain("wipy fs: %s: %s\n", chip->path,
                 err == WIPY_ENOENT ? "/flash is blank: it is formatted when "
                                      "the board starts"
                 : err == WIPY_EFORMAT
                     ? "the partition holds data, but no volume of ours; "
                       "'wipy fs import' makes /flash anew from an image"
                     : wipy_strerror(err));
    } else {
        *sectors = ftl->sectors;
        *unreadable = 0;
        image = calloc(ftl->sectors, FTL_SECTOR);
        for (uint32_t i = 0; i < ftl->sectors; i++)
            *unreadable +=
                ftl_read(ftl, i, image + (size_t)i * FTL_SECTOR, 1) != 0;
        ftl_get_stats(ftl, stats);
        if (ftl->readonly)
            complain("wipy fs: %s: /flash is read-only: %s; what is still "
                     "there can be copied, 'wipy fs import' makes it anew\n",
                     chip->path, ftl->reason);
        *damaged = ftl->readonly;
    }
    free(memory);
    free(ftl);
    return image;
}

int fs_export(struct fs_job *job)
{
    uint32_t sectors, unreadable;
    struct ftl_stats stats;
    bool damaged;
    uint8_t *image =
        read_sectors(&job->chip, &sectors, &unreadable, &stats, &damaged);
    if (!image)
        return EXIT_FAILED;
    if (unreadable)
        complain("wipy fs: %s: %u sectors cannot be read; they are zeros in "
                 "the image\n",
                 job->chip.path, unreadable);
    int code =
        file_write(job->argv[0], image, (size_t)sectors * FTL_SECTOR, 0644);
    free(image);
    return code ? code : unreadable || damaged ? EXIT_VERIFY : EXIT_OK;
}

static int copy_bytes(struct fs_job *job, int in, int out)
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

static int copy_file(struct fs_job *job, const char *from, const char *to,
                     const struct volume_info *info)
{
    int in = volume_open(job->v, from, VOLUME_READ);
    if (in < 0)
        return fs_volume_error(job, in), in;
    int out =
        volume_open(job->v, to, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (out < 0)
        return fs_volume_error(job, out), out;
    int err = copy_bytes(job, in, out);
    if (err)
        fs_volume_error(job, err); /* while the reason is still known */
    int closed = volume_close(job->v, out);
    volume_close(job->v, in);
    if (err)
        return err;
    err = closed ? closed : volume_utime(job->v, to, info->modified);
    if (err)
        fs_volume_error(job, err);
    return err;
}

static int copy_tree(struct fs_job *job, const char *from, const char *to);

static int copy_entry(struct fs_job *job, const char *from, const char *to,
                      const struct volume_info *info)
{
    char a[VOLUME_PATH_MAX + 300], b[VOLUME_PATH_MAX + 300];
    snprintf(a, sizeof a, "%s/%s", from, info->name);
    snprintf(b, sizeof b, "%s/%s", to, info->name);
    if (!info->is_dir)
        return copy_file(job, a, b, info);
    int err = volume_mkdir(job->v, b);
    if (err)
        return fs_volume_error(job, err), err;
    return copy_tree(job, a, b);
}

static int copy_tree(struct fs_job *job, const char *from, const char *to)
{
    struct volume_info info;
    int dir = volume_opendir(job->v, from);
    if (dir < 0)
        return fs_volume_error(job, dir), dir;
    int more, err = 0;
    while (!err && (more = volume_readdir(job->v, dir, &info)) == 1)
        err = copy_entry(job, from, to, &info);
    if (!err && more < 0)
        fs_volume_error(job, err = more);
    volume_closedir(job->v, dir);
    return err;
}

int fs_import(struct fs_job *job)
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
            complain("wipy fs: %s: no FAT or exFAT volume is in it, so nothing "
                     "was imported\n",
                     job->argv[0]);
        if (!err && (err = volume_mkfs(job->v, "/flash")) != 0)
            fs_volume_error(job, err);
        if (!err)
            err = copy_tree(job, "/image", "/flash");
        code = bad ? EXIT_FILE : err ? EXIT_FAILED : fs_save(job);
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

int fs_check(struct fs_job *job)
{
    static uint8_t scratch[FATCHECK_SCRATCH];
    uint32_t sectors, unreadable;
    struct ftl_stats s;
    bool damaged;
    uint8_t *image =
        read_sectors(&job->chip, &sectors, &unreadable, &s, &damaged);
    if (!image)
        return EXIT_VERIFY;
    struct fatcheck check = {.problem = job->json ? NULL : print_problem};
    int err = fatcheck_run(&check, image, sectors, scratch);
    free(image);
    bool sound = err == 0 && unreadable == 0 && !damaged;
    if (job->json) {
        json_t *j = json_pack(
            "{s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}",
            "sound", sound, "files", check.files, "folders", check.folders,
            "clusters", check.clusters, "used", check.used, "problems",
            check.problems, "unreadable", unreadable, "erase_min", s.erase_min,
            "erase_max", s.erase_max, "erase_mean", s.erase_mean, "bad_blocks",
            s.bad_units * 2, "uncommitted", (int)s.killed);
        print_json(j);
        if (!sound)
            complain("wipy fs: %s: damaged\n", job->chip.path);
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
