/* A board's volumes with a card that is pulled, protected or failing. */
#ifndef WIPY_TESTS_CARD_WORLD_H
#define WIPY_TESTS_CARD_WORLD_H

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

static inline uint32_t insertions(void *ctx)
{
    const struct world *w = ctx;
    return w->in ? w->insertions : 0;
}

static inline uint64_t sectors(void *ctx)
{
    return ((struct world *)ctx)->sectors;
}

static inline bool is_readonly(void *ctx)
{
    return ((struct world *)ctx)->readonly;
}

static inline int card_read(void *ctx, uint32_t sector, void *to,
                            uint32_t count)
{
    struct world *w = ctx;
    if (!w->in || w->failing)
        return WIPY_EIO;
    assert_true(sector + (uint64_t)count <= w->sectors);
    memcpy(to, w->card + (size_t)sector * 512, (size_t)count * 512);
    return 0;
}

static inline int card_store(void *ctx, const struct volume_card_part *parts,
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

static inline void insert(struct world *w, uint64_t bytes)
{
    w->card = realloc(w->card, bytes);
    memset(w->card, 0, bytes);
    w->sectors = bytes / 512;
    w->insertions++;
    w->in = true;
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
    struct world *w = *state;
    volumes_stop(w->v);
    fs_chip_free(&w->chip);
    free(w->card);
    free(w);
    return 0;
}

static inline int put(struct volumes *v, const char *path, const void *data,
                      size_t len)
{
    int file =
        volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    int err = file < 0 ? file : volume_write(v, file, data, len);
    int closed = file < 0 ? 0 : volume_close(v, file);
    return err < 0 ? err : closed;
}

static inline int get(struct volumes *v, const char *path, void *to, size_t len)
{
    int file = volume_open(v, path, VOLUME_READ);
    int got = file < 0 ? file : volume_read(v, file, to, len);
    if (file >= 0)
        volume_close(v, file);
    return got;
}

/* The same card, in another slot. */
static inline void look_again(struct world *w)
{
    w->fail_at = 0;
    w->failing = false;
    w->in = true;
    w->insertions++;
    volume_umount(w->v, "/sd", true);
    assert_int_equal(volume_mount(w->v, "/sd"), 0);
}

#endif
