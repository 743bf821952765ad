/* A model board for tests of boot and update: a chip whose power can be cut
 * during any command in five ways, made-up images, and the start sequence with
 * the real core code. Everything is static: include it once a program. */
#ifndef WIPY_TESTS_BOOTMODEL_H
#define WIPY_TESTS_BOOTMODEL_H

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "boot/boot.h"
#include "boot/diary.h"
#include "update/update.h"

enum tear { TEAR_NOTHING, TEAR_BITS, TEAR_HALF, TEAR_ALL, TEAR_DISTURB, TEARS };

struct model {
    uint8_t *cells;
    uint8_t *base;  /* what model_restore() goes back to */
    uint8_t *dirty; /* sectors changed since */
    uint32_t size;
    struct flash flash;
    uint64_t ops;    /* chip commands since model_restore() */
    uint64_t cut_at; /* 0 = never */
    enum tear tear;
    bool dead;
    uint32_t random;
    uint64_t busy_us; /* W25Q times */
    unsigned lock_count;
    struct {
        uint32_t off, len;
    } lock[16];
    bool locked_hit; /* somebody tried to change a locked range */
};

static uint32_t model_random(struct model *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 17;
    m->random ^= m->random << 5;
    return m->random;
}

static void model_touch(struct model *m, uint32_t off, size_t len)
{
    for (uint32_t s = off / 4096; s <= (off + len - 1) / 4096; s++)
        m->dirty[s] = 1;
}

/* One page beside the range loses or gains a bit. */
static void model_disturb(struct model *m, uint32_t off, size_t len)
{
    bool before = model_random(m) & 1;
    if (off < 256)
        before = false;
    uint32_t page =
        before ? (off & ~255u) - 256 : (off + (uint32_t)len + 255) & ~255u;
    if (page >= m->size)
        return;
    uint32_t at = page + model_random(m) % 256;
    model_touch(m, at, 1);
    m->cells[at] ^= (uint8_t)(1u << model_random(m) % 8);
}

/* `after` is what the range holds when the command is done. */
static int model_apply(struct model *m, uint32_t off, const uint8_t *after,
                       size_t len)
{
    if (m->dead)
        return WIPY_EIO;
    m->ops++;
    model_touch(m, off, len);
    if (m->ops != m->cut_at) {
        memcpy(m->cells + off, after, len);
        return 0;
    }
    m->dead = true;
    switch (m->tear) {
    case TEAR_NOTHING:
        break;
    case TEAR_BITS:
        for (size_t i = 0; i < len; i++) {
            uint8_t mask = (uint8_t)model_random(m);
            m->cells[off + i] =
                (uint8_t)((m->cells[off + i] & ~mask) | (after[i] & mask));
        }
        break;
    case TEAR_HALF:
        memcpy(m->cells + off, after, len / 2);
        break;
    default:
        memcpy(m->cells + off, after, len);
        if (m->tear == TEAR_DISTURB)
            model_disturb(m, off, len);
    }
    return WIPY_EIO;
}

static bool model_locked(struct model *m, uint32_t off, size_t len)
{
    for (unsigned i = 0; i < m->lock_count; i++)
        if (off < m->lock[i].off + m->lock[i].len &&
            m->lock[i].off < off + len) {
            m->locked_hit = true;
            return true;
        }
    return false;
}

static int model_read(void *ctx, flash_off off, void *to, size_t len)
{
    struct model *m = ctx;
    if (off > m->size || len > m->size - off)
        return WIPY_ERANGE;
    memcpy(to, m->cells + off, len);
    return 0;
}

static int model_program(void *ctx, flash_off off, const void *from, size_t len)
{
    struct model *m = ctx;
    const uint8_t *p = from;
    if (off > m->size || len > m->size - off || len > FLASH_PROGRAM_MAX)
        return WIPY_ERANGE;
    if (model_locked(m, off, len))
        return WIPY_ELOCKED;
    while (len) {
        uint8_t after[256];
        size_t n = 256 - off % 256;
        n = n < len ? n : len;
        for (size_t i = 0; i < n; i++)
            after[i] = m->cells[off + i] & p[i];
        m->busy_us += 400;
        int err = model_apply(m, off, after, n);
        if (err)
            return err;
        off += (flash_off)n;
        p += n;
        len -= n;
    }
    return 0;
}

static int model_erase(void *ctx, flash_off off, size_t len)
{
    static uint8_t ff[65536];
    struct model *m = ctx;
    memset(ff, 0xff, sizeof ff);
    if (off % 4096 || len % 4096 || off > m->size || len > m->size - off)
        return WIPY_EINVAL;
    if (model_locked(m, off, len))
        return WIPY_ELOCKED;
    while (len) {
        bool block = off % 65536 == 0 && len >= 65536;
        size_t n = block ? 65536 : 4096;
        m->busy_us += block ? 150000 : 45000;
        int err = model_apply(m, off, ff, n);
        if (err)
            return err;
        off += (flash_off)n;
        len -= n;
    }
    return 0;
}

static void model_init(struct model *m, uint32_t size)
{
    *m = (struct model){.size = size, .random = 0x1234567};
    m->cells = malloc(size);
    m->base = malloc(size);
    m->dirty = calloc(size / 4096, 1);
    memset(m->cells, 0xff, size);
    memset(m->base, 0xff, size);
    m->flash = (struct flash){.ctx = m,
                              .size = size,
                              .read = model_read,
                              .program = model_program,
                              .erase = model_erase,
                              .map = m->cells};
}

static void model_free(struct model *m)
{
    free(m->cells);
    free(m->base);
    free(m->dirty);
}

static void model_power_on(struct model *m)
{
    m->dead = false;
    m->cut_at = 0;
    m->lock_count = 0;
}

/* Makes the state now the one to go back to. */
static void model_keep(struct model *m)
{
    for (uint32_t s = 0; s < m->size / 4096; s++)
        if (m->dirty[s])
            memcpy(m->base + s * 4096, m->cells + s * 4096, 4096);
    memset(m->dirty, 0, m->size / 4096);
}

static void model_restore(struct model *m)
{
    for (uint32_t s = 0; s < m->size / 4096; s++)
        if (m->dirty[s])
            memcpy(m->cells + s * 4096, m->base + s * 4096, 4096);
    memset(m->dirty, 0, m->size / 4096);
    model_power_on(m);
    m->ops = 0;
    m->busy_us = 0;
}

/* Straight into the cells, as a serial loader would. */
static void model_put(struct model *m, uint32_t off, const void *from,
                      size_t len)
{
    model_touch(m, off, len);
    memcpy(m->cells + off, from, len);
}

static void model_fill(struct model *m, uint32_t off, uint8_t v, size_t len)
{
    model_touch(m, off, len);
    memset(m->cells + off, v, len);
}

static int model_lock(void *ctx, uint32_t off, uint32_t len)
{
    struct model *m = ctx;
    m->lock[m->lock_count].off = off;
    m->lock[m->lock_count++].len = len;
    return 0;
}

/* ---- images ---- */

/* The headers of a static executable whose one segment is the whole file. */
static void put_elf_headers(uint8_t *elf, size_t len)
{
    enum { BASE = 0x400000, PH = 64 };
    memset(elf, 0, 120);
    memcpy(elf, "\177ELF\2\1\1", 7);
    elf[16] = 2; /* ET_EXEC */
    elf[18] = IMAGE_MACHINE_HERE;
    elf[20] = 1;
    put_u32(elf + 24, BASE + 120); /* entry */
    elf[32] = PH;
    elf[52] = 64;
    elf[54] = 56;
    elf[56] = 1;     /* one program header */
    elf[PH] = 1;     /* PT_LOAD */
    elf[PH + 4] = 5; /* read, execute */
    put_u32(elf + PH + 16, BASE);
    put_u32(elf + PH + 24, BASE);
    put_u32(elf + PH + 32, (uint32_t)len); /* in the file; in memory more */
    put_u32(elf + PH + 40, (uint32_t)len + 8192);
    put_u32(elf + PH + 48, 4096);
}

/* An image that verifies: `version` in its descriptor, `len` bytes of made-up
 * code, at least 128. With the tail. Returns its length; `to` has room for
 * code_len + 1024. */
static size_t make_image(uint8_t *to, const char *version, size_t code_len,
                         bool tail)
{
    uint8_t *elf = malloc(code_len);
    uint32_t x = 1;
    for (const char *c = version; *c; c++)
        x = x * 31 + (uint8_t)*c;
    for (size_t i = 0; i < code_len; i++) {
        x = x * 1664525 + 1013904223;
        elf[i] = (uint8_t)(x >> 24);
    }
    put_elf_headers(elf, code_len);
    struct image_plan plan = {.project = "wipy",
                              .version = version,
                              .git = "test",
                              .date = "2026-01-01",
                              .time = "12:00",
                              .flash_size = 0x800000,
                              .elf = elf,
                              .elf_len = code_len};
    size_t len = 0, size = image_build_len(code_len) + IMAGE_TAIL_LEN;
    if (image_build(to, size, &plan, &len) != 0)
        abort();
    if (tail && image_add_tail(to, size, &len) != 0)
        abort();
    free(elf);
    return len;
}

/* ---- starts ---- */

struct start {
    struct boot boot;
    struct boot_choice choice;
};

static struct boot_retained model_retained;

/* One pass of the bootloader. Returns boot_open()'s error. */
static int model_start(struct model *m, struct start *s,
                       const struct boot_cause *cause)
{
    static const struct boot_cause usual = {.reset = 1};
    int err = boot_open(&s->boot, &m->flash);
    memset(&s->choice, 0, sizeof s->choice);
    if (err)
        return err;
    boot_decide(&s->boot, cause ? cause : &usual, &model_retained, &s->choice);
    return 0;
}

static void model_lock_all(struct model *m, const struct start *s)
{
    (void)boot_lock(&s->boot, s->choice.handover.slot, model_lock, m);
}

static void model_forget(void)
{
    memset(&model_retained, 0, sizeof model_retained);
}

/* A table with `ota` update slots on a chip of `size`, slots of `slot_len`. */
static void make_table(struct table *t, uint32_t size, unsigned ota,
                       uint32_t slot_len, uint32_t otadata_len)
{
    char text[1024];
    struct table_fault fault;
    int n = snprintf(text, sizeof text,
                     "nvs,data,nvs,0x9000,0x7000\n"
                     "factory,app,factory,0x10000,%u\n"
                     "ota_0,app,ota_0,,%u\n",
                     slot_len, slot_len);
    if (ota > 1)
        n += snprintf(text + n, sizeof text - n, "ota_1,app,ota_1,,%u\n",
                      slot_len);
    n += snprintf(text + n, sizeof text - n,
                  "otadata,data,ota,0x3d0000,%u\n"
                  "keys,data,keys,0x3d2000,0x1000\n"
                  "diary,data,diary,0x3d3000,0x2000\n"
                  "table2,data,table2,0x3d5000,0x1000\n",
                  otadata_len);
    if (table_from_csv(t, text, (size_t)n, size, &fault) != 0) {
        fprintf(stderr, "table: %u %s\n", fault.row, fault.reason);
        abort();
    }
}

static void put_table(struct model *m, const struct table *t)
{
    uint8_t bytes[TABLE_LEN];
    (void)table_write(t, bytes);
    model_put(m, TABLE_OFF, bytes, sizeof bytes);
    const struct partition *p = table_find(t, PART_DATA, PART_TABLE2);
    if (p)
        model_put(m, p->off, bytes, sizeof bytes);
}

#endif
