/* A chip for the file system's tests: the board's NOR model with counters,
 * bad blocks, and a host that stores writes out of order. */
#ifndef WIPY_TESTS_FS_CHIP_H
#define WIPY_TESTS_FS_CHIP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "board/chip.h"

enum bad_kind {
    BAD_NOT,
    BAD_PROGRAM_ERROR,
    BAD_ERASE_ERROR,
    BAD_READ_ERROR,
    BAD_PROGRAM_NOOP,
    BAD_ERASE_NOOP,
};

enum { HOST_PAGE = 4096, HOST_VERSIONS = 4096 };

/* What a host's page cache holds since the last sync: each version a page of
 * the chip file had. Any of them, or none, may have reached the disk. */
struct fs_host {
    uint8_t *durable; /* the file as of the last sync */
    unsigned count;
    uint32_t page[HOST_VERSIONS];
    uint8_t data[HOST_VERSIONS][HOST_PAGE];
};

struct fs_chip {
    struct chip chip;
    struct flash inner, flash;
    uint64_t read_bytes, prog_bytes, pages;
    uint64_t sectors_erased; /* also as part of a block */
    uint64_t blocks_erased;  /* 64 KiB at once */
    uint32_t *erases;        /* per 4 KiB sector */
    uint32_t erase_cycles;   /* sectors wear out after so many; 0 = never */
    enum bad_kind bad_kind;  /* what a bad or worn sector does */
    uint8_t *bad;            /* per 4 KiB sector */
    struct fs_host *host;    /* NULL: what is written is stored */
};

static inline double fs_chip_seconds(const struct fs_chip *c)
{
    return (double)c->read_bytes / 20e6 + (double)c->pages * 0.0004 +
           (double)(c->sectors_erased - 16 * c->blocks_erased) * 0.045 +
           (double)c->blocks_erased * 0.150;
}

static inline bool fs_chip_is_bad(const struct fs_chip *c, uint32_t off,
                                  enum bad_kind kind)
{
    uint32_t s = off / FLASH_SECTOR;
    return c->bad_kind == kind &&
           (c->bad[s] || (c->erase_cycles && c->erases[s] > c->erase_cycles));
}

static inline int fs_chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    struct fs_chip *c = ctx;
    c->read_bytes += len;
    if (len && fs_chip_is_bad(c, off, BAD_READ_ERROR))
        return WIPY_EIO;
    return flash_read(&c->inner, off, to, len);
}

static inline void fs_chip_note(struct fs_chip *c, uint32_t off, size_t len)
{
    struct fs_host *h = c->host;
    for (uint32_t at = off / HOST_PAGE * HOST_PAGE; h && at < off + len;
         at += HOST_PAGE) {
        if (h->count == HOST_VERSIONS)
            abort();
        h->page[h->count] = at;
        memcpy(h->data[h->count++], c->chip.cells + at, HOST_PAGE);
    }
}

static inline int fs_chip_program(void *ctx, flash_off off, const void *from,
                                  size_t len)
{
    struct fs_chip *c = ctx;
    c->prog_bytes += len;
    c->pages += (off + len + 255) / 256 - off / 256;
    if (fs_chip_is_bad(c, off, BAD_PROGRAM_ERROR))
        return WIPY_EIO;
    if (fs_chip_is_bad(c, off, BAD_PROGRAM_NOOP))
        return c->chip.dead ? WIPY_EIO : 0;
    int err = flash_program(&c->inner, off, from, len);
    fs_chip_note(c, off, len);
    return err;
}

/* `part` is a sector, or an aligned block the chip erases in one command. */
static inline int fs_chip_erase_part(struct fs_chip *c, uint32_t off,
                                     uint32_t part)
{
    bool noop = false;
    for (uint32_t at = off; at < off + part; at += FLASH_SECTOR) {
        if (!c->chip.dead)
            c->erases[at / FLASH_SECTOR]++;
        c->sectors_erased++;
        if (fs_chip_is_bad(c, at, BAD_ERASE_ERROR))
            return WIPY_EIO;
        noop |= fs_chip_is_bad(c, at, BAD_ERASE_NOOP);
    }
    c->blocks_erased += part == FLASH_BLOCK;
    if (noop)
        return c->chip.dead ? WIPY_EIO : 0;
    int err = flash_erase(&c->inner, off, part);
    fs_chip_note(c, off, part);
    return err;
}

static inline int fs_chip_erase(void *ctx, flash_off off, size_t len)
{
    struct fs_chip *c = ctx;
    int err = 0;
    for (uint32_t at = off, part; at < off + len && !err; at += part) {
        bool block = at % FLASH_BLOCK == 0 && off + len - at >= FLASH_BLOCK;
        part = block ? FLASH_BLOCK : FLASH_SECTOR;
        err = fs_chip_erase_part(c, at, part);
    }
    return err;
}

static inline int fs_chip_sync(void *ctx)
{
    struct fs_chip *c = ctx;
    if (c->chip.dead)
        return WIPY_EIO;
    if (c->host) {
        memcpy(c->host->durable, c->chip.cells, c->chip.size);
        c->host->count = 0;
    }
    return 0;
}

static inline void fs_chip_host(struct fs_chip *c)
{
    c->host = calloc(1, sizeof *c->host);
    c->host->durable = malloc(c->chip.size);
    memcpy(c->host->durable, c->chip.cells, c->chip.size);
}

static inline void fs_chip_make(struct fs_chip *c, uint32_t size)
{
    memset(c, 0, sizeof *c);
    uint8_t *cells = malloc(size);
    memset(cells, 0xFF, size);
    chip_init(&c->chip, cells, size, 1);
    c->inner = chip_flash(&c->chip);
    c->erases = calloc(size / FLASH_SECTOR, sizeof *c->erases);
    c->bad = calloc(size / FLASH_SECTOR, 1);
    c->flash = (struct flash){.ctx = c,
                              .size = size,
                              .read = fs_chip_read,
                              .program = fs_chip_program,
                              .erase = fs_chip_erase,
                              .sync = fs_chip_sync};
}

static inline void fs_chip_free(struct fs_chip *c)
{
    free(c->chip.cells);
    free(c->erases);
    free(c->bad);
    if (c->host)
        free(c->host->durable);
    free(c->host);
}

/* A small generator, so that every run is the same. */
static inline uint32_t fs_random(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

/* The host lost power too: the file is made of pages as they were at the last
 * sync or at some moment since, each on its own. */
static inline void fs_chip_host_crash(const struct fs_chip *c, uint8_t *file,
                                      uint32_t *seed)
{
    const struct fs_host *h = c->host;
    bool skip[HOST_VERSIONS] = {false};
    memcpy(file, h->durable, c->chip.size);
    for (unsigned i = 0; i < h->count; i++) {
        /* From some version on a page was not stored any more. */
        bool stop = fs_random(seed, 4) == 0;
        for (unsigned k = i; stop && k < h->count; k++)
            skip[k] |= h->page[k] == h->page[i];
        if (!skip[i])
            memcpy(file + h->page[i], h->data[i], HOST_PAGE);
    }
}

#endif
