#include "pins.h"

#include <stdlib.h>
#include <strings.h>

#include "base/err.h"

/* Module pin P<index> to GP<value>. */
static const unsigned char module_pin[] = {
    2,  1,  23, 24, 11, 12, 13, 14, 15, 16, 17, 22,
    28, 5,  4,  0,  3,  31, 30, 6,  7,  8,  9,  10,
};

static int number_of(const char *text, int limit)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return WIPY_ENOENT;
    long value = strtol(text, &end, 10);
    return *end || end - text > 2 || value >= limit ? WIPY_ENOENT : (int)value;
}

int pin_by_name(const char *name)
{
    if (strncasecmp(name, "GP", 2) == 0)
        return number_of(name + 2, PIN_COUNT);
    if (strncasecmp(name, "G", 1) == 0)
        return number_of(name + 1, PIN_COUNT);
    if (strncasecmp(name, "P", 1) == 0) {
        int pin = number_of(name + 1, (int)sizeof module_pin);
        return pin < 0 ? pin : module_pin[pin];
    }
    return WIPY_ENOENT;
}
