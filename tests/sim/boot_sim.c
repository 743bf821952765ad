/* The boot chain under power cuts: every flash command of every change of the
 * record and of every upload is cut in five ways, on boards of different
 * layouts, and afterwards a good image must start, the record must be right,
 * and the next update must succeed.
 *
 *   boot_sim                 all single cuts, layouts as in CI
 *   boot_sim sample          a ninth of them, each kind of cut on each layout;
 *                            what builds with sanitizers do by themselves
 *   boot_sim pairs           and every ordered pair: the recovery is cut too
 *   boot_sim random SECONDS [SEED]   up to four cuts in a row, at random
 */
#include <stdarg.h>
#include <time.h>

#include "bootmodel.h"
#include "words/words.h"

#ifdef __SANITIZE_ADDRESS__
enum { WITH_SANITIZERS = 1 };
#else
enum { WITH_SANITIZERS = 0 };
#endif

/* Coprime to the five ways of tearing: in turn, all cuts are met. */
enum { SAMPLE_STEP = 9 };

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
static uint64_t runs, cuts;
static const struct boot_cause power = {.reset = 0};

/* ---- saying what went wrong ---- */

static char where[200];

static void failed(const char *format, ...)
{
    va_list args;
    fprintf(stderr, "boot_sim: %s: ", where);
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

static const char *active_version(void)
{
    static struct image im;
    uint8_t digest[SHA256_LEN];
    struct boot b;
    (void)boot_open(&b, &m.flash);
    must(boot_slot_check(&b, b.record.active, &im, digest) == IMAGE_FINE,
         "the active image is bad before the test begins");
    return im.version;
}

static void damage_copy(void)
{
    if (layout->damaged >= 0) {
        uint32_t at = 0x3d0000 + (layout->damaged ? 0x1800 : 0) + 60;
        model_touch(&m, at, 0x201);
        m.cells[at] ^= 0x11;
        m.cells[at + 0x200] ^= 0x11;
    }
}

static void put_host_record(uint32_t active, uint32_t status, uint32_t prev)
{
    struct boot_record r = {
        .active = active, .status = status, .prev = prev, .size = 1000};
    uint8_t head[RECORD_HEAD_LEN];
    memset(r.signature, 0xff, sizeof r.signature);
    boot_record_head_write(head, &r);
    model_fill(&m, 0x3d0000, 0xff, 4096);
    model_put(&m, 0x3d0000, head, sizeof head);
}

/* ---- scenarios ---- */

/* What may start after a cut. '=' the old active one; others by name. */
struct scenario {
    const char *name;
    unsigned updates;      /* confirmed before */
    void (*state)(void);   /* what else was before, not cut */
    void (*act)(void);     /* what is cut; begins with a start of its own */
    const char *may_start; /* versions, one letter each */
};

static void act_receive(void)
{
    if (start(&power))
        (void)upload("n", SHORT_CODE, 0);
}

static void act_receive_long(void)
{
    if (start(&power))
        (void)upload("n", LONG_CODE, 0);
}

/* In the same session, without a start between. */
static void act_receive_again(void)
{
    (void)upload("x", SHORT_CODE, 0);
}

/* Half an upload, then the connection breaks. */
static void state_half_received(void)
{
    make_image(image, "n", LONG_CODE, true);
    start(&power);
    must(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0) == 0, "begin");
    must(update_write(&u, image, 65900) == 0, "write");
    update_abort(&u);
}

static void act_resume(void)
{
    if (!start(&power))
        return;
    /* A damaged newest copy of the record has forgotten the upload. */
    uint32_t size = update_resume_size(&u);
    if (layout->damaged < 0 && size != 65536)
        failed("%u bytes to resume from", size);
    (void)upload("n", LONG_CODE, size);
}

static void act_prepare(void)
{
    if (!start(&power))
        return;
    while (update_prepare(&u) == 1)
        ;
}

static void state_pending(void)
{
    if (layout->ota == 1 && s.choice.handover.slot == 1)
        start(&(struct boot_cause){.window = 3});
    must_upload("n");
}

static void act_start(void)
{
    (void)start(&power);
}

static void state_trial(void)
{
    state_pending();
    model_power_on(&m);
    start(&power);
}

static void act_confirm(void)
{
    struct boot b;
    (void)boot_open(&b, &m.flash);
    if (b.record.status == RECORD_CHECK)
        (void)boot_confirm(&b, b.record.active, REASON_SELF_TEST);
}

static void act_user_rollback(void)
{
    struct boot b;
    (void)boot_open(&b, &m.flash);
    (void)boot_rollback(&b, REASON_USER_ROLLBACK);
}

static void act_fault(void)
{
    (void)start(&(struct boot_cause){.reset = 1, .fault = true});
}

static void state_tired(void)
{
    state_pending();
    for (int i = 0; i < RECORD_ATTEMPTS; i++) {
        model_forget();
        model_power_on(&m);
        start(&power);
        must(s.choice.handover.why == WHY_TRIAL, "no trial");
    }
    model_forget();
}

static void act_select_factory(void)
{
    if (start(&power))
        (void)boot_select(&s.boot, 0, NULL);
}

static void act_request_safe(void)
{
    if (start(&power) && boot_request_safe(&s.boot) == 0)
        (void)start(&power);
}

static void state_host_ota(void)
{
    put_host_record(1, RECORD_CHECK, 0);
}

static void state_host_factory(void)
{
    put_host_record(0, RECORD_READY, 0);
}

static void state_blank_record(void)
{
    model_fill(&m, 0x3d0000, 0xff, 0x2000);
}

static void state_reflashed(void)
{
    size_t len = make_image(image, "g", SHORT_CODE, true);
    model_fill(&m, 0x10000, 0xff, SLOT_LEN);
    model_put(&m, 0x10000, image, len);
}

static void state_crashing(void)
{
    for (uint32_t i = 1; i < CRASH_FAULTS; i++) {
        model_power_on(&m);
        start(&(struct boot_cause){.reset = 1, .fault = true, .now_ms = i});
    }
}

static void act_third_crash(void)
{
    (void)start(&(struct boot_cause){.reset = 1, .fault = true, .now_ms = 99});
}

static void act_diary(void)
{
    struct diary d;
    if (!start(&power))
        return;
    diary_open(&d, &s.boot);
    for (uint32_t i = 0; i < 140 && !m.dead; i++) {
        struct diary_entry e = {.kind = DIARY_CHANGE, .run_s = i};
        (void)diary_add(&d, &e);
    }
}

static const struct scenario scenarios[] = {
    {"first start", 0, state_blank_record, act_start, "f"},
    {"receive, new board", 0, NULL, act_receive, "=n"},
    {"receive", 1, NULL, act_receive, "=n"},
    {"receive over the oldest", 2, NULL, act_receive, "=n"},
    {"receive a long one", 0, NULL, act_receive_long, "=n"},
    {"resume", 0, state_half_received, act_resume, "=n"},
    {"prepare", 0, NULL, act_prepare, "="},
    {"prepare over the oldest", 2, NULL, act_prepare, "="},
    {"receive over a pending one", 1, state_pending, act_receive_again, "=xn"},
    {"first start of a pending one", 1, state_pending, act_start, "n"},
    {"start on trial", 1, state_trial, act_start, "n"},
    {"confirm", 1, state_trial, act_confirm, "n"},
    {"rollback by the user", 1, state_trial, act_user_rollback, "no"},
    {"rollback after a fault", 1, state_trial, act_fault, "no"},
    {"rollback after five starts", 1, state_tired, act_start, "o"},
    {"crash loop", 2, state_crashing, act_third_crash, "=ab"},
    {"select factory", 1, NULL, act_select_factory, "=f"},
    {"safe boot asked for", 1, NULL, act_request_safe, "="},
    {"host tool selects an update", 1, state_host_ota, act_start, "=a"},
    {"host tool selects factory", 2, state_host_factory, act_start, "f"},
    {"factory written by a serial tool", 2, state_reflashed, act_start, "g"},
    {"diary", 1, NULL, act_diary, "="},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

/* ---- what must be true afterwards ---- */

static char old_version; /* active before the act */
static bool disturbed;   /* a page beside what was written has changed */

/* Nothing but the cut has happened: the outcome is known exactly. */
static bool is_strict(void)
{
    return layout->damaged < 0 && layout->otadata > ONE_SECTOR && !disturbed;
}

static bool allowed(const struct scenario *sc, char version)
{
    for (const char *c = sc->may_start; *c; c++) {
        if (*c == version || (*c == '=' && version == old_version))
            return true;
        /* 'o': what was active before the pending one */
        if (*c == 'o' && (version == 'a' || version == 'b'))
            return true;
    }
    /* A single update slot: an upload leaves factory as the only other. */
    if (layout->ota == 1 && version == 'f')
        return true;
    /* The newest copy of the record was damaged beforehand: its forerunner
     * counts, which knew the state before. A disturbed page may lie in an
     * image: then another one starts. */
    return !is_strict() && strchr("fabgnx", version);
}

/* Slots called good are good; what is selected is what started. */
static void check_record(const struct scenario *sc)
{
    struct boot b;
    must(boot_open(&b, &m.flash) == 0, "tables gone");
    must(b.have_record, "no record after a start");
    must(b.record.active == s.choice.handover.slot,
         "the record names another image than the one that runs");
    must(!b.store.host, "a host's record was not adopted");
    must(!b.store.bad[b.store.current], "the record in use is damaged");
    for (unsigned i = 0; i < SLOTS && is_strict(); i++) {
        struct image im;
        uint8_t digest[SHA256_LEN];
        uint8_t state = b.record.slot[i].state;
        if (state != SLOT_GOOD && state != SLOT_PENDING)
            continue;
        if (boot_slot_check(&b, i, &im, digest) != IMAGE_FINE)
            failed("%s is called %s and is not (%s)", slot_name(i),
                   slot_state_text(state), sc->name);
        must(memcmp(digest, b.record.slot[i].digest, SHA256_LEN) == 0,
             "a digest is not that of the image");
    }
    struct image im;
    uint8_t digest[SHA256_LEN];
    if (is_strict())
        must(boot_slot_check(&b, b.record.prev, &im, digest) == IMAGE_FINE,
             "the way back does not verify");
}

static void check_diary(void)
{
    struct diary d;
    struct diary_entry e, before;
    diary_open(&d, &s.boot);
    e = (struct diary_entry){.kind = DIARY_CHANGE, .run_s = 4711};
    must(diary_add(&d, &e) == 0, "the diary is stuck");
    diary_open(&d, &s.boot);
    must(diary_get(&d, 0, &e) && e.run_s == 4711, "the diary lost an entry");
    if (diary_get(&d, 1, &before))
        must(before.seq < e.seq, "the diary is out of order");
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

static void check_started(const struct scenario *sc)
{
    struct image im;
    uint8_t digest[SHA256_LEN];
    const struct boot_handover *h = &s.choice.handover;
    must(boot_slot_check(&s.boot, h->slot, &im, digest) == IMAGE_FINE,
         "a bad image was started");
    if (!allowed(sc, h->version[0]))
        failed("%s starts (was %c, may be %s), why: %s", h->version,
               old_version, sc->may_start, boot_why_text(h->why));
    must(!m.locked_hit, "a locked range was to be changed");
}

static void check_after(const struct scenario *sc, bool disturbed_now)
{
    disturbed = disturbed_now;
    model_power_on(&m);
    model_forget();
    m.locked_hit = false;
    start(&power);
    check_started(sc);
    check_record(sc);
    check_diary();
    check_next_update();
}

/* ---- running ---- */

/* What a cut does not touch: the board before it. */
static struct {
    struct boot_retained retained;
    struct start s;
    struct update u;
} kept;

static void set_up(const struct scenario *sc)
{
    board_with(sc->updates);
    old_version = active_version()[0];
    if (sc->state)
        sc->state();
    model_power_on(&m);
    damage_copy();
    model_keep(&m);
    kept.retained = model_retained;
    kept.s = s;
    kept.u = u;
    model_restore(&m);
}

/* The act with power failing at command `n`; false when it ended before. */
static bool act_cut_at(const struct scenario *sc, uint64_t n, enum tear tear)
{
    model_restore(&m);
    model_retained = kept.retained;
    s = kept.s;
    u = kept.u;
    m.random = (uint32_t)(n * 2654435761u + tear + 1);
    m.locked_hit = false;
    m.cut_at = n;
    m.tear = tear;
    sc->act();
    must(!m.locked_hit, "a locked range was to be changed");
    runs++;
    cuts += m.dead;
    return m.dead;
}

/* The start after a cut, cut itself at its command `n`. */
static bool start_cut_at(uint64_t n, enum tear tear)
{
    model_power_on(&m);
    model_forget();
    m.cut_at = m.ops + n;
    m.tear = tear;
    (void)start(&power);
    cuts += m.dead;
    return m.dead;
}

static void note(const struct scenario *sc, enum tear tear, uint64_t n,
                 const char *more)
{
    static const char *const tears[] = {"nothing", "bits", "half", "all",
                                        "disturb"};
    snprintf(where, sizeof where, "%s: %s: cut at %llu (%s)%s", layout->name,
             sc->name, (unsigned long long)n, tears[tear], more);
}

static void all_pairs(const struct scenario *sc, uint64_t n, enum tear tear)
{
    for (int second = 0; second < TEARS; second++) {
        for (uint64_t k = 1;; k++) {
            char more[40];
            snprintf(more, sizeof more, ", then at %llu",
                     (unsigned long long)k);
            note(sc, tear, n, more);
            (void)act_cut_at(sc, n, tear);
            bool cut = start_cut_at(k, (enum tear)second);
            check_after(sc, tear == TEAR_DISTURB || second == TEAR_DISTURB);
            if (!cut)
                break;
        }
    }
}

/* Every `step`-th cut from `first` on, and the act without one. */
static void every_cut(const struct scenario *sc, enum tear tear, uint64_t first,
                      uint64_t step, bool pairs)
{
    for (uint64_t n = first;; n += step) {
        note(sc, tear, n, "");
        bool cut = act_cut_at(sc, n, tear);
        check_after(sc, tear == TEAR_DISTURB);
        if (cut && pairs)
            all_pairs(sc, n, tear);
        if (!cut)
            return;
    }
}

static void sweep(uint64_t step, bool pairs)
{
    uint64_t dice = 0;
    for (unsigned l = 0; l < LAYOUTS; l++) {
        layout = &layouts[l];
        model_init(&m, layout->chip);
        for (unsigned i = 0; i < SCENARIOS; i++) {
            snprintf(where, sizeof where, "%s: %s: before", layout->name,
                     scenarios[i].name);
            set_up(&scenarios[i]);
            for (int tear = 0; tear < TEARS; tear++)
                every_cut(&scenarios[i], (enum tear)tear, 1 + dice++ % step,
                          step, pairs);
        }
        model_free(&m);
    }
}

/* Up to four cuts in a row, anywhere. */
static void random_cuts(unsigned seconds, uint32_t seed)
{
    time_t end = time(NULL) + (time_t)seconds;
    struct model dice = {.random = seed ? seed : 1};
    while (time(NULL) < end) {
        layout = &layouts[model_random(&dice) % LAYOUTS];
        const struct scenario *sc = &scenarios[model_random(&dice) % SCENARIOS];
        model_init(&m, layout->chip);
        snprintf(where, sizeof where, "%s: %s: before (seed %u)", layout->name,
                 sc->name, seed);
        set_up(sc);
        (void)act_cut_at(sc, 0, TEAR_NOTHING);
        uint64_t ops = m.ops + 1;
        for (int i = 0; i < 200; i++) {
            uint64_t n = 1 + model_random(&dice) % ops;
            enum tear tear = (enum tear)(model_random(&dice) % TEARS);
            unsigned more = model_random(&dice) % 4;
            /* Starts that are cut use up the attempts of a trial. */
            bool relaxed = tear == TEAR_DISTURB || more >= 2;
            note(sc, tear, n, " and more at random");
            (void)act_cut_at(sc, n, tear);
            while (more--) {
                tear = (enum tear)(model_random(&dice) % TEARS);
                relaxed |= tear == TEAR_DISTURB;
                (void)start_cut_at(1 + model_random(&dice) % 6, tear);
            }
            check_after(sc, relaxed);
        }
        model_free(&m);
    }
}

/* ---- single flipped bits ---- */

static void flip_in(uint32_t off, uint32_t len, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t bit = model_random(&m) % (len * 8);
        uint32_t at = off + bit / 8;
        snprintf(where, sizeof where, "flip of bit %u at 0x%x", bit % 8, at);
        model_restore(&m);
        model_touch(&m, at, 1);
        m.cells[at] ^= (uint8_t)(1u << bit % 8);
        model_forget();
        start(&power);
        struct image im;
        uint8_t digest[SHA256_LEN];
        must(boot_slot_check(&s.boot, s.choice.handover.slot, &im, digest) ==
                 IMAGE_FINE,
             "a bad image was started");
        runs++;
    }
}

/* 550 of them in the running slot, the record, the tables and the keys. */
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
    flip_in(p->off, SHORT_CODE + 400, 200);
    flip_in(0x3d0000, 0x2000, 100);
    flip_in(0x3d0000, 256, 50);
    flip_in(0x3d1800, 256, 50);
    flip_in(TABLE_OFF, TABLE_LEN, 50);
    flip_in(0x3d5000, TABLE_LEN, 50);
    flip_in(0x3d2000, FLASH_SECTOR, 50);
    model_free(&m);
    printf("boot_sim: 550 flipped bits, a good image started 550 times\n");
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

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    bool sample = strcmp(mode, "sample") == 0 || (WITH_SANITIZERS && !*mode);
    if (strcmp(mode, "random") == 0 && argc > 2) {
        random_cuts((unsigned)atoi(argv[2]),
                    argc > 3 ? (uint32_t)atoi(argv[3]) : 1);
    } else {
        vendor_over(1);
        vendor_over(2);
        flips();
        sweep(sample ? SAMPLE_STEP : 1, strcmp(mode, "pairs") == 0);
    }
    printf("boot_sim: %s%u scenarios on %u layouts: %llu runs, %llu cuts\n",
           sample ? "sample of " : "", (unsigned)SCENARIOS, (unsigned)LAYOUTS,
           (unsigned long long)runs, (unsigned long long)cuts);
    return 0;
}
