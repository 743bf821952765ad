/* The update engine: a stream of bytes in, a verified slot or a reason out.
 *
 * One struct update per board; all calls on the storage thread. Everything
 * that takes an image feeds it: FTP STOR to /flash/sys/appimg.bin or
 * mcuimg.bin, pycom.ota_*, `wipy ota`.
 *
 *   update_begin() … update_write() … update_finish()   or update_abort()
 *
 * Each call returns 0 or a negative enum wipy_err; after any call
 * update_text() is the sentence for the user and update_outcome() says
 * whether trying the same again can help. After a failed write or finish the
 * upload is over; further writes fail the same way, so a caller may drain its
 * connection first. Spec section 3; ARCHITECTURE section 5. */
#ifndef WIPY_UPDATE_UPDATE_H
#define WIPY_UPDATE_UPDATE_H

#include "boot/boot.h"

enum { UPDATE_TEXT_LEN = 240, UPDATE_SIZE_UNKNOWN = UINT32_MAX };

enum update_outcome {
    UPDATE_FINE = 0,
    UPDATE_AGAIN = 1, /* FTP 426/450/451: the same upload may succeed later */
    UPDATE_NEVER = 2, /* FTP 55x: these bytes will never be accepted */
};

enum update_state {
    UPDATE_IDLE = 0,
    UPDATE_HEAD = 1, /* begun; collecting the first bytes, nothing erased */
    UPDATE_BODY = 2, /* the slot is being written */
    UPDATE_FAILED = 3,
};

struct update {
    struct boot *boot;
    unsigned executing; /* slot this firmware runs from */

    uint8_t state; /* enum update_state */
    uint8_t outcome;
    uint8_t fault;     /* enum image_fault the answer is about */
    bool preparing;    /* update_prepare() is under way */
    int error;         /* of the upload that failed */
    unsigned slot;     /* being written, or written last */
    uint32_t size;     /* announced, or UPDATE_SIZE_UNKNOWN */
    uint32_t received; /* bytes taken so far, resumed ones included */
    uint32_t stored;   /* of these, on the chip and compared */
    uint32_t fill;     /* bytes waiting in `sector` */
    uint32_t prepared; /* slot offset the preparing has come to */

    struct md5 md5;    /* of the image without what follows it */
    struct sha256 sha; /* of the hashed part */
    struct image head; /* as peeked; at the end as checked */
    char text[UPDATE_TEXT_LEN];
    uint8_t sector[FLASH_SECTOR];
};

/* `executing` from the handover. */
void update_init(struct update *u, struct boot *boot, unsigned executing);

/* Starts an upload. `size` is the announced total (ALLO, SIZE known) or
 * UPDATE_SIZE_UNKNOWN; `resume` is 0 or a REST/APPE offset, at most
 * update_resume_size(). Nothing is erased before the first bytes have been
 * looked at. WIPY_EBUSY when one is running (try again), WIPY_EPERM during a
 * trial or when the only update slot is executing. */
int update_begin(struct update *u, uint32_t size, uint32_t resume);

/* The next bytes; any length. May erase 64 KiB (150 ms at data-sheet speed)
 * for each 64 KiB given, so give at most 64 KiB at a time. */
int update_write(struct update *u, const void *data, size_t len);

/* The stream ended cleanly. On success the image is pending and the text says
 * "ota_1: wipy 1.2.0, 812,345 bytes, sha256 3fa9…, starts at next reset".
 * A short image keeps what is stored, to be resumed. */
int update_finish(struct update *u);

/* The connection broke, or the caller gives up: keeps what is stored. */
void update_abort(struct update *u);

/* True between begin and finish or abort. */
bool update_running(const struct update *u);

/* Bytes safely stored of an unfinished upload, what SIZE answers, also while
 * it runs; 0 when there is none (SIZE answers 550). Never more than what can
 * be resumed later, but for a power cut: then whole steps of 64 KiB remain. */
uint32_t update_resume_size(const struct update *u);

/* Erases the spare slot ahead, one 64 KiB block a call: returns 1 while there
 * is more to do, 0 when done, or an error. */
int update_prepare(struct update *u);

/* Slot the next upload would take, or WIPY_EPERM (text says why). */
int update_next_slot(struct update *u);

/* Checks the image of the last upload on the chip again (pycom.ota_verify):
 * 0, or WIPY_ECORRUPT, or WIPY_ENOENT when nothing is pending. */
int update_verify(struct update *u);

const char *update_text(const struct update *u);
enum update_outcome update_outcome(const struct update *u);

#endif
