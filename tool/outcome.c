#include "outcome.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static char said[2048]; /* all complaints, a line each */
static json_t *result;
static bool in_lines;

/* Names come from archives and other machines: a terminal must not obey. */
static void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f)
            *c = '?';
}

void complain(const char *format, ...)
{
    char brief[256], *text = brief;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(brief, sizeof brief, format, list);
    va_end(list);
    if (len >= (int)sizeof brief && (text = malloc((size_t)len + 1))) {
        va_start(list, format);
        vsnprintf(text, (size_t)len + 1, format, list);
        va_end(list);
    }
    if (!text)
        text = brief;
    make_printable(text);
    fputs(text, stderr);
    len = (int)strlen(said);
    snprintf(said + len, sizeof said - (size_t)len, "%s", text);
    if (text != brief)
        free(text);
}

int out_of_memory(void)
{
    complain("wipy: out of memory\n");
    return EXIT_FAILED;
}

void print_json(json_t *json)
{
    if (json && result)
        json_object_update_missing(json, result);
    json_decref(result);
    result = json;
}

void outcome_add(const char *name, json_t *value)
{
    if (!result)
        result = json_object();
    json_object_set_new(result, name, value);
}

/* Without "wipy: ", "wipy fs: " and the last newline. */
static json_t *error_text(void)
{
    char *text = said, *after = strstr(said, ": ");
    size_t len = strlen(said);
    if (len && said[len - 1] == '\n')
        said[len - 1] = 0;
    if (after && strncmp(said, "wipy", 4) == 0 &&
        after - said <= (ptrdiff_t)strlen("wipy monitor"))
        text = after + 2;
    json_t *json = json_string(text);
    for (char *c = text; !json && *c; c++) /* a name may be no UTF-8 */
        if (*c & 0x80)
            *c = '?';
    return json ? json : json_string(text);
}

void outcome_in_lines(void)
{
    in_lines = true;
}

void print_json_line(const json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    outcome_in_lines();
}

void outcome_print(int code)
{
    if (in_lines && code == 0)
        return;
    if (code && !json_is_object(result))
        print_json(NULL);
    if (code || !result)
        outcome_add("ok", json_boolean(code == 0));
    if (code) {
        outcome_add("error", error_text());
        outcome_add("exit", json_integer(code));
    }
    json_dumpf(result, stdout,
               JSON_ENCODE_ANY | (in_lines ? JSON_COMPACT : JSON_INDENT(2)));
    putchar('\n');
    print_json(NULL);
}
