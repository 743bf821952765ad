/* The volumes over a model chip: what a user of /flash relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include "firmware/volume/volume.h"
#include "flash/ftl.h"
#include "fs_chip.h"

enum { SIZE = 512 * 1024 };

struct world {
    struct fs_chip chip;
    struct volumes *v;
};

static int64_t now(void *ctx)
{
    (void)ctx;
    return 1795248000; /* 2026-11-21 */
}

static int start(struct world *w)
{
    struct volume_config config = {
        .flash = w->chip.flash, .fs_size = w->chip.chip.size, .now = now};
    return volumes_start(&w->v, &config);
}

/* Power off without a word, and on. */
static void power_cycle(struct world *w)
{
    volumes_stop(w->v); /* frees the memory; what it writes is taken back */
    assert_int_equal(start(w), 0);
}

static void cut_power(struct world *w)
{
    uint8_t *cells = malloc(SIZE);
    memcpy(cells, w->chip.chip.cells, SIZE);
    volumes_stop(w->v);
    memcpy(w->chip.chip.cells, cells, SIZE);
    free(cells);
    assert_int_equal(start(w), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    fs_chip_make(&w->chip, SIZE);
    *state = w;
    return start(w);
}

static int teardown(void **state)
{
    struct world *w = *state;
    volumes_stop(w->v);
    fs_chip_free(&w->chip);
    free(w);
    return 0;
}

static int put(struct volumes *v, const char *path, const char *text)
{
    int file =
        volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (file < 0)
        return file;
    int err = volume_write(v, file, text, strlen(text));
    int closed = volume_close(v, file);
    return err < 0 ? err : closed;
}

static const char *get(struct volumes *v, const char *path)
{
    static char text[70000];
    int file = volume_open(v, path, VOLUME_READ);
    if (file < 0)
        return strerror(-file);
    int len = volume_read(v, file, text, sizeof text - 1);
    text[len < 0 ? 0 : len] = 0;
    volume_close(v, file);
    return text;
}

static const char *list(struct volumes *v, const char *path)
{
    static char text[4096];
    struct volume_info info;
    int dir = volume_opendir(v, path);
    if (dir < 0)
        return strerror(-dir);
    text[0] = 0;
    while (volume_readdir(v, dir, &info) == 1)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s ",
                 info.name, info.is_dir ? "/" : "");
    volume_closedir(v, dir);
    return text;
}

static void a_blank_chip_gets_its_first_files(void **state)
{
    struct world *w = *state;
    struct volume_status status;
    assert_int_equal(volume_status(w->v, "/flash", &status), 0);
    assert_int_equal(status.state, VOLUME_MOUNTED);
    assert_true(status.formatted);
    assert_int_equal(volume_populate(w->v), 0);
    assert_string_equal(list(w->v, "/"), "flash/ ");
    assert_string_equal(list(w->v, "/flash"),
                        "sys/ lib/ cert/ boot.py main.py ");
    assert_string_equal(get(w->v, "/flash/main.py"),
                        "# main.py -- put your code here!\r\n");
    assert_int_equal(put(w->v, "/flash/main.py", "mine"), 0);
    cut_power(w);
    assert_int_equal(volume_populate(w->v), 0);
    assert_string_equal(get(w->v, "/flash/main.py"), "mine");
    assert_int_equal(volume_status(w->v, "/flash", &status), 0);
    assert_false(status.formatted);
}

static void a_replaced_file_keeps_its_contents_until_closed(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    put(v, "/flash/main.py", "the old program");
    int file = volume_open(v, "/flash/MAIN.py",
                           VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    assert_true(file >= 0);
    assert_int_equal(volume_write(v, file, "half", 4), 4);
    assert_string_equal(get(v, "/flash/main.py"), "the old program");
    put(v, "/flash/other.txt", "commits");
    assert_string_equal(list(v, "/flash"), "main.py other.txt ");
    cut_power(w);
    v = w->v;
    assert_string_equal(get(v, "/flash/main.py"), "the old program");
    assert_string_equal(list(v, "/flash"), "main.py other.txt ");
}

static void a_reader_keeps_reading_what_was_replaced(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    char text[8] = {0};
    put(v, "/flash/a", "old1old2");
    int reader = volume_open(v, "/flash/a", VOLUME_READ);
    assert_int_equal(volume_read(v, reader, text, 4), 4);
    assert_int_equal(put(v, "/flash/a", "newnewnew"), 0);
    assert_int_equal(volume_read(v, reader, text, 4), 4);
    assert_memory_equal(text, "old2", 4);
    assert_string_equal(get(v, "/flash/a"), "newnewnew");
    assert_int_equal(volume_unlink(v, "/flash/a"), 0);
    assert_int_equal(volume_close(v, reader), 0);
    cut_power(w);
    assert_string_equal(list(w->v, "/flash"), "");
}

static void open_files_are_locked(void **state)
{
    struct volumes *v = ((struct world *)*state)->v;
    volume_mkdir(v, "/flash/d");
    put(v, "/flash/d/a", "x");
    int file = volume_open(v, "/flash/d/a", VOLUME_READ | VOLUME_WRITE);
    assert_true(file >= 0);
    assert_int_equal(volume_open(v, "/flash/D/A", VOLUME_WRITE), -EBUSY);
    assert_int_equal(volume_unlink(v, "/flash/d/a"), -EBUSY);
    assert_int_equal(volume_rename(v, "/flash/d/a", "/flash/b"), -EBUSY);
    assert_int_equal(volume_rename(v, "/flash/d", "/flash/e"), -EBUSY);
    put(v, "/flash/b", "y");
    assert_int_equal(volume_rename(v, "/flash/b", "/flash/d/a"), -EBUSY);
    assert_int_equal(volume_mkfs(v, "/flash"), -EBUSY);
    assert_int_equal(volume_umount(v, "/flash", false), -EBUSY);
    assert_int_equal(volume_close(v, file), 0);
    assert_int_equal(volume_rename(v, "/flash/b", "/flash/d/a"), 0);
    assert_string_equal(get(v, "/flash/d/a"), "y");
    assert_int_equal(volume_close(v, file), -EBADF);
}

static void names_follow_the_rules(void **state)
{
    struct volumes *v = ((struct world *)*state)->v;
    static const struct {
        const char *path;
        int err;
    } cases[] = {
        {"/flash/a:b", -EINVAL},
        {"/flash/what?", -EINVAL},
        {"/flash/dot.", -EINVAL},
        {"/flash/space ", -EINVAL},
        {"/flash/a\001b", -EINVAL},
        {"/flash/a\xff", -EINVAL},            /* not UTF-8 */
        {"/flash/cut\xc3", -EINVAL},          /* in the middle */
        {"/flash/\xc0\xaf", -EINVAL},         /* an overlong slash */
        {"/flash/\xed\xa0\x80", -EINVAL},     /* half a pair */
        {"/flash/\xf4\x90\x80\x80", -EINVAL}, /* past the end */
        {"relative", -EINVAL},
        {"/nothere/x", -ENOENT},
        {"/flash/no/x", -ENOENT},
        {"/flash/~wipy03.tmp", -EACCES},
        {"/flash", -EISDIR},
        {"/", -EISDIR},
        {"/flash/sys/appimg.bin", -EPERM},
        {"/flash/SYS/MCUIMG.BIN", -EPERM},
        {"/flash/d/../ok.txt", 0},
        {"//flash//./h\xc3\xa9llo \xf0\x9f\x98\x80.txt", 0},
    };
    volume_mkdir(v, "/flash/d");
    volume_mkdir(v, "/flash/sys");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int err = put(v, cases[i].path, "x");
        if (err != cases[i].err)
            print_error("%s: %d, %s\n", cases[i].path, err, volume_reason(v));
        assert_int_equal(err, cases[i].err);
        assert_int_equal(volume_reason(v)[0] != 0, err != 0);
    }
    assert_string_equal(list(v, "/flash"),
                        "d/ sys/ ok.txt h\xc3\xa9llo \xf0\x9f\x98\x80.txt ");
    char longest[300] = "/flash/";
    memset(longest + 7, 'a', 256);
    assert_int_equal(put(v, longest, "x"), -ENAMETOOLONG);
    longest[7 + 255] = 0;
    assert_int_equal(put(v, longest, "x"), 0);
    assert_string_equal(get(v, longest), "x");
    assert_int_equal(volume_mkdir(v, "/flash/d"), -EEXIST);
    assert_int_equal(volume_mkdir(v, "/flash/p/q"), -ENOENT);
    assert_int_equal(volume_mkdir(v, "/none/q"), -ENOENT);
    assert_int_equal(volume_mkdir(v, "/none"), -ENOENT);
    assert_int_equal(volume_mkdir(v, "/"), -EEXIST);
    assert_int_equal(volume_mkdir(v, "/flash"), -EEXIST);
    assert_int_equal(volume_rmdir(v, "/flash/ok.txt"), -ENOTDIR);
    assert_int_equal(volume_unlink(v, "/flash/d"), -EISDIR);
    put(v, "/flash/d/f", "1");
    assert_int_equal(volume_rmdir(v, "/flash/d"), -ENOTEMPTY);
    assert_int_equal(volume_rename(v, "/flash/d", "/flash/d/e"), -EINVAL);
    assert_int_equal(volume_rename(v, "/flash/d", "/flash/sys"), -EEXIST);
    assert_int_equal(volume_rename(v, "/flash/d/f", "/flash/D/F"), 0);
    assert_string_equal(list(v, "/flash/d"), "F ");
    assert_int_equal(volume_rename(v, "/flash/d", "/sd/d"), -ENOENT);
}

static void seek_and_truncate_fill_with_zeros(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    static char junk[5000], zeros[3000], got[6000];
    memset(junk, 'J', sizeof junk);
    junk[4999] = 0;
    put(v, "/flash/junk", junk);
    volume_unlink(v, "/flash/junk");
    int file =
        volume_open(v, "/flash/f",
                    VOLUME_READ | VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    assert_int_equal(volume_write(v, file, "abc", 3), 3);
    assert_int_equal(volume_seek(v, file, 3000, SEEK_SET), 3000);
    assert_int_equal(volume_read(v, file, got, 10), 0);
    assert_int_equal(volume_write(v, file, "xyz", 3), 3);
    assert_int_equal(volume_seek(v, file, -6, SEEK_END), 2997);
    assert_int_equal(volume_seek(v, file, -1, SEEK_SET), -EINVAL);
    assert_int_equal(volume_truncate(v, file, 3002), 0);
    assert_int_equal(volume_truncate(v, file, 4000), 0);
    assert_int_equal(volume_close(v, file), 0);
    cut_power(w);
    v = w->v;
    file = volume_open(v, "/flash/f", VOLUME_READ);
    assert_int_equal(volume_read(v, file, got, sizeof got), 4000);
    assert_memory_equal(got, "abc", 3);
    assert_memory_equal(got + 3, zeros, 2997);
    assert_memory_equal(got + 3000, "xy", 2);
    assert_memory_equal(got + 3002, zeros, 998);
    volume_close(v, file);
}

static void a_full_volume_keeps_what_it_has(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    static char big[40000];
    memset(big, 'b', sizeof big - 1);
    put(v, "/flash/keep", big);
    char name[32];
    int err = 0, count = 0;
    for (; err == 0 && count < 100; count++) {
        snprintf(name, sizeof name, "/flash/fill%d", count);
        err = put(v, name, big);
    }
    assert_int_equal(err, -ENOSPC);
    assert_string_equal(get(v, name), strerror(ENOENT));
    int file = volume_open(v, "/flash/keep", VOLUME_WRITE | VOLUME_TRUNC);
    assert_int_equal(volume_write(v, file, big, sizeof big), -ENOSPC);
    assert_non_null(strstr(volume_reason(v), "delete it first"));
    volume_close(v, file);
    assert_string_equal(get(v, "/flash/keep"), big);
    file = volume_open(v, "/flash/keep", VOLUME_WRITE | VOLUME_APPEND);
    for (err = 0; err >= 0;)
        err = volume_write(v, file, big, 100);
    assert_int_equal(err, -ENOSPC);
    assert_int_equal(volume_close(v, file), 0);
    for (count -= 2; count >= 0; count--) {
        snprintf(name, sizeof name, "/flash/fill%d", count);
        assert_int_equal(volume_unlink(v, name), 0);
    }
    assert_int_equal(put(v, "/flash/again", big), 0);
    cut_power(w);
    assert_string_equal(get(w->v, "/flash/again"), big);
}

static void mkfs_starts_afresh(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    struct volume_space space;
    put(v, "/flash/a", "1");
    assert_int_equal(volume_mkfs(v, "/flash"), 0);
    assert_string_equal(list(v, "/flash"), "");
    assert_int_equal(volume_populate(v), 0);
    cut_power(w);
    v = w->v;
    assert_string_equal(list(v, "/flash"), "sys/ lib/ cert/ boot.py main.py ");
    assert_int_equal(volume_statvfs(v, "/flash", &space), 0);
    assert_int_equal(space.block, 512);
    assert_true(space.free + 5 <= space.blocks && space.blocks > 700);
    assert_int_equal(volume_umount(v, "/flash", false), 0);
    assert_string_equal(list(v, "/"), "");
    assert_int_equal(volume_open(v, "/flash/a", VOLUME_READ), -ENOENT);
    assert_int_equal(volume_mount(v, "/flash"), 0);
    assert_string_equal(get(v, "/flash/boot.py"),
                        "# boot.py -- run on boot-up\r\n");
}

/* Returns its state; one that cannot be written is left as it is. */
static enum volume_state with_bad_sector(struct world *w, uint32_t sector)
{
    struct volume_status status;
    uint8_t *before = malloc(SIZE);
    memcpy(before, w->chip.chip.cells, SIZE);
    w->chip.bad[sector] = 1;
    w->chip.bad_kind = BAD_READ_ERROR;
    cut_power(w);
    assert_int_equal(volume_status(w->v, "/flash", &status), 0);
    if (status.state != VOLUME_MOUNTED) {
        int err = status.state == VOLUME_READONLY ? -EROFS : -EIO;
        assert_true(status.reason[0] != 0);
        assert_int_equal(put(w->v, "/flash/keep", "new"), err);
        assert_non_null(strstr(volume_reason(w->v), status.reason));
        assert_int_equal(put(w->v, "/flash/new", "new"), err);
        assert_int_equal(volume_unlink(w->v, "/flash/keep"), err);
        assert_int_equal(volume_mkdir(w->v, "/flash/d"), err);
        assert_int_equal(volume_populate(w->v), err);
        volumes_stop(w->v);
        assert_memory_equal(before, w->chip.chip.cells, SIZE);
        assert_int_equal(start(w), 0);
    }
    w->chip.bad[sector] = 0;
    w->chip.bad_kind = BAD_NOT;
    memcpy(w->chip.chip.cells, before, SIZE);
    free(before);
    return status.state;
}

/* Wherever a part of the flash cannot be read any more. */
static void what_is_damaged_is_not_written(void **state)
{
    struct world *w = *state;
    char name[] = "/flash/a";
    static char body[40000];
    int count[4] = {0};
    memset(body, 'b', sizeof body - 1);
    for (; name[7] < 'g'; name[7]++)
        put(w->v, name, body);
    put(w->v, "/flash/keep", "kept");
    for (uint32_t sector = 0; sector < SIZE / FLASH_SECTOR; sector++)
        count[with_bad_sector(w, sector)]++;
    print_message("mounted %d, read-only %d, damaged %d\n",
                  count[VOLUME_MOUNTED], count[VOLUME_READONLY],
                  count[VOLUME_DAMAGED]);
    assert_true(count[VOLUME_MOUNTED] > 0);
    assert_true(count[VOLUME_READONLY] + count[VOLUME_DAMAGED] > 0);
    cut_power(w);
    assert_string_equal(get(w->v, "/flash/keep"), "kept");
}

static void foreign_data_is_not_formatted(void **state)
{
    struct world *w = *state;
    struct volume_status status;
    volumes_stop(w->v);
    memset(w->chip.chip.cells, 0x5A, SIZE);
    uint8_t *before = malloc(SIZE);
    memcpy(before, w->chip.chip.cells, SIZE);
    assert_int_equal(start(w), 0);
    assert_int_equal(volume_status(w->v, "/flash", &status), 0);
    assert_int_equal(status.state, VOLUME_DAMAGED);
    assert_int_equal(volume_populate(w->v), -EIO);
    assert_int_equal(put(w->v, "/flash/x", "1"), -EIO);
    assert_memory_equal(before, w->chip.chip.cells, SIZE);
    free(before);
    assert_int_equal(volume_mkfs(w->v, "/flash"), 0);
    assert_int_equal(put(w->v, "/flash/x", "1"), 0);
    cut_power(w);
    assert_string_equal(get(w->v, "/flash/x"), "1");
}

static void new_files_are_seen_before_they_are_closed(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    struct volume_info info;
    int file = volume_open(v, "/flash/log",
                           VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    volume_write(v, file, "12345", 5);
    assert_string_equal(list(v, "/flash"), "log ");
    assert_int_equal(volume_stat(v, "/flash/log", &info), 0);
    assert_int_equal(info.size, 5);
    assert_int_equal(volume_open(v, "/flash/log", VOLUME_READ), -EBUSY);
    assert_int_equal(volume_sync(v, file), 0);
    assert_string_equal(get(v, "/flash/log"), "12345");
    volume_write(v, file, "678", 3);
    assert_int_equal(volume_close(v, file), 0);
    assert_string_equal(get(v, "/flash/log"), "12345678");
    assert_int_equal(volume_stat(v, "/flash/log", &info), 0);
    assert_int_equal(info.modified, now(NULL));
    assert_int_equal(volume_utime(v, "/flash/log", 1000000000), 0);
    assert_int_equal(volume_stat(v, "/flash/log", &info), 0);
    assert_int_equal(info.modified, 1000000000);
    file = volume_open(v, "/flash/up",
                       VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    volume_write(v, file, "broken", 6);
    assert_int_equal(volume_abandon(v, file), 0);
    power_cycle(w);
    assert_string_equal(list(w->v, "/flash"), "log ");
}

static void uploads_are_seen_when_they_are_complete(void **state)
{
    struct world *w = *state;
    struct volumes *v = w->v;
    struct volume_info info;
    const unsigned upload = VOLUME_WRITE | VOLUME_CREATE | VOLUME_HIDDEN;
    static const unsigned kinds[] = {VOLUME_TRUNC, VOLUME_APPEND};
    assert_int_equal(volume_mkdir(v, "/flash/d"), 0);
    for (int i = 0; i < 2; i++) {
        int file = volume_open(v, "/flash/d/up", upload | kinds[i]);
        assert_int_equal(volume_write(v, file, "12345", 5), 5);
        assert_string_equal(list(v, "/flash/d"), "");
        assert_string_equal(list(v, "/flash"), "d/ ");
        assert_int_equal(volume_stat(v, "/flash/d/up", &info), -ENOENT);
        assert_int_equal(volume_open(v, "/flash/d/up", VOLUME_READ), -ENOENT);
        assert_int_equal(volume_unlink(v, "/flash/d/up"), -ENOENT);
        /* The name is taken all the same, and so is the folder. */
        assert_int_equal(volume_open(v, "/flash/d/UP", upload | kinds[i]),
                         -EBUSY);
        assert_int_equal(volume_mkdir(v, "/flash/d/up"), -EEXIST);
        assert_int_equal(volume_rmdir(v, "/flash/d"), -EBUSY);
        assert_int_equal(volume_close(v, file), 0);
        assert_string_equal(get(v, "/flash/d/up"), "12345");
        assert_string_equal(list(v, "/flash/d"), "up ");
        assert_int_equal(volume_unlink(v, "/flash/d/up"), 0);
        file = volume_open(v, "/flash/d/up", upload | kinds[i]);
        assert_int_equal(volume_abandon(v, file), 0);
        assert_string_equal(list(v, "/flash/d"), "");
    }
    int file = volume_open(v, "/flash/d/up", upload | VOLUME_APPEND);
    assert_int_equal(volume_close(v, file), 0);
    file = volume_open(v, "/flash/d/up", upload | VOLUME_APPEND);
    assert_int_equal(volume_write(v, file, "more", 4), 4);
    assert_string_equal(list(v, "/flash/d"), "up ");
    assert_int_equal(volume_close(v, file), 0);
    assert_string_equal(get(v, "/flash/d/up"), "more");
}

/* FatFs walks a folder from its start for every name: the flash is read for
 * the first walk only. What is read, besides, are the FAT and the bits of
 * sectors just programmed. */
static void a_large_folder_is_read_once(void **state)
{
    struct world *w = *state;
    enum { FILES = 400 };
    char path[64];
    uint64_t before = w->chip.read_bytes;
    assert_int_equal(volume_mkdir(w->v, "/flash/many"), 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/flash/many/file_%04d.txt", i);
        assert_int_equal(put(w->v, path, "x"), 0);
    }
    uint64_t made = w->chip.read_bytes;
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/flash/many/file_%04d.txt", i);
        assert_int_equal(volume_unlink(w->v, path), 0);
    }
    uint64_t gone = w->chip.read_bytes;
    print_message("bytes read: %u a file made, %u a file deleted\n",
                  (unsigned)((made - before) / FILES),
                  (unsigned)((gone - made) / FILES));
    assert_true((made - before) / FILES < 6000);
    assert_true((gone - made) / FILES < 6000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_blank_chip_gets_its_first_files),
        CASE(a_replaced_file_keeps_its_contents_until_closed),
        CASE(a_reader_keeps_reading_what_was_replaced),
        CASE(open_files_are_locked),
        CASE(names_follow_the_rules),
        CASE(seek_and_truncate_fill_with_zeros),
        CASE(a_full_volume_keeps_what_it_has),
        CASE(mkfs_starts_afresh),
        CASE(what_is_damaged_is_not_written),
        CASE(foreign_data_is_not_formatted),
        CASE(new_files_are_seen_before_they_are_closed),
        CASE(uploads_are_seen_when_they_are_complete),
        CASE(a_large_folder_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
