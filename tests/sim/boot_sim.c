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
#include <time.h>

#include "boot_scenarios.h"

#ifdef __SANITIZE_ADDRESS__
enum { WITH_SANITIZERS = 1 };
#else
enum { WITH_SANITIZERS = 0 };
#endif

/* Coprime to the five ways of tearing: in turn, all cuts are met. */
enum { SAMPLE_STEP = 9 };

static uint64_t runs, cuts;

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

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    bool sample = strcmp(mode, "sample") == 0 || (WITH_SANITIZERS && !*mode);
    if (strcmp(mode, "random") == 0 && argc > 2) {
        random_cuts((unsigned)atoi(argv[2]),
                    argc > 3 ? (uint32_t)atoi(argv[3]) : 1);
    } else {
        sweep(sample ? SAMPLE_STEP : 1, strcmp(mode, "pairs") == 0);
    }
    printf("boot_sim: %s%u scenarios on %u layouts: %llu runs, %llu cuts\n",
           sample ? "sample of " : "", (unsigned)SCENARIOS, (unsigned)LAYOUTS,
           (unsigned long long)runs, (unsigned long long)cuts);
    return 0;
}
