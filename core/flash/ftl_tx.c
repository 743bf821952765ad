/* Sectors and transactions: what is current, what is committed, and the
 * smallest record that leads from one to the other. */
#include <string.h>

#include "base/crc.h"
#include "base/err.h"
#include "ftl_int.h"

struct span { /* bytes [from, to) of a sector */
    uint32_t from, to;
};

bool tx_has(const struct ftl *ftl, uint32_t lba)
{
    return ftl->in_tx[lba / 8] >> (lba % 8) & 1;
}

struct ftl_change *tx_find(struct ftl *ftl, uint32_t lba)
{
    for (uint32_t i = 0; i < ftl->changes; i++)
        if (ftl->change[i].lba == lba)
            return &ftl->change[i];
    return NULL;
}

static int tx_add(struct ftl *ftl, uint32_t lba)
{
    if (tx_has(ftl, lba))
        return 0;
    if (ftl->changes == FTL_TX_MAX)
        return WIPY_ENOSPC;
    ftl->change[ftl->changes++] = (struct ftl_change){lba, ftl->map[lba]};
    ftl->in_tx[lba / 8] |= (uint8_t)(1 << lba % 8);
    return 0;
}

int sector_base(struct ftl *ftl, uint32_t place, uint8_t *to)
{
    struct record r;
    int err = record_load(ftl, place, &r);
    return err ? err : record_base(ftl, &r, to);
}

int sector_state(struct ftl *ftl, uint32_t lba, uint8_t *to)
{
    if (ftl->map[lba] == FTL_NONE) {
        memset(to, 0, FTL_SECTOR);
        return 0;
    }
    int err = sector_base(ftl, ftl->map[lba], to);
    for (uint32_t i = 0; i < ftl->deltas && !err; i++) {
        const struct ftl_delta *d = &ftl->delta[i];
        struct record r;
        if (d->lba != lba || d->state == DELTA_DYING)
            continue;
        err = record_load(ftl, d->place, &r);
        if (!err)
            memcpy(to + r.start, r.bytes, r.len);
    }
    return err;
}

/* ---- the list of deltas ---- */

uint32_t delta_budget(const struct ftl *ftl)
{
    return ftl->units * 128;
}

void delta_remove(struct ftl *ftl, uint32_t index)
{
    live_drop(ftl, ftl->delta[index].place);
    delta_forget(ftl, index);
}

void delta_forget(struct ftl *ftl, uint32_t index)
{
    ftl->delta_bytes -= place_cost(ftl->delta[index].place);
    ftl->deltas--;
    memmove(&ftl->delta[index], &ftl->delta[index + 1],
            (ftl->deltas - index) * sizeof ftl->delta[0]);
}

/* Keeps the order of seq; there must be room. */
void delta_insert(struct ftl *ftl, const struct record *r, uint8_t state)
{
    uint32_t at = ftl->deltas;
    while (at > 0 && ftl->delta[at - 1].seq > r->seq)
        at--;
    memmove(&ftl->delta[at + 1], &ftl->delta[at],
            (ftl->deltas - at) * sizeof ftl->delta[0]);
    ftl->delta[at] =
        (struct ftl_delta){r->seq, r->place, (uint16_t)r->lba, state};
    ftl->deltas++;
    ftl->delta_bytes += place_cost(r->place);
}

/* The sector gets a new base or a new first delta. */
static void deltas_supersede(struct ftl *ftl, uint32_t lba)
{
    for (uint32_t i = 0; i < ftl->deltas;) {
        struct ftl_delta *d = &ftl->delta[i];
        if (d->lba == lba && d->state == DELTA_FRESH) {
            delta_remove(ftl, i);
            continue;
        }
        if (d->lba == lba)
            d->state = DELTA_DYING;
        i++;
    }
}

static uint32_t deltas_of(const struct ftl *ftl, uint32_t lba)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ftl->deltas; i++)
        count += ftl->delta[i].lba == lba && ftl->delta[i].state != DELTA_DYING;
    return count;
}

uint32_t delta_to_fold(const struct ftl *ftl)
{
    if (ftl->deltas <= FTL_DELTAS_MAX * 3 / 4 &&
        ftl->delta_bytes <= delta_budget(ftl) * 3 / 4)
        return FTL_NONE;
    for (uint32_t i = 0; i < ftl->deltas; i++)
        if (ftl->delta[i].state == DELTA_KEPT)
            return ftl->delta[i].lba;
    return FTL_NONE;
}

/* ---- choosing the record ---- */

static struct span changed_span(const uint8_t *a, const uint8_t *b)
{
    struct span s = {0, FTL_SECTOR};
    while (s.from < s.to && a[s.from] == b[s.from])
        s.from++;
    while (s.to > s.from && a[s.to - 1] == b[s.to - 1])
        s.to--;
    return s;
}

static struct span used_span(const uint8_t *data)
{
    struct span s = {0, FTL_SECTOR};
    while (s.from < s.to && data[s.from] == 0)
        s.from++;
    while (s.to > s.from && data[s.to - 1] == 0)
        s.to--;
    return s;
}

static void plan_base(struct record *r, const uint8_t *data)
{
    struct span used = used_span(data);
    r->len = used.to - used.from;
    r->start = r->len ? used.from : 0;
    r->kind = RECORD_SPARSE;
    r->bytes = data + r->start;
    if (r->len <= INLINE_MAX)
        return;
    r->kind = RECORD_SECTOR;
    r->len = FTL_SECTOR;
    r->bytes = data;
    r->crc = crc32_add(0, data, FTL_SECTOR);
}

/* Turns `r` into a delta when that is smaller than the base planned. Up to
 * `planned` deltas are not in the list yet. */
static void plan_delta(struct ftl *ftl, struct record *r, const uint8_t *data,
                       uint32_t planned)
{
    if (ftl->deltas + planned >= FTL_DELTAS_MAX ||
        ftl->delta_bytes + (planned + 1) * DELTA_MAX > delta_budget(ftl) ||
        sector_state(ftl, r->lba, ftl->buf) ||
        sector_base(ftl, ftl->map[r->lba], ftl->base))
        return;
    struct span last = changed_span(ftl->buf, data);
    struct span all = changed_span(ftl->base, data);
    uint32_t chain = deltas_of(ftl, r->lba);
    bool first = chain == 0 || chain >= DELTA_CHAIN ||
                 all.to - all.from <= last.to - last.from + 8;
    struct span s = first ? all : last;
    if (s.from == s.to)
        s = (struct span){0, 1};
    uint32_t len = s.to - s.from;
    if (len > DELTA_MAX ||
        (r->kind == RECORD_SPARSE && RECORD_MIN + r->len <= len + RECORD_MIN))
        return;
    r->kind = first ? RECORD_FIRST : RECORD_NEXT;
    r->start = s.from;
    r->len = len;
    r->bytes = data + s.from;
}

static void tx_apply(struct ftl *ftl, const struct record *r)
{
    if (r->kind != RECORD_NEXT)
        deltas_supersede(ftl, r->lba);
    if (record_is_delta(r)) {
        delta_insert(ftl, r, DELTA_FRESH);
        return;
    }
    uint32_t old = ftl->map[r->lba];
    if (old != FTL_NONE && old != tx_find(ftl, r->lba)->old)
        live_drop(ftl, old); /* of this very transaction */
    ftl->map[r->lba] = r->place;
}

int tx_log(struct ftl *ftl, uint32_t lba, const uint8_t *data, bool commit,
           bool whole)
{
    struct record r = {.lba = lba, .commit = commit};
    int err = tx_add(ftl, lba);
    if (err)
        return err;
    plan_base(&r, data);
    if (!whole && ftl->map[lba] != FTL_NONE)
        plan_delta(ftl, &r, data, 0);
    r.seq = ++ftl->seq;
    err = log_put(ftl, HEAD_NEW, &r);
    if (err)
        return err;
    tx_apply(ftl, &r);
    if (commit)
        mark_pin(ftl, r.place);
    return 0;
}

/* Plans come first, since they read what is there; they stay true while
 * garbage collection moves it. */
int tx_log_all(struct ftl *ftl, struct ftl_cached *const *sectors,
               uint32_t count)
{
    struct record r[TX_BATCH];
    for (uint32_t i = 0; i < count; i++) {
        const struct ftl_cached *c = sectors[i];
        int err = tx_add(ftl, c->lba);
        if (err)
            return err;
        r[i] = (struct record){.lba = c->lba};
        plan_base(&r[i], c->data);
        if (ftl->map[c->lba] != FTL_NONE)
            plan_delta(ftl, &r[i], c->data, i);
    }
    for (uint32_t i = 0; i < count; i++)
        r[i].seq = ++ftl->seq;
    for (uint32_t done = 0; done < count;) {
        int put = log_put_some(ftl, HEAD_NEW, r + done, count - done);
        if (put < 0)
            return put;
        for (; put > 0; put--)
            tx_apply(ftl, &r[done++]);
    }
    return 0;
}

/* Commits what has been logged already. */
int tx_mark(struct ftl *ftl)
{
    struct record r = {.seq = ++ftl->seq,
                       .kind = RECORD_MARK,
                       .commit = true,
                       .lba = 0xFFFF,
                       .bytes = ftl->buf};
    int err = log_put(ftl, HEAD_NEW, &r);
    if (err)
        return err;
    mark_pin(ftl, r.place);
    live_drop(ftl, r.place); /* a pin is all that holds it */
    return 0;
}

bool tx_unchanged(struct ftl *ftl, uint32_t lba, const uint8_t *data)
{
    /* An unmapped sector's old records are still on the flash and would come
     * back at the next mount: it is written even when it is all zeros. */
    return ftl->map[lba] != FTL_NONE && !sector_state(ftl, lba, ftl->buf) &&
           memcmp(ftl->buf, data, FTL_SECTOR) == 0;
}

void tx_finish(struct ftl *ftl)
{
    ftl->committed_seq = ftl->seq;
    ftl->tx_bytes = 0;
    for (uint32_t i = 0; i < ftl->changes; i++) {
        const struct ftl_change *c = &ftl->change[i];
        if (c->old != FTL_NONE && c->old != ftl->map[c->lba])
            live_drop(ftl, c->old);
        ftl->in_tx[c->lba / 8] &= (uint8_t) ~(1 << c->lba % 8);
    }
    for (uint32_t i = 0; i < ftl->deltas;) {
        if (ftl->delta[i].state == DELTA_DYING) {
            delta_remove(ftl, i);
            continue;
        }
        ftl->delta[i].state = DELTA_KEPT;
        i++;
    }
}
