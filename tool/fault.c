#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "control.h"

static const char usage[] =
    "usage: wipy fault WHAT [--json] [--flash FILE | --control SOCKET]\n"
    "What can go wrong on a board, on order:\n"
    "\n"
    "  cut N[:MODE]     power fails at the N-th chip command from now (a page\n"
    "                   program or an erase); of it none, some bits, half or\n"
    "                   all is done (MODE none, bits, half, all)\n"
    "  flip ADDR.BIT    one bit of the flash changes (0x10020.3)\n"
    "  flips COUNT      that many bits change anywhere\n"
    "  timing on|off    the chip takes its data-sheet time, or none\n"
    "  brown-out        the supply drops: a reset\n"
    "  clear            no planned cut, no timing\n";

/* A number that ends at `end` or at the end of the text. */
static bool number(const char *text, char end, unsigned long long *to,
                   const char **rest)
{
    char *stop;
    if (!text || *text < '0' || *text > '9')
        return false;
    *to = strtoull(text, &stop, 0);
    *rest = *stop == end && end ? stop + 1 : NULL;
    return *stop == 0 || *rest;
}

static json_t *cut_request(const char *text)
{
    unsigned long long nth;
    const char *tear;
    if (!number(text, ':', &nth, &tear))
        return NULL;
    return json_pack("{s:s, s:s, s:I, s:s}", "op", "fault", "do", "cut", "nth",
                     (json_int_t)nth, "tear", tear ? tear : "none");
}

static json_t *flip_request(const char *text)
{
    unsigned long long addr, bit = 0;
    const char *rest, *none;
    if (!number(text, '.', &addr, &rest) || !rest ||
        !number(rest, 0, &bit, &none))
        return NULL;
    return json_pack("{s:s, s:s, s:I, s:I}", "op", "fault", "do", "flip",
                     "addr", (json_int_t)addr, "bit", (json_int_t)bit);
}

static json_t *flips_request(const char *text)
{
    unsigned long long count;
    const char *none;
    if (!number(text, 0, &count, &none))
        return NULL;
    return json_pack("{s:s, s:s, s:I}", "op", "fault", "do", "flips", "count",
                     (json_int_t)count);
}

static json_t *timing_request(const char *text)
{
    bool on = text && strcmp(text, "on") == 0;
    if (!on && (!text || strcmp(text, "off") != 0))
        return NULL;
    return json_pack("{s:s, s:s, s:b}", "op", "fault", "do", "timing", "on",
                     on);
}

static json_t *make_request(const char *what, const char *value)
{
    if (strcmp(what, "cut") == 0)
        return cut_request(value);
    if (strcmp(what, "flip") == 0)
        return flip_request(value);
    if (strcmp(what, "flips") == 0)
        return flips_request(value);
    if (strcmp(what, "timing") == 0)
        return timing_request(value);
    if (value)
        return NULL;
    return json_pack("{s:s, s:s}", "op", "fault", "do", what);
}

int cmd_fault(int argc, char **argv)
{
    struct control_target target = {0};
    struct args a = args_of("wipy fault", usage, argc, argv);
    const char *word[2] = {NULL, NULL};
    unsigned words = 2;
    int code = control_args(&target, &a, NULL, 0, word, &words);
    if (code)
        return code;
    if (words == 0)
        return args_wrong(&a, "what is to go wrong?");
    json_t *request = make_request(word[0], word[1]);
    if (!request)
        return args_wrong(&a, "'%s%s%s' is not understood", word[0],
                          word[1] ? " " : "", word[1] ? word[1] : "");
    return control_do(&target, request);
}
