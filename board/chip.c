#include "chip.h"

#include <string.h>

#include "base/err.h"

static uint64_t random_next(struct chip *chip) /* splitmix64 */
{
    uint64_t z = chip->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void chip_init(struct chip *chip, uint8_t *cells, uint32_t size, uint64_t seed)
{
    *chip = (struct chip){.cells = cells, .size = size, .random = seed};
}

static bool is_inside(const struct chip *chip, uint32_t off, size_t len)
{
    return off <= chip->size && len <= chip->size - off;
}

/* Runs of cells that a command turns from what is there into `want(i)`. */
struct change {
    uint8_t *cells;
    const uint8_t *program; /* NULL: erase */
    size_t len;
};

static uint8_t wanted(const struct change *c, size_t i)
{
    return c->program ? c->cells[i] & c->program[i] : 0xff;
}

/* Programming clears bits; eight bytes at a time. */
static void clear_bits(uint8_t *cells, const uint8_t *from, size_t len)
{
    uint64_t old, want;
    size_t i = 0;
    for (; i + sizeof old <= len; i += sizeof old) {
        memcpy(&old, cells + i, sizeof old);
        memcpy(&want, from + i, sizeof want);
        old &= want;
        memcpy(cells + i, &old, sizeof old);
    }
    for (; i < len; i++)
        cells[i] &= from[i];
}

static void apply(const struct change *c, size_t len)
{
    if (c->program)
        clear_bits(c->cells, c->program, len);
    else
        memset(c->cells, 0xff, len);
}

/* A random half of the bits that would change do; the rest stays. */
static void apply_some_bits(struct chip *chip, const struct change *c)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < c->len; i++) {
        if (i % 8 == 0)
            bits = random_next(chip);
        uint8_t mask = (uint8_t)(bits >> (i % 8 * 8));
        c->cells[i] ^= (uint8_t)((c->cells[i] ^ wanted(c, i)) & mask);
    }
}

static void tear(struct chip *chip, const struct change *c)
{
    switch (chip->tear) {
    case CHIP_TEAR_NONE:
        break;
    case CHIP_TEAR_BITS:
        apply_some_bits(chip, c);
        break;
    case CHIP_TEAR_HALF:
        apply(c, c->len / 2);
        break;
    case CHIP_TEAR_ALL:
        apply(c, c->len);
        break;
    }
}

static int command(struct chip *chip, const struct change *c)
{
    chip->commands++;
    if (chip->commands == chip->cut_at) {
        tear(chip, c);
        chip->dead = true;
        return WIPY_EIO;
    }
    apply(c, c->len);
    return 0;
}

int chip_program(struct chip *chip, uint32_t off, const uint8_t *from,
                 size_t len)
{
    if (chip->dead)
        return WIPY_EIO;
    if (len > FLASH_PROGRAM_MAX)
        return WIPY_EINVAL;
    if (!is_inside(chip, off, len))
        return WIPY_ERANGE;
    if (chip_is_locked(chip, off, (uint32_t)len))
        return WIPY_ELOCKED;
    while (len) {
        size_t n = FLASH_PAGE - off % FLASH_PAGE;
        if (n > len)
            n = len;
        struct change page = {chip->cells + off, from, n};
        int err = command(chip, &page);
        if (err)
            return err;
        off += (uint32_t)n;
        from += n;
        len -= n;
    }
    return 0;
}

/* The next erase command of a range: a block where one fits. */
static uint32_t erase_step(uint32_t off, uint32_t len)
{
    bool block = off % FLASH_BLOCK == 0 && len >= FLASH_BLOCK;
    return block ? FLASH_BLOCK : FLASH_SECTOR;
}

int chip_erase(struct chip *chip, uint32_t off, uint32_t len)
{
    if (chip->dead)
        return WIPY_EIO;
    if (off % FLASH_SECTOR || len % FLASH_SECTOR)
        return WIPY_EINVAL;
    if (!is_inside(chip, off, len))
        return WIPY_ERANGE;
    if (chip_is_locked(chip, off, len))
        return WIPY_ELOCKED;
    while (len) {
        uint32_t n = erase_step(off, len);
        struct change sectors = {chip->cells + off, NULL, n};
        int err = command(chip, &sectors);
        if (err)
            return err;
        off += n;
        len -= n;
    }
    return 0;
}

bool chip_is_locked(const struct chip *chip, uint32_t off, uint32_t len)
{
    for (unsigned i = 0; i < chip->lock_count; i++) {
        const struct chip_range *l = &chip->locks[i];
        if (off < l->off + l->len && l->off < off + len)
            return true;
    }
    return false;
}

/* Grows lock `i` by the range if they touch. */
static bool join_lock(struct chip_range *l, uint32_t off, uint32_t len)
{
    if (off > l->off + l->len || l->off > off + len)
        return false;
    uint32_t end = l->off + l->len;
    if (off + len > end)
        end = off + len;
    if (off < l->off)
        l->off = off;
    l->len = end - l->off;
    return true;
}

int chip_lock(struct chip *chip, uint32_t off, uint32_t len)
{
    if (!is_inside(chip, off, len))
        return WIPY_ERANGE;
    if (len == 0)
        return 0;
    for (unsigned i = 0; i < chip->lock_count; i++)
        if (join_lock(&chip->locks[i], off, len))
            return 0;
    if (chip->lock_count == CHIP_LOCKS_MAX)
        return WIPY_ENOSPC;
    chip->locks[chip->lock_count++] = (struct chip_range){off, len};
    return 0;
}

void chip_unlock_all(struct chip *chip)
{
    chip->lock_count = 0;
}

void chip_cut(struct chip *chip, uint64_t nth, enum chip_tear mode)
{
    chip->cut_at = nth ? chip->commands + nth : 0;
    chip->tear = mode;
}

void chip_power_on(struct chip *chip)
{
    if (chip->dead)
        chip->cut_at = 0;
    chip->dead = false;
    chip->lock_count = 0;
}

int chip_flip(struct chip *chip, uint32_t off, unsigned bit)
{
    if (off >= chip->size || bit > 7)
        return WIPY_ERANGE;
    chip->cells[off] ^= (uint8_t)(1u << bit);
    return 0;
}

uint32_t chip_flip_any(struct chip *chip, unsigned *bit)
{
    uint64_t where = random_next(chip);
    uint32_t off = (uint32_t)(where >> 8) % chip->size;
    *bit = where & 7;
    chip->cells[off] ^= (uint8_t)(1u << *bit);
    return off;
}

uint32_t chip_program_us(uint32_t off, size_t len)
{
    if (len == 0)
        return 0;
    size_t pages = (off % FLASH_PAGE + len + FLASH_PAGE - 1) / FLASH_PAGE;
    return (uint32_t)pages * CHIP_PAGE_US;
}

uint32_t chip_erase_us(uint32_t off, uint32_t len)
{
    uint32_t us = 0;
    while (len >= FLASH_SECTOR) {
        uint32_t n = erase_step(off, len);
        us += n == FLASH_BLOCK ? CHIP_BLOCK_US : CHIP_SECTOR_US;
        off += n;
        len -= n;
    }
    return us;
}

static int flash_read_cells(void *ctx, flash_off off, void *to, size_t len)
{
    const struct chip *chip = ctx;
    if (!is_inside(chip, off, len))
        return WIPY_ERANGE;
    memcpy(to, chip->cells + off, len);
    return 0;
}

static int flash_program_cells(void *ctx, flash_off off, const void *from,
                               size_t len)
{
    return chip_program(ctx, off, from, len);
}

static int flash_erase_cells(void *ctx, flash_off off, size_t len)
{
    return len > UINT32_MAX ? WIPY_ERANGE : chip_erase(ctx, off, (uint32_t)len);
}

struct flash chip_flash(struct chip *chip)
{
    return (struct flash){
        .ctx = chip,
        .size = chip->size,
        .read = flash_read_cells,
        .program = flash_program_cells,
        .erase = flash_erase_cells,
        .map = chip->cells,
    };
}

static const char *const tear_names[] = {"none", "bits", "half", "all"};

int chip_tear_by_name(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, tear_names[i]) == 0)
            return i;
    return -1;
}

const char *chip_tear_name(enum chip_tear mode)
{
    return tear_names[mode];
}
