/* What goes where: files, their places, and whether they may go there. Used
 * by flash, verify, package and update. */
#ifndef WIPY_TOOL_PLAN_H
#define WIPY_TOOL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "image/table.h"
#include "loader_args.h"
#include "loader_flash.h"
#include "mirror.h"

enum { PLAN_MAX = 32, PLAN_FILE_MAX = 16 << 20 };

struct plan_item {
    char target[24];  /* as asked for: "factory" or "0x10000" */
    char name[256];   /* of the file, without folders; controls as \ */
    char place[24];   /* name of what lies there, "" when unknown */
    const char *note; /* why it is as it is, or NULL */
    uint8_t *data;    /* malloc, the plan's */
    size_t len;
    size_t file_len; /* of the file; `len` is more when it was padded */
    uint32_t off;
    bool resolved; /* `off` is known */
    struct write_result result;
};

struct plan {
    struct plan_item item[PLAN_MAX];
    unsigned count;
    struct table table; /* map by which names are understood */
    bool has_table;
    const char *table_from; /* "the chip", "partitions.bin" … */
};

void plan_free(struct plan *p);

/* Reads the file. Returns an enum exit_code after a message. */
int plan_add_file(struct plan *p, const char *target, const char *path);

/* Takes `data` (malloc) over, also when it fails. */
int plan_add(struct plan *p, const char *target, const char *name,
             uint8_t *data, size_t len);

/* Offsets of all targets: by the partition table in the plan itself, else the
 * chip's, else the default one for its size. Names that are none, files that
 * do not fit, places that overlap are refused. Adds the second copy of a
 * table that has one. Returns an enum exit_code after a message. */
int plan_resolve(struct plan *p, const struct mirror *m);

/* The same for a board that is connected: reads its table first. */
int plan_of_board(struct plan *p, struct loader *l);

/* Only offsets, for a chip not there: numbers and the default names. */
int plan_resolve_offline(struct plan *p, uint32_t chip_size);

/* Refuses what cannot run there or would not boot (other machine, no image at
 * 0x1000, a bootloader in a slot) unless `force`. */
int plan_guard(const struct plan *p, const struct chip_facts *chip, bool force);

/* "factory" for an offset a partition begins at, NULL otherwise. */
const char *plan_place(const struct plan *p, uint32_t off);

/* The slot an item is the image of, or -1. */
int plan_slot(const struct plan *p, const struct plan_item *item);

/* The table of what goes where, on `to`. */
void plan_print(const struct plan *p, FILE *to);

/* Where a name lies: partition, "bootloader", "partitions", or a number.
 * `size` is the room there. */
bool plan_target(const struct plan *p, const char *target, uint32_t *off,
                 uint32_t *size, uint32_t chip_size);

/* The same with a message; 0 or EXIT_USAGE. */
int plan_locate(const struct plan *p, const char *target, uint32_t *off,
                uint32_t *size, uint32_t chip_size);

/* The table's name for the vendor's other name of a partition, or NULL. */
const char *plan_other_name(const char *name);

/* After factory or an update slot was given: the boot record, so that what
 * was flashed last is what runs; on the chip and in the mirror. `changed`: the
 * slot's content is another than before. Writes nothing when it is so already.
 * Returns 0 or a negative enum wipy_err (l->error). */
int plan_boot_record(struct loader *l, struct mirror *m, unsigned slot,
                     uint32_t size, bool changed, bool *wrote);

#endif
