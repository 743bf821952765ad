/* Writing, erasing and digests of the board's end. */
#include <string.h>

#include "base/cursor.h"
#include "base/hex.h"
#include "loader/rom_parts.h"

static uint32_t sector_floor(uint32_t off)
{
    return off / FLASH_SECTOR * FLASH_SECTOR;
}

static uint32_t sector_ceil(uint32_t off)
{
    return (off + FLASH_SECTOR - 1) / FLASH_SECTOR * FLASH_SECTOR;
}

static bool all_ff(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0xff)
            return false;
    return true;
}

/* Erases a block at a time as far as `upto`, never past what was announced,
 * so that a cable pulled in the middle costs no more than it must. */
static int erase_upto(struct rom_loader *r, uint32_t upto)
{
    struct rom_write *w = &r->write;
    if (upto > w->end)
        upto = w->end;
    while (w->erased < upto) {
        bool block =
            w->erased % FLASH_BLOCK == 0 && w->end - w->erased >= FLASH_BLOCK;
        uint32_t len = block ? FLASH_BLOCK : FLASH_SECTOR;
        int err = flash_erase(r->cfg.flash, w->erased, len);
        if (err < 0)
            return err;
        w->erased += len;
    }
    return 0;
}

/* The ROM erases the announced range up front, the stub just ahead of the
 * data; both end the same. Size 0 is how tools get into the state in which
 * FLASH_END runs the program. */
void rom_flash_begin(struct rom_loader *r, const struct rom_request *q,
                     struct rom_result *a)
{
    struct reader in = reader_of(q->data, q->len);
    uint32_t size = read_u32(&in);
    struct rom_write w = {.open = true, .left = size};
    w.deflated = q->op == LOADER_DEFL_BEGIN;
    read_skip(&in, 4); /* how many blocks */
    uint32_t block_size = read_u32(&in);
    w.at = read_u32(&in);
    r->write.open = false; /* whatever comes of this one */
    if (in.bad || !rom_on_chip(r, w.at, size)) {
        a->error = rom_error(r, LOADER_ROM_BAD_PARAMETER, LOADER_STUB_LENGTH);
        return;
    }
    if (block_size > LOADER_BLOCK_MAX) {
        a->error =
            rom_error(r, LOADER_ROM_BAD_PARAMETER, LOADER_STUB_BLOCK_SIZE);
        return;
    }
    w.erased = sector_floor(w.at);
    w.end = size ? sector_ceil(w.at + size) : w.erased;
    r->write = w;
    if (w.deflated)
        inflate_start(&r->inflater);
    if (r->dialect == ROM_DIALECT_ROM && erase_upto(r, w.end) < 0) {
        a->error = LOADER_ROM_FAILED;
        r->write.open = false;
    }
}

/* Programs what was announced; what is over must be padding. */
static uint8_t program(struct rom_loader *r, const uint8_t *data, size_t len)
{
    struct rom_write *w = &r->write;
    size_t part = len < w->left ? len : w->left;
    if (!all_ff(data + part, len - part))
        return rom_error(r, LOADER_ROM_FAILED, LOADER_STUB_TOO_MUCH);
    if (erase_upto(r, w->at + (uint32_t)part) < 0 ||
        flash_program(r->cfg.flash, w->at, data, part) < 0)
        return rom_error(r, LOADER_ROM_FLASH_WRITE, LOADER_STUB_SPI_FAILED);
    w->at += (uint32_t)part;
    w->left -= (uint32_t)part;
    return 0;
}

static uint8_t program_deflated(struct rom_loader *r, const uint8_t *data,
                                size_t len)
{
    uint8_t error = 0;
    for (size_t pos = 0; !error;) {
        size_t used = len - pos;
        int made = inflate_step(&r->inflater, data + pos, &used, r->block,
                                sizeof r->block);
        if (made < 0)
            return rom_error(r, LOADER_ROM_INFLATE, LOADER_STUB_INFLATE);
        pos += used;
        if (made == 0)
            break;
        error = program(r, r->block, (size_t)made);
    }
    return error;
}

/* A block that was answered before is answered again and not written twice:
 * the answer may have been lost. */
void rom_flash_data(struct rom_loader *r, const struct rom_request *q,
                    struct rom_result *a)
{
    uint32_t len, sequence;
    struct rom_write *w = &r->write;
    bool deflated = q->op == LOADER_DEFL_DATA;
    if (!w->open || w->deflated != deflated) {
        a->error = rom_error(r, LOADER_ROM_FAILED, LOADER_STUB_NOT_FLASHING);
        return;
    }
    a->error = rom_check_block(r, q, &len, &sequence);
    if (a->error || (w->next && sequence == w->next - 1))
        return;
    if (sequence != w->next) {
        a->error = rom_error(r, LOADER_ROM_BAD_PARAMETER, LOADER_STUB_LENGTH);
        return;
    }
    const uint8_t *block = q->data + LOADER_DATA_HEAD_LEN;
    a->error =
        deflated ? program_deflated(r, block, len) : program(r, block, len);
    if (a->error)
        w->open = false; /* half a block is in: only a new begin helps */
    else
        w->next++;
}

void rom_flash_end(struct rom_loader *r, const struct rom_request *q,
                   struct rom_result *a)
{
    bool stub = r->dialect == ROM_DIALECT_STUB;
    if (q->len != 4)
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
    else if (stub && !r->write.open)
        a->error = LOADER_STUB_NOT_FLASHING;
    else if (stub && r->write.left)
        a->error = LOADER_STUB_NOT_ENOUGH;
    if (a->error)
        return;
    if (flash_sync(r->cfg.flash) < 0)
        a->error = rom_error(r, LOADER_ROM_FAILED, LOADER_STUB_SPI_FAILED);
    r->write.open = false;
    if (get_u32(q->data) == 0)
        r->then = ROM_REBOOT;
    else if (!stub) /* it has nothing else to do; the stub goes on */
        r->then = ROM_RUN;
}

void rom_flash_md5(struct rom_loader *r, const struct rom_request *q,
                   struct rom_result *a)
{
    struct reader in = reader_of(q->data, q->len);
    uint32_t off = read_u32(&in), len = read_u32(&in);
    struct md5 md5;
    uint8_t digest[MD5_LEN];
    if (in.bad || !rom_on_chip(r, off, len)) {
        a->error = rom_error(r, LOADER_ROM_BAD_PARAMETER, LOADER_STUB_LENGTH);
        return;
    }
    md5_init(&md5);
    while (len) {
        uint32_t part = len < sizeof r->block ? len : sizeof r->block;
        if (flash_read(r->cfg.flash, off, r->block, part) < 0) {
            a->error =
                rom_error(r, LOADER_ROM_FLASH_READ, LOADER_STUB_SPI_FAILED);
            return;
        }
        md5_update(&md5, r->block, part);
        off += part;
        len -= part;
    }
    md5_final(&md5, digest);
    bool stub = r->dialect == ROM_DIALECT_STUB;
    a->len = stub ? MD5_LEN : 2 * MD5_LEN;
    if (stub)
        memcpy(a->data, digest, MD5_LEN);
    else
        hex_encode((char *)a->data, digest, MD5_LEN);
}

void rom_flash_read_slow(struct rom_loader *r, const struct rom_request *q,
                         struct rom_result *a)
{
    struct reader in = reader_of(q->data, q->len);
    uint32_t off = read_u32(&in), len = read_u32(&in);
    if (in.bad || len > LOADER_SLOW_READ_MAX) {
        a->error = LOADER_ROM_READ_LENGTH;
        return;
    }
    if (!rom_on_chip(r, off, len) ||
        flash_read(r->cfg.flash, off, a->data, len) < 0) {
        a->error = LOADER_ROM_FLASH_READ;
        return;
    }
    a->len = LOADER_SLOW_READ_MAX; /* always that many */
}

void rom_flash_erase(struct rom_loader *r, const struct rom_request *q,
                     struct rom_result *a)
{
    uint32_t off = 0, len = r->cfg.flash->size;
    struct reader in = reader_of(q->data, q->len);
    if (q->op == LOADER_ERASE_REGION) {
        off = read_u32(&in);
        len = read_u32(&in);
    }
    if (in.bad || !rom_on_chip(r, off, len) || off % FLASH_SECTOR ||
        len % FLASH_SECTOR)
        a->error = LOADER_STUB_LENGTH;
    else if (flash_erase(r->cfg.flash, off, len) < 0 ||
             flash_sync(r->cfg.flash) < 0)
        a->error = LOADER_STUB_SPI_FAILED;
}
