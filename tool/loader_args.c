#include "loader_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

const char serial_args_help[] =
    "  -p, --port PORT       /dev/ttyUSB0, a pty, rfc2217://HOST:PORT,\n"
    "                        socket://HOST:PORT; default: WIPY_PORT, the\n"
    "                        running board, the only USB port there is\n"
    "  --flash FILE          the running board meant is that of FILE\n"
    "                        (wipy.flash)\n"
    "  -b, -s, --baud N      speed of the data (460800)\n"
    "  --before no_reset     the board is in its loader already\n"
    "  --after no_reset      leave it there\n"
    "  --no-stub             only the commands of the chip's own ROM\n"
    "  --json                results as JSON on standard output\n"
    "  -q, --quiet           only errors and results\n";

struct args args_of(const char *command, int argc, char **argv)
{
    return (struct args){
        .command = command, .argc = argc, .argv = argv, .at = 1};
}

int args_next(struct args *a, const char **word)
{
    if (a->at >= a->argc)
        return 0;
    const char *text = a->argv[a->at++];
    *word = text;
    if (text[0] != '-' || text[1] == 0)
        return 2;
    text += text[1] == '-' ? 2 : 1;
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    if (len >= sizeof a->name)
        len = sizeof a->name - 1;
    for (size_t i = 0; i < len; i++)
        a->name[i] = text[i] == '_' ? '-' : text[i];
    a->name[len] = 0;
    a->value = equals ? equals + 1 : NULL;
    return 1;
}

bool args_is(const struct args *a, const char *name)
{
    return strcmp(a->name, name) == 0;
}

bool args_among(const struct args *a, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (args_is(a, names[i]))
            return true;
    return false;
}

bool args_turn_on(const struct args *a, const struct args_switch *switches,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct args_switch *s = &switches[i];
        if (args_is(a, s->name) || (s->other[0] && args_is(a, s->other))) {
            *s->on = true;
            return true;
        }
    }
    return false;
}

const char *args_value(struct args *a)
{
    if (a->value)
        return a->value;
    if (a->at < a->argc)
        return a->argv[a->at++];
    fprintf(stderr, "%s: option %s needs a value\n", a->command,
            a->argv[a->at - 1]);
    return NULL;
}

int args_unknown(const struct args *a, const char *word)
{
    fprintf(stderr, "%s: '%s' is not understood; '%s --help' says what is\n",
            a->command, word, a->command);
    return EXIT_USAGE;
}

bool parse_number(const char *text, uint32_t *value)
{
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long v = strtoull(text, &end, 0);
    unsigned shift = 0;
    if (*end == 'k' || *end == 'K')
        shift = 10;
    else if (*end == 'M' || *end == 'm')
        shift = 20;
    if (shift)
        end++;
    if (shift && (*end == 'B' || *end == 'b'))
        end++;
    if (*end || errno || v > UINT32_MAX >> shift)
        return false;
    *value = (uint32_t)v << shift;
    return true;
}

void serial_args_init(struct serial_args *s)
{
    *s = (struct serial_args){.o = {.baud = LOADER_BAUD}};
    const char *baud = getenv("ESPBAUD");
    uint32_t value;
    if (baud && parse_number(baud, &value) && value)
        s->o.baud = value;
}

static int bad_value(const struct args *a, const char *value, const char *want)
{
    fprintf(stderr, "%s: --%s %s: %s\n", a->command, a->name, value, want);
    return -EXIT_USAGE;
}

/* default_reset, usb_reset … and hard_reset are what we do anyway. */
static int take_reset(struct args *a, bool *none)
{
    const char *value = args_value(a);
    if (!value)
        return -EXIT_USAGE;
    *none = strcmp(value, "no_reset") == 0 || strcmp(value, "no-reset") == 0;
    static const char *const known[] = {"default_reset", "default-reset",
                                        "hard_reset",    "hard-reset",
                                        "soft_reset",    "soft-reset"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (*none || strcmp(value, known[i]) == 0)
            return 1;
    return bad_value(a, value, "want default_reset, hard_reset or no_reset");
}

static int take_baud(struct serial_args *s, struct args *a)
{
    const char *value = args_value(a);
    if (!value)
        return -EXIT_USAGE;
    if (!parse_number(value, &s->o.baud) || s->o.baud < 300 ||
        s->o.baud > 12000000)
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
    if (args_is(a, "p") || args_is(a, "port"))
        return (s->o.port = args_value(a)) ? 1 : -EXIT_USAGE;
    if (args_is(a, "flash"))
        return (s->o.flash = args_value(a)) ? 1 : -EXIT_USAGE;
    if (args_is(a, "b") || args_is(a, "s") || args_is(a, "baud") ||
        args_is(a, "speed"))
        return take_baud(s, a);
    if (args_is(a, "chip") || args_is(a, "c"))
        return take_chip(a);
    if (args_is(a, "before"))
        return take_reset(a, &s->o.no_reset);
    if (args_is(a, "after"))
        return take_reset(a, &s->o.stay);
    if (args_is(a, "no-stub"))
        return s->o.rom_only = true;
    if (args_is(a, "json"))
        return s->json = s->o.quiet = true;
    if (args_is(a, "q") || args_is(a, "quiet"))
        return s->o.quiet = true;
    return 0;
}

void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

int serial_failed(const struct loader *l, const struct serial_args *s, int err)
{
    int code = loader_exit_code(err);
    fprintf(stderr, "wipy: %s\n", l->error);
    if (s->json)
        print_json(json_pack("{s:b, s:s, s:i}", "ok", 0, "error", l->error,
                             "exit", code));
    return code;
}

int serial_connect(struct loader *l, const struct serial_args *s)
{
    char text[160];
    int err = loader_connect(l);
    if (err < 0)
        return serial_failed(l, s, err);
    loader_describe(l, text);
    if (!s->o.quiet)
        fprintf(stderr, "Connected to %s at %u baud (%s)\n", text,
                (unsigned)l->baud,
                l->client.stub ? "stub commands" : "ROM commands");
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
