/* The life of one upload. Which slot it takes is slot.c, what its bytes are
 * worth intake.c, where they go on the chip store.c, what is said answer.c. */
#include "update.h"

#include "base/err.h"
#include "intake.h"
#include "slot.h"
#include "store.h"

void update_init(struct update *u, struct boot *boot, unsigned executing)
{
    *u = (struct update){.boot = boot, .executing = executing};
}

bool update_running(const struct update *u)
{
    return u->state != UPDATE_IDLE;
}

const char *update_text(const struct update *u)
{
    return u->text;
}

enum update_outcome update_outcome(const struct update *u)
{
    return (enum update_outcome)u->outcome;
}

int update_next_slot(struct update *u)
{
    unsigned slot;
    int err = slot_choose(u, &slot);
    return err ? err : (int)slot;
}

uint32_t update_resume_size(const struct update *u)
{
    const struct boot *b = u->boot;
    unsigned slot = slot_spare(u);
    if (boot_on_trial(b) || slot == SLOT_NONE ||
        b->record.slot[slot].state != SLOT_RECEIVING)
        return 0;
    uint32_t noted = (uint32_t)b->record.blocks * FLASH_BLOCK;
    /* The counters have no checksum of their own. */
    if (noted > b->slot[slot].size)
        return 0;
    /* Since the last reset more is known than the blocks noted. */
    return slot == u->slot && u->stored > noted ? u->stored : noted;
}

/* Takes the spare slot, unless another upload is under way. */
static int take_slot(struct update *u)
{
    unsigned slot;
    if (update_running(u))
        return update_say(u, ANSWER_BUSY);
    int err = slot_choose(u, &slot);
    if (err)
        return err;
    /* What is known of another slot's upload is not of this one. */
    if (slot != u->slot)
        u->stored = 0;
    u->slot = slot;
    return 0;
}

int update_begin(struct update *u, uint32_t size, uint32_t resume)
{
    int err = take_slot(u);
    if (err)
        return err;
    if (size != UPDATE_SIZE_UNKNOWN && size > u->boot->slot[u->slot].size)
        return update_say(u, ANSWER_TOO_LONG);
    if (resume > update_resume_size(u))
        return update_say(u, ANSWER_RESUME);
    intake_begin(u, size);
    return resume ? intake_resume(u, resume) : 0;
}

int update_write(struct update *u, const void *data, size_t len)
{
    if (u->state == UPDATE_IDLE)
        return update_say(u, ANSWER_NOT_BEGUN);
    return u->state == UPDATE_FAILED ? u->error : intake_write(u, data, len);
}

/* ---- the end ---- */

static int finish_body(struct update *u)
{
    uint8_t digest[SHA256_LEN];
    int err = intake_flush(u);
    if (err)
        return intake_fail_flash(u, err);
    if (u->received < u->head.len ||
        (u->size != UPDATE_SIZE_UNKNOWN && u->received < u->size))
        return update_say(u, ANSWER_INCOMPLETE);
    err = intake_check(u, digest);
    if (err)
        return err;
    err = slot_commit(u, digest);
    return err ? intake_fail_flash(u, err) : update_say(u, ANSWER_UPDATED);
}

int update_finish(struct update *u)
{
    int err = u->error;
    if (u->state == UPDATE_IDLE)
        return update_say(u, ANSWER_NOT_BEGUN);
    if (u->state == UPDATE_BODY)
        err = finish_body(u);
    else if (u->state == UPDATE_HEAD)
        err = update_say(u, u->fill ? ANSWER_TOO_SHORT : ANSWER_EMPTY);
    u->state = UPDATE_IDLE;
    return err;
}

void update_abort(struct update *u)
{
    if (u->state == UPDATE_BODY) {
        (void)intake_flush(u);
        (void)update_say(u, ANSWER_INCOMPLETE);
    }
    u->state = UPDATE_IDLE;
}

/* ---- prepare, verify ---- */

static int prepare_begin(struct update *u)
{
    int err = take_slot(u);
    if (err)
        return err;
    u->stored = u->prepared = 0;
    u->error = slot_open(u, REASON_PREPARED);
    u->preparing = !u->error;
    return u->error ? update_say(u, ANSWER_FLASH) : 0;
}

int update_prepare(struct update *u)
{
    int err = u->preparing && !update_running(u) ? 0 : prepare_begin(u);
    if (err)
        return err;
    u->error = store_erase_ahead(u, &u->prepared);
    if (!u->error && u->prepared < u->boot->slot[u->slot].size)
        return 1;
    u->preparing = false;
    return update_say(u, u->error ? ANSWER_NOT_PREPARED : ANSWER_PREPARED);
}

int update_verify(struct update *u)
{
    const struct boot_record *r = &u->boot->record;
    struct image im;
    uint8_t digest[SHA256_LEN];
    if (r->status != RECORD_CHECK)
        return update_say(u, ANSWER_NONE_PENDING);
    u->fault = (uint8_t)boot_slot_check(u->boot, r->active, &im, digest);
    return update_say(u, u->fault ? ANSWER_ROTTEN : ANSWER_VERIFIED);
}
