#include "loader_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "base/err.h"
#include "base/hex.h"
#include "clock.h"
#include "flash/flash.h"

enum {
    /* Up to so many blocks are looked at sector by sector; where more differ,
     * asking would take longer than sending. */
    FINE_BLOCKS_MAX = 4,
    BLOCK_MS = 5000, /* a block: erase ahead and program */
    ERASE_MS_PER_MB = 40000,
    MD5_MS_PER_MB = 8000,
    FRAME_MS = 5000,
    READ_BLOCK = 0x1000,
    READ_IN_FLIGHT = 64,
    WRITE_ROUNDS = 3, /* of writing what differs, before giving up */
};

static uint32_t per_mb(uint32_t ms, uint32_t len)
{
    return 3000 + (uint32_t)((uint64_t)ms * len >> 20);
}

static uint32_t sectors_of(size_t len)
{
    return (uint32_t)((len + FLASH_SECTOR - 1) / FLASH_SECTOR);
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

int loader_check_range(struct loader *l, const char *what, uint32_t off,
                       uint64_t len, bool aligned)
{
    if (off > l->chip.flash_size || len > l->chip.flash_size - off)
        return loader_fail(l, WIPY_ERANGE,
                           "%s: %llu bytes at 0x%x do not fit a chip of %u MiB",
                           what, (unsigned long long)len, (unsigned)off,
                           (unsigned)(l->chip.flash_size >> 20));
    if (aligned && off % FLASH_SECTOR)
        return loader_fail(l, WIPY_EINVAL,
                           "%s: 0x%x does not begin a sector (multiples of "
                           "0x1000): writing there would erase what is before",
                           what, (unsigned)off);
    return 0;
}

/* ---- digests ---- */

static int ask_md5(struct loader *l, uint32_t off, uint32_t len)
{
    uint8_t data[16] = {0};
    put_u32(data, off);
    put_u32(data + 4, len);
    return loader_ask(l, LOADER_FLASH_MD5, data, sizeof data,
                      per_mb(MD5_MS_PER_MB, len));
}

/* Text from the ROM, bytes from the stub. */
static int take_md5(struct loader *l, uint8_t md5[MD5_LEN])
{
    int err = loader_wait(l);
    const struct loader_answer *a = &l->client.answer;
    if (err < 0)
        return err;
    if (a->len == MD5_LEN) {
        memcpy(md5, a->data, MD5_LEN);
        return 0;
    }
    if (a->len == 2 * MD5_LEN &&
        hex_decode(md5, (const char *)a->data, MD5_LEN))
        return 0;
    return loader_fail(l, WIPY_EPROTO, "the board sent a digest of %zu bytes",
                       a->len);
}

int loader_md5(struct loader *l, uint32_t off, uint32_t len,
               uint8_t md5[MD5_LEN])
{
    int err = ask_md5(l, off, len);
    return err < 0 ? err : take_md5(l, md5);
}

/* 1 equal, 0 not, negative: error. Both ends reckon at the same time. */
static int equal_on_chip(struct loader *l, uint32_t off, const uint8_t *data,
                         size_t len)
{
    uint8_t there[MD5_LEN], here[MD5_LEN];
    int err = ask_md5(l, off, (uint32_t)len);
    if (err < 0)
        return err;
    md5_of(data, len, here);
    err = take_md5(l, there);
    return err < 0 ? err : memcmp(there, here, MD5_LEN) == 0;
}

/* Marks the sectors inside [from, to) that differ, asking in steps. */
static int mark(struct loader *l, uint32_t off, const uint8_t *data, size_t len,
                size_t from, size_t to, size_t step, bool *differs,
                unsigned *count)
{
    *count = 0;
    for (size_t at = from; at < to; at += step) {
        size_t part = min_size(step, min_size(to, len) - at);
        int equal = equal_on_chip(l, off + (uint32_t)at, data + at, part);
        if (equal < 0)
            return equal;
        for (size_t i = at; i < at + part; i += FLASH_SECTOR)
            differs[i / FLASH_SECTOR] = !equal;
        *count += !equal;
    }
    return 0;
}

/* Whole first, then blocks of 64 KiB, then, where few differ, sectors. */
static int find_differences(struct loader *l, uint32_t off, const uint8_t *data,
                            size_t len, bool *differs, bool fine)
{
    unsigned count;
    int err = mark(l, off, data, len, 0, len, len, differs, &count);
    if (err < 0 || count == 0)
        return err;
    err = mark(l, off, data, len, 0, len, FLASH_BLOCK, differs, &count);
    if (err < 0 || (count > FINE_BLOCKS_MAX && !fine))
        return err;
    for (size_t at = 0; at < len; at += FLASH_BLOCK) {
        if (!differs[at / FLASH_SECTOR])
            continue;
        err = mark(l, off, data, len, at, min_size(at + FLASH_BLOCK, len),
                   FLASH_SECTOR, differs, &count);
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- one run of sectors ---- */

static int begin(struct loader *l, uint8_t op, uint32_t size, uint32_t blocks,
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

static uint32_t blocks_of(const struct loader *l, size_t len)
{
    return (uint32_t)((len + l->block - 1) / l->block);
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
    int err =
        begin(l, LOADER_FLASH_BEGIN, words_of(len), blocks_of(l, len), off);
    return err ? err : send_blocks(l, LOADER_FLASH_DATA, data, len, len, bar);
}

static int write_deflated(struct loader *l, uint32_t off, const uint8_t *data,
                          size_t len, size_t raw, struct progress *bar)
{
    /* The ROM wants whole blocks, the stub the exact size. */
    uint32_t size = words_of(raw);
    if (!l->client.stub)
        size = blocks_of(l, raw) * l->block;
    int err = begin(l, LOADER_DEFL_BEGIN, size, blocks_of(l, len), off);
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
    int err = begin(l, LOADER_DEFL_BEGIN, (uint32_t)len, most, off);
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

static int write_round(struct loader *l, const struct job *j, int round,
                       const char *what)
{
    struct progress bar;
    int err = 0;
    memset(j->differs, 1, sectors_of(j->len));
    if (!j->o->all || round)
        err = find_differences(l, j->off, j->data, j->len, j->differs, round);
    progress_begin(&bar, what, j->len, l->o.quiet);
    if (!err)
        err = write_differences(l, j, &bar);
    progress_end(&bar);
    if (!err && !j->o->no_verify) {
        int equal = equal_on_chip(l, j->off, j->data, j->len);
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
    struct job j = {off, data, len, o, result, NULL};
    uint64_t start = clock_now_us();
    *result = (struct write_result){.bytes = (uint32_t)len};
    int err = loader_check_range(l, what, off, len, true);
    if (err < 0 || len == 0)
        return err;
    j.differs = calloc(sectors_of(len), 1);
    if (!j.differs)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    int rounds = 0; /* that ended, well or not, with the line up */
    do {
        err = write_round(l, &j, rounds + (int)result->again, what);
        if (err == WIPY_ECORRUPT)
            rounds++;
    } while ((err == WIPY_ECORRUPT && rounds < WRITE_ROUNDS) ||
             (err < 0 && err != WIPY_ECORRUPT &&
              loader_recovered(l, err, &result->again)));
    free(j.differs);
    result->seconds = (double)(clock_now_us() - start) / 1e6;
    return err;
}

/* ---- reading ---- */

static int read_fast(struct loader *l, uint32_t off, uint8_t *to, size_t len,
                     struct progress *bar)
{
    uint8_t data[16], ack[4], digest[MD5_LEN];
    struct writer w = writer_of(data, sizeof data);
    write_u32(&w, off);
    write_u32(&w, (uint32_t)len);
    write_u32(&w, READ_BLOCK);
    write_u32(&w, READ_IN_FLIGHT);
    int err = loader_command(l, LOADER_READ_FLASH, data, sizeof data, FRAME_MS);
    l->client.bare = true;
    for (size_t got = 0; !err && got < len;) {
        err = loader_next_frame(l, FRAME_MS);
        if (err < 0)
            break;
        size_t part = l->client.in.len;
        if (part > len - got || part > READ_BLOCK || part == 0) {
            err = loader_fail(l, WIPY_EPROTO,
                              "the board sent a frame of %zu "
                              "bytes while reading",
                              part);
            break;
        }
        memcpy(to + got, l->client.in.data, part);
        got += part;
        progress_add(bar, part);
        put_u32(ack, (uint32_t)got);
        err = loader_send_frame(l, ack, sizeof ack);
    }
    if (!err)
        err = loader_next_frame(l, FRAME_MS);
    l->client.bare = false;
    if (err < 0)
        return err;
    md5_of(to, len, digest);
    if (l->client.in.len != MD5_LEN ||
        memcmp(l->client.in.data, digest, MD5_LEN) != 0)
        return loader_fail(l, WIPY_ECORRUPT, "what was read fails its digest");
    return 0;
}

static int read_slow(struct loader *l, uint32_t off, uint8_t *to, size_t len,
                     struct progress *bar)
{
    uint8_t data[8];
    for (size_t got = 0; got < len;) {
        size_t part = min_size(LOADER_SLOW_READ_MAX, len - got);
        put_u32(data, off + (uint32_t)got);
        put_u32(data + 4, (uint32_t)part);
        int err = loader_command(l, LOADER_READ_FLASH_SLOW, data, sizeof data,
                                 FRAME_MS);
        if (err < 0)
            return err;
        if (l->client.answer.len < part)
            return loader_fail(l, WIPY_EPROTO,
                               "the board sent %zu bytes of "
                               "%zu",
                               l->client.answer.len, part);
        memcpy(to + got, l->client.answer.data, part);
        got += part;
        progress_add(bar, part);
    }
    int equal = equal_on_chip(l, off, to, len);
    if (equal == 0)
        return loader_fail(l, WIPY_ECORRUPT, "what was read fails its digest");
    return equal < 0 ? equal : 0;
}

/* Pieces, so that a broken line costs one of them. */
enum { READ_PIECE = 256 * 1024 };

int loader_read(struct loader *l, const char *what, uint32_t off, uint8_t *to,
                size_t len)
{
    struct progress bar;
    unsigned again = 0;
    int err = loader_check_range(l, what, off, len, false);
    progress_begin(&bar, what, len, l->o.quiet);
    for (size_t got = 0; !err && got < len;) {
        size_t part = min_size(READ_PIECE, len - got);
        err = l->client.stub
                  ? read_fast(l, off + (uint32_t)got, to + got, part, &bar)
                  : read_slow(l, off + (uint32_t)got, to + got, part, &bar);
        if (!err)
            got += part;
        else if (err == WIPY_ECORRUPT && again++ < LOADER_TRIES)
            err = 0; /* damaged on the way: once more */
        else if (loader_recovered(l, err, &again))
            err = 0;
        bar.done = got;
    }
    progress_end(&bar);
    return err;
}

/* ---- erasing, comparing ---- */

static int erase_once(struct loader *l, uint32_t off, uint32_t len)
{
    uint8_t data[8];
    uint32_t timeout = per_mb(ERASE_MS_PER_MB, len);
    if (!l->client.stub) /* the ROM erases what a write announces */
        return begin(l, LOADER_FLASH_BEGIN, len, blocks_of(l, len), off);
    l->touched = true;
    if (off == 0 && len == l->chip.flash_size)
        return loader_command(l, LOADER_ERASE_FLASH, NULL, 0, timeout);
    put_u32(data, off);
    put_u32(data + 4, len);
    return loader_command(l, LOADER_ERASE_REGION, data, sizeof data, timeout);
}

int loader_erase(struct loader *l, uint32_t off, uint32_t len)
{
    unsigned again = 0;
    int err = loader_check_range(l, "erase", off, len, true);
    if (!err && len % FLASH_SECTOR)
        err = loader_fail(l, WIPY_EINVAL,
                          "erase: 0x%x bytes are no whole "
                          "sectors (multiples of 0x1000)",
                          (unsigned)len);
    if (err < 0)
        return err;
    do
        err = erase_once(l, off, len);
    while (err < 0 && loader_recovered(l, err, &again));
    return err;
}

int loader_compare(struct loader *l, uint32_t off, const uint8_t *data,
                   size_t len, uint32_t *bad, unsigned *count)
{
    uint32_t sectors = sectors_of(len);
    bool *differs = calloc(sectors ? sectors : 1, 1);
    if (!differs)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    unsigned n = 0, again = 0;
    int err = 0;
    do
        err = len ? find_differences(l, off, data, len, differs, true) : 0;
    while (err < 0 && loader_recovered(l, err, &again));
    for (uint32_t i = sectors; i-- > 0;) {
        if (!differs[i])
            continue;
        n++;
        if (bad)
            *bad = off + i * FLASH_SECTOR;
    }
    if (count)
        *count = n;
    free(differs);
    return err ? err : n ? WIPY_ECORRUPT : 0;
}
