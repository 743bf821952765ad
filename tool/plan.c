#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "file.h"
#include "image/image.h"
#include "loader_args.h"
#include "outcome.h"

void plan_free(struct plan *p)
{
    for (unsigned i = 0; i < p->count; i++)
        free(p->item[i].data);
    p->count = 0;
}

int plan_add(struct plan *p, const char *target, const char *name,
             uint8_t *data, size_t len)
{
    if (p->count == PLAN_MAX || strlen(target) >= sizeof p->item[0].target) {
        free(data);
        complain(p->count == PLAN_MAX
                     ? "wipy: more than 32 files at once (%s)\n"
                     : "wipy: no partition is called '%s'\n",
                 target);
        return EXIT_USAGE;
    }
    struct plan_item *item = &p->item[p->count++];
    *item = (struct plan_item){.data = data, .len = len, .file_len = len};
    snprintf(item->target, sizeof item->target, "%s", target);
    snprintf(item->name, sizeof item->name, "%s", file_base_name(name));
    for (char *c = item->name; *c; c++) /* it is shown on terminals */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '\\';
    return 0;
}

int plan_add_file(struct plan *p, const char *target, const char *path)
{
    struct file_data file;
    int code = file_read(path, PLAN_FILE_MAX, &file);
    if (code)
        return code;
    if (file.len == 0) {
        free(file.data);
        complain("wipy: %s is empty: nothing to flash\n", path);
        return EXIT_FILE;
    }
    return plan_add(p, target, path, file.data, file.len);
}

/* ---- places ---- */

/* Names that are not in any table, and the vendor's other names. */
static const struct {
    const char *name;
    uint32_t off, size;
} fixed[] = {
    {"bootloader", BOOTLOADER_OFF, BOOTLOADER_MAX},
    {"partitions", TABLE_OFF, TABLE_SECTOR},
    {"table", TABLE_OFF, TABLE_SECTOR},
};

const char *plan_other_name(const char *name)
{
    static const char *const others[][2] = {
        {"ota", "otadata"}, {"cb", "config"}, {"fs1", "fs"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(name, others[i][0]) == 0)
            return others[i][1];
    return NULL;
}

bool plan_target(const struct plan *p, const char *target, uint32_t *off,
                 uint32_t *size, uint32_t chip_size)
{
    if (strcmp(target, "all") == 0) {
        *off = 0;
        *size = chip_size;
        return true;
    }
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(target, fixed[i].name) != 0)
            continue;
        *off = fixed[i].off;
        *size = fixed[i].size;
        return true;
    }
    const char *other = plan_other_name(target);
    const struct partition *row =
        p->has_table ? table_find_label(&p->table, target) : NULL;
    if (p->has_table && !row && other)
        row = table_find_label(&p->table, other);
    if (row) {
        *off = row->off;
        *size = row->size;
        return true;
    }
    if (!parse_number(target, off) || *off > chip_size)
        return false;
    *size = chip_size - *off;
    return true;
}

int plan_locate(const struct plan *p, const char *target, uint32_t *off,
                uint32_t *size, uint32_t chip_size)
{
    if (plan_target(p, target, off, size, chip_size))
        return 0;
    complain("wipy: '%s' is neither an offset on a chip of %u MiB nor a "
             "partition of %s; 'wipy chip' lists them\n",
             target, (unsigned)(chip_size >> 20),
             p->table_from ? p->table_from : "a known table");
    return EXIT_USAGE;
}

const char *plan_place(const struct plan *p, uint32_t off)
{
    for (size_t i = 0; i < 2; i++)
        if (fixed[i].off == off)
            return fixed[i].name;
    for (unsigned i = 0; p->has_table && i < p->table.count; i++)
        if (p->table.row[i].off == off)
            return p->table.row[i].label;
    return NULL;
}

int plan_slot(const struct plan *p, const struct plan_item *item)
{
    for (unsigned i = 0; p->has_table && i < p->table.count; i++) {
        const struct partition *row = &p->table.row[i];
        if (row->type != PART_APP || row->off != item->off)
            continue;
        if (row->subtype == PART_FACTORY)
            return 0;
        if (row->subtype == PART_OTA_0 || row->subtype == PART_OTA_1)
            return 1 + row->subtype - PART_OTA_0;
    }
    return -1;
}

/* ---- resolving ---- */

static bool is_table_item(const struct plan_item *item)
{
    uint32_t off;
    return strcmp(item->target, "partitions") == 0 ||
           strcmp(item->target, "table") == 0 ||
           (parse_number(item->target, &off) && off == TABLE_OFF);
}

/* 0, or an exit code after a message: a table that is being written must be
 * one, or the board would not boot. */
static int table_of_plan(struct plan *p, uint32_t chip_size)
{
    struct table_fault fault = {0};
    for (unsigned i = 0; i < p->count; i++) {
        const struct plan_item *item = &p->item[i];
        if (!is_table_item(item))
            continue;
        uint8_t sector[TABLE_SECTOR];
        size_t len = item->len < sizeof sector ? item->len : sizeof sector;
        memset(sector, 0xff, sizeof sector);
        memcpy(sector, item->data, len);
        if (table_parse(&p->table, sector, sizeof sector, chip_size, &fault) <
            0) {
            complain("wipy: %s is no partition table for a chip of %u MiB: %s "
                     "(row %u)\n",
                     item->name, (unsigned)(chip_size >> 20), fault.reason,
                     fault.row);
            return EXIT_FILE;
        }
        p->has_table = true;
        p->table_from = item->name;
    }
    return 0;
}

static int resolve_item(struct plan *p, struct plan_item *item,
                        uint32_t chip_size)
{
    uint32_t size;
    int code = plan_locate(p, item->target, &item->off, &size, chip_size);
    if (code)
        return code;
    const char *place = plan_place(p, item->off);
    uint32_t off = item->off;
    if (place)
        plan_target(p, place, &off, &size, chip_size);
    if (item->len > size) {
        complain("wipy: %s has %zu bytes; %s has room for %u\n", item->name,
                 item->len, place ? place : item->target, (unsigned)size);
        return EXIT_REFUSED;
    }
    if (item->off % FLASH_SECTOR) {
        complain("wipy: 0x%x does not begin a sector (multiples of 0x1000): "
                 "writing there would erase what is before it\n",
                 (unsigned)item->off);
        return EXIT_REFUSED;
    }
    snprintf(item->place, sizeof item->place, "%s", place ? place : "");
    item->resolved = true;
    return 0;
}

static uint64_t sector_end(const struct plan_item *item)
{
    return ((uint64_t)item->off + item->len + FLASH_SECTOR - 1) / FLASH_SECTOR *
           FLASH_SECTOR;
}

static int check_overlap(const struct plan *p)
{
    for (unsigned i = 0; i < p->count; i++)
        for (unsigned j = i + 1; j < p->count; j++) {
            const struct plan_item *a = &p->item[i], *b = &p->item[j];
            if (a->off >= sector_end(b) || b->off >= sector_end(a))
                continue;
            complain("wipy: %s at 0x%x and %s at 0x%x overlap\n", a->name,
                     (unsigned)a->off, b->name, (unsigned)b->off);
            return EXIT_USAGE;
        }
    return 0;
}

/* Both copies of the table must say the same. */
static int add_second_table(struct plan *p)
{
    const struct partition *second =
        p->has_table ? table_find(&p->table, PART_DATA, PART_TABLE2) : NULL;
    const struct plan_item *first = NULL;
    for (unsigned i = 0; i < p->count; i++) {
        if (p->item[i].off == TABLE_OFF)
            first = &p->item[i];
        if (second && p->item[i].off == second->off)
            return 0; /* the user gives it */
    }
    if (!first || !second || first->len > second->size)
        return 0;
    uint8_t *copy = malloc(first->len);
    if (!copy)
        return out_of_memory();
    memcpy(copy, first->data, first->len);
    int code = plan_add(p, second->label, first->name, copy, first->len);
    if (code)
        return code;
    struct plan_item *item = &p->item[p->count - 1];
    item->note = "second copy of the table";
    item->off = second->off;
    item->resolved = true;
    snprintf(item->place, sizeof item->place, "%s", second->label);
    return 0;
}

static int resolve(struct plan *p, uint32_t chip_size)
{
    int code = 0;
    for (unsigned i = 0; !code && i < p->count; i++)
        code = resolve_item(p, &p->item[i], chip_size);
    if (!code)
        code = add_second_table(p);
    return code ? code : check_overlap(p);
}

static void use_default_table(struct plan *p, uint32_t chip_size)
{
    const struct table *map = table_default(chip_size);
    if (!map)
        return;
    p->table = *map;
    p->has_table = true;
    p->table_from = "the default map";
}

int plan_resolve(struct plan *p, const struct mirror *m)
{
    uint32_t chip_size = m->flash.size;
    struct table_source source;
    int code = table_of_plan(p, chip_size);
    if (code)
        return code;
    if (!p->has_table &&
        table_load(&p->table, m->chip, chip_size, &source) == 0) {
        p->has_table = true;
        p->table_from = "the chip's table";
    }
    if (!p->has_table)
        use_default_table(p, chip_size);
    return resolve(p, chip_size);
}

int plan_of_board(struct plan *p, struct loader *l)
{
    struct mirror m = {0};
    int err = mirror_open(&m, l);
    int code = err < 0 ? serial_failed(l, err) : plan_resolve(p, &m);
    mirror_close(&m);
    return code;
}

int plan_resolve_offline(struct plan *p, uint32_t chip_size)
{
    int code = table_of_plan(p, chip_size);
    if (code)
        return code;
    if (!p->has_table)
        use_default_table(p, chip_size);
    return resolve(p, chip_size);
}

/* ---- showing ---- */

void plan_print(const struct plan *p, FILE *to)
{
    for (unsigned i = 0; i < p->count; i++) {
        const struct plan_item *item = &p->item[i];
        fprintf(to, "  0x%06x  %-18s %9zu bytes  %s%s%s\n", (unsigned)item->off,
                item->name, item->len, item->place, item->note ? ": " : "",
                item->note ? item->note : "");
    }
}
