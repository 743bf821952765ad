/* The layer as its user sees it: a cache of changed sectors over the log. */
#include "flash/ftl.h"

#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "ftl_int.h"

static struct ftl_cached *cache_find(struct ftl *ftl, uint32_t lba)
{
    for (uint32_t i = 0; i < FTL_CACHE; i++)
        if (ftl->cache[i].lba == lba)
            return &ftl->cache[i];
    return NULL;
}

static uint32_t cache_dirty(const struct ftl *ftl)
{
    uint32_t dirty = 0;
    for (uint32_t i = 0; i < FTL_CACHE; i++)
        dirty += ftl->cache[i].lba != FTL_NONE && ftl->cache[i].dirty;
    return dirty;
}

static struct ftl_cached *cache_find_dirty(struct ftl *ftl, uint32_t lba)
{
    struct ftl_cached *c = cache_find(ftl, lba);
    return c && c->dirty ? c : NULL;
}

/* The one to give up: empty, or clean and longest not used. NULL: all of
 * them wait to be logged. */
static struct ftl_cached *cache_spare(struct ftl *ftl)
{
    struct ftl_cached *best = NULL;
    for (uint32_t i = 0; i < FTL_CACHE; i++) {
        struct ftl_cached *c = &ftl->cache[i];
        if (c->lba == FTL_NONE)
            return c;
        if (!c->dirty && (!best || c->used < best->used))
            best = c;
    }
    return best;
}

/* FatFs reads single sectors when it follows the FAT and looks for names, the
 * same ones over and over. What is read for the first time is the first to go
 * again: a folder larger than the cache must not empty it. */
static int read_cached(struct ftl *ftl, uint32_t lba, uint8_t *to)
{
    struct ftl_cached *c = cache_spare(ftl);
    int err = sector_state(ftl, lba, to);
    if (err || !c)
        return err;
    c->lba = lba;
    c->used = 0;
    c->dirty = false;
    memcpy(c->data, to, FTL_SECTOR);
    return 0;
}

int ftl_read(struct ftl *ftl, uint32_t lba, void *to, uint32_t count)
{
    uint8_t *at = to;
    bool single = count == 1;
    if (lba > ftl->sectors || count > ftl->sectors - lba)
        return WIPY_ERANGE;
    for (; count > 0; count--, lba++, at += FTL_SECTOR) {
        struct ftl_cached *c = cache_find(ftl, lba);
        if (c) {
            c->used = ++ftl->clock;
            memcpy(at, c->data, FTL_SECTOR);
            continue;
        }
        int err =
            single ? read_cached(ftl, lba, at) : sector_state(ftl, lba, at);
        if (err)
            return err;
    }
    return 0;
}

/* Logs them, TX_BATCH or fewer. */
static int cache_log(struct ftl *ftl, struct ftl_cached *const *sectors,
                     uint32_t count)
{
    int err = tx_log_all(ftl, sectors, count);
    for (uint32_t i = 0; i < count && !err; i++)
        sectors[i]->dirty = false;
    return err;
}

/* The dirty sector longest not written, of those written after `since`. */
static struct ftl_cached *cache_oldest(struct ftl *ftl, uint64_t since)
{
    struct ftl_cached *oldest = NULL;
    for (uint32_t i = 0; i < FTL_CACHE; i++) {
        struct ftl_cached *c = &ftl->cache[i];
        if (c->lba != FTL_NONE && c->dirty && c->used > since &&
            (!oldest || c->used < oldest->used))
            oldest = c;
    }
    return oldest;
}

/* A place for one more sector. When all wait to be logged the older half is:
 * what a long write fills goes to the flash in units, not in sectors. */
static int cache_make_room(struct ftl *ftl, struct ftl_cached **out)
{
    struct ftl_cached *batch[TX_BATCH];
    uint32_t count = 0;
    uint64_t since = 0;
    *out = cache_spare(ftl);
    if (*out)
        return 0;
    for (int i = 0; i < TX_BATCH; i++) {
        struct ftl_cached *c = cache_oldest(ftl, since);
        since = c->used;
        if (tx_unchanged(ftl, c->lba, c->data))
            c->dirty = false;
        else
            batch[count++] = c;
    }
    int err = cache_log(ftl, batch, count);
    *out = cache_spare(ftl);
    return err;
}

static uint32_t tx_room(const struct ftl *ftl, uint32_t changes, uint32_t bytes)
{
    const uint32_t most = FTL_TX_MAX - TX_OWN;
    uint32_t by_count = changes < most ? most - changes : 0;
    uint32_t by_size =
        bytes < ftl->tx_limit ? (ftl->tx_limit - bytes) / SECTOR_COST : 0;
    return by_count < by_size ? by_count : by_size;
}

uint32_t ftl_tx_room(const struct ftl *ftl)
{
    uint32_t dirty = cache_dirty(ftl);
    return tx_room(ftl, ftl->changes + dirty,
                   ftl->tx_bytes + dirty * SECTOR_COST);
}

uint32_t ftl_tx_most(const struct ftl *ftl)
{
    return tx_room(ftl, 0, 0);
}

static int write_sector(struct ftl *ftl, uint32_t lba, const uint8_t *from)
{
    struct ftl_cached *c = cache_find(ftl, lba);
    if ((!c || !c->dirty) && ftl->tx_bytes > ftl->tx_limit)
        return WIPY_ENOSPC;
    if (!c) {
        int err = cache_make_room(ftl, &c);
        if (err)
            return err;
        c->lba = lba;
    }
    c->used = ++ftl->clock;
    c->dirty = true;
    memcpy(c->data, from, FTL_SECTOR);
    return 0;
}

int ftl_write(struct ftl *ftl, uint32_t lba, const void *from, uint32_t count)
{
    const uint8_t *at = from;
    if (ftl->readonly)
        return WIPY_EPERM;
    if (lba > ftl->sectors || count > ftl->sectors - lba)
        return WIPY_ERANGE;
    for (; count > 0; count--, lba++, at += FTL_SECTOR) {
        int err = write_sector(ftl, lba, at);
        if (err)
            return err;
    }
    return 0;
}

/* One that still holds what counts is not listed yet: what happens to a
 * listed unit is no damage. */
static int log_bad_units(struct ftl *ftl, bool commit)
{
    uint8_t list[FTL_SECTOR] = {0};
    struct writer w = writer_of(list, sizeof list);
    uint16_t count = 0;
    write_u16(&w, 0);
    for (uint32_t i = 0; i < ftl->units; i++)
        if (ftl->unit[i].state >= UNIT_BAD && ftl->unit[i].live == 0) {
            write_u16(&w, (uint16_t)i);
            count++;
        }
    put_u16(list, count);
    ftl->bad_dirty = false;
    return tx_log(ftl, bad_list_lba(ftl), list, commit, false);
}

/* Deltas are scarce: the oldest ones are merged into whole sectors. */
static int fold_deltas(struct ftl *ftl)
{
    for (int i = 0; i < TX_FOLDS; i++) {
        uint32_t lba = delta_to_fold(ftl);
        if (lba == FTL_NONE || cache_find_dirty(ftl, lba))
            return 0;
        if (sector_state(ftl, lba, ftl->copy))
            return 0; /* unreadable: leave it as it is */
        uint8_t data[FTL_SECTOR];
        memcpy(data, ftl->copy, sizeof data);
        int err = tx_log(ftl, lba, data, false, true);
        if (err)
            return err;
    }
    return 0;
}

/* Logs what the cache holds; the last record commits. */
static int cache_flush(struct ftl *ftl)
{
    struct ftl_cached *batch[TX_BATCH], *last = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < FTL_CACHE; i++) {
        struct ftl_cached *c = &ftl->cache[i];
        if (c->lba == FTL_NONE || !c->dirty)
            continue;
        c->dirty = !tx_unchanged(ftl, c->lba, c->data);
        if (!c->dirty)
            continue;
        if (last)
            batch[count++] = last;
        last = c;
        int err = count == TX_BATCH ? cache_log(ftl, batch, count) : 0;
        if (err)
            return err;
        count %= TX_BATCH;
    }
    if (!last)
        return ftl->changes > 0 ? tx_mark(ftl) : 0;
    int err = cache_log(ftl, batch, count);
    if (!err)
        err = tx_log(ftl, last->lba, last->data, true, false);
    last->dirty = err != 0;
    return err;
}

/* A unit that failed in this commit may not even be readable any more. Were it
 * not listed, the next mount would take it for lost. */
static int commit_bad_units(struct ftl *ftl)
{
    int err = log_bad_units(ftl, true);
    if (!err)
        err = flash_settle(ftl);
    if (err)
        return err;
    tx_finish(ftl);
    ftl->changes = 0;
    return 0;
}

int ftl_commit(struct ftl *ftl)
{
    if (ftl->readonly)
        return WIPY_EPERM;
    uint32_t before = ftl->changes + cache_dirty(ftl);
    if (before == 0)
        return 0;
    int err = ftl->bad_dirty ? log_bad_units(ftl, false) : 0;
    if (!err)
        err = fold_deltas(ftl);
    if (!err)
        err = cache_flush(ftl);
    if (!err)
        err = flash_settle(ftl);
    if (err)
        return err;
    if (ftl->changes == 0)
        return 0;
    uint32_t changes = ftl->changes;
    tx_finish(ftl);
    ftl->changes = 0;
    ftl->stats.commits++;
    for (uint32_t i = 0; i < changes && ftl->committed; i++)
        if (ftl->change[i].lba < ftl->sectors)
            ftl->committed(ftl->committed_ctx, ftl, ftl->change[i].lba);
    err = gc_after_commit(ftl);
    if (!err && ftl->bad_dirty)
        err = commit_bad_units(ftl);
    ftl->tx_opened = 0;
    return err;
}

bool ftl_is_mapped(const struct ftl *ftl, uint32_t lba)
{
    return lba < ftl->sectors && ftl->map[lba] != FTL_NONE;
}

void ftl_unmap(struct ftl *ftl, uint32_t lba)
{
    if (!ftl_is_mapped(ftl, lba) || tx_has(ftl, lba))
        return;
    struct ftl_cached *c = cache_find(ftl, lba);
    if (c && c->dirty)
        return;
    if (c)
        c->lba = FTL_NONE;
    for (uint32_t i = 0; i < ftl->deltas;)
        if (ftl->delta[i].lba == lba)
            delta_remove(ftl, i);
        else
            i++;
    live_drop(ftl, ftl->map[lba]);
    ftl->map[lba] = FTL_NONE;
}

void ftl_get_stats(const struct ftl *ftl, struct ftl_stats *stats)
{
    uint64_t sum = 0;
    *stats = ftl->stats;
    stats->units = ftl->units;
    stats->free_units = ftl->free_units;
    stats->bad_units = ftl->bad_units;
    stats->deltas = ftl->deltas;
    stats->erase_min = UINT32_MAX;
    stats->erase_max = 0;
    for (uint32_t i = 0; i < ftl->units; i++) {
        uint32_t erases = ftl->unit[i].erases;
        sum += erases;
        if (erases < stats->erase_min)
            stats->erase_min = erases;
        if (erases > stats->erase_max)
            stats->erase_max = erases;
    }
    stats->erase_mean = (uint32_t)(sum / ftl->units);
}
