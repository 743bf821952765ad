/* wipy log: the diary on a chip, the latest entry last. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hex.h"
#include "chip_view.h"
#include "commands.h"
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
    if (json) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(all);
}

int cmd_log(int argc, char **argv)
{
    static const struct option options[] = {
        {"flash", required_argument, NULL, 'f'},
        {"port", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct chip_view v;
    const char *flash = NULL;
    bool json = false, wrong = false;
    struct serial_args serial;
    unsigned count = DIARY_ENTRIES;
    int c;
    serial_args_init(&serial);
    serial.o.port = NULL; /* only when asked for, not by WIPY_PORT */
    while ((c = getopt_long(argc, argv, "n:", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (c == 'f')
            flash = optarg;
        else if (c == 'p')
            serial.o.port = optarg;
        else if (c == 'j')
            json = true;
        else if (c == 'n' && atoi(optarg) > 0)
            count = (unsigned)atoi(optarg);
        else
            wrong = true;
    }
    if (wrong || optind != argc || (flash && serial.o.port)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (count > 2 * DIARY_ENTRIES)
        count = 2 * DIARY_ENTRIES;
    serial.json = json;
    serial.o.quiet = true;
    int code = serial.o.port ? chip_view_open_serial(&v, &serial)
                             : chip_view_open(&v, flash);
    if (code)
        return code;
    struct diary d;
    diary_open(&d, &v.boot);
    if (!d.off)
        fputs("wipy: this chip's partition table has no diary\n", stderr);
    show(&d, count, json);
    chip_view_close(&v);
    return d.off ? EXIT_OK : EXIT_FAILED;
}
