#include "loader_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "outcome.h"

static bool is_speed(const char *text, uint32_t *baud)
{
    uint32_t value;
    if (!parse_number(text, &value) || value < 300 || value > 12000000)
        return false;
    *baud = value;
    return true;
}

void serial_args_init(struct serial_args *s)
{
    *s = (struct serial_args){.o = {.baud = LOADER_BAUD}};
    const char *baud = getenv("ESPBAUD");
    if (baud && *baud && !is_speed(baud, &s->o.baud))
        fprintf(stderr,
                "wipy: ESPBAUD=%s in the environment is no speed; %u is "
                "taken\n",
                baud, (unsigned)s->o.baud);
}

static int bad_value(const struct args *a, const char *value, const char *want)
{
    return -args_wrong(a, "--%s %s: %s", a->name, value, want);
}

/* All but no_reset is what we do anyway. */
static int take_reset(struct args *a, bool *none)
{
    static const char *const known[] = {
        "no_reset", "default_reset", "usb_reset", "hard_reset", "soft_reset"};
    char name[20];
    const char *value = args_value(a);
    if (!value)
        return -EXIT_USAGE;
    snprintf(name, sizeof name, "%s", value);
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i]) == 0) {
            *none = i == 0;
            return 1;
        }
    return bad_value(a, value, "want default_reset, hard_reset or no_reset");
}

static int take_baud(struct serial_args *s, struct args *a)
{
    const char *value = args_value(a);
    if (!value)
        return -EXIT_USAGE;
    if (!is_speed(value, &s->o.baud))
        return bad_value(a, value, "want a speed like 115200 or 460800");
    return 1;
}

static int take_chip(struct args *a)
{
    const char *value = args_value(a);
    if (!value)
        return -EXIT_USAGE;
    if (strcmp(value, "esp32") == 0 || strcmp(value, "auto") == 0)
        return 1;
    return bad_value(a, value, "a WiPy has an esp32");
}

int serial_args_take(struct serial_args *s, struct args *a)
{
    const char *ignored; /* we try as often as is sensible */
    const struct args_option options[] = {
        {"port", "p", NULL, &s->o.port},
        {"flash", "", NULL, &s->o.flash},
        {"no-stub", "", &s->o.rom_only, NULL},
        {"json", "", &s->json, NULL},
        {"quiet", "q", &s->o.quiet, NULL},
        {"connect-attempts", "", NULL, &ignored},
    };
    if (args_is(a, "b") || args_is(a, "s") || args_is(a, "baud") ||
        args_is(a, "speed"))
        return take_baud(s, a);
    if (args_is(a, "chip") || args_is(a, "c"))
        return take_chip(a);
    if (args_is(a, "before"))
        return take_reset(a, &s->o.no_reset);
    if (args_is(a, "after") || args_is(a, "a"))
        return take_reset(a, &s->o.stay);
    int taken = args_take(a, options, sizeof options / sizeof options[0]);
    s->o.quiet = s->o.quiet || s->json;
    return taken;
}

int serial_failed(const struct loader *l, int err)
{
    int code = loader_exit_code(err);
    complain("wipy: %s\n", l->error);
    return code;
}

void serial_connected(const struct loader *l, const struct serial_args *s)
{
    char text[160];
    loader_describe(l, text);
    if (!s->o.quiet)
        fprintf(stderr, "Connected to %s at %u baud (%s)\n", text,
                (unsigned)l->baud,
                l->client.stub ? "stub commands" : "ROM commands");
}

int serial_connect(struct loader *l, const struct serial_args *s)
{
    int err = loader_connect(l);
    if (err < 0)
        return serial_failed(l, err);
    serial_connected(l, s);
    return 0;
}

json_t *serial_chip_json(const struct loader *l)
{
    const struct chip_facts *c = &l->chip;
    char mac[18];
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", c->mac[0],
             c->mac[1], c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
    return json_pack("{s:s, s:s, s:b, s:i, s:i, s:I, s:I, s:s}", "port",
                     l->name, "chip", "esp32", "virtual", c->is_virtual,
                     "machine", (int)c->machine, "revision", (int)c->revision,
                     "flash_id", (json_int_t)c->flash_id, "flash_size",
                     (json_int_t)c->flash_size, "mac", mac);
}
