/* /sd: cards as a PC formats them, pulled, write-protected and hostile. */
#include "card_world.h"

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
        CASE(comes_and_goes),  CASE(pulled_while_writing),
        CASE(write_protected), CASE(from_a_pc),
        CASE(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
