#include "request.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "bus/pins.h"

struct reading {
    const json_t *from;
    char *why;
    size_t why_size;
};

static int refuse(const struct reading *r, const char *text, const char *what)
{
    snprintf(r->why, r->why_size, text, what);
    return WIPY_EINVAL;
}

/* ---- members ---- */

static int read_bool(const struct reading *r, const char *name, bool *to)
{
    const json_t *value = json_object_get(r->from, name);
    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return refuse(r, "\"%.40s\" must be true or false", name);
    *to = json_is_true(value);
    return 0;
}

/* A number from 0 to `max`; `*to` keeps its value when there is none. */
static int read_number(const struct reading *r, const char *name, uint64_t max,
                       uint64_t *to)
{
    const json_t *value = json_object_get(r->from, name);
    if (!value)
        return 0;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number > max)
        return refuse(r, "\"%.40s\" is not a whole number in its range", name);
    *to = (uint64_t)number;
    return 0;
}

static int read_pin(const struct reading *r, const char *name, int *pin)
{
    const json_t *value = json_object_get(r->from, name);
    *pin = -1;
    if (!value)
        return 0;
    const char *text = json_string_value(value);
    *pin = text ? pin_by_name(text) : -1;
    if (*pin < 0)
        return refuse(r, "no pin '%.40s': GP0 to GP31, P0 to P23, G0 to G31",
                      text ? text : "?");
    return 0;
}

static int read_drive(const struct reading *r, struct request *q)
{
    const json_t *value = json_object_get(r->from, "drive");
    const char *text = json_string_value(value);
    if (!value)
        return 0;
    for (int i = 0; text && i < 3; i++)
        if (strcmp(text, pin_drive_name((enum pin_drive)i)) == 0) {
            q->drives = true;
            q->drive = (enum pin_drive)i;
            return 0;
        }
    return refuse(r, "a pin can be driven high, low or left free, not '%.40s'",
                  text ? text : "?");
}

static int read_for(const struct reading *r, struct request *q)
{
    uint64_t ms = 0;
    int err = read_number(r, "for_ms", REQUEST_FOR_MAX_MS, &ms);
    q->for_ms = (uint32_t)ms;
    return err;
}

/* ---- requests ---- */

static int read_reset(const struct reading *r, struct request *q)
{
    int err = read_pin(r, "hold", &q->pin);
    q->drive = PIN_HIGH;
    if (!err)
        err = read_drive(r, q);
    if (!err)
        err = read_for(r, q);
    if (!err)
        err = read_bool(r, "loader", &q->loader);
    if (!err)
        err = read_bool(r, "wait", &q->wait);
    return err;
}

static int read_power(const struct reading *r, struct request *q)
{
    if (!json_object_get(r->from, "on"))
        return refuse(r, "power needs \"%s\": true or false", "on");
    int err = read_bool(r, "on", &q->on);
    if (!err)
        err = read_bool(r, "wait", &q->wait);
    return err;
}

static int read_pin_request(const struct reading *r, struct request *q)
{
    int err = read_pin(r, "pin", &q->pin);
    if (!err)
        err = read_drive(r, q);
    if (!err)
        err = read_for(r, q);
    if (!err && q->drives && q->pin < 0)
        return refuse(r, "a drive needs a \"%s\"", "pin");
    return err;
}

static int read_tear(const struct reading *r, struct request *q)
{
    const json_t *value = json_object_get(r->from, "tear");
    const char *text = json_string_value(value);
    int tear = value ? -1 : CHIP_TEAR_NONE;
    if (text)
        tear = chip_tear_by_name(text);
    if (tear < 0)
        return refuse(r, "a command tears none, bits, half or all, not '%.40s'",
                      text ? text : "?");
    q->tear = (enum chip_tear)tear;
    return 0;
}

static int read_cut(const struct reading *r, struct request *q)
{
    int err = read_number(r, "nth", UINT32_MAX, &q->nth);
    if (!err && q->nth == 0)
        return refuse(r, "a cut needs \"%s\": 1 is the next chip command",
                      "nth");
    return err ? err : read_tear(r, q);
}

static int read_flip(const struct reading *r, struct request *q)
{
    uint64_t addr = UINT64_MAX, bit = 0;
    int err = read_number(r, "addr", UINT32_MAX, &addr);
    if (!err)
        err = read_number(r, "bit", 7, &bit);
    if (!err && addr == UINT64_MAX)
        return refuse(r, "a flip needs \"%s\"", "addr");
    q->addr = (uint32_t)addr;
    q->bit = (unsigned)bit;
    return err;
}

static int read_flips(const struct reading *r, struct request *q)
{
    uint64_t count = 0;
    int err = read_number(r, "count", REQUEST_FLIPS_MAX, &count);
    q->count = (uint32_t)count;
    return err;
}

static int read_timing(const struct reading *r, struct request *q)
{
    return read_bool(r, "on", &q->on);
}

static int read_nothing(const struct reading *r, struct request *q)
{
    (void)r;
    (void)q;
    return 0;
}

struct kind {
    const char *name;
    int value;
    int (*read)(const struct reading *r, struct request *q);
};

static const struct kind faults[] = {
    {"cut", FAULT_CUT, read_cut},
    {"flip", FAULT_FLIP, read_flip},
    {"flips", FAULT_FLIPS, read_flips},
    {"timing", FAULT_TIMING, read_timing},
    {"brown-out", FAULT_BROWN_OUT, read_nothing},
    {"clear", FAULT_CLEAR, read_nothing},
    {NULL, 0, NULL},
};

/* Finds the string member `name` among `kinds` and reads on as it says. */
static int read_kind(const struct reading *r, const char *name,
                     const struct kind *kinds, int *value, struct request *q)
{
    const char *text = json_string_value(json_object_get(r->from, name));
    if (!text)
        return refuse(r, "a request needs \"%s\"", name);
    for (; kinds->name; kinds++)
        if (strcmp(kinds->name, text) == 0) {
            *value = kinds->value;
            return kinds->read(r, q);
        }
    return refuse(r, "'%.60s' is unknown; docs/CONTROL.md lists what there is",
                  text);
}

static int read_fault(const struct reading *r, struct request *q)
{
    int value = 0;
    int err = read_kind(r, "do", faults, &value, q);
    q->fault = (enum request_fault)value;
    return err;
}

static int read_led(const struct reading *r, struct request *q)
{
    return read_bool(r, "history", &q->history);
}

static int read_sd(const struct reading *r, struct request *q)
{
    const json_t *insert = json_object_get(r->from, "insert");
    const char *file = json_string_value(insert);
    int err = read_bool(r, "remove", &q->remove);
    if (err || !insert)
        return err;
    if (!file || !*file || strlen(file) >= sizeof q->file)
        return refuse(r, "\"%s\" needs the name of a file", "insert");
    strcpy(q->file, file);
    q->insert = true;
    return 0;
}

static const struct kind requests[] = {
    {"status", REQUEST_STATUS, read_nothing},
    {"reset", REQUEST_RESET, read_reset},
    {"power", REQUEST_POWER, read_power},
    {"pin", REQUEST_PIN, read_pin_request},
    {"led", REQUEST_LED, read_led},
    {"fault", REQUEST_FAULT, read_fault},
    {"sd", REQUEST_SD, read_sd},
    {"watch", REQUEST_WATCH, read_nothing},
    {"quit", REQUEST_QUIT, read_nothing},
    {NULL, 0, NULL},
};

int request_read(struct request *q, const char *line, size_t len, char *why,
                 size_t why_size)
{
    int value = 0;
    *q = (struct request){.pin = -1};
    json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    struct reading r = {json, why, why_size};
    if (!json_is_object(json)) {
        json_decref(json);
        return refuse(&r, "a request is one JSON object a line%s", "");
    }
    q->id = json_incref(json_object_get(json, "id"));
    int err = read_kind(&r, "op", requests, &value, q);
    q->op = (enum request_op)value;
    json_decref(json);
    return err;
}
