/* wipy slots: the three images, which runs, which is next and why. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "boot/candidates.h"
#include "chip_view.h"
#include "commands.h"
#include "image_parts.h"
#include "running.h"
#include "words/words.h"

static const char usage[] =
    "usage: wipy slots [--flash FILE | --port PORT] [--json]\n"
    "Shows the images on a chip, which one runs, which is next and why.\n"
    "With --port over a board's serial line; the board is reset for it.\n";

struct slot_view {
    enum image_fault fault;
    struct image im;
    uint8_t digest[SHA256_LEN];
    bool runs, next;
};

struct slots_view {
    struct chip_view chip;
    struct slot_view slot[SLOTS];
    bool serial;    /* read over a serial line: nothing runs meanwhile */
    json_t *status; /* of the running board, or NULL */
    char next[160]; /* why the next one is next */
};

/* What the next normal start takes, by the bootloader's own order. */
static unsigned next_slot(const struct slots_view *v)
{
    const struct boot *b = &v->chip.boot;
    struct candidates c = candidates_of(b, b->record.active, false);
    for (int poor = 0; poor < 2; poor++)
        for (unsigned i = 0; i < c.count; i++)
            if (v->slot[c.slot[i]].fault == IMAGE_FINE &&
                candidate_is_poor(b, c.slot[i]) == poor)
                return c.slot[i];
    return SLOT_NONE;
}

/* Why the image on trial is not confirmed, if its healthy() said so; "" when
 * it did not. */
static void refusal(const struct boot *b, char *to, size_t size)
{
    struct diary d;
    struct diary_entry e;
    diary_open(&d, b);
    to[0] = 0;
    for (unsigned n = 0; diary_get(&d, n, &e) && e.kind != DIARY_CHANGE; n++)
        if (e.kind == DIARY_UNHEALTHY && e.slot == b->record.active) {
            snprintf(to, size, "; healthy() %s", e.version);
            return;
        }
}

static void explain_trial(struct slots_view *v, unsigned next)
{
    const struct boot *b = &v->chip.boot;
    char why[64];
    refusal(b, why, sizeof why);
    snprintf(v->next, sizeof v->next, "%s: on trial, %d starts left%s",
             slot_name(next), RECORD_ATTEMPTS - b->record.attempts_used, why);
}

static void explain_next(struct slots_view *v, unsigned next)
{
    const struct boot *b = &v->chip.boot;
    const struct boot_record *r = &b->record;
    if (next == SLOT_NONE)
        snprintf(v->next, sizeof v->next,
                 "nothing: no slot holds a good "
                 "image; use the serial loader");
    else if (!b->have_record)
        snprintf(v->next, sizeof v->next, "%s: no boot record",
                 slot_name(next));
    else if (b->store.host)
        snprintf(v->next, sizeof v->next, "%s: selected by a host tool",
                 slot_name(next));
    else if (next != r->active && v->slot[r->active].fault == IMAGE_FINE)
        snprintf(v->next, sizeof v->next,
                 "%s: the keys are damaged, and %s was not accepted before",
                 slot_name(next), slot_name(r->active));
    else if (next != r->active)
        snprintf(v->next, sizeof v->next, "%s: %s is selected, but: %s",
                 slot_name(next), slot_name(r->active),
                 image_fault_text(v->slot[r->active].fault));
    else if (boot_on_trial(b))
        explain_trial(v, next);
    else
        snprintf(v->next, sizeof v->next, "%s: last change: %s %s",
                 slot_name(next),
                 slot_name(r->reason_slot < SLOTS ? r->reason_slot : 0),
                 boot_reason_text(r->reason));
}

static void look(struct slots_view *v, const char *flash)
{
    const struct boot *b = &v->chip.boot;
    for (unsigned i = 0; i < SLOTS; i++)
        v->slot[i].fault =
            boot_slot_check(b, i, &v->slot[i].im, v->slot[i].digest);
    v->status = v->serial ? NULL : running_status(flash);
    const char *runs = running_text(v->status, "image", "slot");
    unsigned next = next_slot(v);
    for (unsigned i = 0; i < SLOTS; i++) {
        v->slot[i].runs = runs && strcmp(runs, slot_name(i)) == 0;
        v->slot[i].next = i == next;
    }
    explain_next(v, next);
}

static void print_slot(const struct slots_view *v, unsigned i)
{
    const struct slot_view *s = &v->slot[i];
    const struct boot *b = &v->chip.boot;
    char hex[17] = "-", size[32] = "-";
    if (!b->slot[i].size)
        return;
    if (s->fault == IMAGE_FINE) {
        hex_encode(hex, s->digest, 8);
        hex[16] = 0;
        with_commas(s->im.full_len, size);
    }
    printf("%c%c %-8s 0x%06x  %-12s %-12s %9s  %-16s  %s\n",
           s->runs ? '*' : ' ', s->next ? '>' : ' ', slot_name(i),
           b->slot[i].off, slot_state_text(boot_slot_state(b, i)),
           s->fault == IMAGE_FINE ? s->im.version : "-", size, hex,
           s->fault == IMAGE_FINE ? s->im.git : image_fault_text(s->fault));
}

static void print_damage(const struct boot *b)
{
    if (b->table_source.first_bad)
        printf("damaged: the first partition table (row %u %s); the second "
               "is used\n",
               b->table_source.fault.row, b->table_source.fault.reason);
    if (b->table_source.second_bad)
        puts("damaged: the second copy of the partition table");
    for (unsigned i = 0; i < 2; i++)
        if (b->store.bad[i])
            printf("damaged: copy %u of the boot record\n", i + 1);
    if (b->keys_state == KEYS_ONE_BAD)
        puts("damaged: a copy of the keys; the other is used");
    if (b->keys_state == KEYS_LOST)
        puts("damaged: both copies of the keys; factory and images accepted "
             "before start, updates are refused until 'wipy keys set' or "
             "'wipy keys clear'");
}

static void print_all(const struct slots_view *v)
{
    puts("   slot     offset    state        version           bytes  sha256"
         "            git");
    for (unsigned i = 0; i < SLOTS; i++)
        print_slot(v, i);
    printf("%s\nnext: %s\n",
           v->status   ? "*: runs now   >: runs next"
           : v->serial ? ">: runs next"
                       : "no board is running on this chip   >: runs next",
           v->next);
    if (v->chip.boot.keys.count)
        printf("keys: %u set; only signed images are accepted and started\n",
               v->chip.boot.keys.count);
    print_damage(&v->chip.boot);
}

static json_t *all_json(const struct slots_view *v)
{
    const struct boot *b = &v->chip.boot;
    json_t *slots = json_array();
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!b->slot[i].size)
            continue;
        json_t *j = image_json(&v->slot[i].im, v->slot[i].fault);
        json_object_set_new(j, "slot", json_string(slot_name(i)));
        json_object_set_new(
            j, "state", json_string(slot_state_text(boot_slot_state(b, i))));
        json_object_set_new(j, "offset", json_integer(b->slot[i].off));
        json_object_set_new(j, "size", json_integer(b->slot[i].size));
        json_object_set_new(j, "runs", json_boolean(v->slot[i].runs));
        json_object_set_new(j, "next", json_boolean(v->slot[i].next));
        json_array_append_new(slots, j);
    }
    return json_pack(
        "{s:o,s:s,s:s,s:s,s:b,s:i,s:b,s:b,s:b,s:b,s:b}", "slots", slots, "next",
        v->next, "active", slot_name(b->record.active), "previous",
        slot_name(b->record.prev), "on_trial", boot_on_trial(b), "keys",
        (int)b->keys.count, "table_damaged", b->table_source.first_bad,
        "table2_damaged", b->table_source.second_bad, "record_damaged",
        b->store.bad[0] || b->store.bad[1], "keys_damaged",
        b->keys_state >= KEYS_ONE_BAD, "keys_lost", b->keys_state == KEYS_LOST);
}

int cmd_slots(int argc, char **argv)
{
    static struct slots_view v;
    struct chip_view_args o = {0};
    struct args a = args_of("wipy slots", usage, argc, argv);
    int code = chip_view_args(&o, &a, NULL);
    if (!code)
        code = chip_view_open(&v.chip, &o);
    if (code)
        return code;
    v.serial = o.port != NULL;
    look(&v, o.flash);
    if (o.json)
        print_json(all_json(&v));
    else
        print_all(&v);
    json_decref(v.status);
    chip_view_close(&v.chip);
    return EXIT_OK;
}
