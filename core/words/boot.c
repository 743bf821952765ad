#include <stddef.h>

#include "words.h"

#define NAME_OF(table, i)                                                      \
    ((i) < sizeof table / sizeof table[0] ? table[i] : "unknown")

const char *slot_state_text(unsigned state)
{
    static const char *const names[] = {
        [SLOT_UNKNOWN] = "not recorded", [SLOT_EMPTY] = "empty",
        [SLOT_RECEIVING] = "receiving",  [SLOT_PENDING] = "pending",
        [SLOT_TRIAL] = "on trial",       [SLOT_GOOD] = "good",
        [SLOT_BAD] = "given up",
    };
    return NAME_OF(names, state);
}

const char *boot_reason_text(unsigned reason)
{
    static const char *const names[] = {
        [REASON_NONE] = "nothing happened",
        [REASON_FIRST_START] = "first start, no boot record",
        [REASON_HOST_TOOL] = "selected by a host tool",
        [REASON_REFLASHED] = "factory was written over the serial line",
        [REASON_UPLOAD] = "an upload began",
        [REASON_PREPARED] = "erased on request",
        [REASON_UPDATED] = "uploaded",
        [REASON_SELF_TEST] = "confirmed by the self-test",
        [REASON_USER_CONFIRM] = "confirmed by the user",
        [REASON_USER_ROLLBACK] = "rolled back by the user",
        [REASON_FAULT] = "left after a hard fault in its trial",
        [REASON_WATCHDOG] = "left after a watchdog reset in its trial",
        [REASON_ATTEMPTS] = "left after five starts without confirmation",
        [REASON_CRASH_LOOP] = "left after three faults within 60 s",
        [REASON_NOT_GOOD] = "left because its image is damaged",
        [REASON_SELECTED] = "selected by the user",
        [REASON_SAFE_REQUEST] = "safe boot asked for",
        [REASON_REFUSED] = "upload refused",
    };
    return NAME_OF(names, reason);
}

const char *boot_why_text(unsigned why)
{
    static const char *const names[] = {
        [WHY_ACTIVE] = "selected",
        [WHY_TRIAL] = "on trial",
        [WHY_SAFE_LATEST] = "safe boot, latest",
        [WHY_SAFE_PREVIOUS] = "safe boot, previous",
        [WHY_SAFE_FACTORY] = "safe boot, factory",
        [WHY_SAFE_SOFTWARE] = "safe boot, asked for by software",
        [WHY_ROLLBACK] = "rolled back",
        [WHY_FALLBACK] = "the selected image is damaged",
        [WHY_REFLASHED] = "written over the serial line",
        [WHY_KEYS_LOST] = "the keys are damaged, an accepted image",
    };
    return NAME_OF(names, why);
}
