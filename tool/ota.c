/* wipy ota: hands a running board a firmware image over the air. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board/factory.h"
#include "commands.h"
#include "file.h"
#include "ftp_client.h"
#include "image_parts.h"
#include "loader_args.h"
#include "outcome.h"
#include "running.h"

enum { IMAGE_FILE_MAX = 16 << 20, TRIES = 3 };

static const char upload_path[] = "/flash/sys/appimg.bin";

static const char usage[] =
    "usage: wipy ota [FILE] [--host HOST[:PORT] | --flash CHIPFILE]\n"
    "                [--user NAME] [--password WORD] [--prepare] "
    "[--no-resume]\n"
    "                [--force] [--json]\n"
    "Uploads FILE (the firmware that came with this program when none is\n"
    "named) to a board: the one that runs on CHIPFILE (wipy.flash), or the "
    "one\n"
    "at HOST. It starts at the board's next reset. --prepare erases the spare\n"
    "slot first (alone, without FILE: only that).\n";

struct ota_job {
    const char *path, *host, *flash, *user, *password;
    bool prepare, no_resume, force, json, named;
    char where[300], found[4096];
    struct file_data file;
    struct image im;
    struct ftp_client ftp;
    bool is_virtual; /* the server is one of ours */
};

static int parse(struct ota_job *job, int argc, char **argv)
{
    struct args a = args_of("wipy ota", usage, argc, argv);
    unsigned words = 1;
    *job = (struct ota_job){.user = "micro", .password = "python"};
    const struct args_option options[] = {
        {"host", "", NULL, &job->host},
        {"flash", "", NULL, &job->flash},
        {"user", "", NULL, &job->user},
        {"password", "", NULL, &job->password},
        {"prepare", "", &job->prepare, NULL},
        {"no-resume", "", &job->no_resume, NULL},
        {"force", "", &job->force, NULL},
        {"json", "", &job->json, NULL},
    };
    int code = args_read(&a, options, sizeof options / sizeof options[0],
                         &job->path, &words);
    job->named = words == 1;
    return code;
}

static int find_board(struct ota_job *job)
{
    if (job->host) {
        snprintf(job->where, sizeof job->where, "%s", job->host);
        return EXIT_OK;
    }
    json_t *status = running_status(job->flash);
    const char *ftp = running_text(status, "addresses", "ftp");
    if (ftp)
        snprintf(job->where, sizeof job->where, "%s", ftp);
    else
        complain(
            "wipy ota: no board is running on %s; start it with 'wipy run' "
            "or say --host\n",
            job->flash ? job->flash : "wipy.flash");
    json_decref(status);
    return ftp ? EXIT_OK : EXIT_BOARD;
}

static int load_image(struct ota_job *job)
{
    if (!job->path) {
        if (factory_find("appimg.bin", job->found, sizeof job->found) != 0) {
            complain("wipy ota: no appimg.bin came with this program; name a "
                     "file\n");
            return EXIT_FILE;
        }
        job->path = job->found;
    }
    int code = file_read(job->path, IMAGE_FILE_MAX, &job->file);
    if (code)
        return code;
    enum image_fault fault =
        image_parse(&job->im, job->file.data, job->file.len);
    if (!fault && !image_checksum_ok(&job->im))
        fault = IMAGE_BAD_CHECKSUM;
    if (!fault && job->im.has_digest && !image_digest_ok(&job->im))
        fault = IMAGE_BAD_DIGEST;
    if (!fault || job->force)
        return EXIT_OK;
    image_refuse(job->path, &job->file, fault);
    return EXIT_VERIFY;
}

static int ftp_failed(struct ota_job *job, const char *what)
{
    complain("wipy ota: %s: %s: %s\n", job->where, what, job->ftp.reply);
    return job->ftp.code ? EXIT_FAILED : EXIT_BOARD;
}

static int log_in(struct ota_job *job)
{
    struct ftp_client *f = &job->ftp;
    if (ftp_open(f, job->where) != 0)
        return ftp_failed(job, "cannot connect");
    int code = ftp_command(f, "USER %s", job->user);
    if (code == 331)
        code = ftp_command(f, "PASS %s", job->password);
    if (code != 230)
        return ftp_failed(job, "login refused");
    if (ftp_command(f, "TYPE I") != 200)
        return ftp_failed(job, "TYPE I");
    /* Only our own boards know this; a real one answers 502. */
    job->is_virtual = ftp_command(f, "SITE HELP") == 214 &&
                      strstr(f->reply, "PREPARE") != NULL;
    return EXIT_OK;
}

/* Code of another machine would brick nothing of ours, but a real board. */
static int check_target(const struct ota_job *job)
{
    bool for_silicon = job->im.machine == IMAGE_MACHINE_XTENSA;
    if (job->force || for_silicon != job->is_virtual)
        return EXIT_OK;
    complain("wipy ota: %s: %s; the board at %s is %s (--force uploads "
             "nevertheless)\n",
             job->path, machine_name(job->im.machine), job->where,
             job->is_virtual ? "a virtual one" : "not a virtual one");
    return EXIT_REFUSED;
}

static int prepare(struct ota_job *job)
{
    if (ftp_command(&job->ftp, "SITE PREPARE") / 100 != 2)
        return ftp_failed(job, "not prepared");
    if (!job->json)
        puts(job->ftp.reply);
    return EXIT_OK;
}

static void show_progress(size_t done, size_t all)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%3zu %%%s", done * 100 / all,
                done == all ? "\r      \r" : "");
}

/* What SIZE answers is what a broken upload has left there. */
static size_t resume_offset(struct ota_job *job)
{
    if (job->no_resume || ftp_command(&job->ftp, "SIZE %s", upload_path) != 213)
        return 0;
    size_t there = strtoul(job->ftp.reply, NULL, 10);
    return there < job->file.len ? there : 0;
}

static int upload(struct ota_job *job)
{
    size_t offset = resume_offset(job);
    if (offset && !job->json)
        printf("going on at %zu of %zu bytes\n", offset, job->file.len);
    int code = ftp_store(&job->ftp, upload_path, job->file.data, job->file.len,
                         offset, job->json ? NULL : show_progress);
    /* The rest of another file: what is there is of no use. */
    if (offset && code / 100 == 5)
        code = ftp_store(&job->ftp, upload_path, job->file.data, job->file.len,
                         0, NULL);
    return code;
}

static int upload_with_patience(struct ota_job *job)
{
    for (int i = 1;; i++) {
        int code = upload(job);
        if (code == 226)
            break;
        if (code / 100 == 5 || i == TRIES)
            return ftp_failed(job, "not accepted");
        fprintf(stderr, "wipy ota: %s; trying again\n", job->ftp.reply);
        sleep(2);
        if (code == 0) {
            ftp_close(&job->ftp);
            if (log_in(job) != EXIT_OK)
                return EXIT_BOARD;
        }
    }
    if (!job->json)
        puts(job->ftp.reply);
    return EXIT_OK;
}

static int work(struct ota_job *job)
{
    bool only_prepare = job->prepare && !job->named;
    int code = find_board(job);
    if (!code && !only_prepare)
        code = load_image(job);
    if (!code)
        code = log_in(job);
    if (!code && !only_prepare)
        code = check_target(job);
    if (!code && job->prepare)
        code = prepare(job);
    if (!code && !only_prepare)
        code = upload_with_patience(job);
    return code;
}

int cmd_ota(int argc, char **argv)
{
    static struct ota_job job;
    int code = parse(&job, argc, argv);
    if (code)
        return code;
    job.ftp.fd = -1;
    code = work(&job);
    if (job.json) {
        print_json(json_pack("{s:b,s:s,s:s,s:i}", "ok", 1, "board", job.where,
                             "text", job.ftp.reply, "reply", job.ftp.code));
    }
    ftp_close(&job.ftp);
    free(job.file.data);
    return code;
}
