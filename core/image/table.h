/* The partition table: 32-byte rows and an MD5 row in one sector
 * (docs/FORMATS.md, section "Partition table"; spec 1.2 and 1.3).
 *
 * Sizes of everything on the chip come from here and from nowhere else. */
#ifndef WIPY_IMAGE_TABLE_H
#define WIPY_IMAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TABLE_OFF = 0x8000,    /* of the first copy on the chip */
    TABLE_LEN = 0xc00,     /* bytes used, as in partitions.bin */
    TABLE_SECTOR = 0x1000, /* bytes reserved */
    TABLE_ROW_LEN = 32,
    TABLE_ROWS_MAX = 95,
    TABLE_FIRST_OFF = 0x9000, /* no partition may begin before */
};

enum part_type { PART_APP = 0, PART_DATA = 1 };

enum part_subtype {
    PART_FACTORY = 0x00, /* app */
    PART_OTA_0 = 0x10,
    PART_OTA_1 = 0x11,
    PART_TEST = 0x20,
    PART_OTADATA = 0x00, /* data */
    PART_PHY = 0x01,
    PART_NVS = 0x02,
    PART_FS = 0x05,
    PART_CONFIG = 0x06,
    PART_DUMMY = 0x07,
    PART_KEYS = 0x40, /* ours */
    PART_DIARY = 0x41,
    PART_TABLE2 = 0x42,
};

enum { PART_ENCRYPTED = 1 }; /* flags */

struct partition {
    uint8_t type, subtype;
    char label[17]; /* NUL-terminated, printable */
    uint32_t off, size;
    uint32_t flags;
};

struct table {
    unsigned count;
    bool has_md5; /* the copy read had an MD5 row */
    struct partition row[TABLE_ROWS_MAX];
};

/* Why a table is refused. `row` counts from 1; 0 = the table as a whole. */
struct table_fault {
    unsigned row;
    const char *reason; /* constant text, NULL when fine */
};

/* Rows of a table of the default board for a chip of 4 or 8 MiB (others:
 * NULL). Constant data. */
const struct table *table_default(uint32_t chip_size);

/* Reads `len` (at least TABLE_LEN) bytes. Checks magic, MD5 row if present,
 * bounds against `chip_size`, alignment, overlap and double app slots.
 * WIPY_ECORRUPT with `fault` filled (may be NULL). */
int table_parse(struct table *t, const uint8_t *data, size_t len,
                uint32_t chip_size, struct table_fault *fault);

/* The checks of table_parse on rows from elsewhere. */
int table_check(const struct table *t, uint32_t chip_size,
                struct table_fault *fault);

/* TABLE_LEN bytes with an MD5 row, padded with FF. WIPY_ENOSPC when there are
 * more than TABLE_ROWS_MAX rows. */
int table_write(const struct table *t, uint8_t to[TABLE_LEN]);

/* The row of that type and subtype, or NULL. */
const struct partition *table_find(const struct table *t, uint8_t type,
                                   uint8_t subtype);
const struct partition *table_find_label(const struct table *t,
                                         const char *label);

/* Where files live: the row of type data/5. Vendor tables of 8 MiB chips end at
 * 4 MiB and leave the upper half to the files without a row (spec 1.2); then
 * it is that. False when there is no place for files. */
bool table_fs(const struct table *t, uint32_t chip_size, struct partition *fs);

/* Which copy counts. Reads TABLE_OFF, and when that is bad every sector where
 * a second copy is known to lie (the default map's table2). */
struct table_source {
    bool first_bad, second_bad; /* damaged or missing */
    struct table_fault fault;   /* of the first copy, when bad */
};

/* `chip` is the whole chip as memory. Returns 0 when either copy was fine,
 * else WIPY_ECORRUPT. second_bad is only set where the table names a second
 * copy. */
int table_load(struct table *t, const uint8_t *chip, uint32_t chip_size,
               struct table_source *source);

/* ---- CSV as users edit it (csv.c) ---- */

/* "name, type, subtype, offset, size, flags" a line, # comments, blank
 * offsets continue after the row before, sizes like 0x1000, 4K, 1M. `row` of
 * the fault counts lines of the text from 1. The result is checked. */
int table_from_csv(struct table *t, const char *text, size_t len,
                   uint32_t chip_size, struct table_fault *fault);

/* Writes the text with a heading line, NUL-terminated; returns its length or
 * WIPY_ENOMEM. */
int table_to_csv(const struct table *t, char *to, size_t size);

/* "app"/"data" and the names of the subtypes; numbers as 0x41 otherwise. */
const char *part_type_name(uint8_t type);
void part_subtype_name(uint8_t type, uint8_t subtype, char to[12]);

#endif
