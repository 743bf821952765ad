/* Boards of different layouts and what is done with them, for the simulators
 * of the boot chain. Everything is static: include it once a program. */
#ifndef WIPY_TESTS_BOOT_WORLD_H
#define WIPY_TESTS_BOOT_WORLD_H

#include <stdarg.h>

#include "bootmodel.h"
#include "words/words.h"

enum { SLOT_LEN = 0x20000, SHORT_CODE = 1500, LONG_CODE = 66000 };

struct layout {
    const char *name;
    uint32_t chip;
    unsigned ota;
    int damaged; /* copy of the record, -1 none */
    uint32_t otadata;
};

/* A field board's single sector: there is no other copy while it is written,
 * so a cut may lose the record; a good image must start all the same. */
enum { ONE_SECTOR = 0x1000 };

static const struct layout layouts[] = {
    {"8M, two slots", 0x800000, 2, -1, 0x2000},
    {"8M, two slots, copy 0 damaged", 0x800000, 2, 0, 0x2000},
    {"8M, two slots, copy 1 damaged", 0x800000, 2, 1, 0x2000},
    {"8M, one slot", 0x800000, 1, -1, 0x2000},
    {"8M, one slot, copy 0 damaged", 0x800000, 1, 0, 0x2000},
    {"8M, one slot, copy 1 damaged", 0x800000, 1, 1, 0x2000},
    {"4M, two slots", 0x400000, 2, -1, 0x2000},
    {"4M, two slots, copy 0 damaged", 0x400000, 2, 0, 0x2000},
    {"4M, two slots, copy 1 damaged", 0x400000, 2, 1, 0x2000},
    {"4M, one slot", 0x400000, 1, -1, 0x2000},
    {"4M, one slot, copy 0 damaged", 0x400000, 1, 0, 0x2000},
    {"4M, one slot, copy 1 damaged", 0x400000, 1, 1, 0x2000},
    {"4M, one slot, one sector", 0x400000, 1, -1, ONE_SECTOR},
    {"8M, two slots, one sector", 0x800000, 2, -1, ONE_SECTOR},
};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

static struct model m;
static struct start s;
static struct update u;
static const struct layout *layout;
static struct table table;
static uint8_t image[LONG_CODE + 2000];
static const struct boot_cause power = {.reset = 0};

/* ---- saying what went wrong ---- */

static char where[200];

static void failed(const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s: ", where);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void must(bool ok, const char *what)
{
    if (!ok)
        failed("%s", what);
}

/* ---- acts ---- */

static bool start(const struct boot_cause *cause)
{
    m.lock_count = 0; /* a reset ends them */
    must(model_start(&m, &s, cause) == 0, "the tables are gone");
    if (m.dead)
        return false;
    must(s.choice.run, "nothing starts");
    model_lock_all(&m, &s);
    update_init(&u, &s.boot, s.choice.handover.slot);
    return true;
}

/* 0, or an error when power was cut meanwhile. */
static int upload(const char *version, size_t code_len, uint32_t from)
{
    size_t len = make_image(image, version, code_len, true);
    int err = update_begin(&u, UPDATE_SIZE_UNKNOWN, from);
    if (!err)
        err = update_write(&u, image + from, len - from);
    return err ? err : update_finish(&u);
}

static void must_upload(const char *version)
{
    if (upload(version, SHORT_CODE, 0) != 0)
        failed("upload of %s: %s", version, update_text(&u));
}

/* A start of the image uploaded, and its confirmation. */
static void confirm_new(const char *version)
{
    model_power_on(&m);
    start(&power);
    if (strcmp(s.choice.handover.version, version) != 0)
        failed("%s was uploaded, %s starts", version,
               s.choice.handover.version);
    must(boot_confirm(&s.boot, s.choice.handover.slot, REASON_SELF_TEST) == 0,
         "not confirmed");
}

/* ---- states to begin from ---- */

/* A new board; `updates` confirmed ones on it (a, then b). */
static void board_with(unsigned updates)
{
    memset(m.cells, 0xff, m.size);
    memset(m.dirty, 1, m.size / 4096);
    model_power_on(&m);
    model_forget();
    make_table(&table, layout->chip, layout->ota, SLOT_LEN, layout->otadata);
    put_table(&m, &table);
    size_t len = make_image(image, "f", SHORT_CODE, true);
    model_put(&m, 0x10000, image, len);
    start(&power);
    static const char *const versions[] = {"a", "b"};
    for (unsigned i = 0; i < updates; i++) {
        if (layout->ota == 1 && i) { /* only from factory */
            start(&(struct boot_cause){.window = 3});
        }
        must_upload(versions[i]);
        confirm_new(versions[i]);
    }
}

/* Life goes on: a further update is received, started, confirmed. */
static void check_next_update(void)
{
    unsigned slot = s.choice.handover.slot;
    if (boot_on_trial(&s.boot))
        must(boot_confirm(&s.boot, slot, REASON_SELF_TEST) == 0, "confirm");
    if (layout->ota == 1 && slot == 1)
        start(&(struct boot_cause){.window = 3});
    must_upload("z");
    confirm_new("z");
    model_power_on(&m);
    start(&power);
    must(s.choice.handover.version[0] == 'z' &&
             s.choice.handover.why == WHY_ACTIVE,
         "the next update does not stay");
}

#endif
