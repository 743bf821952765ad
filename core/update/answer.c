#include "answer.h"

#include "base/err.h"
#include "base/text.h"

struct row {
    int8_t err; /* 0 in a row that is not FINE: u->error */
    uint8_t outcome;
    const char *text; /* % and a letter: see put_fact() */
};

static const struct row rows[] = {
    [ANSWER_UPDATED] = {0, UPDATE_FINE,
                        "%s: %p %v, %r bytes, sha256 %d..., %mstarts at next "
                        "reset"},
    [ANSWER_PREPARED] = {0, UPDATE_FINE,
                         "%s is erased and ready for an upload"},
    [ANSWER_VERIFIED] = {0, UPDATE_FINE, "%a: %f"},

    [ANSWER_BUSY] = {WIPY_EBUSY, UPDATE_AGAIN,
                     "another update is being received"},
    [ANSWER_ON_TRIAL] = {WIPY_EPERM, UPDATE_AGAIN,
                         "%a is on trial: confirm it (pycom.ota_confirm()) or "
                         "go back (pycom.ota_rollback()) first"},
    [ANSWER_KEYS_LOST] = {WIPY_ESIGN, UPDATE_NEVER,
                          "the board's keys are damaged: set them again over "
                          "the serial line%!"},
    [ANSWER_NO_RECORD] = {WIPY_ENOTSUP, UPDATE_NEVER,
                          "the partition table has no otadata%!"},
    [ANSWER_NO_SLOT] = {WIPY_EPERM, UPDATE_NEVER,
                        "the partition table has no update slot%!"},
    [ANSWER_SLOT_RUNS] = {WIPY_EPERM, UPDATE_NEVER,
                          "the only update slot is running: start factory by "
                          "the safe-boot pin and upload again%!"},
    [ANSWER_TOO_LONG] = {WIPY_ERANGE, UPDATE_NEVER,
                         "longer than the update slot%!"},
    [ANSWER_RESUME] = {WIPY_ERANGE, UPDATE_NEVER,
                       "cannot resume there: %n bytes are stored"},
    [ANSWER_NOT_BEGUN] = {WIPY_EPERM, UPDATE_NEVER, "no update has begun%!"},
    [ANSWER_EMPTY] = {WIPY_EFORMAT, UPDATE_NEVER, "the file is empty%!"},
    [ANSWER_NONE_PENDING] = {WIPY_ENOENT, UPDATE_NEVER,
                             "no image is pending%!"},
    [ANSWER_ROTTEN] = {WIPY_ECORRUPT, UPDATE_NEVER, "%a: %f"},

    [ANSWER_TOO_SHORT] = {WIPY_EFORMAT, UPDATE_NEVER,
                          "not accepted: too short to be an image%!"},
    [ANSWER_IMAGE_TOO_LONG] = {WIPY_ERANGE, UPDATE_NEVER,
                               "too long: the image has %l bytes, %s takes "
                               "%z%!"},
    [ANSWER_CUT_SHORT] = {WIPY_EFORMAT, UPDATE_NEVER,
                          "cut short: the image says it is longer than the "
                          "file%!"},
    [ANSWER_BYTES_FOLLOW] = {WIPY_EFORMAT, UPDATE_NEVER,
                             "not accepted: bytes follow behind the image's "
                             "end%!"},
    [ANSWER_FAULT] = {WIPY_EFORMAT, UPDATE_NEVER, "not accepted: %f%!"},
    [ANSWER_OTHER_MACHINE] = {WIPY_EMACHINE, UPDATE_NEVER,
                              "not accepted: %f%!"},
    [ANSWER_REAL_ESP32] = {WIPY_EMACHINE, UPDATE_NEVER,
                           "not accepted: %f (a real ESP32)%!"},
    [ANSWER_SIGNATURE] = {WIPY_ESIGN, UPDATE_NEVER, "not accepted: %f%!"},
    [ANSWER_INCOMPLETE] = {WIPY_ECLOSED, UPDATE_AGAIN,
                           "incomplete: %r of %l bytes came; resume at %t"},

    [ANSWER_FLASH] = {0, UPDATE_AGAIN, "the flash failed: %e%!"},
    [ANSWER_LOCKED] = {0, UPDATE_NEVER, "the flash failed: %e%!"},
    [ANSWER_NOT_PREPARED] = {0, UPDATE_AGAIN, "the flash failed: %e"},
};

/* What became of the slot. */
static const char *effect(const struct update *u)
{
    return u->state == UPDATE_BODY ? " holds no image now"
                                   : "nothing was changed";
}

static void put_fact(struct text *t, const struct update *u, char letter)
{
    const struct boot *b = u->boot;
    const char *words = "";
    switch (letter) {
    case 'r':
        text_put_number(t, u->received);
        break;
    case 'l':
        text_put_number(t, u->head.len);
        break;
    case 't':
        text_put_number(t, u->stored);
        break;
    case 'n':
        text_put_number(t, update_resume_size(u));
        break;
    case 'z':
        text_put_number(t, b->slot[u->slot].size);
        break;
    case 'd':
        text_put_bytes(t, b->record.slot[u->slot].digest, 8);
        break;
    case 's':
        words = slot_name(u->slot);
        break;
    case 'a':
        words = slot_name(b->record.active);
        break;
    case 'p':
        words = u->head.project;
        break;
    case 'v':
        words = u->head.version;
        break;
    case 'm':
        words = u->head.has_tail ? "" : "without MD5 tail, ";
        break;
    case 'f':
        words = image_fault_text((enum image_fault)u->fault);
        break;
    case 'e':
        words = wipy_strerror(u->error);
        break;
    case '!':
        text_put(t, "; ");
        if (u->state == UPDATE_BODY)
            text_put(t, slot_name(u->slot));
        words = effect(u);
        break;
    }
    text_put(t, words);
}

int update_say(struct update *u, enum answer a)
{
    struct text t = text_of(u->text, sizeof u->text);
    for (const char *c = rows[a].text; *c; c++) {
        if (*c == '%')
            put_fact(&t, u, *++c);
        else
            text_put_char(&t, *c);
    }
    u->outcome = rows[a].outcome;
    return rows[a].err || u->outcome == UPDATE_FINE ? rows[a].err : u->error;
}
