#include "flash_job.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static int write_item(struct loader *l, const struct flash_job *job,
                      struct mirror *m, struct plan_item *item)
{
    const char *what = item->place[0] ? item->place : item->target;
    int err = loader_write(l, what, item->off, item->data, item->len,
                           &job->write, &item->result);
    const struct write_result *r = &item->result;
    if (err < 0)
        return err;
    mirror_put(m, item->off, item->data, item->len);
    if (job->serial.o.quiet)
        return 0;
    if (r->written == 0)
        printf("0x%06x %-12s %zu bytes: there already (%.2f s)\n",
               (unsigned)item->off, what, item->len, r->seconds);
    else
        printf("0x%06x %-12s %zu bytes: %u written, %u sent in %.2f s "
               "(%.1f kB/s), %s\n",
               (unsigned)item->off, what, item->len, (unsigned)r->written,
               (unsigned)r->sent, r->seconds,
               (double)item->len / r->seconds / 1000,
               job->write.no_verify ? "not verified" : "verified");
    fflush(stdout);
    return 0;
}

/* The slot written last is what runs, unless otadata was given. */
static int select_slot(struct loader *l, const struct flash_job *job,
                       const struct plan *p, struct mirror *m)
{
    int slot = -1, err;
    const struct plan_item *item = NULL;
    bool wrote;
    for (unsigned i = 0; i < p->count; i++) {
        int found = plan_slot(p, &p->item[i]);
        if (strcmp(p->item[i].place, "otadata") == 0)
            return 0;
        if (found >= 0) {
            slot = found;
            item = &p->item[i];
        }
    }
    if (slot < 0 || job->keep_ota)
        return 0;
    err = plan_boot_record(l, m, (unsigned)slot, (uint32_t)item->file_len,
                           item->result.written > 0, &wrote);
    if (!err && wrote && !job->serial.o.quiet)
        printf("Boot record: %s is selected\n", slot_name((unsigned)slot));
    return err;
}

static json_t *items_json(const struct plan *p)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < p->count; i++) {
        const struct plan_item *item = &p->item[i];
        const struct write_result *r = &item->result;
        json_array_append_new(
            list,
            json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:i, s:f}", "offset",
                      (json_int_t)item->off, "place", item->place, "file",
                      item->name, "bytes", (json_int_t)item->len, "written",
                      (json_int_t)r->written, "sent", (json_int_t)r->sent,
                      "reconnects", (int)r->again, "seconds", r->seconds));
    }
    return list;
}

static int report(struct loader *l, const struct flash_job *job,
                  const struct plan *p, struct mirror *m)
{
    unsigned slot = 0;
    char text[160];
    int err = mirror_next_boot(m, &slot, text);
    if (err < 0 && err != WIPY_ENOENT)
        return err;
    if (!job->serial.o.quiet)
        printf("Next start: %s\n", text);
    if (job->serial.json)
        print_json(json_pack("{s:b, s:o, s:o, s:s?, s:s}", "ok", 1, "board",
                             serial_chip_json(l), "files", items_json(p),
                             "boots", err ? NULL : slot_name(slot),
                             "boots_text", text));
    return 0;
}

/* A new table may name records at places that were not read before. */
static int follow_table(struct loader *l, const struct plan *p,
                        struct mirror *m)
{
    bool changed = false;
    for (unsigned i = 0; i < p->count; i++)
        if (p->item[i].off <= TABLE_OFF &&
            p->item[i].off + p->item[i].len > TABLE_OFF)
            changed = true;
    if (!changed)
        return 0;
    mirror_close(m);
    int err = mirror_open(m, l);
    for (unsigned i = 0; !err && i < p->count; i++)
        mirror_put(m, p->item[i].off, p->item[i].data, p->item[i].len);
    return err;
}

int flash_job_run(struct loader *l, const struct flash_job *job, struct plan *p,
                  struct mirror *m)
{
    int err = 0;
    for (unsigned i = 0; !err && i < p->count; i++)
        err = write_item(l, job, m, &p->item[i]);
    if (!err)
        err = follow_table(l, p, m);
    if (!err)
        err = select_slot(l, job, p, m);
    return err ? err : report(l, job, p, m);
}
