#include "store.h"

#include <string.h>

#include "base/err.h"

static const struct boot_slot *slot_of(const struct update *u)
{
    return &u->boot->slot[u->slot];
}

const uint8_t *store_view(const struct update *u)
{
    return u->boot->flash->map + slot_of(u)->off;
}

/* FF at the start, and each byte like the next. */
static bool is_blank(const uint8_t *p, size_t len)
{
    return p[0] == 0xff && memcmp(p, p + 1, len - 1) == 0;
}

/* From the start of a block the whole block, else one sector. */
static int make_blank(struct update *u, uint32_t off)
{
    const struct boot_slot *slot = slot_of(u);
    uint32_t at = slot->off + off;
    size_t len = FLASH_SECTOR;
    if (at % FLASH_BLOCK == 0 && slot->size - off >= FLASH_BLOCK)
        len = FLASH_BLOCK;
    return flash_erase(u->boot->flash, at, len);
}

/* How many bytes from `data` on can be programmed by one command: sectors
 * that are blank, in one block. */
static size_t blank_run(const struct update *u, uint32_t off, size_t len)
{
    const uint8_t *chip = store_view(u) + off;
    size_t run = 0, most = FLASH_BLOCK - off % FLASH_BLOCK;
    if (len < most)
        most = len;
    while (run < most) {
        size_t n = most - run < FLASH_SECTOR ? most - run : FLASH_SECTOR;
        if (!is_blank(chip + run, FLASH_SECTOR))
            break;
        run += n;
    }
    return run;
}

static int note_progress(struct update *u)
{
    struct boot_record *r = &u->boot->record;
    int err = 0;
    while (!err && r->blocks < RECORD_BLOCKS &&
           (r->blocks + 1u) * FLASH_BLOCK <= u->stored)
        err = boot_record_add_block(&u->boot->store, r);
    return err;
}

static int program(struct update *u, const uint8_t *data, size_t len)
{
    const struct flash *flash = u->boot->flash;
    int err = flash_program(flash, slot_of(u)->off + u->stored, data, len);
    if (!err && memcmp(store_view(u) + u->stored, data, len) != 0)
        err = WIPY_EIO;
    return err;
}

int store_write(struct update *u, const uint8_t *data, size_t len)
{
    const uint8_t *slot = store_view(u);
    int err = 0;
    while (!err && len) {
        size_t n = len < FLASH_SECTOR ? len : FLASH_SECTOR;
        uint32_t off = u->stored;
        if (memcmp(slot + off, data, n) != 0) {
            if (!is_blank(slot + off, FLASH_SECTOR))
                err = make_blank(u, off);
            if (!err) {
                n = blank_run(u, off, len);
                err = n ? program(u, data, n) : WIPY_EIO;
            }
        }
        if (err)
            return err;
        u->stored += (uint32_t)n;
        data += n;
        len -= n;
        err = note_progress(u);
    }
    return err;
}

int store_erase_ahead(struct update *u, uint32_t *off)
{
    const struct boot_slot *slot = slot_of(u);
    uint32_t left = slot->size - *off;
    uint32_t len = left < FLASH_BLOCK ? left : FLASH_BLOCK;
    int err = is_blank(store_view(u) + *off, len)
                  ? 0
                  : flash_erase(u->boot->flash, slot->off + *off, len);
    if (!err)
        *off += len;
    return err;
}
