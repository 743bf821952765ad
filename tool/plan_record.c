/* The boot record, after a slot was flashed. */
#include <string.h>

#include "base/err.h"
#include "plan.h"

/* True when the next start runs that slot anyway. A trial that is flashed
 * again begins anew, with all its attempts. */
static bool selected_already(const struct boot *b, unsigned slot, bool changed)
{
    const struct boot_record *r = &b->record;
    if (!b->have_record || r->active != slot)
        return false;
    return slot == SLOT_FACTORY ? r->status == RECORD_READY : !changed;
}

static int send_sector(struct loader *l, struct mirror *m, uint32_t off)
{
    struct write_options options = {0};
    struct write_result result;
    return loader_write(l, "boot record", off, m->chip + off, FLASH_SECTOR,
                        &options, &result);
}

/* A host tool's record lies in the first sector. When the one in use, which
 * knows the slots, lies there too, it is first moved to the other. */
static int make_room(struct loader *l, struct mirror *m, struct boot *b)
{
    if (b->store.copies < 2 || b->store.current != 0)
        return 0;
    int err = boot_record_save(&b->store, &b->record);
    if (err < 0)
        return loader_fail(l, err, "the boot record cannot be moved");
    return send_sector(l, m, b->store.off + RECORD_SECTOR);
}

int plan_boot_record(struct loader *l, struct mirror *m, unsigned slot,
                     uint32_t size, bool changed, bool *wrote)
{
    struct boot b;
    *wrote = false;
    if (boot_open_for(&b, &m->flash, l->chip.machine) < 0 ||
        b.store.copies == 0 || selected_already(&b, slot, changed))
        return 0; /* without otadata a board runs its factory image */
    int err = make_room(l, m, &b);
    if (err < 0)
        return err;
    struct boot_record r = {.active = slot, .size = size};
    r.status = slot == SLOT_FACTORY ? RECORD_READY : RECORD_CHECK;
    memset(r.signature, 0xff, sizeof r.signature);
    memset(m->chip + b.store.off, 0xff, FLASH_SECTOR);
    boot_record_head_write(m->chip + b.store.off, &r);
    *wrote = true;
    return send_sector(l, m, b.store.off);
}
