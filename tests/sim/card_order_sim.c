/* A card that is pulled at each store of a change that frees clusters, while
 * another writer's file grows: fsck.fat finds lost clusters at most, never a
 * name over clusters that are free or another's. */
#include "card_world.h"

#include <stdlib.h>

#include "base/cursor.h"

enum {
    PIECE = 20000,
    MBR_FIRST = 446 + 8, /* of the first partition: sector, count */
};

struct before {
    int up, log; /* files open when the change begins */
};

/* A temporary name is on the card, its contents and those of a log are not
 * yet all there. */
static struct before begin(struct volumes *v, const uint8_t *piece)
{
    struct before b;
    b.up = volume_open(v, "/sd/d/file",
                       VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC |
                           VOLUME_HIDDEN);
    assert_true(b.up >= 0);
    assert_int_equal(volume_write(v, b.up, piece, PIECE), PIECE);
    b.log = volume_open(v, "/sd/log", VOLUME_WRITE);
    assert_true(b.log >= 0);
    assert_int_equal(volume_mkdir(v, "/sd/e"), 0); /* stores all so far */
    assert_int_equal(volume_seek(v, b.log, PIECE, SEEK_SET), PIECE);
    assert_int_equal(volume_write(v, b.log, piece, PIECE), PIECE);
    return b;
}

enum change { ABANDON, REMOVE, RENAME_OVER, TRUNCATE, REPLACE, CHANGES };

static void do_change(struct volumes *v, enum change change, struct before *b,
                      const uint8_t *piece)
{
    switch (change) {
    case ABANDON:
        volume_abandon(v, b->up);
        b->up = -1;
        break;
    case REMOVE:
        volume_unlink(v, "/sd/d/big");
        break;
    case RENAME_OVER:
        volume_rename(v, "/sd/d/small", "/sd/d/big");
        break;
    case TRUNCATE:
        volume_truncate(v, b->log, 100);
        volume_seek(v, b->log, 100, SEEK_SET);
        volume_write(v, b->log, piece, PIECE);
        volume_mkdir(v, "/sd/g");
        break;
    default:
        put(v, "/sd/d/big", piece, 100);
    }
}

/* What fsck.fat says is worse than a lost cluster, or one more at the end of
 * a file; "" = nothing. */
static void worse(const struct world *w, char *to, size_t size)
{
    char image[64], line[300];
    snprintf(image, sizeof image, "/tmp/wipy-order-%d.img", (int)getpid());
    FILE *f = fopen(image, "wb");
    const size_t from = (size_t)get_u32(w->card + MBR_FIRST) * 512;
    const size_t len = (size_t)get_u32(w->card + MBR_FIRST + 4) * 512;
    assert_true(len && from + len <= w->sectors * 512);
    assert_int_equal(fwrite(w->card + from, len, 1, f), 1);
    fclose(f);
    snprintf(line, sizeof line,
             "PATH=$PATH:/usr/sbin:/sbin fsck.fat -n %s | "
             "grep -E 'free cluster|share|length is [0-9]|bad cluster'",
             image);
    f = popen(line, "r");
    to[fread(to, 1, size - 1, f)] = 0;
    pclose(f);
    unlink(image);
}

static void pull_everywhere(struct world *w, enum change change,
                            const uint8_t *piece)
{
    size_t bytes = w->sectors * 512;
    uint8_t *saved = malloc(bytes);
    memcpy(saved, w->card, bytes);
    bool failed = true;
    int n = 1;
    for (; failed; n++) {
        char text[300];
        memcpy(w->card, saved, bytes);
        look_again(w);
        struct before b = begin(w->v, piece);
        w->fail_at = n;
        w->pull = true;
        do_change(w->v, change, &b, piece);
        failed = w->fail_at == 0;
        worse(w, text, sizeof text);
        if (failed && *text)
            fail_msg("change %d, store %d: %s", change, n, text);
        w->fail_at = 0;
        if (b.up >= 0)
            volume_abandon(w->v, b.up);
        volume_close(w->v, b.log);
    }
    assert_in_range(n, 3, 60);
    memcpy(w->card, saved, bytes);
    look_again(w);
    free(saved);
}

static void a_pulled_card_has_lost_clusters_at_most(void **state)
{
    struct world *w = *state;
    static uint8_t piece[PIECE];
    static const uint64_t sizes[] = {8 << 20, 40 << 20}; /* FAT16, FAT32 */
    memset(piece, 'p', sizeof piece);
    for (int k = 0; k < 2; k++) {
        insert(w, sizes[k]);
        assert_int_equal(volume_mkfs(w->v, "/sd"), 0);
        assert_int_equal(volume_mount(w->v, "/sd"), 0);
        assert_int_equal(volume_mkdir(w->v, "/sd/d"), 0);
        assert_int_equal(put(w->v, "/sd/d/file", piece, 1000), 0);
        assert_int_equal(put(w->v, "/sd/d/big", piece, PIECE), 0);
        assert_int_equal(put(w->v, "/sd/d/small", piece, 1), 0);
        assert_int_equal(put(w->v, "/sd/log", piece, PIECE), 0);
        for (int change = 0; change < CHANGES; change++)
            pull_everywhere(w, change, piece);
        assert_int_equal(volume_umount(w->v, "/sd", true), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pulled_card_has_lost_clusters_at_most,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
