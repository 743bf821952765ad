/* Reading the chip: frames that stream in from the stub, 64 bytes a command
 * from the ROM. */
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "loader_flash_parts.h"

enum { READ_BLOCK = 0x1000, READ_IN_FLIGHT = 64 };

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
    struct file_digest file;
    file_digest_begin(&file, to, len);
    int equal = loader_holds(l, off, &file);
    file_digest_get(&file);
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
        else if (loader_recovered(l, &err, &again))
            err = 0;
        bar.done = got;
    }
    progress_end(&bar);
    return err;
}
