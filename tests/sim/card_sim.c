/* /sd: cards as a PC formats them, pulled, write-protected and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/volume/volume.h"
#include "flash/ftl.h"
#include "fs_chip.h"

enum { FLASH_SIZE = 512 * 1024 };

struct world {
    struct fs_chip chip;
    struct volumes *v;
    uint8_t *card;
    uint64_t sectors;
    uint32_t insertions; /* so far */
    bool in, readonly, failing;
    int fail_at;  /* the store of so many parts from now fails; 0: none */
    bool recover; /* only that one */
    bool pull;    /* then the card is out */
};

static uint32_t insertions(void *ctx)
{
    const struct world *w = ctx;
    return w->in ? w->insertions : 0;
}

static uint64_t sectors(void *ctx)
{
    return ((struct world *)ctx)->sectors;
}

static bool is_readonly(void *ctx)
{
    return ((struct world *)ctx)->readonly;
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    struct world *w = ctx;
    if (!w->in || w->failing)
        return WIPY_EIO;
    assert_true(sector + (uint64_t)count <= w->sectors);
    memcpy(to, w->card + (size_t)sector * 512, (size_t)count * 512);
    return 0;
}

static int card_store(void *ctx, const struct volume_card_part *parts,
                      unsigned count, bool sync)
{
    struct world *w = ctx;
    (void)sync;
    for (unsigned i = 0; i < count; i++) {
        const struct volume_card_part *p = &parts[i];
        if (w->fail_at && --w->fail_at == 0) {
            w->failing = !w->recover;
            w->in = !w->pull;
            return WIPY_EIO;
        }
        if (!w->in || w->failing || w->readonly)
            return WIPY_EIO;
        assert_true(p->sector + (uint64_t)p->count <= w->sectors);
        memcpy(w->card + (size_t)p->sector * 512, p->from,
               (size_t)p->count * 512);
    }
    return w->in ? 0 : WIPY_EIO;
}

static void insert(struct world *w, uint64_t bytes)
{
    w->card = realloc(w->card, bytes);
    memset(w->card, 0, bytes);
    w->sectors = bytes / 512;
    w->insertions++;
    w->in = true;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    fs_chip_make(&w->chip, FLASH_SIZE);
    struct volume_config config = {
        .flash = w->chip.flash,
        .fs_size = FLASH_SIZE,
        .card = {w, insertions, sectors, is_readonly, card_read, card_store,
                 NULL},
    };
    *state = w;
    return volumes_start(&w->v, &config);
}

static int teardown(void **state)
{
    struct world *w = *state;
    volumes_stop(w->v);
    fs_chip_free(&w->chip);
    free(w->card);
    free(w);
    return 0;
}

static int put(struct volumes *v, const char *path, const void *data,
               size_t len)
{
    int file =
        volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    int err = file < 0 ? file : volume_write(v, file, data, len);
    int closed = file < 0 ? 0 : volume_close(v, file);
    return err < 0 ? err : closed;
}

static int get(struct volumes *v, const char *path, void *to, size_t len)
{
    int file = volume_open(v, path, VOLUME_READ);
    int got = file < 0 ? file : volume_read(v, file, to, len);
    if (file >= 0)
        volume_close(v, file);
    return got;
}

static void comes_and_goes(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    char text[16] = {0};
    assert_int_equal(volume_mount(v, "/sd"), -ENODEV);
    insert(w, 8 << 20);
    assert_int_equal(volume_mount(v, "/sd"), -EINVAL); /* no FAT on it */
    assert_int_equal(volume_mkfs(v, "/sd"), 0);
    assert_int_equal(volume_mount(v, "/sd"), 0);
    assert_int_equal(volume_mount(v, "/sd"), -EEXIST);
    assert_int_equal(volume_mount(v, "/card"), -EBUSY);
    assert_int_equal(volume_mount(v, "/a/b"), -EINVAL);
    assert_int_equal(put(v, "/sd/main.py", "print(1)", 8), 0);
    assert_int_equal(volume_rename(v, "/sd/main.py", "/flash/x"), -EXDEV);
    int file = volume_open(v, "/sd/main.py", VOLUME_READ);
    assert_int_equal(volume_umount(v, "/sd", false), -EBUSY);
    w->in = false;
    assert_int_equal(volume_read(v, file, text, 8), -ENODEV);
    assert_int_equal(get(v, "/sd/main.py", text, 8), -ENOENT);
    assert_int_equal(volume_close(v, file), 0);
    w->insertions++;
    w->in = true;
    assert_int_equal(get(v, "/sd/main.py", text, 8), -ENOENT);
    assert_int_equal(volume_mount(v, "/card"), 0);
    assert_int_equal(get(v, "/card/main.py", text, 16), 8);
    assert_string_equal(text, "print(1)");
    assert_int_equal(volume_umount(v, "/card", false), 0);
    assert_int_equal(volume_umount(v, "/card", false), -EINVAL);
}

static void pulled_while_writing(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    static char data[20000];
    insert(w, 8 << 20);
    assert_int_equal(volume_mkfs(v, "/sd"), 0);
    assert_int_equal(volume_mount(v, "/sd"), 0);
    int file = volume_open(v, "/sd/log", VOLUME_WRITE | VOLUME_CREATE);
    assert_int_equal(volume_write(v, file, data, sizeof data), sizeof data);
    w->failing = true; /* contacts lost, before anybody noticed */
    volume_write(v, file, data, sizeof data); /* may not get there yet */
    assert_int_equal(volume_sync(v, file), -EIO);
    w->in = false;
    assert_int_equal(volume_write(v, file, data, 10), -ENODEV);
    assert_int_equal(volume_close(v, file), -ENODEV);
    assert_int_equal(put(v, "/flash/still", "works", 5), 0);
}

enum { LINE = 3000 };

/* What two writers are told, each when it closes. */
struct told {
    int upload, log;
};

/* A new version of a file, while another writer appends and a folder comes
 * and goes. */
static struct told busy(struct volumes *v, const uint8_t *new, size_t len)
{
    struct told t = {-1, -1};
    static uint8_t line[LINE];
    const size_t half = len / 2;
    volume_mkdir(v, "/sd/d/e");
    int up = volume_open(v, "/sd/d/file",
                         VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC |
                             VOLUME_HIDDEN);
    int log =
        volume_open(v, "/sd/log", VOLUME_WRITE | VOLUME_CREATE | VOLUME_APPEND);
    if (log >= 0)
        volume_write(v, log, line, sizeof line);
    if (up >= 0)
        volume_write(v, up, new, half);
    if (log >= 0)
        t.log = volume_close(v, log);
    if (up >= 0)
        volume_write(v, up, new + half, len - half);
    if (up >= 0)
        t.upload = volume_close(v, up);
    volume_rmdir(v, "/sd/d/e");
    return t;
}

/* The same card, in another slot. */
static void look_again(struct world *w)
{
    w->fail_at = 0;
    w->failing = false;
    w->in = true;
    w->insertions++;
    volume_umount(w->v, "/sd", true);
    assert_int_equal(volume_mount(w->v, "/sd"), 0);
}

static void fail_everywhere(struct world *w, bool recover, bool pull)
{
    enum { OLD = 200000, NEW = 700000 };
    static uint8_t old[OLD], new[NEW], back[NEW + 1], line[LINE];
    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    size_t bytes = w->sectors * 512;
    put(w->v, "/sd/d/file", old, sizeof old);
    put(w->v, "/sd/log", line, LINE);
    assert_int_equal(volume_umount(w->v, "/sd", false), 0);
    uint8_t *before = malloc(bytes);
    memcpy(before, w->card, bytes);
    bool failed = true;
    int n = 1;
    for (; failed; n++) {
        memcpy(w->card, before, bytes);
        look_again(w);
        w->fail_at = n;
        w->recover = recover;
        w->pull = pull;
        struct told t = busy(w->v, new, sizeof new);
        failed = w->fail_at == 0;
        w->fail_at = 0;
        look_again(w);
        int len = get(w->v, "/sd/d/file", back, sizeof back);
        bool is_old = len == OLD && memcmp(back, old, OLD) == 0;
        bool is_new = len == NEW && memcmp(back, new, NEW) == 0;
        /* "Stored" is the truth; else there is one of both, whole. */
        if (t.upload == 0)
            assert_true(is_new);
        else
            assert_true(is_old || is_new);
        len = get(w->v, "/sd/log", back, sizeof back);
        assert_true(len == 2 * LINE || (t.log && len == LINE));
        for (int i = 0; i < len; i++)
            assert_true(back[i] == 0 || (t.log && i >= LINE));
        assert_true(failed || (!t.upload && !t.log));
    }
    assert_in_range(n, 8, 100);
    free(before);
}

static void a_failing_card_is_told_to_who_wrote(void **state)
{
    struct world *w = *state;
    static const uint64_t sizes[] = {8 << 20, 40 << 20};
    for (int k = 0; k < 2; k++) {
        insert(w, sizes[k]);
        assert_int_equal(volume_mkfs(w->v, "/sd"), 0);
        assert_int_equal(volume_mount(w->v, "/sd"), 0);
        assert_int_equal(volume_mkdir(w->v, "/sd/d"), 0);
        fail_everywhere(w, false, false);
        fail_everywhere(w, true, false);
        fail_everywhere(w, false, true);
        assert_int_equal(volume_umount(w->v, "/sd", true), 0);
    }
}

/* ---- names, while the card fails ---- */

enum { BODY = 700 };

static void body_of(uint8_t *to, int mark)
{
    for (int i = 0; i < BODY; i++)
        to[i] = (uint8_t)(mark * 37 + i);
}

static int put_marked(struct volumes *v, const char *path, int mark)
{
    uint8_t body[BODY];
    body_of(body, mark);
    return put(v, path, body, BODY);
}

/* Which contents are under the name: its mark, or a negative errno; whole. */
static int mark_of(struct volumes *v, const char *path, int marks)
{
    uint8_t body[BODY], back[BODY + 1];
    int len = get(v, path, back, sizeof back);
    if (len < 0)
        return len;
    assert_int_equal(len, BODY);
    for (int mark = 0; mark < marks; mark++) {
        body_of(body, mark);
        if (memcmp(body, back, BODY) == 0)
            return mark;
    }
    fail_msg("%s holds what nobody wrote", path);
    return -1;
}

static void many_name(char *path, int i)
{
    sprintf(path, "/sd/full/a name of some length %03d", i);
}

/* /sd/full is full to the last entry of its last cluster, or nearly, in
 * clusters that lie behind those of /sd/far; its first names are free again
 * with `gap`. The root has the same shape. */
static void furnish(struct volumes *v, int files, bool gap)
{
    char path[64];
    assert_int_equal(volume_mkdir(v, "/sd/full"), 0);
    assert_int_equal(volume_mkdir(v, "/sd/far"), 0);
    for (int i = 0; i < files; i++) {
        many_name(path, i);
        assert_int_equal(put_marked(v, path, 1), 0);
    }
    assert_int_equal(put_marked(v, "/sd/full/an old name, in two parts", 2), 0);
    assert_int_equal(put_marked(v, "/sd/far/away", 3), 0);
    for (int i = 0; gap && i < 5; i++) {
        many_name(path, i);
        assert_int_equal(volume_unlink(v, path), 0);
    }
}

enum change { REPLACE, CREATE, RENAME, RENAME_OVER, MKDIR, REMOVE, CHANGES };

static int do_change(struct volumes *v, enum change change)
{
    switch (change) {
    case REPLACE:
        return put_marked(v, "/sd/full/an old name, in two parts", 4);
    case CREATE:
        return put_marked(v, "/sd/full/another name, a long one too", 4);
    case RENAME:
        return volume_rename(v, "/sd/far/away",
                             "/sd/full/another name, a long one too");
    case RENAME_OVER:
        return volume_rename(v, "/sd/far/away",
                             "/sd/full/an old name, in two parts");
    case MKDIR:
        return volume_mkdir(v, "/sd/full/another name, a long one too");
    default:
        return volume_unlink(v, "/sd/full/an old name, in two parts");
    }
}

static void check_names(struct volumes *v, enum change change, int err,
                        int files, bool gap)
{
    static const char long_name[] = "/sd/full/another name, a long one too";
    char path[64];
    for (int i = gap ? 5 : 0; i < files; i++) {
        many_name(path, i);
        assert_int_equal(mark_of(v, path, 5), 1);
    }
    int old = mark_of(v, "/sd/full/an old name, in two parts", 5);
    int away = mark_of(v, "/sd/far/away", 5);
    int named = change == MKDIR ? 0 : mark_of(v, long_name, 5);
    switch (change) {
    case REPLACE:
        assert_true(old == 4 || (err && old == 2));
        break;
    case CREATE:
        assert_true(named == 4 || (err && named == -ENOENT));
        break;
    case RENAME:
        assert_true(named == 3 || (err && away == 3));
        break;
    case RENAME_OVER:
        assert_true(old == 3 || (err && old == 2 && away == 3));
        break;
    case REMOVE:
        assert_true(old == -ENOENT || (err && old == 2));
        break;
    default:
        break;
    }
    if (change != RENAME && change != RENAME_OVER)
        assert_int_equal(away, 3);
    if (change == MKDIR && !err) {
        strcpy(path, long_name);
        struct volume_info info;
        int dir = volume_opendir(v, path);
        assert_true(dir >= 0);
        assert_int_equal(volume_readdir(v, dir, &info), 0);
        volume_closedir(v, dir);
    }
}

static void change_fails_everywhere(struct world *w, enum change change,
                                    int files, bool gap)
{
    size_t bytes = w->sectors * 512;
    uint8_t *before = malloc(bytes);
    memcpy(before, w->card, bytes);
    bool failed = true;
    for (int n = 1; failed; n++) {
        for (int mode = 0; mode < 3; mode++) {
            memcpy(w->card, before, bytes);
            look_again(w);
            w->fail_at = n;
            w->recover = mode == 1;
            w->pull = mode == 2;
            int err = do_change(w->v, change);
            failed = w->fail_at == 0;
            if (failed != (err != 0))
                fail_msg("change %d, store %d, mode %d: %d (%s)", change, n,
                         mode, err, volume_reason(w->v));
            look_again(w);
            check_names(w->v, change, err, files, gap);
        }
        assert_true(n < 50);
    }
    memcpy(w->card, before, bytes);
    look_again(w);
    free(before);
}

static void make_card(struct world *w, const char *make, uint64_t bytes)
{
    char image[64], line[300];
    snprintf(image, sizeof image, "/tmp/wipy-card-%d.img", (int)getpid());
    FILE *f = fopen(image, "wb");
    assert_int_equal(ftruncate(fileno(f), (off_t)bytes), 0);
    fclose(f);
    snprintf(line, sizeof line,
             "PATH=$PATH:/usr/sbin:/sbin %s %s >/dev/null 2>&1", make, image);
    assert_int_equal(system(line), 0);
    insert(w, bytes);
    f = fopen(image, "rb");
    assert_int_equal(fread(w->card, bytes, 1, f), 1);
    fclose(f);
    unlink(image);
    assert_int_equal(volume_mount(w->v, "/sd"), 0);
}

static void a_failing_card_loses_no_name(void **state)
{
    struct world *w = *state;
    /* `files` and some more end their folder's cluster. */
    static const struct {
        const char *make;
        uint64_t bytes;
        int files, more;
    } kinds[] = {
        {"mkfs.fat -F 12 -s 1", 2 << 20, 9, 4},
        {"mkfs.fat -F 16 -s 4", 10 << 20, 18, 4},
        {"mkfs.fat -F 32 -s 1", 34 << 20, 9, 2},
        {"mkfs.exfat -c 4096", 8 << 20, 28, 4},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int more = 0; more < kinds[k].more; more++) {
            int files = kinds[k].files + more;
            bool gap = more % 2;
            make_card(w, kinds[k].make, kinds[k].bytes);
            furnish(w->v, files, gap);
            for (int change = 0; change < CHANGES; change++)
                change_fails_everywhere(w, change, files, gap);
            assert_int_equal(volume_umount(w->v, "/sd", true), 0);
        }
}

static void write_protected(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    char text[8];
    insert(w, 8 << 20);
    assert_int_equal(volume_mkfs(v, "/sd"), 0);
    assert_int_equal(volume_mount(v, "/sd"), 0);
    put(v, "/sd/a", "1", 1);
    assert_int_equal(volume_umount(v, "/sd", false), 0);
    w->readonly = true;
    assert_int_equal(volume_mount(v, "/sd"), 0);
    assert_int_equal(get(v, "/sd/a", text, 8), 1);
    assert_int_equal(put(v, "/sd/b", "1", 1), -EROFS);
    assert_int_equal(volume_unlink(v, "/sd/a"), -EROFS);
    assert_int_equal(volume_mkfs(v, "/sd"), -EROFS);
}

/* Formatted by a PC's tools; checked by them afterwards. */
static void from_a_pc(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *make, *check;
        uint64_t bytes;
    } kinds[] = {
        {"mkfs.fat -F 12 %s", "fsck.fat -n %s", 4 << 20},
        {"mkfs.fat -F 16 %s", "fsck.fat -n %s", 16 << 20},
        {"mkfs.fat -F 32 -s 1 %s", "fsck.fat -n %s", 40 << 20},
        {"mkfs.exfat %s", "fsck.exfat -n %s", 32 << 20},
    };
    static uint8_t data[300000], back[300000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        char image[64], command[256], line[300];
        snprintf(image, sizeof image, "/tmp/wipy-card-%d.img", (int)getpid());
        FILE *f = fopen(image, "wb");
        assert_int_equal(ftruncate(fileno(f), (off_t)kinds[k].bytes), 0);
        fclose(f);
        snprintf(command, sizeof command, kinds[k].make, image);
        snprintf(line, sizeof line,
                 "PATH=$PATH:/usr/sbin:/sbin %s >/dev/null 2>&1", command);
        assert_int_equal(system(line), 0);
        insert(w, kinds[k].bytes);
        f = fopen(image, "rb");
        assert_int_equal(fread(w->card, kinds[k].bytes, 1, f), 1);
        fclose(f);
        assert_int_equal(volume_mount(w->v, "/sd"), 0);
        assert_int_equal(volume_mkdir(w->v, "/sd/folder"), 0);
        assert_int_equal(
            put(w->v, "/sd/folder/A long n\xc3\xa4me.bin", data, sizeof data),
            0);
        assert_int_equal(put(w->v, "/sd/folder/b", data, 10), 0);
        assert_int_equal(put(w->v, "/sd/folder/b", data, 20), 0);
        assert_int_equal(volume_rename(w->v, "/sd/folder/b", "/sd/c"), 0);
        assert_int_equal(volume_umount(w->v, "/sd", false), 0);
        f = fopen(image, "wb");
        fwrite(w->card, kinds[k].bytes, 1, f);
        fclose(f);
        snprintf(command, sizeof command, kinds[k].check, image);
        snprintf(line, sizeof line,
                 "PATH=$PATH:/usr/sbin:/sbin %s >/dev/null 2>&1", command);
        if (system(line) != 0)
            print_error("%s complains\n", command);
        assert_int_equal(system(line), 0);
        unlink(image);
        assert_int_equal(volume_mount(w->v, "/sd"), 0);
        assert_int_equal(
            get(w->v, "/sd/FOLDER/A long n\xc3\x84me.bin", back, sizeof back),
            sizeof data);
        assert_memory_equal(data, back, sizeof data);
        assert_int_equal(get(w->v, "/sd/c", back, 100), 20);
        assert_int_equal(volume_umount(w->v, "/sd", false), 0);
    }
}

/* Whatever a card says, nothing but errors comes of it. */
static void hostile(void **state)
{
    struct world *w = *state;
    static uint8_t good[2 << 20];
    uint32_t seed = 11;
    insert(w, sizeof good);
    assert_int_equal(volume_mkfs(w->v, "/sd"), 0);
    assert_int_equal(volume_mount(w->v, "/sd"), 0);
    volume_mkdir(w->v, "/sd/d");
    put(w->v, "/sd/d/a", good, 5000);
    put(w->v, "/sd/b", good, 50);
    assert_int_equal(volume_umount(w->v, "/sd", false), 0);
    memcpy(good, w->card, sizeof good);
    for (int round = 0; round < 3000; round++) {
        memcpy(w->card, good, sizeof good);
        for (int i = 0; i < 1 + round % 30; i++) {
            /* mostly in the partition table, boot sector, FAT and folders */
            uint32_t at = fs_random(&seed, 4) ? fs_random(&seed, 64 * 512)
                                              : fs_random(&seed, 200 * 512);
            w->card[at] = (uint8_t)fs_random(&seed, 256);
        }
        w->insertions++;
        if (volume_mount(w->v, "/sd"))
            continue;
        struct volume_info info;
        int dir = volume_opendir(w->v, "/sd/d");
        for (int i = 0; dir >= 0 && i < 50; i++)
            if (volume_readdir(w->v, dir, &info) != 1)
                break;
        if (dir >= 0)
            volume_closedir(w->v, dir);
        static uint8_t buf[9000];
        get(w->v, "/sd/d/a", buf, sizeof buf);
        put(w->v, "/sd/d/a", buf, 3000);
        put(w->v, "/sd/d/new name.txt", buf, 700);
        volume_unlink(w->v, "/sd/b");
        volume_umount(w->v, "/sd", true);
    }
    assert_int_equal(put(w->v, "/flash/alive", "1", 1), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(comes_and_goes),
        CASE(pulled_while_writing),
        CASE(a_failing_card_is_told_to_who_wrote),
        CASE(a_failing_card_loses_no_name),
        CASE(write_protected),
        CASE(from_a_pc),
        CASE(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
