/* Writing the chip: what differs, in runs of sectors, compressed where that
 * saves time. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "base/err.h"
#include "clock.h"
#include "loader_flash_parts.h"

enum {
    BLOCK_MS = 5000,  /* a block: erase ahead and program */
    WRITE_ROUNDS = 3, /* of writing what differs, before giving up */
};

/* ---- one run of sectors ---- */

int loader_begin(struct loader *l, uint8_t op, uint32_t size, uint32_t blocks,
                 uint32_t off)
{
    uint8_t data[16];
    struct writer w = writer_of(data, sizeof data);
    write_u32(&w, size);
    write_u32(&w, blocks);
    write_u32(&w, l->block);
    write_u32(&w, off);
    l->touched = true;
    return loader_command(l, op, data, sizeof data,
                          per_mb(ERASE_MS_PER_MB, size));
}

/* A virtual board loses nothing on its way: the next blocks are on the line
 * while one is programmed, and always enough that neither end must wake the
 * other for each of them. */
enum { AHEAD_FAST = 16 };

/* Settles blocks until at most `keep` are open. */
static int settle_down(struct loader *l, unsigned keep)
{
    int err = 0;
    while (!err && l->posted.open > keep)
        err = loader_settle_block(l);
    return err;
}

/* `raw` is what the progress bar counts for all of `data`. */
static int send_blocks(struct loader *l, uint8_t op, const uint8_t *data,
                       size_t len, size_t raw, struct progress *bar)
{
    static uint8_t padded[LOADER_BLOCK_MAX];
    uint32_t blocks = blocks_of(l, len);
    unsigned ahead = l->speed == LINE_FAST ? AHEAD_FAST : 1;
    size_t counted = 0;
    int err = 0;
    l->posted.open = 0;
    for (uint32_t i = 0; !err && i < blocks; i++) {
        const uint8_t *at = data + (size_t)i * l->block;
        size_t part = min_size(l->block, len - (size_t)i * l->block);
        if (op == LOADER_FLASH_DATA && part < l->block) {
            memset(padded, 0xff, l->block);
            memcpy(padded, at, part);
            at = padded;
            part = l->block;
        }
        err = loader_post_block(l, op, i, at, part, BLOCK_MS);
        if (!err && l->posted.open == ahead)
            err = settle_down(l, ahead / 2);
        size_t now = (size_t)((uint64_t)raw * (i + 1) / blocks);
        progress_add(bar, now - counted);
        counted = now;
    }
    if (!err)
        err = settle_down(l, 0);
    if (err < 0) /* again, if at all, one by one: then it tells why */
        l->speed = LINE_SLOW;
    return err;
}

/* Silicon writes words. */
static uint32_t words_of(size_t len)
{
    return (uint32_t)((len + 3) / 4 * 4);
}

static int write_plain(struct loader *l, uint32_t off, const uint8_t *data,
                       size_t len, struct progress *bar)
{
    int err = loader_begin(l, LOADER_FLASH_BEGIN, words_of(len),
                           blocks_of(l, len), off);
    return err ? err : send_blocks(l, LOADER_FLASH_DATA, data, len, len, bar);
}

static int write_deflated(struct loader *l, uint32_t off, const uint8_t *data,
                          size_t len, size_t raw, struct progress *bar)
{
    /* The ROM wants whole blocks, the stub the exact size. */
    uint32_t size = words_of(raw);
    if (!l->client.stub)
        size = blocks_of(l, raw) * l->block;
    int err = loader_begin(l, LOADER_DEFL_BEGIN, size, blocks_of(l, len), off);
    return err ? err : send_blocks(l, LOADER_DEFL_DATA, data, len, raw, bar);
}

/* The whole as one stream, with what makes it whole words; NULL: no memory. */
static uint8_t *pack(const uint8_t *data, size_t len, size_t *packed_len)
{
    static const uint8_t rest[4] = {0xff, 0xff, 0xff, 0xff};
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    if (deflateInit(&z, 9) != Z_OK)
        return NULL;
    uLong most = deflateBound(&z, words_of(len));
    uint8_t *packed = malloc(most);
    z.next_out = packed;
    z.avail_out = packed ? (uInt)most : 0;
    bool done = packed && deflate(&z, Z_NO_FLUSH) == Z_OK;
    z.next_in = (Bytef *)(uintptr_t)rest;
    z.avail_in = (uInt)(words_of(len) - len);
    done = done && deflate(&z, Z_FINISH) == Z_STREAM_END;
    *packed_len = z.total_out;
    deflateEnd(&z);
    if (done)
        return packed;
    free(packed);
    return NULL;
}

/* The next block of a stream; 0 = the end. */
static size_t deflate_block(z_stream *z, uint8_t *to, size_t size)
{
    z->next_out = to;
    z->avail_out = (uInt)size;
    deflate(z, Z_FINISH);
    return size - z->avail_out;
}

/* Compresses the next block while one is on the line. Only for a board that
 * does not need to know before how many there will be. */
static int write_streamed(struct loader *l, uint32_t off, const uint8_t *data,
                          size_t len, struct progress *bar, uint32_t *sent)
{
    static uint8_t block[2][LOADER_BLOCK_MAX];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    uint32_t most = blocks_of(l, deflateBound(&z, (uLong)len));
    int err = loader_begin(l, LOADER_DEFL_BEGIN, (uint32_t)len, most, off);
    size_t counted = 0, part = deflate_block(&z, block[0], l->block);
    l->posted.open = 0;
    for (uint32_t i = 0; !err && part; i++) {
        err = loader_post_block(l, LOADER_DEFL_DATA, i, block[i & 1], part,
                                BLOCK_MS);
        *sent += (uint32_t)part;
        part = deflate_block(&z, block[(i + 1) & 1], l->block);
        if (!err)
            err = settle_down(l, 0);
        progress_add(bar, z.total_in - counted);
        counted = z.total_in;
    }
    deflateEnd(&z);
    return err;
}

/* Stay in the loader; the stub checks that all came. The ROM would leave. */
static int end_write(struct loader *l)
{
    uint8_t stay[4] = {1};
    return l->client.stub
               ? loader_command(l, LOADER_FLASH_END, stay, 4, BLOCK_MS)
               : 0;
}

static int write_run(struct loader *l, uint32_t off, const uint8_t *data,
                     size_t len, bool plain, struct progress *bar,
                     uint32_t *sent)
{
    if (!plain && l->chip.is_virtual && l->client.stub) {
        int err = write_streamed(l, off, data, len, bar, sent);
        return err ? err : end_write(l);
    }
    size_t packed_len = 0;
    uint8_t *packed = plain ? NULL : pack(data, len, &packed_len);
    bool deflate = packed && packed_len < len;
    int err = deflate ? write_deflated(l, off, packed, packed_len, len, bar)
                      : write_plain(l, off, data, len, bar);
    *sent += (uint32_t)(deflate ? packed_len : len);
    free(packed);
    return err ? err : end_write(l);
}

/* Compressing costs more time than it saves where the line has no speed of
 * its own (a board on this machine): a block for the RAM, which a virtual
 * board throws away, is sent to find out; several when something else may have
 * been in the way. */
enum {
    PROBE_LEN = 1024,
    PROBE_FAST_US = 300, /* 3.4 MB/s */
    PROBE_MAYBE_US = 3000,
    PROBES_MAX = 6,
    PROBE_WORTH = 16 * FLASH_SECTOR,
};

static int probe_line(struct loader *l)
{
    static const uint8_t nothing[PROBE_LEN];
    int err = 0;
    l->speed = LINE_SLOW;
    for (int i = 0; !err && i < PROBES_MAX; i++) {
        uint64_t start = clock_now_us();
        err = loader_send_block(l, LOADER_MEM_DATA, 0, nothing, PROBE_LEN,
                                BLOCK_MS);
        uint64_t us = clock_now_us() - start;
        if (us < PROBE_FAST_US)
            l->speed = LINE_FAST;
        if (us < PROBE_FAST_US || us > PROBE_MAYBE_US)
            break;
    }
    return err;
}

/* ---- a whole file ---- */

struct job {
    uint32_t off;
    const uint8_t *data;
    size_t len;
    struct file_digest file;
    const struct write_options *o;
    struct write_result *result;
    bool *differs;
};

/* A run of sectors that differ. */
static int write_stretch(struct loader *l, const struct job *j, size_t at,
                         size_t len, struct progress *bar)
{
    bool plain = j->o->plain;
    uint32_t *sent = &j->result->sent;
    int err = 0;
    if (l->chip.is_virtual && l->client.stub && l->speed == LINE_UNKNOWN &&
        len >= PROBE_WORTH)
        err = probe_line(l);
    plain = plain || l->speed == LINE_FAST;
    return err ? err
               : write_run(l, j->off + (uint32_t)at, j->data + at, len, plain,
                           bar, sent);
}

static int write_differences(struct loader *l, const struct job *j,
                             struct progress *bar)
{
    uint32_t sectors = sectors_of(j->len);
    for (uint32_t i = 0; i < sectors;) {
        uint32_t first = i;
        while (i < sectors && j->differs[i] == j->differs[first])
            i++;
        size_t at = (size_t)first * FLASH_SECTOR;
        size_t len = min_size((size_t)i * FLASH_SECTOR, j->len) - at;
        if (!j->differs[first]) {
            progress_add(bar, len);
            continue;
        }
        int err = write_stretch(l, j, at, len, bar);
        if (err < 0)
            return err;
        j->result->written += (uint32_t)len;
    }
    return 0;
}

static int write_round(struct loader *l, struct job *j, int round,
                       const char *what)
{
    struct progress bar;
    int err = 0;
    memset(j->differs, 1, sectors_of(j->len));
    if (!j->o->all || round)
        err = loader_differences(l, j->off, &j->file, j->differs, round);
    progress_begin(&bar, what, j->len, l->o.quiet);
    if (!err)
        err = write_differences(l, j, &bar);
    progress_end(&bar);
    if (!err && !j->o->no_verify) {
        int equal = loader_holds(l, j->off, &j->file);
        err = equal < 0 ? equal : equal ? 0 : WIPY_ECORRUPT;
    }
    if (err == WIPY_ECORRUPT)
        loader_fail(l, err, "%s: the chip does not hold what was written",
                    what);
    return err;
}

int loader_write(struct loader *l, const char *what, uint32_t off,
                 const uint8_t *data, size_t len, const struct write_options *o,
                 struct write_result *result)
{
    struct job j = {
        .off = off, .data = data, .len = len, .o = o, .result = result};
    uint64_t start = clock_now_us();
    *result = (struct write_result){.bytes = (uint32_t)len};
    int err = loader_check_range(l, what, off, len, true);
    if (err < 0 || len == 0)
        return err;
    j.differs = calloc(sectors_of(len), 1);
    if (!j.differs)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    file_digest_begin(&j.file, data, len);
    int rounds = 0; /* that ended, well or not, with the line up */
    do {
        err = write_round(l, &j, rounds + (int)result->again, what);
        if (err == WIPY_ECORRUPT)
            rounds++;
    } while ((err == WIPY_ECORRUPT && rounds < WRITE_ROUNDS) ||
             (err < 0 && err != WIPY_ECORRUPT &&
              loader_recovered(l, &err, &result->again)));
    file_digest_get(&j.file);
    free(j.differs);
    result->seconds = (double)(clock_now_us() - start) / 1e6;
    return err;
}
