#include "store.h"

#include <string.h>

#include "base/err.h"
#include "base/fields.h"

static const struct boot_slot *slot_of(const struct update *u)
{
    return &u->boot->slot[u->slot];
}

const uint8_t *store_view(const struct update *u)
{
    return u->boot->flash->map + slot_of(u)->off;
}

static bool is_blank(const uint8_t *p, size_t len)
{
    return bytes_are(p, 0xff, len);
}

/* What is erased at once: from the start of a block the whole block, else one
 * sector. */
static uint32_t erase_len(const struct update *u, uint32_t off)
{
    const struct boot_slot *slot = slot_of(u);
    return (slot->off + off) % FLASH_BLOCK == 0 &&
                   slot->size - off >= FLASH_BLOCK
               ? FLASH_BLOCK
               : FLASH_SECTOR;
}

static int erase(struct update *u, uint32_t off)
{
    return flash_erase(u->boot->flash, slot_of(u)->off + off,
                       erase_len(u, off));
}

/* How many of `len` bytes can be programmed by one command: sectors that are
 * blank, in one block. */
static size_t blank_run(const struct update *u, uint32_t off, size_t len)
{
    const uint8_t *chip = store_view(u) + off;
    size_t run = 0, most = FLASH_BLOCK - off % FLASH_BLOCK;
    while (run < len && run < most && is_blank(chip + run, FLASH_SECTOR))
        run += FLASH_SECTOR;
    return run < len ? run : len;
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
                err = erase(u, off);
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
    uint32_t len = erase_len(u, *off);
    int err = is_blank(store_view(u) + *off, len) ? 0 : erase(u, *off);
    if (!err)
        *off += len;
    return err;
}
