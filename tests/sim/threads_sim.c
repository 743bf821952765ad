/* The volumes used from both sides at once, as a board does: the loop posts
 * jobs (uploads over FTP), the vm thread calls them (a script that logs and
 * rewrites its settings), all of them on the storage thread. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "firmware/storage/storage.h"
#include "firmware/volume/volume.h"
#include "fs_chip.h"

enum { SIZE = 1 << 20, UPLOADS = 60, CHUNKS = 12, CHUNK = 1500, LINES = 400 };

struct world {
    struct fs_chip chip;
    struct volumes *v;
    struct storage storage;
};

struct step { /* one job of either side */
    struct storage_job job;
    struct world *w;
    int (*call)(struct step *s);
    int file, number, result;
    bool done;
};

static struct step *step_of(struct storage_job *job)
{
    return (struct step *)(void *)job;
}

static void run(struct storage_job *job)
{
    struct step *s = step_of(job);
    s->result = s->call(s);
}

static void done(struct storage_job *job)
{
    step_of(job)->done = true;
}

/* ---- the vm thread ---- */

static int append_line(struct step *s)
{
    char line[16];
    snprintf(line, sizeof line, "line %04d\n", s->number);
    int file = volume_open(s->w->v, "/flash/log.txt",
                           VOLUME_WRITE | VOLUME_CREATE | VOLUME_APPEND);
    int err = file < 0 ? file : volume_write(s->w->v, file, line, 10);
    return file < 0 || err < 0 ? -1 : volume_close(s->w->v, file);
}

static int rewrite_settings(struct step *s)
{
    char text[200];
    memset(text, 'a' + s->number % 26, sizeof text);
    int file = volume_open(s->w->v, "/flash/settings",
                           VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    int err = file < 0 ? file : volume_write(s->w->v, file, text, sizeof text);
    return file < 0 || err < 0 ? -1 : volume_close(s->w->v, file);
}

static void *script(void *arg)
{
    struct world *w = arg;
    for (int i = 0; i < LINES; i++) {
        struct step s = {.job.run = run, .w = w, .number = i};
        s.call = append_line;
        storage_call(&w->storage, &s.job);
        if (s.result)
            return "append failed";
        s.call = rewrite_settings;
        storage_call(&w->storage, &s.job);
        if (s.result)
            return "rewrite failed";
    }
    return NULL;
}

/* ---- the loop ---- */

static int upload_open(struct step *s)
{
    char path[32];
    snprintf(path, sizeof path, "/flash/up%d", s->number % 5);
    s->file =
        volume_open(s->w->v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    return s->file < 0 ? s->file : 0;
}

static int upload_write(struct step *s)
{
    uint8_t chunk[CHUNK];
    memset(chunk, s->number, sizeof chunk);
    return volume_write(s->w->v, s->file, chunk, sizeof chunk) == CHUNK ? 0
                                                                        : -1;
}

static int upload_close(struct step *s)
{
    return volume_close(s->w->v, s->file);
}

static void post(struct step *s, int (*call)(struct step *s))
{
    s->call = call;
    s->done = false;
    storage_post(&s->w->storage, &s->job);
    while (!s->done) {
        struct pollfd fd = {.fd = s->w->storage.bell, .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 10000), 1);
        storage_reap(&s->w->storage);
    }
    assert_int_equal(s->result, 0);
}

static void check_file(struct volumes *v, const char *path, int len,
                       int first_byte)
{
    static uint8_t buf[CHUNK * CHUNKS + 10];
    int file = volume_open(v, path, VOLUME_READ);
    assert_true(file >= 0);
    assert_int_equal(volume_read(v, file, buf, sizeof buf), len);
    assert_int_equal(buf[0], first_byte);
    assert_int_equal(buf[len - 1] == '\n' ? '\n' : first_byte, buf[len - 1]);
    volume_close(v, file);
}

static void both_sides_at_once(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    pthread_t vm;
    void *complaint;
    fs_chip_make(&w->chip, SIZE);
    struct volume_config config = {.flash = w->chip.flash, .fs_size = SIZE};
    assert_int_equal(volumes_start(&w->v, &config), 0);
    assert_int_equal(storage_start(&w->storage), 0);
    assert_int_equal(pthread_create(&vm, NULL, script, w), 0);
    for (int i = 0; i < UPLOADS; i++) {
        struct step s = {
            .job = {.run = run, .done = done}, .w = w, .number = i};
        post(&s, upload_open);
        for (int k = 0; k < CHUNKS; k++)
            post(&s, upload_write);
        post(&s, upload_close);
    }
    pthread_join(vm, &complaint);
    assert_null(complaint);
    /* The power goes; everything that was closed is there. */
    struct volumes *old = w->v;
    assert_int_equal(volumes_start(&w->v, &config), 0);
    check_file(w->v, "/flash/log.txt", LINES * 10, 'l');
    check_file(w->v, "/flash/settings", 200, 'a' + (LINES - 1) % 26);
    for (int i = UPLOADS - 5; i < UPLOADS; i++) {
        char path[32];
        snprintf(path, sizeof path, "/flash/up%d", i % 5);
        check_file(w->v, path, CHUNK * CHUNKS, i);
    }
    volumes_stop(w->v);
    volumes_stop(old);
    fs_chip_free(&w->chip);
    /* The storage thread goes on waiting; the process ends it. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
