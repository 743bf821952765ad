/* An update engine that stores nothing: it takes what begins with E9. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "update/update.h"

int update_begin(struct update *u, uint32_t size, uint32_t resume)
{
    u->outcome = UPDATE_FINE;
    u->text[0] = '\0';
    if (u->state == UPDATE_BODY) {
        u->outcome = UPDATE_AGAIN;
        snprintf(u->text, sizeof u->text, "another upload is running");
        return WIPY_EBUSY;
    }
    if (size != UPDATE_SIZE_UNKNOWN && size > 1280 * 1024) {
        u->outcome = UPDATE_NEVER;
        snprintf(u->text, sizeof u->text, "larger than the slot");
        return WIPY_ERANGE;
    }
    u->state = UPDATE_BODY;
    u->received = resume;
    return 0;
}

int update_write(struct update *u, const void *data, size_t len)
{
    if (u->state == UPDATE_FAILED)
        return WIPY_EFORMAT;
    if (u->received == 0 && *(const uint8_t *)data != 0xe9) {
        u->state = UPDATE_FAILED;
        u->outcome = UPDATE_NEVER;
        snprintf(u->text, sizeof u->text,
                 "not a firmware image; nothing was changed");
        return WIPY_EFORMAT;
    }
    u->received += (uint32_t)len;
    return 0;
}

int update_finish(struct update *u)
{
    bool good = u->state == UPDATE_BODY && u->received;
    u->state = UPDATE_IDLE;
    u->stored = 0;
    if (good)
        snprintf(u->text, sizeof u->text,
                 "ota_0: %u bytes, starts at next reset", u->received);
    else
        snprintf(u->text, sizeof u->text, "empty");
    u->outcome = good ? UPDATE_FINE : UPDATE_NEVER;
    return good ? 0 : WIPY_EFORMAT;
}

void update_abort(struct update *u)
{
    if (u->state == UPDATE_BODY)
        u->stored = u->received / 65536 * 65536;
    u->state = UPDATE_IDLE;
}

uint32_t update_resume_size(const struct update *u)
{
    return u->stored;
}

int update_prepare(struct update *u)
{
    u->text[0] = '\0';
    return ++u->prepared % 20 != 0;
}

const char *update_text(const struct update *u)
{
    return u->text;
}

enum update_outcome update_outcome(const struct update *u)
{
    return u->outcome;
}
