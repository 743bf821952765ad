#include "table.h"

#include <string.h>

#include "base/cursor.h"
#include "base/digest.h"
#include "base/err.h"

enum {
    ROW_MAGIC = 0x50aa,
    MD5_MAGIC = 0xebeb,
    END_MAGIC = 0xffff,
    APP_ALIGN = 0x10000,
    DATA_ALIGN = 0x1000,
};

/* ARCHITECTURE: three application images, and what is ours alone in a place
 * the vendor's tools never touch. */
static const struct table default_8m = {
    .count = 10,
    .has_md5 = true,
    .row =
        {
            {PART_DATA, PART_NVS, "nvs", 0x9000, 0x7000, 0},
            {PART_APP, PART_FACTORY, "factory", 0x10000, 0x140000, 0},
            {PART_APP, PART_OTA_0, "ota_0", 0x150000, 0x140000, 0},
            {PART_APP, PART_OTA_1, "ota_1", 0x290000, 0x140000, 0},
            {PART_DATA, PART_OTADATA, "otadata", 0x3d0000, 0x2000, 0},
            {PART_DATA, PART_KEYS, "keys", 0x3d2000, 0x1000, 0},
            {PART_DATA, PART_DIARY, "diary", 0x3d3000, 0x2000, 0},
            {PART_DATA, PART_TABLE2, "table2", 0x3d5000, 0x1000, 0},
            {PART_DATA, PART_CONFIG, "config", 0x3ff000, 0x1000, 0},
            {PART_DATA, PART_FS, "fs", 0x400000, 0x400000, 0},
        },
};

/* A chip of 4 MiB holds factory and one update. */
static const struct table default_4m = {
    .count = 9,
    .has_md5 = true,
    .row =
        {
            {PART_DATA, PART_NVS, "nvs", 0x9000, 0x7000, 0},
            {PART_APP, PART_FACTORY, "factory", 0x10000, 0x140000, 0},
            {PART_APP, PART_OTA_0, "ota_0", 0x150000, 0x140000, 0},
            {PART_DATA, PART_FS, "fs", 0x290000, 0x140000, 0},
            {PART_DATA, PART_OTADATA, "otadata", 0x3d0000, 0x2000, 0},
            {PART_DATA, PART_KEYS, "keys", 0x3d2000, 0x1000, 0},
            {PART_DATA, PART_DIARY, "diary", 0x3d3000, 0x2000, 0},
            {PART_DATA, PART_TABLE2, "table2", 0x3d5000, 0x1000, 0},
            {PART_DATA, PART_CONFIG, "config", 0x3ff000, 0x1000, 0},
        },
};

/* The second copy lies here in both maps. */
enum { TABLE2_OFF = 0x3d5000 };

const struct table *table_default(uint32_t chip_size)
{
    if (chip_size == 0x800000)
        return &default_8m;
    return chip_size == 0x400000 ? &default_4m : NULL;
}

static int refuse(struct table_fault *fault, unsigned row, const char *reason)
{
    if (fault)
        *fault = (struct table_fault){.row = row, .reason = reason};
    return WIPY_ECORRUPT;
}

static void read_row(struct partition *p, struct reader *r)
{
    *p = (struct partition){0};
    read_skip(r, 2);
    p->type = read_u8(r);
    p->subtype = read_u8(r);
    p->off = read_u32(r);
    p->size = read_u32(r);
    read_bytes(r, p->label, 16);
    /* It goes to terminals and into messages. */
    for (char *c = p->label; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    p->flags = read_u32(r);
}

int table_parse(struct table *t, const uint8_t *data, size_t len,
                uint32_t chip_size, struct table_fault *fault)
{
    t->count = 0;
    t->has_md5 = false;
    if (len < TABLE_LEN)
        return refuse(fault, 0, "shorter than 3072 bytes");
    struct reader r = reader_of(data, TABLE_LEN);
    for (unsigned row = 1; reader_left(&r) >= TABLE_ROW_LEN; row++) {
        const uint8_t *at = data + r.pos;
        uint16_t magic = get_u16(at);
        if (magic == END_MAGIC)
            break;
        if (magic == MD5_MAGIC) {
            uint8_t md5[MD5_LEN];
            md5_of(data, r.pos, md5);
            if (memcmp(md5, at + 16, MD5_LEN) != 0)
                return refuse(fault, row, "MD5 of the rows does not match");
            t->has_md5 = true;
            break;
        }
        if (magic != ROW_MAGIC)
            return refuse(fault, row, "does not begin with AA 50");
        if (t->count == TABLE_ROWS_MAX)
            return refuse(fault, row, "more than 95 rows");
        read_row(&t->row[t->count++], &r);
    }
    return table_check(t, chip_size, fault);
}

static const char *row_fault(const struct partition *p, uint32_t chip_size)
{
    if (p->type != PART_APP && p->type != PART_DATA && p->type < 0x40)
        return "type is neither app nor data";
    if (p->size == 0)
        return "size is 0";
    if (p->off < TABLE_FIRST_OFF)
        return "overlaps bootloader or partition table (below 0x9000)";
    if (p->off > chip_size || p->size > chip_size - p->off)
        return "goes past the end of the chip";
    if (p->type == PART_APP && p->off % APP_ALIGN)
        return "app does not begin at a multiple of 0x10000";
    if (p->type == PART_APP && p->size % DATA_ALIGN)
        return "size of an app is not a multiple of 0x1000";
    if (p->off % DATA_ALIGN)
        return "does not begin at a multiple of 0x1000";
    return NULL;
}

static const char *pair_fault(const struct partition *a,
                              const struct partition *b)
{
    if (a->off < b->off + b->size && b->off < a->off + a->size)
        return "overlaps another row";
    if (a->type == PART_APP && b->type == PART_APP && a->subtype == b->subtype)
        return "a second app of the same subtype";
    if (a->label[0] && strcmp(a->label, b->label) == 0)
        return "a second partition of the same name";
    return NULL;
}

int table_check(const struct table *t, uint32_t chip_size,
                struct table_fault *fault)
{
    if (fault)
        *fault = (struct table_fault){0};
    if (t->count == 0)
        return refuse(fault, 0, "empty");
    if (t->count > TABLE_ROWS_MAX)
        return refuse(fault, 0, "more than 95 rows");
    for (unsigned i = 0; i < t->count; i++) {
        const char *reason = row_fault(&t->row[i], chip_size);
        for (unsigned k = 0; k < i && !reason; k++)
            reason = pair_fault(&t->row[i], &t->row[k]);
        if (reason)
            return refuse(fault, i + 1, reason);
    }
    return 0;
}

int table_write(const struct table *t, uint8_t to[TABLE_LEN])
{
    if (t->count > TABLE_ROWS_MAX)
        return WIPY_ENOSPC;
    struct writer w = writer_of(to, TABLE_LEN);
    for (unsigned i = 0; i < t->count; i++) {
        const struct partition *p = &t->row[i];
        write_u16(&w, ROW_MAGIC);
        write_u8(&w, p->type);
        write_u8(&w, p->subtype);
        write_u32(&w, p->off);
        write_u32(&w, p->size);
        size_t len = strnlen(p->label, 16);
        write_bytes(&w, p->label, len);
        write_fill(&w, 0, 16 - len);
        write_u32(&w, p->flags);
    }
    uint8_t md5[MD5_LEN];
    md5_of(to, w.pos, md5);
    write_u16(&w, MD5_MAGIC);
    write_fill(&w, 0xff, 14);
    write_bytes(&w, md5, MD5_LEN);
    write_fill(&w, 0xff, TABLE_LEN - w.pos);
    return w.bad ? WIPY_ENOSPC : 0;
}

const struct partition *table_find(const struct table *t, uint8_t type,
                                   uint8_t subtype)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->row[i].type == type && t->row[i].subtype == subtype)
            return &t->row[i];
    return NULL;
}

const struct partition *table_find_label(const struct table *t,
                                         const char *label)
{
    for (unsigned i = 0; i < t->count; i++)
        if (strcmp(t->row[i].label, label) == 0)
            return &t->row[i];
    return NULL;
}

bool table_fs(const struct table *t, uint32_t chip_size, struct partition *fs)
{
    enum { HALF = 0x400000 };
    const struct partition *row = table_find(t, PART_DATA, PART_FS);
    if (row) {
        *fs = *row;
        return true;
    }
    for (unsigned i = 0; i < t->count; i++)
        if (t->row[i].off + t->row[i].size > HALF)
            return false;
    *fs = (struct partition){PART_DATA, PART_FS, "fs", HALF, HALF, 0};
    return t->count && chip_size == 2 * HALF;
}

static int load_copy(struct table *t, const uint8_t *chip, uint32_t chip_size,
                     uint32_t off, struct table_fault *fault)
{
    if (chip_size < off || chip_size - off < TABLE_LEN)
        return refuse(fault, 0, "past the end of the chip");
    return table_parse(t, chip + off, TABLE_LEN, chip_size, fault);
}

/* A second copy counts only where it says itself that it lies there. */
static int load_second(struct table *t, const uint8_t *chip, uint32_t chip_size)
{
    int err = load_copy(t, chip, chip_size, TABLE2_OFF, NULL);
    if (err)
        return err;
    const struct partition *p = table_find(t, PART_DATA, PART_TABLE2);
    return t->has_md5 && p && p->off == TABLE2_OFF ? 0 : WIPY_ECORRUPT;
}

/* Rows without an MD5 row may be all there is, on old boards; or power was lost
 * while more were written. Then the second copy begins with the same rows. */
static bool is_cut_short(const struct table *t, const uint8_t *chip,
                         uint32_t chip_size)
{
    struct table second;
    return !t->has_md5 && load_second(&second, chip, chip_size) == 0 &&
           memcmp(chip + TABLE_OFF, chip + TABLE2_OFF,
                  t->count * TABLE_ROW_LEN) == 0;
}

int table_load(struct table *t, const uint8_t *chip, uint32_t chip_size,
               struct table_source *source)
{
    *source = (struct table_source){0};
    int err = load_copy(t, chip, chip_size, TABLE_OFF, &source->fault);
    if (!err && is_cut_short(t, chip, chip_size))
        err = refuse(&source->fault, t->count + 1,
                     "ends early: rows of the second copy are missing");
    if (err) {
        source->first_bad = true;
        return load_second(t, chip, chip_size);
    }
    const struct partition *p = table_find(t, PART_DATA, PART_TABLE2);
    if (p && p->size >= TABLE_LEN)
        source->second_bad =
            memcmp(chip + TABLE_OFF, chip + p->off, TABLE_LEN) != 0;
    return 0;
}
