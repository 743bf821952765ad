#include "card_cache.h"

#include <string.h>

#include "base/err.h"

static uint8_t *memory_at(const struct card_cache *c, uint32_t sectors)
{
    return c->memory + (size_t)sectors * CARD_SECTOR;
}

static uint8_t *own_run(const struct card_cache *c)
{
    return memory_at(c, CARD_RUN_AT);
}

static uint8_t *run_data(const struct card_cache *c, uint32_t sectors)
{
    return c->data + (size_t)sectors * CARD_SECTOR;
}

void card_cache_init(struct card_cache *c, const struct volume_card *card,
                     uint8_t *memory, size_t size)
{
    size_t run = size / CARD_SECTOR - CARD_RUN_AT;
    memset(c, 0, sizeof *c);
    c->card = card;
    c->memory = memory;
    c->data = own_run(c);
    c->run = run < CARD_RUN ? (uint32_t)run : CARD_RUN;
    c->insertion = card->insertions(card->ctx);
}

static uint8_t *line_data(const struct card_cache *c,
                          const struct card_line *line)
{
    return memory_at(c, CARD_LINES_AT + (uint32_t)(line - c->line) * CARD_LINE);
}

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
    return a_count && b_count && (uint64_t)a + a_count > b &&
           (uint64_t)b + b_count > a;
}

/* ---- storing ---- */

/* A card put in since must not get the data of the one before. */
static int store(struct card_cache *c, const struct volume_card_part *parts,
                 unsigned count, bool sync)
{
    const struct volume_card *card = c->card;
    int err = card->insertions(card->ctx) == c->insertion
                  ? card->store(card->ctx, parts, count, sync)
                  : WIPY_EIO;
    c->unsynced = !sync || err;
    c->failures += err != 0;
    return err;
}

static struct volume_card_part run_part(const struct card_cache *c)
{
    return (struct volume_card_part){c->first, c->count, run_data(c, 0)};
}

/* From the first to the last sector that changed. */
static struct volume_card_part line_part(const struct card_cache *c,
                                         const struct card_line *line)
{
    uint32_t from = 0, to = CARD_LINE;
    while (!(line->dirty >> from & 1))
        from++;
    while (!(line->dirty >> (to - 1) & 1))
        to--;
    return (struct volume_card_part){line->first + from, to - from,
                                     line_data(c, line) + from * CARD_SECTOR};
}

/* The run stays, as read. */
static int store_run(struct card_cache *c)
{
    struct volume_card_part part = run_part(c);
    if (!c->dirty)
        return 0;
    c->dirty = false;
    int err = store(c, &part, 1, false);
    if (err)
        c->count = 0;
    return err;
}

static int store_line(struct card_cache *c, struct card_line *line)
{
    if (!line->dirty)
        return 0;
    struct volume_card_part part = line_part(c, line);
    int err = store(c, &part, 1, false);
    if (!err)
        line->dirty = 0;
    return err;
}

/* Before the run holds these sectors: lines that changed are on the card;
 * with `drop` no line knows them any more. */
static int settle_lines(struct card_cache *c, uint32_t sector, uint32_t count,
                        bool drop)
{
    for (struct card_line *l = c->line; l < c->line + CARD_LINES; l++) {
        /* By far the most are elsewhere; this is asked for each cluster. */
        if ((sector - l->first >= l->count && l->first - sector >= count) ||
            !l->count)
            continue;
        int err = store_line(c, l);
        if (err)
            return err;
        if (drop)
            l->count = 0;
    }
    return 0;
}

static bool goes_before(const struct card_line *a, const struct card_line *b,
                        unsigned order)
{
    if (a->late != b->late)
        return b->late;
    return order & CARD_BACK ? a->since > b->since : a->since < b->since;
}

/* The dirty lines of one side of the fence, in order. A line on the fence is
 * a folder's. */
static unsigned gather(struct card_cache *c, bool folders, unsigned order,
                       struct volume_card_part *parts)
{
    struct card_line *line[CARD_LINES];
    unsigned count = 0;
    for (struct card_line *l = c->line; l < c->line + CARD_LINES; l++) {
        if (!l->dirty || (l->first + l->count > c->fence) != folders)
            continue;
        unsigned at = count++;
        for (; at > 0 && goes_before(l, line[at - 1], order); at--)
            line[at] = line[at - 1];
        line[at] = l;
    }
    for (unsigned i = 0; i < count; i++)
        parts[i] = line_part(c, line[i]);
    return count;
}

static int store_all(struct card_cache *c, unsigned order, bool sync)
{
    bool frees = order & CARD_FREES;
    struct volume_card_part parts[1 + CARD_LINES];
    unsigned count = 0;
    if (c->dirty)
        parts[count++] = run_part(c);
    count += gather(c, frees, order, parts + count);
    count += gather(c, !frees, order, parts + count);
    if (!count && !(sync && c->unsynced))
        return 0;
    int err = store(c, parts, count, sync);
    if (err)
        return err;
    c->dirty = false;
    for (unsigned i = 0; i < CARD_LINES; i++)
        c->line[i].dirty = 0;
    return 0;
}

int card_cache_sync(struct card_cache *c, unsigned order)
{
    return store_all(c, order, true);
}

void card_cache_postpone(struct card_cache *c)
{
    for (struct card_line *l = c->line; l < c->line + CARD_LINES; l++)
        l->late = l->dirty;
}

int card_cache_flush(struct card_cache *c)
{
    return store_all(c, 0, false);
}

/* ---- memory of a caller ---- */

static bool is_within(const void *at, const void *memory, size_t len)
{
    return (uintptr_t)at - (uintptr_t)memory <= len;
}

void card_cache_lend(struct card_cache *c, void *memory, size_t len)
{
    const struct volume_card *card = c->card;
    const uint8_t *end = (const uint8_t *)memory + len;
    bool reached =
        !card->memory || (is_within(memory, card->memory, card->memory_size) &&
                          is_within(end, card->memory, card->memory_size));
    c->lent = memory;
    c->lent_len = reached && len >= CARD_LENT ? len : 0;
}

int card_cache_take_back(struct card_cache *c)
{
    int err = 0;
    c->lent_len = 0;
    if (c->data != own_run(c)) {
        err = store_run(c);
        c->count = 0;
        c->data = own_run(c);
    }
    return err;
}

/* How many sectors from `at` on are lent; 0 when `count` are not. */
static uint32_t lent_at(const struct card_cache *c, const uint8_t *at,
                        uint32_t count)
{
    if (!c->lent_len || !is_within(at, c->lent, c->lent_len))
        return 0;
    size_t sectors = (c->lent_len - (size_t)(at - c->lent)) / CARD_SECTOR;
    return sectors < count ? 0 : (uint32_t)sectors;
}

/* ---- what files hold ---- */

static bool holds(const struct card_cache *c, uint32_t sector, uint32_t count)
{
    return sector >= c->first && sector - c->first <= c->count &&
           count <= c->count - (sector - c->first);
}

/* The longer it went on, the more comes next. A bad sector further on must
 * not spoil this read: what cannot be read ahead is read alone. */
static void read_ahead(struct card_cache *c, uint32_t sector, uint8_t *to,
                       uint32_t room)
{
    const struct volume_card *card = c->card;
    uint64_t left = card->sectors(card->ctx);
    left -= left > sector ? sector : left;
    uint32_t count = 4 * c->streak < room ? 4 * c->streak : room;
    count = left < count ? (uint32_t)left : count;
    c->count = 0;
    if (settle_lines(c, sector, count, false) ||
        card->read(card->ctx, sector, to, count))
        return;
    c->data = to;
    c->first = sector;
    c->count = count;
}

static int read_alone(struct card_cache *c, uint32_t sector, uint8_t *to,
                      uint32_t count)
{
    uint8_t *spare = c->memory;
    int err = settle_lines(c, sector, count, false);
    while (!err && count) {
        uint32_t part = count < CARD_SPARE ? count : CARD_SPARE;
        err = c->card->read(c->card->ctx, sector, spare, part);
        if (err)
            break;
        memcpy(to, spare, (size_t)part * CARD_SECTOR);
        to += (size_t)part * CARD_SECTOR;
        sector += part;
        count -= part;
    }
    return err;
}

static uint32_t streak_of(const struct card_cache *c, uint32_t sector,
                          uint32_t count)
{
    uint32_t before = sector == c->next ? c->streak : 0;
    return before < c->run ? before + count : before;
}

int card_cache_read(struct card_cache *c, uint32_t sector, uint8_t *to,
                    uint32_t count)
{
    bool goes_on = sector == c->next;
    uint32_t lent = lent_at(c, to, count);
    c->streak = streak_of(c, sector, count);
    c->next = sector + count;
    if (!holds(c, sector, count)) {
        int err = lent ? store_run(c) : 0;
        if (err)
            return err;
        if (lent)
            read_ahead(c, sector, to, lent);
        else if (goes_on && !c->dirty && count < c->run)
            read_ahead(c, sector, own_run(c), c->run);
    }
    if (holds(c, sector, count)) {
        const uint8_t *from = run_data(c, sector - c->first);
        if (from != to)
            memcpy(to, from, (size_t)count * CARD_SECTOR);
        return 0;
    }
    int err = overlap(c->first, c->count, sector, count) ? store_run(c) : 0;
    return err ? err : read_alone(c, sector, to, count);
}

static bool follows(const struct card_cache *c, uint32_t sector)
{
    return sector >= c->first && sector - c->first == c->count;
}

/* Whether the run can take the sectors in, as they follow it. */
static bool goes_behind(const struct card_cache *c, uint32_t sector,
                        const uint8_t *from, uint32_t count, bool lent)
{
    if (!c->dirty || !follows(c, sector))
        return false;
    return lent ? from == run_data(c, c->count)
                : c->data == own_run(c) && count <= c->run - c->count;
}

static int write_part(struct card_cache *c, uint32_t sector,
                      const uint8_t *from, uint32_t count)
{
    bool lent = lent_at(c, from, count);
    bool inside = c->dirty && c->data == own_run(c) && holds(c, sector, count);
    bool behind = goes_behind(c, sector, from, count, lent);
    int err = settle_lines(c, sector, count, true);
    if (!err && !inside && !behind) {
        err = store_run(c);
        c->data = lent ? c->lent + (from - c->lent) : own_run(c);
        c->first = sector;
        c->count = 0;
    }
    if (err)
        return err;
    if (!inside)
        c->count += count;
    if (inside || !lent)
        memcpy(run_data(c, sector - c->first), from,
               (size_t)count * CARD_SECTOR);
    c->dirty = true;
    return 0;
}

/* A run that is full goes to the card in one piece. */
int card_cache_write(struct card_cache *c, uint32_t sector, const uint8_t *from,
                     uint32_t count)
{
    int err = 0;
    while (count && !err) {
        bool behind = c->dirty && follows(c, sector) && c->count < c->run;
        uint32_t room = behind ? c->run - c->count : c->run;
        uint32_t part = room < count ? room : count;
        err = write_part(c, sector, from, part);
        from += (size_t)part * CARD_SECTOR;
        sector += part;
        count -= part;
    }
    return err;
}

/* ---- what FAT and folders hold ---- */

static struct card_line *find_line(struct card_cache *c, uint32_t sector)
{
    for (struct card_line *l = c->line; l < c->line + CARD_LINES; l++)
        if (overlap(l->first, l->count, sector, 1))
            return l;
    return NULL;
}

static struct card_line *oldest_line(struct card_cache *c)
{
    struct card_line *oldest = c->line;
    for (struct card_line *l = c->line; l < c->line + CARD_LINES; l++) {
        if (!l->count)
            return l;
        if (l->used < oldest->used)
            oldest = l;
    }
    return oldest;
}

/* Makes way for a line: what changed in the line it replaces, and in the run
 * where it overlaps, is on the card. */
static int make_way(struct card_cache *c, struct card_line *line,
                    uint32_t first, uint32_t count)
{
    int err = store_line(c, line);
    if (!err && overlap(c->first, c->count, first, count))
        err = store_run(c);
    if (!err)
        line->count = 0;
    return err;
}

/* The line with this sector, read when it must be; NULL when one beside it
 * cannot be read. An error is of what was written before. */
static int get_line(struct card_cache *c, uint32_t sector,
                    struct card_line **line)
{
    const struct volume_card *card = c->card;
    struct card_line *l = find_line(c, sector);
    *line = l;
    if (!l) {
        uint32_t first = sector - sector % CARD_LINE;
        uint64_t left = card->sectors(card->ctx);
        left -= left > first ? first : left;
        uint32_t count = left < CARD_LINE ? (uint32_t)left : CARD_LINE;
        l = oldest_line(c);
        int err = make_way(c, l, first, count);
        if (err || card->read(card->ctx, first, line_data(c, l), count))
            return err;
        l->first = first;
        l->count = count;
        *line = l;
    }
    l->used = ++c->clock;
    return 0;
}

int card_cache_get(struct card_cache *c, uint32_t sector, uint8_t *to)
{
    struct card_line *line;
    int err = get_line(c, sector, &line);
    if (err)
        return err;
    if (!line)
        return read_alone(c, sector, to, 1);
    memcpy(to, line_data(c, line) + (sector - line->first) * CARD_SECTOR,
           CARD_SECTOR);
    return 0;
}

int card_cache_put(struct card_cache *c, uint32_t sector, const uint8_t *from)
{
    struct card_line *line;
    if (overlap(c->first, c->count, sector, 1)) {
        int err = store_run(c);
        c->count = 0;
        if (err)
            return err;
    }
    int err = get_line(c, sector, &line);
    if (err)
        return err;
    if (!line) {
        uint8_t *spare = c->memory;
        struct volume_card_part part = {sector, 1, spare};
        memcpy(spare, from, CARD_SECTOR);
        return store(c, &part, 1, false);
    }
    memcpy(line_data(c, line) + (sector - line->first) * CARD_SECTOR, from,
           CARD_SECTOR);
    if (!line->dirty || line->late)
        line->since = c->clock;
    line->late = false;
    line->dirty |= (uint8_t)(1u << (sector - line->first));
    return 0;
}
