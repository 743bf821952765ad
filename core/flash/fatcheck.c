#include "flash/fatcheck.h"

#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"

enum {
    SECTOR = 512,
    ENTRY = 32,
    DEPTH_MAX = 64,
    ATTR_DIR = 0x10,
    ATTR_LABEL = 0x08,
    ATTR_LONG = 0x0F,
};

struct walk {
    struct fatcheck *check;
    const uint8_t *image;
    uint8_t *seen; /* a bit a cluster */
    bool fat16;
    uint32_t fat, data, root, root_entries; /* sectors; entries */
    uint32_t per_cluster;
};

static void problem(struct walk *w, const char *text, uint32_t cluster)
{
    w->check->problems++;
    if (w->check->problem)
        w->check->problem(w->check->ctx, text, cluster);
}

static bool parse(struct walk *w, uint32_t sectors)
{
    const uint8_t *boot = w->image;
    if (sectors < 8 || get_u16(boot + 510) != 0xAA55 ||
        get_u16(boot + 11) != SECTOR)
        return false;
    uint32_t fats = boot[16], fat_sectors = get_u16(boot + 22);
    uint32_t total =
        get_u16(boot + 19) ? get_u16(boot + 19) : get_u32(boot + 32);
    w->per_cluster = boot[13];
    w->fat = get_u16(boot + 14);
    w->root_entries = get_u16(boot + 17);
    w->root = w->fat + fats * fat_sectors;
    w->data = w->root + (w->root_entries * ENTRY + SECTOR - 1) / SECTOR;
    if (w->per_cluster == 0 || w->fat == 0 || fats == 0 || fats > 2 ||
        fat_sectors == 0 || w->root_entries == 0 || total > sectors ||
        w->data >= total)
        return false;
    w->check->clusters = (total - w->data) / w->per_cluster;
    w->fat16 = w->check->clusters >= 4085;
    uint32_t bits = w->fat16 ? 16 : 12;
    return w->check->clusters < 65525 &&
           fat_sectors * SECTOR * 8 / bits >= w->check->clusters + 2;
}

static uint32_t entry_of(const struct walk *w, uint32_t cluster)
{
    const uint8_t *fat = w->image + w->fat * SECTOR;
    if (w->fat16)
        return get_u16(fat + cluster * 2);
    uint32_t pair = get_u16(fat + cluster + cluster / 2);
    return cluster & 1 ? pair >> 4 : pair & 0xFFF;
}

static bool is_cluster(const struct walk *w, uint32_t cluster)
{
    return cluster >= 2 && cluster < w->check->clusters + 2;
}

static bool is_end(const struct walk *w, uint32_t entry)
{
    return entry >= (w->fat16 ? 0xFFF8u : 0xFF8u);
}

static bool mark(struct walk *w, uint32_t cluster)
{
    uint8_t bit = (uint8_t)(1 << cluster % 8);
    if (w->seen[cluster / 8] & bit)
        return false;
    w->seen[cluster / 8] |= bit;
    w->check->used++;
    return true;
}

/* Marks a chain; returns its clusters. */
static uint32_t follow(struct walk *w, uint32_t first)
{
    uint32_t count = 0;
    for (uint32_t c = first;;) {
        if (!is_cluster(w, c)) {
            problem(w, "a chain leads outside the volume or to a free cluster",
                    c);
            return count;
        }
        if (!mark(w, c)) {
            problem(w, "two chains meet in one cluster", c);
            return count;
        }
        count++;
        uint32_t next = entry_of(w, c);
        if (is_end(w, next))
            return count;
        c = next;
    }
}

static void check_file(struct walk *w, const uint8_t *e)
{
    uint32_t first = get_u16(e + 26), size = get_u32(e + 28);
    uint32_t bytes = w->per_cluster * SECTOR;
    w->check->files++;
    uint32_t count = first ? follow(w, first) : 0;
    if (size > (uint64_t)count * bytes)
        problem(w, "a file is longer than its chain", first);
    else if (count > 0 && size <= (uint64_t)(count - 1) * bytes)
        problem(w, "a file is shorter than its chain", first);
}

static bool skip_entry(const uint8_t *e)
{
    return e[0] == 0xE5 || e[0] == '.' || (e[11] & ATTR_LONG) == ATTR_LONG ||
           (e[11] & ATTR_LABEL);
}

static void check_folder(struct walk *w, uint32_t first, uint32_t depth);

/* Entries of one run of sectors; false at the end mark. */
static bool check_entries(struct walk *w, uint32_t sector, uint32_t count,
                          uint32_t depth)
{
    const uint8_t *e = w->image + (size_t)sector * SECTOR;
    for (uint32_t i = 0; i < count; i++, e += ENTRY) {
        if (e[0] == 0)
            return false;
        if (skip_entry(e))
            continue;
        if (!(e[11] & ATTR_DIR)) {
            check_file(w, e);
            continue;
        }
        w->check->folders++;
        if (depth >= DEPTH_MAX)
            problem(w, "folders are nested too deeply", get_u16(e + 26));
        else
            check_folder(w, get_u16(e + 26), depth + 1);
    }
    return true;
}

static void check_folder(struct walk *w, uint32_t first, uint32_t depth)
{
    uint32_t problems = w->check->problems;
    follow(w, first);
    if (problems != w->check->problems)
        return; /* a chain that cannot be trusted is not read */
    bool more = true;
    for (uint32_t c = first; more && is_cluster(w, c); c = entry_of(w, c))
        more = check_entries(w, w->data + (c - 2) * w->per_cluster,
                             w->per_cluster * (SECTOR / ENTRY), depth);
}

int fatcheck_run(struct fatcheck *check, const uint8_t *image, uint32_t sectors,
                 uint8_t scratch[FATCHECK_SCRATCH])
{
    struct walk w = {.check = check, .image = image, .seen = scratch};
    if (!parse(&w, sectors))
        return WIPY_EFORMAT;
    memset(scratch, 0, FATCHECK_SCRATCH);
    check_entries(&w, w.root, w.root_entries, 0);
    for (uint32_t c = 2; c < check->clusters + 2; c++)
        if (entry_of(&w, c) != 0 && !(scratch[c / 8] >> (c % 8) & 1))
            problem(&w, "a cluster belongs to no file", c);
    return check->problems ? WIPY_ECORRUPT : 0;
}
