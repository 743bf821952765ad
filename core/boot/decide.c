/* The bootloader's decision. Everything it changes is computed in memory,
 * written by one boot_record_save(), and may be cut and run again. */
#include <string.h>

#include "base/fields.h"
#include "boot.h"
#include "candidates.h"

struct decision {
    struct boot *b;
    const struct boot_cause *cause;
    struct boot_retained *retained;
    struct boot_choice *choice;
    bool dirty; /* the record must be written */
    bool safe;  /* safe boot, by pin or software */
};

/* The run before was of this slot, outside safe boot. */
static bool ran(const struct decision *d, unsigned slot)
{
    return d->retained->slot == slot && !d->retained->safe;
}

static bool faulted(const struct decision *d)
{
    return d->cause->fault || d->cause->reset == BOOT_RESET_WATCHDOG;
}

static void leave_for(struct decision *d, unsigned to, enum boot_reason reason)
{
    d->choice->handover.left = (uint8_t)d->b->record.active;
    d->choice->handover.left_reason = (uint8_t)reason;
    boot_record_leave(&d->b->record, to, reason);
    d->dirty = true;
}

static void leave(struct decision *d, enum boot_reason reason)
{
    unsigned to = boot_way_back(d->b);
    if (to != SLOT_NONE)
        leave_for(d, to, reason);
}

/* ---- what the record needs ---- */

static void check_record(struct decision *d)
{
    struct boot_record *r = &d->b->record;
    /* A damaged copy is written anew, so that there are two again. */
    d->dirty = d->b->store.bad[0] || d->b->store.bad[1];
    if (!d->b->have_record) {
        boot_record_note(r, SLOT_FACTORY, REASON_FIRST_START);
        d->choice->handover.flags |= HANDOVER_RECORD_NEW;
        d->dirty = true;
    } else if (d->b->store.host) {
        r->slot[r->active].state =
            r->status == RECORD_CHECK ? SLOT_PENDING : SLOT_UNKNOWN;
        memset(r->slot[r->active].digest, 0, SHA256_LEN);
        boot_record_note(r, r->active, REASON_HOST_TOOL);
        d->choice->handover.flags |= HANDOVER_ADOPTED;
        d->dirty = true;
    }
}

/* Somebody who writes factory with a raw serial tool expects it to run. */
static void check_factory(struct decision *d)
{
    struct boot_record *r = &d->b->record;
    struct image im;
    uint8_t digest[SHA256_LEN];
    bool unknown = bytes_are(r->slot[SLOT_FACTORY].digest, 0, SHA256_LEN);
    if ((!unknown && !slot_reflashed(d->b, SLOT_FACTORY)) ||
        boot_slot_check(d->b, SLOT_FACTORY, &im, digest) != IMAGE_FINE)
        return;
    boot_record_image(r, SLOT_FACTORY, im.full_len, digest, SLOT_GOOD);
    d->dirty = true;
    if (unknown)
        return;
    d->choice->handover.flags |= HANDOVER_REFLASHED;
    /* A host tool that wrote the record as well said what it wants. */
    if (d->choice->handover.flags & HANDOVER_ADOPTED)
        return;
    if (r->status == RECORD_CHECK)
        r->slot[r->active].state = SLOT_UNKNOWN;
    unsigned prev = r->status == RECORD_CHECK ? r->prev : r->active;
    boot_record_activate(r, SLOT_FACTORY, prev, RECORD_READY);
    boot_record_note(r, SLOT_FACTORY, REASON_REFLASHED);
}

/* ---- how the last run ended ---- */

/* Bytes of `end`: an orderly reset or deep sleep is no failed start, unless
 * something else ended the run after all. */
static bool ended_orderly(const struct decision *d)
{
    return ran(d, d->b->record.active) && d->retained->trial &&
           d->retained->end == RUN_ORDERLY && !faulted(d);
}

static void check_trial(struct decision *d)
{
    struct boot_record *r = &d->b->record;
    /* Also when the attempt could not be counted. */
    if (r->status != RECORD_CHECK)
        return;
    if (ran(d, r->active) && d->retained->trial && faulted(d))
        leave(d, d->cause->fault ? REASON_FAULT : REASON_WATCHDOG);
    else if (r->attempts_used >= RECORD_ATTEMPTS && !ended_orderly(d))
        leave(d, REASON_ATTEMPTS);
}

/* The oldest of the last faults was within the window: a loop. */
static void check_crash_loop(struct decision *d)
{
    struct boot_record *r = &d->b->record;
    uint32_t *at = d->retained->fault_ms;
    if (r->status != RECORD_READY || !ran(d, r->active) || !faulted(d))
        return;
    memmove(at + 1, at, (CRASH_FAULTS - 1) * sizeof *at);
    at[0] = d->cause->now_ms | 1;
    uint32_t oldest = at[CRASH_FAULTS - 1];
    if (!oldest || at[0] - oldest > CRASH_WINDOW_MS || r->left_once ||
        r->active == SLOT_FACTORY)
        return;
    leave(d, REASON_CRASH_LOOP);
    r->left_once = d->choice->handover.left != SLOT_NONE;
    memset(at, 0, CRASH_FAULTS * sizeof *at);
}

/* ---- choosing ---- */

static unsigned wanted_slot(const struct decision *d)
{
    if (d->cause->window == 2)
        return d->b->record.prev;
    return d->cause->window == 3 ? SLOT_FACTORY : d->b->record.active;
}

static bool verifies(struct decision *d, unsigned slot)
{
    enum image_fault fault = boot_slot_check(d->b, slot, &d->choice->image,
                                             d->choice->handover.digest);
    d->choice->handover.fault[slot] = (uint8_t)fault;
    return fault == IMAGE_FINE;
}

/* First those in good standing, then whatever verifies at all: anything is
 * better than a dark board. */
static unsigned choose(struct decision *d)
{
    /* From the second window on the fall-back is factory. */
    struct candidates c =
        candidates_of(d->b, wanted_slot(d), d->cause->window >= 2);
    for (int poor = 0; poor < 2; poor++)
        for (unsigned i = 0; i < c.count; i++)
            if (candidate_is_poor(d->b, c.slot[i]) == poor &&
                verifies(d, c.slot[i]))
                return c.slot[i];
    return SLOT_NONE;
}

/* The record knows the digest of what runs. */
static void record_digest(struct decision *d, unsigned slot)
{
    struct boot_record *r = &d->b->record;
    const uint8_t *digest = d->choice->handover.digest;
    if (memcmp(r->slot[slot].digest, digest, SHA256_LEN) == 0)
        return;
    boot_record_image(r, slot, d->choice->image.full_len, digest,
                      slot == SLOT_FACTORY                  ? SLOT_GOOD
                      : r->slot[slot].state == SLOT_PENDING ? SLOT_PENDING
                                                            : SLOT_UNKNOWN);
    d->dirty = true;
}

static enum boot_why why_of(const struct decision *d, unsigned slot, bool trial)
{
    uint32_t flags = d->choice->handover.flags;
    if (d->cause->window)
        return slot == wanted_slot(d)
                   ? (enum boot_why)(WHY_SAFE_LATEST + d->cause->window - 1)
                   : WHY_FALLBACK;
    if (d->choice->handover.left_reason == REASON_NOT_GOOD)
        return WHY_FALLBACK;
    if (d->choice->handover.left != SLOT_NONE)
        return WHY_ROLLBACK;
    if (d->safe)
        return WHY_SAFE_SOFTWARE;
    if ((flags & HANDOVER_REFLASHED) && slot == SLOT_FACTORY)
        return WHY_REFLASHED;
    if (slot != d->b->record.active)
        return WHY_KEYS_LOST; /* nothing else passes the selected one over */
    return trial ? WHY_TRIAL : WHY_ACTIVE;
}

/* ---- what stays behind ---- */

/* Asked for by retained word or record; happens once. */
static bool safe_requested(struct decision *d)
{
    struct boot_record *r = &d->b->record;
    return d->retained->request_safe == RETAINED_SAFE ||
           (r->safeboot == SAFEBOOT_SOFT && !r->safe_taken);
}

static void add_event(struct decision *d)
{
    struct boot_retained *t = d->retained;
    if (t->event_count >= RETAINED_EVENTS) {
        memmove(t->event, t->event + 1,
                (RETAINED_EVENTS - 1) * sizeof t->event[0]);
        t->event_count = RETAINED_EVENTS - 1;
    }
    t->event[t->event_count++] = (struct retained_event){
        .slot = d->choice->handover.slot,
        .why = d->choice->handover.why,
        .cause = d->cause->reset,
        .left = d->choice->handover.left,
        .run_s = t->run_s,
    };
}

static void note_run(struct decision *d, bool trial)
{
    struct boot_retained *t = d->retained;
    add_event(d);
    t->request_safe = 0;
    t->slot = d->choice->handover.slot;
    t->safe = d->safe;
    t->trial = trial;
    t->end = RUN_UNKNOWN;
    t->run_s = 0;
}

static uint32_t flags_of(const struct boot *b)
{
    return (uint32_t)b->table_source.first_bad * HANDOVER_TABLE1_BAD |
           (uint32_t)b->table_source.second_bad * HANDOVER_TABLE2_BAD |
           (uint32_t)b->store.bad[0] * HANDOVER_RECORD0_BAD |
           (uint32_t)b->store.bad[1] * HANDOVER_RECORD1_BAD |
           (uint32_t)(b->keys.count > 0) * HANDOVER_KEYS_SET |
           (uint32_t)(b->keys_state == KEYS_ONE_BAD) * HANDOVER_KEYS_BAD |
           (uint32_t)(b->keys_state == KEYS_LOST) * HANDOVER_KEYS_LOST;
}

static void fill_handover(struct decision *d, unsigned slot, bool trial)
{
    struct boot_handover *h = &d->choice->handover;
    const struct boot_record *r = &d->b->record;
    h->slot = (uint8_t)slot;
    h->why = (uint8_t)why_of(d, slot, trial);
    h->attempts_left =
        trial ? (uint8_t)(RECORD_ATTEMPTS - r->attempts_used) : 0;
    h->active = (uint8_t)r->active;
    h->prev = (uint8_t)r->prev;
    h->image_len = d->choice->image.full_len;
    h->watchdog_ms = trial ? BOOT_TRIAL_WATCHDOG_MS : 0;
    memcpy(h->version, d->choice->image.version, sizeof h->version - 1);
    if (d->safe)
        h->flags |= HANDOVER_SAFE_BOOT;
    if (trial)
        h->flags |= HANDOVER_TRIAL;
}

/* A start of the trial costs an attempt, before it begins; one that follows
 * an orderly end goes on with the attempt already taken. */
static bool begin_trial(struct decision *d, unsigned slot)
{
    struct boot_record *r = &d->b->record;
    if (r->status != RECORD_CHECK || slot != r->active || d->safe)
        return false;
    if (!ended_orderly(d) || r->attempts_used == 0)
        (void)boot_record_use_attempt(&d->b->store, r);
    return true;
}

void boot_decide(struct boot *b, const struct boot_cause *cause,
                 struct boot_retained *retained, struct boot_choice *choice)
{
    memset(choice, 0, sizeof *choice);
    struct decision d = {
        .b = b, .cause = cause, .retained = retained, .choice = choice};
    if (retained->magic != RETAINED_MAGIC)
        *retained = (struct boot_retained){
            .magic = RETAINED_MAGIC, .slot = SLOT_NONE, .run_s = UINT32_MAX};
    choice->handover.magic = HANDOVER_MAGIC;
    choice->handover.cause = cause->reset;
    choice->handover.left = SLOT_NONE;
    choice->handover.flags = flags_of(b);

    check_record(&d);
    check_factory(&d);
    check_trial(&d);
    check_crash_loop(&d);
    bool soft = safe_requested(&d);
    d.safe = cause->window || soft;

    unsigned slot = choose(&d);
    if (slot == SLOT_NONE)
        return;
    if (choice->handover.fault[b->record.active] && slot != b->record.active)
        leave_for(&d, slot, REASON_NOT_GOOD);
    record_digest(&d, slot);
    /* A record that cannot be written must not keep the board from starting
     * what verified. */
    if (d.dirty && boot_record_save(&b->store, &b->record) == 0)
        b->have_record = true;
    if (soft && b->record.safeboot == SAFEBOOT_SOFT && !b->record.safe_taken)
        (void)boot_record_take_safe(&b->store, &b->record);
    bool trial = begin_trial(&d, slot);
    fill_handover(&d, slot, trial);
    note_run(&d, trial);
    choice->run = true;
}

/* ---- locks ---- */

int boot_lock(const struct boot *b, unsigned executing,
              int (*lock)(void *ctx, uint32_t off, uint32_t len), void *ctx)
{
    int err = lock(ctx, 0, TABLE_OFF + TABLE_SECTOR);
    for (unsigned i = 0; i < b->table.count && !err; i++) {
        const struct partition *p = &b->table.row[i];
        bool locked =
            p->type == PART_APP
                ? p->subtype == PART_FACTORY ||
                      (executing < SLOTS && p->off == b->slot[executing].off)
                : p->type == PART_DATA &&
                      (p->subtype == PART_TABLE2 || p->subtype == PART_KEYS);
        if (locked)
            err = lock(ctx, p->off, p->size);
    }
    return err;
}
