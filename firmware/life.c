#include "firmware/life.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "words/words.h"

_Static_assert(sizeof(struct boot_handover) <= 4 * BUS_HANDOVER_WORDS,
               "the handover fits its words");
_Static_assert(sizeof(struct boot_retained) <= 4 * BUS_RETAINED_WORDS,
               "what is retained fits its words");

void life_init(struct life *life, struct bus_cpu *bus)
{
    *life = (struct life){.bus = bus, .open_err = WIPY_ENOENT};
    life->retained = (struct boot_retained *)(void *)bus->regs->retained;
    memcpy(&life->handover, bus->regs->handover, sizeof life->handover);
    struct boot_handover *h = &life->handover;
    if (h->magic != HANDOVER_MAGIC || h->slot >= SLOTS)
        *h = (struct boot_handover){.magic = HANDOVER_MAGIC, .left = SLOT_NONE};
    h->version[sizeof h->version - 1] = 0;
}

/* Not read from the record itself, which other threads may not: while it is
 * being written it is ahead of the flash, and goes back when that fails. */
static void note_trial(struct life *life)
{
    life->trial =
        (life->handover.flags & HANDOVER_TRIAL) && boot_on_trial(&life->boot);
}

int life_open(struct life *life, uint32_t rtc)
{
    const struct bus_fault *fault =
        (const struct bus_fault *)&life->bus->board->last_fault;
    life->flash = bus_flash(life->bus);
    life->open_err = boot_open(&life->boot, &life->flash);
    update_init(&life->update, &life->boot, life->handover.slot);
    if (life->open_err)
        return life->open_err;
    note_trial(life);
    diary_open(&life->diary, &life->boot);
    (void)diary_note_start(&life->diary, &life->handover, life->retained,
                           fault->kind, fault->code, rtc);
    return 0;
}

bool life_on_trial(const struct life *life)
{
    return life->trial;
}

void life_note_change(struct life *life, uint32_t rtc)
{
    if (life->open_err)
        return;
    note_trial(life);
    (void)diary_note_change(&life->diary, &life->boot, rtc);
}

int life_confirm(struct life *life, enum boot_reason reason, uint32_t rtc)
{
    if (life->open_err)
        return life->open_err;
    int err = boot_confirm(&life->boot, life->handover.slot, reason);
    if (err == 0)
        life_note_change(life, rtc);
    return err;
}

void life_note_unhealthy(struct life *life, const char *why, uint32_t rtc)
{
    if (life->open_err == 0)
        (void)diary_note_unhealthy(&life->diary, life->handover.slot, why, rtc);
}

static const char *kind_of_start(const struct life *life)
{
    switch (life->handover.why) {
    case WHY_SAFE_LATEST:
    case WHY_SAFE_SOFTWARE:
        return "safe boot, latest image";
    case WHY_SAFE_PREVIOUS:
        return "safe boot, previous image";
    case WHY_SAFE_FACTORY:
        return "safe boot, factory image";
    case WHY_ROLLBACK:
        return "went back";
    case WHY_FALLBACK:
        return "fallback image";
    case WHY_KEYS_LOST:
        return "keys damaged, an image accepted before";
    case WHY_REFLASHED:
        return "factory image was flashed";
    default:
        return life_on_trial(life) ? "on trial" : "";
    }
}

void life_note(const struct life *life, char *to, size_t size)
{
    bool doubtful = life_on_trial(life) && life->doubt[0];
    snprintf(to, size, "%s%s%s", kind_of_start(life), doubtful ? ": " : "",
             doubtful ? life->doubt : "");
}

/* Appends a line; CRLF before all but the first. */
__attribute__((format(printf, 4, 5))) static void
add_line(char *to, size_t size, size_t *len, const char *format, ...)
{
    va_list args;
    if (*len && *len + 2 < size) {
        memcpy(to + *len, "\r\n", 2);
        *len += 2;
    }
    va_start(args, format);
    int n = vsnprintf(to + *len, size - *len, format, args);
    va_end(args);
    if (n > 0)
        *len += (size_t)n < size - *len ? (size_t)n : size - *len - 1;
}

static const struct {
    uint32_t flag;
    const char *text;
} damages[] = {
    {HANDOVER_TABLE1_BAD, "the partition table is damaged, its copy is used"},
    {HANDOVER_TABLE2_BAD, "the copy of the partition table is damaged"},
    {HANDOVER_RECORD0_BAD, "a copy of the boot record was damaged"},
    {HANDOVER_RECORD1_BAD, "a copy of the boot record was damaged"},
    {HANDOVER_KEYS_BAD, "a copy of the keys is damaged"},
    {HANDOVER_KEYS_LOST,
     "keys damaged: set or clear them over the serial line"},
    {HANDOVER_UNLOCKED, "this board does not lock its flash"},
};

size_t life_notice(const struct life *life, char *to, size_t size)
{
    const struct boot_handover *h = &life->handover;
    size_t len = 0;
    to[0] = 0;
    if (h->left != SLOT_NONE && h->left < SLOTS)
        add_line(to, size, &len, "went back from %s to %s: %s",
                 slot_name(h->left), slot_name(h->slot),
                 boot_reason_text(h->left_reason));
    if (life_on_trial(life))
        add_line(to, size, &len, "%s %s is on trial, %u more starts; %s%s",
                 slot_name(h->slot), h->version, h->attempts_left,
                 life->doubt[0] ? "not confirmed: "
                                : "confirmed after 10 s without trouble",
                 life->doubt);
    else if (kind_of_start(life)[0] && h->why != WHY_ROLLBACK)
        add_line(to, size, &len, "%s %s runs: %s", slot_name(h->slot),
                 h->version, kind_of_start(life));
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++)
        if (h->flags & damages[i].flag)
            add_line(to, size, &len, "%s", damages[i].text);
    if (life->open_err)
        add_line(to, size, &len, "updates are not possible: %s",
                 wipy_strerror(life->open_err));
    return len;
}

size_t life_log(const struct life *life, char *to, size_t size)
{
    size_t len = 0;
    to[0] = 0;
    if (life->open_err)
        return 0;
    struct diary_entry entry;
    for (unsigned n = 0; diary_get(&life->diary, n, &entry); n++) {
        char text[DIARY_TEXT_LEN], when[24] = "-";
        time_t t = (time_t)entry.time;
        struct tm tm;
        if (entry.time && gmtime_r(&t, &tm))
            strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
        diary_text(&entry, text, sizeof text);
        add_line(to, size, &len, "%u %s %s", entry.seq, when, text);
    }
    return len;
}
