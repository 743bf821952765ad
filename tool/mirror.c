#include "mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "loader_flash.h"

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

/* The second copy of the table is only asked for when the first is bad. */
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
    } while (err < 0 && loader_recovered(m->l, &again));
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

void mirror_put(struct mirror *m, uint32_t off, const void *data, size_t len)
{
    size_t end = (len + FLASH_SECTOR - 1) / FLASH_SECTOR * FLASH_SECTOR;
    if (off > m->flash.size || end > m->flash.size - off)
        return;
    memset(m->chip + off, 0xff, end);
    memcpy(m->chip + off, data, len);
}

/* The head of the image says how long it is. */
static int fetch_slot(struct mirror *m, const struct boot *b, unsigned slot)
{
    struct boot_slot s = b->slot[slot];
    struct image im;
    if (m->has_slot[slot] || s.size == 0 || s.off > m->flash.size ||
        s.size > m->flash.size - s.off)
        return 0;
    int err = fetch(m, slot_name(slot), s.off, FLASH_SECTOR);
    if (err < 0)
        return err;
    m->has_slot[slot] = true;
    image_parse(&im, m->chip + s.off, FLASH_SECTOR);
    uint64_t len = IMAGE_HEADER_LEN;
    for (unsigned i = 0; i < im.segments && i < IMAGE_SEGMENTS_MAX; i++)
        len += IMAGE_SEGMENT_HEADER_LEN + im.segment[i].len;
    if (m->chip[s.off] != IMAGE_MAGIC || len <= IMAGE_HEADER_LEN)
        return 0;
    len += 16 + SHA256_LEN + IMAGE_SIGN_LEN + IMAGE_TAIL_LEN;
    if (len > s.size)
        len = s.size;
    return fetch(m, slot_name(slot), s.off, (uint32_t)len);
}

static int open_boot(struct mirror *m, struct boot *b)
{
    return boot_open_for(b, &m->flash, m->l->chip.machine);
}

int mirror_read_slots(struct mirror *m)
{
    struct boot b;
    if (open_boot(m, &b) < 0)
        return 0;
    int err = 0;
    for (unsigned slot = 0; !err && slot < SLOTS; slot++)
        err = fetch_slot(m, &b, slot);
    const struct partition *diary = table_find(&b.table, PART_DATA, PART_DIARY);
    if (!err && diary && !m->has_diary) {
        m->has_diary = true;
        err = fetch_sparse(m, diary->label, diary->off, diary->size);
    }
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
    err = fetch_slot(m, &b, b.record.active);
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
