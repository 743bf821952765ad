#include "intake.h"

#include <string.h>

#include "base/err.h"
#include "slot.h"
#include "store.h"

/* ---- failing ---- */

int intake_fail(struct update *u, enum answer a)
{
    u->error = update_say(u, a);
    if (u->state == UPDATE_BODY && u->outcome == UPDATE_NEVER)
        slot_give_up(u);
    u->state = UPDATE_FAILED;
    return u->error;
}

int intake_fail_flash(struct update *u, int err)
{
    u->error = err;
    return intake_fail(u, err == WIPY_ELOCKED ? ANSWER_LOCKED : ANSWER_FLASH);
}

static int fail_fault(struct update *u, enum image_fault fault)
{
    enum answer a = ANSWER_FAULT;
    u->fault = (uint8_t)fault;
    if (fault == IMAGE_WRONG_MACHINE)
        a = u->head.machine == IMAGE_MACHINE_XTENSA ? ANSWER_REAL_ESP32
                                                    : ANSWER_OTHER_MACHINE;
    else if (fault >= IMAGE_UNSIGNED)
        a = ANSWER_SIGNATURE;
    return intake_fail(u, a);
}

/* ---- the head: nothing has been erased yet ---- */

void intake_begin(struct update *u, uint32_t size)
{
    u->size = size;
    u->state = UPDATE_HEAD;
    u->outcome = UPDATE_FINE;
    u->error = 0;
    u->text[0] = 0;
    u->received = u->stored = u->fill = 0;
    u->preparing = false;
    sha256_init(&u->sha);
    md5_init(&u->md5);
}

static int check_head(struct update *u, const uint8_t *data, size_t len)
{
    enum image_fault fault = image_peek(&u->head, data, len, u->boot->machine);
    uint32_t image_len = u->head.len;
    if (!fault && image_len == 0)
        fault = IMAGE_BAD_SEGMENTS;
    if (fault)
        return fail_fault(u, fault);
    if (image_len > u->boot->slot[u->slot].size)
        return intake_fail(u, ANSWER_IMAGE_TOO_LONG);
    if (u->size < image_len)
        return intake_fail(u, ANSWER_CUT_SHORT);
    if (u->boot->keys.count && u->size - image_len < IMAGE_SIGN_LEN)
        return fail_fault(u, IMAGE_UNSIGNED);
    return 0;
}

/* Into the sector buffer, up to `upto`; returns how many bytes it took. */
static size_t fill_sector(struct update *u, const uint8_t *data, size_t len,
                          size_t upto)
{
    size_t n = upto - u->fill < len ? upto - u->fill : len;
    memcpy(u->sector + u->fill, data, n);
    u->fill += (uint32_t)n;
    return n;
}

/* ---- the body ---- */

/* How many of `len` bytes from u->received on lie before `end`. */
static size_t before(const struct update *u, uint32_t end, size_t len)
{
    size_t left = end > u->received ? end - u->received : 0;
    return left < len ? left : len;
}

static int take(struct update *u, const uint8_t *data, size_t len)
{
    const uint32_t most = u->head.len + IMAGE_SIGN_LEN + IMAGE_TAIL_LEN;
    sha256_update(&u->sha, data, before(u, u->head.hashed_len, len));
    md5_update(&u->md5, data, before(u, u->head.len, len));
    if (before(u, most, len) < len)
        return intake_fail(u, ANSWER_BYTES_FOLLOW);
    u->received += (uint32_t)len;
    return 0;
}

int intake_flush(struct update *u)
{
    int err = u->fill ? store_write(u, u->sector, u->fill) : 0;
    u->fill = 0;
    return err;
}

/* Whole sectors go to the chip from where they are. */
static int put(struct update *u, const uint8_t *data, size_t len)
{
    int err = 0;
    while (!err && len) {
        size_t n = len - len % FLASH_SECTOR;
        if (u->fill == 0 && n) {
            err = store_write(u, data, n);
        } else {
            n = fill_sector(u, data, len, FLASH_SECTOR);
            if (u->fill == FLASH_SECTOR)
                err = intake_flush(u);
        }
        data += n;
        len -= n;
    }
    return err;
}

/* The first bytes wait in the sector buffer until they can be judged. */
static int begin_body(struct update *u)
{
    if (u->fill && u->sector[0] != IMAGE_MAGIC)
        return fail_fault(u, IMAGE_NO_MAGIC);
    if (u->fill < IMAGE_PEEK_LEN)
        return 0;
    int err = check_head(u, u->sector, u->fill);
    if (err)
        return err;
    err = slot_open(u, REASON_UPLOAD);
    if (err)
        return intake_fail_flash(u, err);
    u->state = UPDATE_BODY;
    return take(u, u->sector, u->fill);
}

int intake_write(struct update *u, const uint8_t *data, size_t len)
{
    int err = 0;
    if (u->state == UPDATE_HEAD) {
        size_t n = fill_sector(u, data, len, IMAGE_PEEK_LEN);
        data += n;
        len -= n;
        err = begin_body(u);
    }
    if (err || len == 0)
        return err;
    if (len > u->boot->slot[u->slot].size - u->received)
        return intake_fail(u, ANSWER_TOO_LONG);
    err = take(u, data, len);
    if (err)
        return err;
    err = put(u, data, len);
    return err ? intake_fail_flash(u, err) : 0;
}

int intake_resume(struct update *u, uint32_t resume)
{
    const uint8_t *chip = store_view(u);
    uint32_t in_sector = resume % FLASH_SECTOR;
    memcpy(u->sector, chip + resume - in_sector, in_sector);
    u->fill = in_sector;
    if (resume < IMAGE_PEEK_LEN)
        return 0;
    int err = check_head(u, chip, resume);
    if (err)
        return err;
    u->state = UPDATE_BODY;
    u->stored = resume - in_sector;
    return take(u, chip, resume);
}

/* ---- the end ---- */

/* Structure and checksum from the chip, where it will be read at each start;
 * the digests are those of the stream, which was compared with the chip. */
int intake_check(struct update *u, uint8_t digest[SHA256_LEN])
{
    struct image *im = &u->head;
    uint8_t md5[MD5_LEN];
    enum image_fault fault =
        image_rom_check(store_view(u), u->received, u->boot->machine, im);
    if (fault)
        return fail_fault(u, fault);
    if (im->has_sign)
        md5_update(&u->md5, im->data + im->len, IMAGE_SIGN_LEN);
    md5_final(&u->md5, md5);
    sha256_final(&u->sha, digest);
    fault = im->full_len == u->received
                ? image_judge(im, &u->boot->keys, digest, md5)
                : IMAGE_BAD_TAIL;
    return fault ? fail_fault(u, fault) : 0;
}
