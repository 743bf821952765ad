#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "flash_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

/* appimg.bin is wipy.bin and the MD5 of it in text: say so from the bytes. */
static void explain_tail(const struct plan_item *item)
{
    uint8_t md5[MD5_LEN];
    char hex[2 * MD5_LEN];
    if (item->len <= sizeof hex)
        return;
    size_t len = item->len - sizeof hex;
    md5_of(item->data, len, md5);
    hex_encode(hex, md5, MD5_LEN);
    if (memcmp(hex, item->data + len, sizeof hex) != 0)
        return;
    printf("\n%s is wipy.bin (%zu bytes) plus 32 bytes: the MD5 of wipy.bin "
           "as text,\n%.32s. An update over the air is checked by it; here "
           "it does\nno harm. wipy.bin itself is not flashed: it is part of "
           "%s.\n",
           item->name, len, hex, item->name);
}

/* ---- the command ---- */

/* Quotes that both a Unix shell and cmd.exe take; most names need none. One
 * that begins like an option or like esptool's @FILE is given a folder. */
static void put_word(FILE *to, const char *word)
{
    bool plain = word[0] != 0;
    const char *folder = word[0] == '-' || word[0] == '@' ? "./" : "";
    for (const char *c = word; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_-./:",
                    *c))
            plain = false;
    fprintf(to, plain ? " %s%s" : " \"%s%s\"", folder, word);
}

/* No quotes keep both shells from reading these. */
static bool cannot_be_pasted(const char *name)
{
    return strpbrk(name, "$`\"\\%!") != NULL;
}

/* `all`: also what `wipy flash` adds by itself. The caller's to free. */
static char *command(const char *tool, const struct flash_show *s,
                     const struct flash_job *job, const struct plan *p,
                     bool all)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    if (!to)
        return NULL;
    fprintf(to, "%s --chip esp32 --port", tool);
    put_word(to, s->port);
    fprintf(to,
            " --baud %u write_flash -z --flash_mode dio --flash_freq 80m "
            "--flash_size detect%s%s",
            (unsigned)job->serial.o.baud,
            !all && job->keep_ota ? " --keep-ota" : "",
            !all && s->force ? " --force" : "");
    for (unsigned i = 0; i < p->count; i++) {
        if (p->item[i].note && !all)
            continue;
        fprintf(to, " 0x%x", (unsigned)p->item[i].off);
        put_word(to, p->item[i].name);
    }
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

/* ---- showing ---- */

static void show_text(const struct flash_show *s, const struct plan *p,
                      const char *wipy, const char *esptool)
{
    printf("What goes where:\n");
    plan_print(p, stdout);
    for (unsigned i = 0; i < p->count; i++)
        if (plan_slot(p, &p->item[i]) >= 0)
            explain_tail(&p->item[i]);
    printf("\nThe same from another machine: copy the files%s%s into a folder "
           "there and run in it\n(one line for a Unix shell and for cmd.exe; "
           "put that machine's port, such as\n/dev/ttyUSB0 or COM3):\n\n"
           "  %s\n\nor, also where there is no wipy, with Espressif's tool, "
           "which does not touch which\nimage runs:\n\n  %s\n\n",
           s->images ? " from " : "", s->images ? s->images : "", wipy,
           esptool);
    for (unsigned i = 0; i < p->count; i++)
        if (!p->item[i].note && cannot_be_pasted(p->item[i].name))
            printf("Rename '%s' for that: no quotes protect such a name in "
                   "both shells.\n\n",
                   p->item[i].name);
    fflush(stdout);
}

static void show_json(const struct plan *p, const char *wipy,
                      const char *esptool)
{
    json_t *rename = json_array(), *files = json_array();
    for (unsigned i = 0; i < p->count; i++) {
        const struct plan_item *item = &p->item[i];
        if (!item->note && cannot_be_pasted(item->name))
            json_array_append_new(rename, json_string(item->name));
        json_array_append_new(files, json_pack("{s:I, s:s, s:s, s:I}", "offset",
                                               (json_int_t)item->off, "place",
                                               item->place, "file", item->name,
                                               "bytes", (json_int_t)item->len));
    }
    outcome_add("files", files);
    outcome_add("commands", json_pack("{s:s, s:s, s:o}", "wipy", wipy,
                                      "esptool", esptool, "rename", rename));
}

void flash_show(const struct flash_show *s, const struct flash_job *job,
                const struct plan *p)
{
    char *wipy = command("wipy flash", s, job, p, false);
    char *esptool = command("esptool.py", s, job, p, true);
    if (wipy && esptool && job->serial.json)
        show_json(p, wipy, esptool);
    else if (wipy && esptool)
        show_text(s, p, wipy, esptool);
    free(wipy);
    free(esptool);
}
