#include "mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "clock.h"
#include "loader_flash.h"
#include "words/words.h"

static int ram_read(void *ctx, flash_off off, void *to, size_t len)
{
    memcpy(to, (const uint8_t *)ctx + off, len);
    return 0;
}

static int ram_program(void *ctx, flash_off off, const void *from, size_t len)
{
    const uint8_t *p = from;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)ctx)[off + i] &= p[i];
    return 0;
}

static int ram_erase(void *ctx, flash_off off, size_t len)
{
    memset((uint8_t *)ctx + off, 0xff, len);
    return 0;
}

static struct flash ram_flash(uint8_t *chip, uint32_t size)
{
    return (struct flash){.ctx = chip,
                          .size = size,
                          .read = ram_read,
                          .program = ram_program,
                          .erase = ram_erase,
                          .map = chip};
}

static int fetch(struct mirror *m, const char *what, uint32_t off, uint32_t len)
{
    if (off > m->flash.size || len > m->flash.size - off)
        return 0; /* the table is wrong; boot_open will say so */
    return loader_read(m->l, what, off, m->chip + off, len);
}

enum { SPARSE_MIN = 512 };

/* Most of a sector of records is blank: digests are asked for first, in
 * halves, and only what is written is read. */
static int fetch_sparse(struct mirror *m, const char *what, uint32_t off,
                        uint32_t len)
{
    uint8_t there[MD5_LEN], blank[MD5_LEN];
    if (off > m->flash.size || len > m->flash.size - off)
        return 0;
    int err = loader_md5(m->l, off, len, there);
    if (err < 0)
        return err;
    md5_of(m->chip + off, len, blank); /* FF, or what was read before */
    if (memcmp(there, blank, MD5_LEN) == 0)
        return 0;
    if (len <= SPARSE_MIN)
        return fetch(m, what, off, len);
    err = fetch_sparse(m, what, off, len / 2);
    return err ? err : fetch_sparse(m, what, off + len / 2, len - len / 2);
}

static int fetch_records(struct mirror *m, const struct table *table)
{
    int err = 0;
    for (unsigned i = 0; !err && i < table->count; i++) {
        const struct partition *p = &table->row[i];
        bool wanted = p->type == PART_DATA &&
                      (p->subtype == PART_OTADATA || p->subtype == PART_KEYS);
        if (wanted && p->size <= 4 * FLASH_SECTOR)
            err = fetch_sparse(m, p->label, p->off, p->size);
    }
    return err;
}

/* The boot needs the second copy of the table only when the first is bad. */
static int fetch_tables(struct mirror *m, struct table *table)
{
    struct table_source source;
    const struct table *map = table_default(m->flash.size);
    int err = fetch_sparse(m, "table", TABLE_OFF, TABLE_SECTOR);
    table->count = 0;
    if (err < 0 || (table_load(table, m->chip, m->flash.size, &source) == 0 &&
                    !source.first_bad))
        return err;
    const struct partition *second =
        map ? table_find(map, PART_DATA, PART_TABLE2) : NULL;
    if (second)
        err = fetch_sparse(m, "table2", second->off, second->size);
    if (!err && table_load(table, m->chip, m->flash.size, &source) < 0)
        table->count = 0; /* nothing to go by; boot_open will say so */
    return err;
}

/* Pieces that were read before the line broke count. */
static int fetch_all(struct mirror *m)
{
    struct table table;
    unsigned again = 0;
    int err;
    do {
        err = fetch_tables(m, &table);
        if (!err)
            err = fetch_records(m, &table);
    } while (err < 0 && loader_recovered(m->l, &err, &again));
    return err;
}

int mirror_open(struct mirror *m, struct loader *l)
{
    *m = (struct mirror){.l = l};
    m->chip = malloc(l->chip.flash_size);
    if (!m->chip)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    memset(m->chip, 0xff, l->chip.flash_size);
    m->flash = ram_flash(m->chip, l->chip.flash_size);
    return fetch_all(m);
}

void mirror_close(struct mirror *m)
{
    free(m->chip);
    m->chip = NULL;
}

static int open_boot(struct mirror *m, struct boot *b)
{
    return boot_open_for(b, &m->flash, m->l->chip.machine);
}

void mirror_put(struct mirror *m, uint32_t off, const void *data, size_t len)
{
    size_t end = (len + FLASH_SECTOR - 1) / FLASH_SECTOR * FLASH_SECTOR;
    if (off > m->flash.size || end > m->flash.size - off)
        return;
    memset(m->chip + off, 0xff, end);
    memcpy(m->chip + off, data, len);
    struct boot b;
    if (open_boot(m, &b) < 0)
        return;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (b.slot[slot].size && b.slot[slot].off == off)
            m->has_slot[slot] = true;
}

/* Reading an image takes its time over a line with a speed. */
enum { IMAGE_READ_MS_MAX = 1000 };

/* The head of the image says how long it is. With `impatient` the rest stays
 * unread when that would take long (m->head_only). */
static int fetch_slot(struct mirror *m, const struct boot *b, unsigned slot,
                      bool impatient)
{
    struct boot_slot s = b->slot[slot];
    struct image im;
    m->head_only = false;
    if (m->has_slot[slot] || s.size == 0 || s.off > m->flash.size ||
        s.size > m->flash.size - s.off)
        return 0;
    uint64_t start = clock_now_us();
    int err = fetch(m, slot_name(slot), s.off, FLASH_SECTOR);
    uint64_t us = clock_now_us() - start;
    if (err < 0)
        return err;
    image_parse(&im, m->chip + s.off, FLASH_SECTOR);
    uint64_t len = IMAGE_HEADER_LEN;
    for (unsigned i = 0; i < im.segments && i < IMAGE_SEGMENTS_MAX; i++)
        len += IMAGE_SEGMENT_HEADER_LEN + im.segment[i].len;
    if (m->chip[s.off] != IMAGE_MAGIC || len <= IMAGE_HEADER_LEN)
        return 0;
    len += 16 + SHA256_LEN + IMAGE_SIGN_LEN + IMAGE_TAIL_LEN;
    if (len > s.size)
        len = s.size;
    m->head_only =
        impatient && us * len / FLASH_SECTOR / 1000 > IMAGE_READ_MS_MAX;
    if (m->head_only)
        return 0;
    m->has_slot[slot] = true;
    return fetch(m, slot_name(slot), s.off, (uint32_t)len);
}

int mirror_read_slots(struct mirror *m)
{
    struct boot b;
    if (open_boot(m, &b) < 0)
        return 0;
    int err = 0;
    for (unsigned slot = 0; !err && slot < SLOTS; slot++)
        err = fetch_slot(m, &b, slot, false);
    static const uint8_t others[] = {PART_TABLE2, PART_DIARY};
    for (size_t i = 0; !err && !m->has_rest && i < sizeof others; i++) {
        const struct partition *p = table_find(&b.table, PART_DATA, others[i]);
        if (p && p->size <= 4 * FLASH_SECTOR)
            err = fetch_sparse(m, p->label, p->off, p->size);
    }
    m->has_rest = !err;
    return err;
}

/* The decision writes to the record: on a copy. */
static int decide(struct mirror *m, struct boot_choice *choice)
{
    uint8_t *copy = malloc(m->flash.size);
    struct boot_retained retained = {0};
    struct boot_cause cause = {.reset = 1};
    struct boot b;
    if (!copy)
        return WIPY_ENOMEM;
    memcpy(copy, m->chip, m->flash.size);
    struct flash flash = ram_flash(copy, m->flash.size);
    int err = boot_open_for(&b, &flash, m->l->chip.machine);
    *choice = (struct boot_choice){0};
    if (err >= 0)
        boot_decide(&b, &cause, &retained, choice);
    choice->image.data = NULL; /* it was in the copy */
    choice->image.elf = NULL;
    free(copy);
    return err;
}

/* What the record selects, from the head of its image alone. */
static int from_record(struct mirror *m, const struct boot *b, unsigned *slot,
                       char text[160])
{
    struct image im;
    *slot = b->record.active;
    image_parse(&im, m->chip + b->slot[*slot].off, FLASH_SECTOR);
    snprintf(text, 160, "%s: %s %s (selected; its image was not read back)",
             slot_name(*slot), im.project, im.version);
    return 0;
}

int mirror_next_boot(struct mirror *m, unsigned *slot, char text[160])
{
    struct boot b;
    struct boot_choice choice;
    int err = open_boot(m, &b);
    if (err < 0) {
        snprintf(text, 160, "nothing: %s",
                 b.table_source.fault.reason ? b.table_source.fault.reason
                                             : wipy_strerror(err));
        return WIPY_ENOENT;
    }
    err = fetch_slot(m, &b, b.record.active, true);
    if (!err && m->head_only)
        return from_record(m, &b, slot, text);
    if (!err)
        err = decide(m, &choice);
    /* Not the selected one: it depends on what the others hold. */
    if (!err && (!choice.run || choice.handover.slot != b.record.active)) {
        err = mirror_read_slots(m);
        if (!err)
            err = decide(m, &choice);
    }
    if (err < 0)
        return err;
    if (!choice.run) {
        snprintf(text, 160, "nothing: no slot holds a good image");
        return WIPY_ENOENT;
    }
    *slot = choice.handover.slot;
    snprintf(text, 160, "%s: %s %s (%s)", slot_name(*slot),
             choice.image.project, choice.image.version,
             boot_why_text(choice.handover.why));
    return 0;
}
