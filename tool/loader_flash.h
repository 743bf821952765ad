/* The chip through a loader session: write what differs, read, compare,
 * erase. Each call connects again by itself when the line breaks and goes on
 * where it was: what is already there is not sent twice. */
#ifndef WIPY_TOOL_LOADER_FLASH_H
#define WIPY_TOOL_LOADER_FLASH_H

#include "base/digest.h"
#include "loader.h"
#include "progress.h"

struct write_options {
    bool plain;     /* do not compress */
    bool all;       /* write also what is there already */
    bool no_verify; /* no digest at the end */
};

struct write_result {
    uint32_t bytes;   /* of the file */
    uint32_t written; /* bytes of sectors that were written */
    uint32_t sent;    /* bytes of data that went over the line */
    unsigned again;   /* how often the line had to be connected again */
    double seconds;
};

/* Writes `len` bytes at `off`, which begins a sector; the rest of the last
 * sector becomes FF. `what` names it in messages. WIPY_ECORRUPT when the chip
 * does not hold it in the end. */
int loader_write(struct loader *l, const char *what, uint32_t off,
                 const uint8_t *data, size_t len, const struct write_options *o,
                 struct write_result *result);

/* Reads into memory of `len` bytes; checked by digest. */
int loader_read(struct loader *l, const char *what, uint32_t off, uint8_t *to,
                size_t len);

/* Sectors. Erasing the whole chip is off 0, len flash_size. */
int loader_erase(struct loader *l, uint32_t off, uint32_t len);

/* MD5 of a range, made by the board. */
int loader_md5(struct loader *l, uint32_t off, uint32_t len,
               uint8_t md5[MD5_LEN]);

/* 0 when the chip holds the data, WIPY_ECORRUPT when not; then `*bad` is the
 * first sector that differs and `*count` how many do (either may be NULL). */
int loader_compare(struct loader *l, uint32_t off, const uint8_t *data,
                   size_t len, uint32_t *bad, unsigned *count);

/* Offset and length against the chip; a message in l->error. */
int loader_check_range(struct loader *l, const char *what, uint32_t off,
                       uint64_t len, bool aligned);

#endif
