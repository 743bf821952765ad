#include "base/text.h"
#include "words.h"

static const char *cause_text(unsigned cause)
{
    static const char *const names[] = {"power on",   "reset",
                                        "watchdog",   "deep sleep",
                                        "soft reset", "brown-out"};
    return cause < sizeof names / sizeof names[0] ? names[cause] : "unknown";
}

static void put_damage(struct text *t, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *what;
    } parts[] = {
        {HANDOVER_TABLE1_BAD, " partition table (second copy used)"},
        {HANDOVER_TABLE2_BAD, " second copy of the partition table"},
        {HANDOVER_RECORD0_BAD, " first copy of the boot record"},
        {HANDOVER_RECORD1_BAD, " second copy of the boot record"},
        {HANDOVER_KEYS_BAD, " a copy of the keys"},
        {HANDOVER_KEYS_LOST, " both copies of the keys"},
    };
    const char *between = "damaged:";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (flags & parts[i].flag) {
            text_put(t, between);
            text_put(t, parts[i].what);
            between = ",";
        }
    }
}

static void put_start(struct text *t, const struct diary_entry *e)
{
    text_put(t, "start of ");
    text_put(t, slot_name(e->slot));
    if (e->version[0]) {
        text_put(t, " ");
        text_put(t, e->version);
    }
    text_put(t, ", ");
    text_put(t, cause_text(e->cause));
    text_put(t, ", ");
    text_put(t, boot_why_text(e->why));
    if (e->run_s != UINT32_MAX) {
        text_put(t, "; ran ");
        text_put_decimal(t, e->run_s);
        text_put(t, " s before");
    }
}

static void put_fault(struct text *t, const struct diary_entry *e)
{
    static const char *const kinds[] = {
        "no fault", "signal ", "ended by itself, status ", "gave up, code "};
    text_put(t, "the run before ended in a fault: ");
    text_put(t, e->cause < 4 ? kinds[e->cause] : "code ");
    text_put_decimal(t, e->flags);
}

int diary_text(const struct diary_entry *e, char *to, size_t size)
{
    struct text t = text_of(to, size);
    switch (e->kind) {
    case DIARY_START:
        put_start(&t, e);
        break;
    case DIARY_CHANGE:
        text_put(&t, slot_name(e->slot));
        text_put(&t, " ");
        if (e->version[0]) {
            text_put(&t, e->version);
            text_put(&t, " ");
        }
        text_put(&t, boot_reason_text(e->why));
        break;
    case DIARY_DAMAGE:
        put_damage(&t, e->flags);
        break;
    case DIARY_FAULT:
        put_fault(&t, e);
        break;
    case DIARY_UNHEALTHY:
        text_put(&t, slot_name(e->slot));
        text_put(&t, " stays on trial: healthy() ");
        text_put(&t, e->version);
        break;
    default:
        text_put(&t, "an entry of a later firmware");
    }
    return (int)(t.len < size ? t.len : size - 1);
}
