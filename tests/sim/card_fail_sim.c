/* A card that fails at each store of a change: who wrote is told, and no name
 * is lost. */
#include "card_world.h"

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

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_failing_card_is_told_to_who_wrote),
        CASE(a_failing_card_loses_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
