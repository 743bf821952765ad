#include "slot.h"

#include "answer.h"

/* Neither what executes nor, when there is a choice, what is selected. This
 * is the alternation of spec 3.2, and the same upload again after a break
 * finds the same slot. */
unsigned slot_spare(const struct update *u)
{
    const struct boot *b = u->boot;
    unsigned found = SLOT_NONE;
    for (unsigned i = SLOTS - 1; i > 0; i--) {
        if (i == u->executing || !b->slot[i].size)
            continue;
        bool active = i == b->record.active;
        if (active && b->record.status == RECORD_CHECK)
            return i; /* pending: the new one replaces it */
        if (found == SLOT_NONE || !active)
            found = i;
    }
    return found;
}

int slot_choose(struct update *u, unsigned *slot)
{
    const struct boot *b = u->boot;
    if (b->keys_state == KEYS_LOST)
        return update_say(u, ANSWER_KEYS_LOST);
    if (boot_on_trial(b))
        return update_say(u, ANSWER_ON_TRIAL);
    if (b->store.copies == 0)
        return update_say(u, ANSWER_NO_RECORD);
    *slot = slot_spare(u);
    if (*slot != SLOT_NONE)
        return 0;
    return update_say(u, u->executing == SLOT_FACTORY ? ANSWER_NO_SLOT
                                                      : ANSWER_SLOT_RUNS);
}

int slot_open(struct update *u, enum boot_reason reason)
{
    struct boot_record *r = &u->boot->record;
    struct record_slot *s = &r->slot[u->slot];
    if (s->state == SLOT_RECEIVING && r->blocks == 0 && r->active != u->slot &&
        r->prev != u->slot)
        return 0;
    if (r->active == u->slot) {
        r->active = r->status == RECORD_CHECK ? r->prev : u->executing;
        r->status = RECORD_READY;
    }
    if (r->active == u->slot)
        r->active = SLOT_FACTORY;
    if (r->prev == u->slot)
        r->prev = SLOT_FACTORY;
    *s = (struct record_slot){.state = SLOT_RECEIVING};
    boot_record_note(r, u->slot, reason);
    r->blocks = 0;
    r->attempts_used = 0;
    return boot_save(u->boot);
}

void slot_give_up(struct update *u)
{
    struct boot_record *r = &u->boot->record;
    r->slot[u->slot] = (struct record_slot){.state = SLOT_EMPTY};
    boot_record_note(r, u->slot, REASON_REFUSED);
    u->stored = 0;
    /* A record that cannot be written leaves "receiving", which no boot
     * chooses either. */
    (void)boot_save(u->boot);
}

int slot_commit(struct update *u, const uint8_t digest[SHA256_LEN])
{
    struct boot_record *r = &u->boot->record;
    boot_record_image(r, u->slot, u->received, digest, SLOT_PENDING);
    boot_record_activate(r, u->slot, r->active, RECORD_CHECK);
    boot_record_note(r, u->slot, REASON_UPDATED);
    r->left_once = 0;
    return boot_append(u->boot);
}
