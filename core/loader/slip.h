/* SLIP framing (RFC 1055) as the ESP32 loader uses it: C0 begins and ends a
 * frame; inside, C0 is sent as DB DC and DB as DB DD. Junk between frames and
 * empty frames are skipped. Used by both ends. */
#ifndef WIPY_LOADER_SLIP_H
#define WIPY_LOADER_SLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"

enum slip_event {
    SLIP_MORE = 0, /* nothing complete yet */
    SLIP_FRAME,    /* data/len hold a frame until the next slip_push */
    SLIP_BROKEN,   /* a frame was dropped: too long, or a bad escape */
};

struct slip {
    uint8_t *data; /* of the caller */
    size_t size;   /* longest frame taken */
    size_t len;
    bool inside;  /* a C0 was seen, bytes belong to a frame */
    bool escaped; /* the last byte was DB */
    bool broken;  /* the rest of this frame is skipped */
    bool done;    /* the frame was handed out; start anew */
};

void slip_init(struct slip *s, void *memory, size_t size);

/* Takes bytes up to the end of the first frame; `*used` says how many. */
enum slip_event slip_push(struct slip *s, const uint8_t *data, size_t len,
                          size_t *used);

/* Most bytes a frame of `len` bytes takes on the wire. */
size_t slip_worst(size_t len);

/* Appends parts of a frame to a ring that has room for the worst case. */
void slip_begin(struct ring *out);
void slip_add(struct ring *out, const void *data, size_t len);
void slip_end(struct ring *out);

/* The whole frame into memory of at least slip_worst(len); returns the
 * length on the wire. */
size_t slip_encode(uint8_t *to, const void *data, size_t len);

#endif
