/* The boot chain on a damaged chip, without power cuts: single flipped bits
 * anywhere in what decides, and the vendor's tools on our map. A good image
 * must start every time. */
#include "boot_world.h"

/* ---- single flipped bits ---- */

static unsigned flipped, started;

static void flip_in(const char *what, uint32_t off, uint32_t len,
                    unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t bit = model_random(&m) % (len * 8);
        uint32_t at = off + bit / 8;
        struct image im;
        uint8_t digest[SHA256_LEN];
        snprintf(where, sizeof where, "%s: flip of bit %u at 0x%x", what,
                 bit % 8, at);
        model_restore(&m);
        model_touch(&m, at, 1);
        m.cells[at] ^= (uint8_t)(1u << bit % 8);
        model_forget();
        flipped++;
        start(&power);
        must(boot_slot_check(&s.boot, s.choice.handover.slot, &im, digest) ==
                 IMAGE_FINE,
             "a bad image was started");
        started++;
    }
    printf("%u bits flipped in %s\n", count, what);
}

static void flips(void)
{
    layout = &layouts[0];
    model_init(&m, layout->chip);
    board_with(2);
    const struct partition *p =
        table_find(&table, PART_APP, (uint8_t)(PART_OTA_0 + 1));
    model_keep(&m);
    model_restore(&m);
    m.random = 99;
    flip_in("the running slot", p->off, SHORT_CODE + 400, 200);
    flip_in("the boot record's sectors", 0x3d0000, 0x2000, 100);
    flip_in("the record's first copy", 0x3d0000, 256, 50);
    flip_in("the record's second copy", 0x3d1800, 256, 50);
    flip_in("the table", TABLE_OFF, TABLE_LEN, 50);
    flip_in("the table's second copy", 0x3d5000, TABLE_LEN, 50);
    flip_in("the keys", 0x3d2000, FLASH_SECTOR, 50);
    model_free(&m);
    printf("%u bits flipped, a good image started %u times\n", flipped,
           started);
}

/* ---- the vendor's tools on our map ---- */

/* A raw flash of a factory file padded to 0x190000, a record of the vendor's
 * default map at 0x190000, nvs erased: both lie in our ota_0. */
static void vendor_over(unsigned active)
{
    layout = &layouts[0];
    model_init(&m, 0x800000);
    snprintf(where, sizeof where, "vendor's map over ours, ota_%u active",
             active - 1);
    memset(m.dirty, 1, m.size / 4096);
    model_forget();
    table = *table_default(0x800000);
    put_table(&m, &table);
    size_t len = make_image(image, "f", SHORT_CODE, true);
    model_put(&m, 0x10000, image, len);
    start(&power);
    for (unsigned i = 0; i < active; i++) {
        must_upload(i ? "b" : "a");
        confirm_new(i ? "b" : "a");
    }
    len = make_image(image, "g", SHORT_CODE, true);
    model_fill(&m, 0x10000, 0xff, 0x180000);
    model_put(&m, 0x10000, image, len);
    struct boot_record r = {.status = RECORD_READY, .size = (uint32_t)len};
    uint8_t head[RECORD_HEAD_LEN];
    memset(r.signature, 0xff, sizeof r.signature);
    boot_record_head_write(head, &r);
    model_fill(&m, 0x190000, 0xff, 4096);
    model_put(&m, 0x190000, head, sizeof head);
    model_fill(&m, 0x9000, 0xff, 0x7000);
    model_power_on(&m);
    start(&power);
    must(s.choice.handover.version[0] == 'g', "the new factory does not run");
    must(s.choice.handover.flags & HANDOVER_REFLASHED, "it is not said");
    check_next_update();
    model_free(&m);
}

int main(void)
{
    vendor_over(1);
    vendor_over(2);
    flips();
    return 0;
}
