/* A default board for tests of what starts: images in its slots, a record, a
 * start. Everything is static: include it once a program, after cmocka.h. */
#ifndef WIPY_TESTS_BOOTBOARD_H
#define WIPY_TESTS_BOOTBOARD_H

#include "bootmodel.h"
#include "words/words.h"

enum { OTADATA = 0x3d0000, COPY1 = OTADATA + 0x1800 };

static struct model m;
static struct start s;

/* A default board whose factory holds version "f"; `ota_0` and `ota_1` as
 * named, NULL for an empty slot. */
static void board_with(const char *ota_0, const char *ota_1)
{
    static uint8_t image[8192];
    const struct table *t = table_default(0x800000);
    const char *version[] = {"f", ota_0, ota_1};
    static const uint32_t place[] = {0x10000, 0x150000, 0x290000};
    memset(m.cells, 0xff, m.size);
    memset(m.dirty, 0, m.size / 4096);
    model_power_on(&m);
    model_forget();
    put_table(&m, t);
    for (int i = 0; i < 3; i++) {
        if (version[i]) {
            size_t len = make_image(image, version[i], 3000, true);
            model_put(&m, place[i], image, len);
        }
    }
}

static void put_head(uint32_t active, uint32_t status, uint32_t prev)
{
    struct boot_record r = {
        .active = active, .status = status, .prev = prev, .size = 3000};
    memset(r.signature, 0xff, sizeof r.signature);
    uint8_t head[RECORD_HEAD_LEN];
    boot_record_head_write(head, &r);
    model_fill(&m, OTADATA, 0xff, 4096);
    model_put(&m, OTADATA, head, sizeof head);
}

static const struct boot_handover *start(const struct boot_cause *cause)
{
    assert_int_equal(model_start(&m, &s, cause), 0);
    assert_true(s.choice.run);
    return &s.choice.handover;
}

static void expect(const struct boot_handover *h, unsigned slot, unsigned why)
{
    assert_int_equal(h->slot, slot);
    assert_string_equal(boot_why_text(h->why), boot_why_text(why));
}

static const struct boot_cause fault = {.reset = 1, .fault = true, .now_ms = 9};
static const struct boot_cause power = {.reset = 0};
static const struct boot_cause watchdog = {.reset = 2};

static void pending(const char *a, const char *b, unsigned slot, unsigned prev)
{
    board_with(a, b);
    start(&power);
    put_head(slot, RECORD_CHECK, prev);
}

static int set_up(void **state)
{
    (void)state;
    model_init(&m, 0x800000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    model_free(&m);
    return 0;
}

#endif
