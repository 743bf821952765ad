/* /flash over a model chip, cut at every flash command of a random workload,
 * in four ways of tearing, and again at every command of the recovery: the
 * tree is as before or as after the interrupted call, and fsck.fat accepts
 * the volume, each time.
 *
 * Without arguments a sample of a few thousand cuts. For a campaign:
 *   fs_sim SECONDS [SEED]     until time is up; prints cuts, second cuts and
 *                             collected units
 * Chips of three sizes take turns; two thirds of the space are cold files. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/volume/volume.h"
#include "flash/fatcheck.h"
#include "flash/ftl.h"
#include "fs_chip.h"

enum { FILES = 6, FILE_MAX = 9000, COLD_MIN = 30000, CONTENT_MAX = 400000 };

struct world {
    struct fs_chip chip;
    struct volumes *v;
    uint32_t size;
    uint64_t first, second, wrong, collected;
    uint64_t volumes, checked; /* exported; different ones, by fsck.fat */
};

static int64_t now(void *ctx)
{
    (void)ctx;
    return 1795248000;
}

static int start(struct world *w)
{
    struct volume_config config = {
        .flash = w->chip.flash, .fs_size = w->size, .now = now};
    return volumes_start(&w->v, &config);
}

/* Power is gone: whatever the CPU still held in memory is lost with it. */
static void drop(struct world *w)
{
    w->chip.chip.dead = true;
    volumes_stop(w->v);
    w->v = NULL;
}

static void power_on(struct world *w)
{
    chip_cut(&w->chip.chip, 0, CHIP_TEAR_NONE);
    w->chip.chip.dead = true;
    chip_power_on(&w->chip.chip);
}

/* ---- a digest of the whole tree ---- */

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static uint64_t hash_file(struct volumes *v, const char *path, uint64_t h)
{
    static uint8_t buf[CONTENT_MAX];
    int file = volume_open(v, path, VOLUME_READ);
    int len = file < 0 ? file : volume_read(v, file, buf, sizeof buf);
    if (file >= 0)
        volume_close(v, file);
    return len < 0 ? (uint64_t)len : hash(h, buf, (size_t)len);
}

static uint64_t hash_tree(struct volumes *v, const char *path)
{
    struct volume_info info;
    uint64_t sum = 1;
    int dir = volume_opendir(v, path);
    int more = dir;
    while (dir >= 0 && (more = volume_readdir(v, dir, &info)) == 1) {
        char name[600];
        snprintf(name, sizeof name, "%s/%s", path, info.name);
        uint64_t h = hash(14695981039346656037u, name, strlen(name));
        h = hash(h, &info.size, sizeof info.size);
        if (info.is_dir)
            sum += h * 3 + hash_tree(v, name);
        else if (info.size < COLD_MIN) /* the cold file's sectors are checked
                                          by their CRC in is_sound */
            sum += hash_file(v, name, h) * 5;
        else
            sum += h * 7;
    }
    if (dir >= 0)
        volume_closedir(v, dir);
    return more < 0 ? 999 : sum;
}

/* ---- the volume as a PC sees it ---- */

static bool read_image(struct world *w, uint8_t *image, uint32_t *sectors)
{
    static struct ftl ftl;
    void *memory = malloc(FTL_MEMORY(w->size));
    bool ok = ftl_mount(&ftl, &w->chip.flash, 0, w->size, memory,
                        FTL_MEMORY(w->size)) == 0 &&
              !ftl.readonly && ftl_read(&ftl, 0, image, ftl.sectors) == 0;
    *sectors = ftl.sectors;
    free(memory);
    return ok;
}

static bool fsck(struct world *w, const uint8_t *image, uint32_t sectors)
{
    static int fd = -1; /* memory, inherited by fsck.fat */
    char name[32];
    int status;
    pid_t pid;
    if (fd < 0)
        fd = memfd_create("volume", 0);
    size_t len = (size_t)sectors * FTL_SECTOR;
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    assert_int_equal(pwrite(fd, image, len, 0), len);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    char *const arguments[] = {"fsck.fat", "-n", name, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int out = 1; out <= 2; out++)
        posix_spawn_file_actions_addopen(&actions, out, "/dev/null", O_WRONLY,
                                         0);
    int err =
        posix_spawnp(&pid, "fsck.fat", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err)
        print_error("fsck.fat cannot be run: %s\n", strerror(err));
    w->checked++;
    return !err && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* The images fsck.fat accepted, by 128 bits of hash: many cuts end in the very
 * same volume, bit by bit, and the answer would be the same. */
static bool is_new(const uint8_t *image, uint32_t sectors)
{
    enum { KNOWN = 1 << 20 };
    static uint64_t known[KNOWN][2];
    static unsigned count;
    uint64_t key[2] = {1, 2}, word;
    for (size_t i = 0; i < (size_t)sectors * FTL_SECTOR; i += sizeof word) {
        memcpy(&word, image + i, sizeof word);
        key[0] = (key[0] ^ word) * 0x9E3779B97F4A7C15u;
        key[1] = (key[1] + word) * 0xC2B2AE3D27D4EB4Fu;
        key[0] ^= key[0] >> 29;
        key[1] ^= key[1] >> 31;
    }
    unsigned at = (unsigned)key[0] % KNOWN;
    while (known[at][0] && memcmp(known[at], key, sizeof key) != 0)
        at = (at + 1) % KNOWN;
    if (known[at][0])
        return false;
    if (count < KNOWN / 2) {
        memcpy(known[at], key, sizeof key);
        count++;
    }
    return true;
}

static bool is_sound(struct world *w)
{
    static uint8_t image[2 << 20], scratch[FATCHECK_SCRATCH];
    struct fatcheck check = {.problems = 0};
    uint32_t sectors;
    w->volumes++;
    if (!read_image(w, image, &sectors))
        return false;
    return !is_new(image, sectors) ||
           (fatcheck_run(&check, image, sectors, scratch) == 0 &&
            fsck(w, image, sectors));
}

/* ---- the workload: one call of a user each ---- */

static void path_of(uint32_t *seed, char *to)
{
    static const char *const names[FILES] = {
        "/flash/main.py",  "/flash/lib/a long name.py",
        "/flash/lib/b.py", "/flash/log.txt",
        "/flash/x.bin",    "/flash/lib/\xc3\xa9t\xc3\xa9.txt"};
    strcpy(to, names[fs_random(seed, FILES)]);
}

static uint8_t content[CONTENT_MAX];

static int write_file(struct volumes *v, const char *path, unsigned flags,
                      uint32_t from, uint32_t len, int64_t at)
{
    int file = volume_open(v, path, flags);
    if (file < 0)
        return file;
    if (at > 0)
        volume_seek(v, file, at, SEEK_SET);
    int err = volume_write(v, file, content + from, len);
    int closed = volume_close(v, file);
    return err < 0 ? err : closed;
}

/* Two writers: one replaces a file slowly while the other logs and syncs. */
static int interleaved(struct volumes *v, const char *path, uint32_t *seed)
{
    int a = volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (a < 0)
        return a;
    volume_write(v, a, content, fs_random(seed, 3000));
    int b = volume_open(v, "/flash/log.txt",
                        VOLUME_WRITE | VOLUME_CREATE | VOLUME_APPEND);
    if (b >= 0) {
        volume_write(v, b, content, 10);
        volume_close(v, b);
    }
    volume_write(v, a, content + 7, fs_random(seed, 3000));
    return volume_abandon(v, a);
}

static int operation(struct volumes *v, uint32_t seed)
{
    char path[64], other[64];
    const unsigned create = VOLUME_WRITE | VOLUME_CREATE;
    uint32_t what = fs_random(&seed, 16);
    path_of(&seed, path);
    path_of(&seed, other);
    uint32_t from = fs_random(&seed, 5000);
    if (what < 4)
        return write_file(v, path, create | VOLUME_APPEND, from,
                          1 + fs_random(&seed, what ? 40 : 900), 0);
    if (what < 8)
        return write_file(v, path, create | VOLUME_TRUNC, from,
                          fs_random(&seed, what < 6 ? 300 : FILE_MAX), 0);
    if (what < 10)
        return write_file(v, path, VOLUME_WRITE, from, fs_random(&seed, 400),
                          fs_random(&seed, 5000));
    if (what == 10)
        return volume_rename(v, path, other);
    if (what == 11)
        return volume_unlink(v, path);
    if (what == 12)
        return volume_mkdir(v, fs_random(&seed, 2) ? "/flash/d" : "/flash/e");
    if (what == 13)
        return volume_rmdir(v, fs_random(&seed, 2) ? "/flash/d" : "/flash/e");
    if (what == 14)
        return volume_utime(v, path, 1000000000 + (int64_t)from * 2);
    return interleaved(v, path, &seed);
}

/* ---- cutting ---- */

struct trial {
    uint8_t *before;
    uint64_t old, new, middle;
    uint32_t seed;
};

static bool is_expected(const struct trial *t, uint64_t tree)
{
    return tree == t->old || tree == t->new || tree == t->middle;
}

static void complain(struct world *w, const struct trial *t, const char *what,
                     uint64_t cut, int tear)
{
    if (w->wrong++ < 8)
        print_error("%s: operation %u, command %llu, tear %d\n", what, t->seed,
                    (unsigned long long)cut, tear);
}

static bool recovers(struct world *w, const struct trial *t)
{
    power_on(w);
    bool ok = start(w) == 0 && is_expected(t, hash_tree(w->v, "/flash"));
    if (w->v)
        drop(w);
    power_on(w);
    return ok;
}

static void second_cuts(struct world *w, const struct trial *t)
{
    uint8_t *torn = malloc(w->size);
    memcpy(torn, w->chip.chip.cells, w->size);
    for (uint64_t cut = 1;; cut++) {
        memcpy(w->chip.chip.cells, torn, w->size);
        power_on(w);
        chip_cut(&w->chip.chip, cut, (enum chip_tear)(1 + cut % 3));
        start(w);
        bool was_cut = w->chip.chip.dead;
        if (w->v)
            drop(w);
        w->second++;
        if (!recovers(w, t))
            complain(w, t, "wrong after a second cut", cut, -1);
        else if (!is_sound(w))
            complain(w, t, "not sound after a second cut", cut, -1);
        if (!was_cut)
            break;
    }
    memcpy(w->chip.chip.cells, torn, w->size);
    free(torn);
}

static bool one_cut(struct world *w, const struct trial *t, uint64_t cut,
                    int tear, bool second)
{
    memcpy(w->chip.chip.cells, t->before, w->size);
    power_on(w);
    assert_int_equal(start(w), 0);
    chip_cut(&w->chip.chip, cut, (enum chip_tear)tear);
    operation(w->v, t->seed);
    bool was_cut = w->chip.chip.dead;
    drop(w);
    if (!was_cut)
        return false;
    w->first++;
    if (second)
        second_cuts(w, t);
    if (!recovers(w, t))
        complain(w, t, "wrong", cut, tear);
    else if (!is_sound(w))
        complain(w, t, "the FAT volume is not sound", cut, tear);
    return true;
}

/* The state after the other writer's sync, in an interleaved operation. */
static uint64_t middle_of(struct world *w, const struct trial *t)
{
    uint64_t tree = t->old;
    uint32_t seed = t->seed;
    if (fs_random(&seed, 16) != 15)
        return tree;
    memcpy(w->chip.chip.cells, t->before, w->size);
    power_on(w);
    assert_int_equal(start(w), 0);
    write_file(w->v, "/flash/log.txt",
               VOLUME_WRITE | VOLUME_CREATE | VOLUME_APPEND, 0, 10, 0);
    tree = hash_tree(w->v, "/flash");
    drop(w);
    return tree;
}

static void cut_operation(struct world *w, uint32_t seed, uint32_t step,
                          uint32_t second_every)
{
    struct trial t = {.before = malloc(w->size), .seed = seed};
    uint8_t *after = malloc(w->size);
    memcpy(t.before, w->chip.chip.cells, w->size);
    power_on(w);
    assert_int_equal(start(w), 0);
    t.old = hash_tree(w->v, "/flash");
    operation(w->v, seed);
    t.new = hash_tree(w->v, "/flash");
    struct volume_status status;
    volume_status(w->v, "/flash", &status);
    assert_int_equal(status.state, VOLUME_MOUNTED);
    drop(w);
    memcpy(after, w->chip.chip.cells, w->size);
    t.middle = middle_of(w, &t);
    bool more = true;
    for (uint64_t cut = 1 + seed % step; more; cut += step)
        for (int tear = 0; tear < 4 && more; tear++)
            more = one_cut(w, &t, cut, tear, w->first % second_every == 0);
    memcpy(w->chip.chip.cells, after, w->size);
    free(t.before);
    free(after);
}

/* Fills to `percent` with files nobody touches, plus the folders. */
static void fill(struct world *w, uint32_t percent)
{
    struct volume_space space;
    assert_int_equal(volume_mkdir(w->v, "/flash/lib"), 0);
    assert_int_equal(volume_statvfs(w->v, "/flash", &space), 0);
    uint32_t len = (uint32_t)(space.free * space.block / 100 * percent);
    assert_int_equal(write_file(w->v, "/flash/cold.bin",
                                VOLUME_WRITE | VOLUME_CREATE, 0, len, 0),
                     0);
}

struct campaign {
    uint32_t units, percent, operations, step, second_every;
};

static void run(struct world *w, const struct campaign *c, uint32_t seed,
                time_t end)
{
    w->size = c->units * FTL_UNIT;
    fs_chip_make(&w->chip, w->size);
    assert_int_equal(start(w), 0);
    fill(w, c->percent);
    drop(w);
    for (uint32_t i = 0; i < c->operations && (!end || time(NULL) < end); i++)
        cut_operation(w, fs_random(&seed, 1 << 20), c->step, c->second_every);
    power_on(w);
    if (!is_sound(w))
        w->wrong++;
    uint64_t opened = 0;
    for (uint32_t i = 0; i < c->units; i++)
        opened += w->chip.erases[i * 2];
    w->collected += opened;
    fs_chip_free(&w->chip);
}

static double option_seconds;
static uint32_t option_seed = 1;

static void cuts_anywhere(void **state)
{
    (void)state;
    static const struct campaign sample[] = {
        {32, 30, 80, 2, 25}, {40, 70, 80, 2, 25}, {36, 88, 80, 2, 25}};
    static const struct campaign soak[] = {
        {32, 40, 60, 1, 1}, {40, 75, 60, 1, 1}, {36, 90, 60, 1, 1}};
    bool long_run = option_seconds > 0;
    struct world *w = calloc(1, sizeof *w);
    time_t begin = time(NULL), end = begin + (time_t)option_seconds;
    uint32_t seed = option_seed;
    for (uint32_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)fs_random(&seed, 256);
    for (uint32_t i = 0; long_run ? time(NULL) < end : i < 3; i++)
        run(w, long_run ? &soak[i % 3] : &sample[i],
            option_seed * 1000 + i * 77, long_run ? end : 0);
    print_message("%llu cuts, %llu second cuts, %llu units recycled, "
                  "%llu volumes exported, the %llu different ones through "
                  "fsck.fat, %llu wrong, %ld s\n",
                  (unsigned long long)w->first, (unsigned long long)w->second,
                  (unsigned long long)w->collected,
                  (unsigned long long)w->volumes,
                  (unsigned long long)w->checked, (unsigned long long)w->wrong,
                  (long)(time(NULL) - begin));
    assert_int_equal(w->wrong, 0);
    free(w);
}

int main(int argc, char **argv)
{
    option_seconds = argc > 1 ? atof(argv[1]) : 0;
    option_seed = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
