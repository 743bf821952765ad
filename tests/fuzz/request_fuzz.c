/* The control socket's requests: whatever is sent, it is understood or
 * refused with a sentence, and what is understood is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "board/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct request q;
    char why[200] = "";
    int err = request_read(&q, (const char *)data, len, why, sizeof why);
    if (err && strlen(why) < 10)
        abort();
    if (!err && (q.pin >= PIN_COUNT || q.bit > 7 || q.tear > CHIP_TEAR_ALL ||
                 q.count > REQUEST_FLIPS_MAX || q.for_ms > REQUEST_FOR_MAX_MS ||
                 !memchr(q.file, 0, sizeof q.file)))
        abort();
    json_decref(q.id);
    return 0;
}
