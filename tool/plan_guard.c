/* May these files go there? */
#include <stdio.h>

#include "commands.h"
#include "image/image.h"
#include "outcome.h"
#include "plan.h"

static const char *machine_text(unsigned machine)
{
    switch (machine) {
    case IMAGE_MACHINE_XTENSA:
        return "a real ESP32 (Xtensa)";
    case IMAGE_MACHINE_X86_64:
        return "a virtual board on x86-64";
    case IMAGE_MACHINE_AARCH64:
        return "a virtual board on AArch64";
    default:
        return "an unknown machine";
    }
}

/* The MD5 tail is of uploads: it counts where there is nothing better. */
static enum image_fault damage(const struct image *im)
{
    if (!image_checksum_ok(im))
        return IMAGE_BAD_CHECKSUM;
    if (im->has_digest)
        return image_digest_ok(im) ? IMAGE_FINE : IMAGE_BAD_DIGEST;
    return !im->has_tail || image_tail_ok(im) ? IMAGE_FINE : IMAGE_BAD_TAIL;
}

static const char *why_not(const struct plan *p, const struct plan_item *item,
                           const struct chip_facts *chip, char text[160])
{
    struct image im;
    bool boots = item->off == BOOTLOADER_OFF;
    if (!boots && plan_slot(p, item) < 0)
        return NULL;
    enum image_fault fault = image_parse(&im, item->data, item->len);
    if (fault != IMAGE_FINE) {
        snprintf(text, 160, "is no image that could be started there: %s",
                 image_fault_text(fault));
        return text;
    }
    if (im.machine != IMAGE_MACHINE_NONE && im.machine != chip->machine) {
        snprintf(text, 160, "is code for %s; the board is %s",
                 machine_text(im.machine), machine_text(chip->machine));
        return text;
    }
    if (chip->is_virtual && im.has_desc &&
        (im.kind == IMAGE_BOOTLOADER) != boots)
        return boots ? "is a firmware; at 0x1000 belongs a bootloader"
                     : "is a bootloader; that goes to 0x1000";
    fault = damage(&im);
    if (fault == IMAGE_FINE)
        return NULL;
    snprintf(text, 160, "is damaged (%s): build or copy it again",
             image_fault_text(fault));
    return text;
}

/* A write that begins elsewhere and covers the place: a whole chip, say. It may
 * hold anything there but code that runs on another machine. */
static const char *why_not_covered(const struct plan_item *item, uint32_t place,
                                   const struct chip_facts *chip,
                                   char text[160])
{
    struct image im;
    if (place <= item->off || place - item->off >= item->len)
        return NULL;
    size_t at = place - item->off;
    if (image_parse(&im, item->data + at, item->len - at) != IMAGE_FINE ||
        im.machine == IMAGE_MACHINE_NONE || im.machine == chip->machine)
        return NULL;
    snprintf(text, 160, "has code for %s at 0x%x; the board is %s",
             machine_text(im.machine), (unsigned)place,
             machine_text(chip->machine));
    return text;
}

static const char *why_not_anywhere(const struct plan *p,
                                    const struct plan_item *item,
                                    const struct chip_facts *chip,
                                    char text[160])
{
    const char *reason = why_not(p, item, chip, text);
    if (!reason)
        reason = why_not_covered(item, BOOTLOADER_OFF, chip, text);
    for (unsigned i = 0; p->has_table && !reason && i < p->table.count; i++)
        if (p->table.row[i].type == PART_APP)
            reason = why_not_covered(item, p->table.row[i].off, chip, text);
    return reason;
}

int plan_guard(const struct plan *p, const struct chip_facts *chip, bool force)
{
    char text[160];
    for (unsigned i = 0; i < p->count && !force; i++) {
        const struct plan_item *item = &p->item[i];
        const char *reason = why_not_anywhere(p, item, chip, text);
        if (!reason)
            continue;
        complain("wipy: %s (for 0x%x) %s. Nothing was written; --force writes "
                 "it all the same\n",
                 item->name, (unsigned)item->off, reason);
        return EXIT_REFUSED;
    }
    return 0;
}
