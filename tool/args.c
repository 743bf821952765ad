#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "outcome.h"

struct args args_of(const char *command, const char *usage, int argc,
                    char **argv)
{
    return (struct args){.command = command,
                         .usage = usage,
                         .argc = argc,
                         .argv = argv,
                         .at = 1};
}

static void take_name(struct args *a, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    if (len >= sizeof a->name)
        len = sizeof a->name - 1;
    for (size_t i = 0; i < len; i++)
        a->name[i] = text[i] == '_' ? '-' : text[i];
    a->name[len] = 0;
    a->value = equals ? equals + 1 : NULL;
}

int args_next(struct args *a, const char **word)
{
    if (a->at >= a->argc)
        return 0;
    const char *text = a->argv[a->at++];
    *word = text;
    if (text[0] != '-' || text[1] == 0)
        return 2;
    take_name(a, text + (text[1] == '-' ? 2 : 1));
    if (args_is(a, "help") || args_is(a, "h")) {
        fputs(a->usage, stdout);
        exit(EXIT_OK);
    }
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

const char *args_value(struct args *a)
{
    if (a->value)
        return a->value;
    if (a->at < a->argc)
        return a->argv[a->at++];
    args_wrong(a, "option %s needs a value", a->argv[a->at - 1]);
    return NULL;
}

int args_take(struct args *a, const struct args_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct args_option *o = &options[i];
        if (!args_is(a, o->name) && (!o->other[0] || !args_is(a, o->other)))
            continue;
        if (o->on && a->value)
            return -args_wrong(a, "option --%s takes no value", o->name);
        if (o->on)
            return *o->on = true;
        return (*o->text = args_value(a)) ? 1 : -EXIT_USAGE;
    }
    return 0;
}

int args_read(struct args *a, const struct args_option *options, size_t count,
              const char **word, unsigned *words)
{
    unsigned most = words ? *words : 0, found = 0;
    const char *text;
    for (int kind; (kind = args_next(a, &text)) != 0;) {
        int taken = kind == 1 ? args_take(a, options, count) : found < most;
        if (taken <= 0)
            return taken < 0 ? -taken : args_unknown(a, text);
        if (kind == 2)
            word[found++] = text;
    }
    if (words)
        *words = found;
    return EXIT_OK;
}

/* How many of the usage's first bytes say how it is called. */
static int synopsis_len(const char *usage)
{
    const char *end = usage;
    do {
        end = strchr(end, '\n');
        end = end ? end + 1 : strchr(usage, 0);
    } while (*end == ' ' && strncmp(end, "  -", 3) != 0);
    return (int)(end - usage);
}

int args_wrong(const struct args *a, const char *format, ...)
{
    char what[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    complain("%s: %s\n", a->command, what);
    fprintf(stderr, "%.*s'%s --help' says more\n", synopsis_len(a->usage),
            a->usage, a->command);
    return EXIT_USAGE;
}

int args_unknown(const struct args *a, const char *word)
{
    return args_wrong(a, "'%s' is not understood here", word);
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
