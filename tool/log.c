/* wipy log: the diary on a chip, the latest entry last. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hex.h"
#include "chip_view.h"
#include "commands.h"
#include "outcome.h"
#include "words/words.h"

#include <jansson.h>

static const char usage[] =
    "usage: wipy log [--flash FILE | --port PORT] [-n COUNT] [--json]\n"
    "Shows the board's diary: its last starts and changes. With --port over\n"
    "its serial line; the board is reset for it.\n";

static void time_text(uint32_t unix_s, char to[24])
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    if (unix_s && gmtime_r(&t, &tm))
        strftime(to, 24, "%Y-%m-%d %H:%M:%S", &tm);
    else
        snprintf(to, 24, "%19s", "");
}

static json_t *entry_json(const struct diary_entry *e, const char *text)
{
    static const char *const kinds[] = {"",       "start", "change",
                                        "damage", "fault", "unhealthy"};
    bool reason = e->kind == DIARY_UNHEALTHY; /* stands for the version */
    char hex[17] = "";
    hex_encode(hex, e->digest, 8);
    hex[16] = 0;
    return json_pack(
        "{s:I,s:s,s:s,s:I,s:s,s:s,s:s,s:o}", "seq", (json_int_t)e->seq, "kind",
        e->kind <= DIARY_UNHEALTHY ? kinds[e->kind] : "", "slot",
        slot_name(e->slot), "time", (json_int_t)e->time, "version",
        reason ? "" : e->version, "sha256_head", hex, "text", text,
        "ran_before_s",
        e->run_s == UINT32_MAX ? json_null() : json_integer(e->run_s));
}

static void show(const struct diary *d, unsigned count, bool json)
{
    struct diary_entry e;
    char text[DIARY_TEXT_LEN], when[24];
    json_t *all = json_array();
    while (count && !diary_get(d, count - 1, &e))
        count--;
    while (count-- && diary_get(d, count, &e)) {
        diary_text(&e, text, sizeof text);
        time_text(e.time, when);
        if (json)
            json_array_append_new(all, entry_json(&e, text));
        else
            printf("%5u  %s  %s\n", e.seq, when, text);
    }
    if (json)
        print_json(json_incref(all));
    json_decref(all);
}

int cmd_log(int argc, char **argv)
{
    static struct chip_view v;
    struct chip_view_args o = {0};
    struct args a = args_of("wipy log", usage, argc, argv);
    const char *wanted = NULL;
    const struct args_option own = {"n", "", NULL, &wanted};
    uint32_t count = 2 * DIARY_ENTRIES;
    int code = chip_view_args(&o, &a, &own);
    if (!code && wanted && (!parse_number(wanted, &count) || count == 0))
        code = args_wrong(&a, "-n %s: want a count from 1", wanted);
    if (!code)
        code = chip_view_open(&v, &o);
    if (code)
        return code;
    if (count > 2 * DIARY_ENTRIES)
        count = 2 * DIARY_ENTRIES;
    struct diary d;
    diary_open(&d, &v.boot);
    if (!d.off)
        complain("wipy: this chip's partition table has no diary\n");
    show(&d, count, o.json);
    chip_view_close(&v);
    return d.off ? EXIT_OK : EXIT_FAILED;
}
