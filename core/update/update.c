/* The life of one upload: slot, record, checks. Where the bytes go on the
 * chip is store.c. */
#include "update.h"

#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "store.h"

void update_init(struct update *u, struct boot *boot, unsigned executing)
{
    *u = (struct update){.boot = boot, .executing = executing};
}

bool update_running(const struct update *u)
{
    return u->state != UPDATE_IDLE;
}

const char *update_text(const struct update *u)
{
    return u->text;
}

enum update_outcome update_outcome(const struct update *u)
{
    return (enum update_outcome)u->outcome;
}

/* ---- answers ---- */

static struct text say(struct update *u, enum update_outcome outcome)
{
    u->outcome = (uint8_t)outcome;
    return text_of(u->text, sizeof u->text);
}

/* Refused before anything was changed. */
static int refuse(struct update *u, int err, enum update_outcome outcome,
                  const char *why)
{
    struct text t = say(u, outcome);
    text_put(&t, why);
    text_put(&t, "; nothing was changed");
    u->error = err;
    return err;
}

static struct record_slot *slot_record(struct update *u)
{
    return &u->boot->record.slot[u->slot];
}

/* What was stored can never become an image: it is given up, so that nobody
 * resumes it. */
static void give_up_slot(struct update *u)
{
    struct record_slot *s = slot_record(u);
    *s = (struct record_slot){.state = SLOT_EMPTY, .reason = REASON_REFUSED};
    u->boot->record.blocks = 0;
    u->boot->record.reason = REASON_REFUSED;
    u->boot->record.reason_slot = (uint8_t)u->slot;
    u->stored = 0;
    /* A record that cannot be written leaves "receiving", which no boot
     * chooses either. */
    (void)boot_record_save(&u->boot->store, &u->boot->record);
}

static int fail(struct update *u, int err, enum update_outcome outcome,
                const char *why)
{
    if (u->state == UPDATE_BODY) {
        struct text t = say(u, outcome);
        text_put(&t, why);
        text_put(&t, "; ");
        text_put(&t, slot_name(u->slot));
        text_put(&t, " holds no image now");
        if (outcome == UPDATE_NEVER)
            give_up_slot(u);
    } else {
        (void)refuse(u, err, outcome, why);
    }
    u->error = err;
    u->state = UPDATE_FAILED;
    return err;
}

static int fail_fault(struct update *u, enum image_fault fault)
{
    char why[120];
    struct text t = text_of(why, sizeof why);
    text_put(&t, "not accepted: ");
    text_put(&t, image_fault_text(fault));
    if (fault == IMAGE_WRONG_MACHINE && u->head.machine == IMAGE_MACHINE_XTENSA)
        text_put(&t, " (a real ESP32)");
    int err = fault == IMAGE_WRONG_MACHINE ? WIPY_EMACHINE
              : fault >= IMAGE_UNSIGNED    ? WIPY_ESIGN
                                           : WIPY_EFORMAT;
    return fail(u, err, UPDATE_NEVER, why);
}

static int fail_flash(struct update *u, int err)
{
    char why[120];
    struct text t = text_of(why, sizeof why);
    text_put(&t, "the flash failed: ");
    text_put(&t, wipy_strerror(err));
    return fail(u, err, err == WIPY_ELOCKED ? UPDATE_NEVER : UPDATE_AGAIN, why);
}

/* ---- which slot ---- */

/* Neither what executes nor, when there is a choice, what is selected. This
 * is the alternation of spec 3.2, and the same upload again after a break
 * finds the same slot. */
static unsigned spare_slot(const struct boot *b, unsigned executing)
{
    unsigned found = SLOT_NONE;
    for (unsigned i = SLOTS - 1; i > 0; i--) {
        if (i == executing || !b->slot[i].size)
            continue;
        bool pending =
            b->record.status == RECORD_CHECK && b->record.active == i;
        if (pending)
            return i;
        if (found == SLOT_NONE || i != b->record.active)
            found = i;
    }
    return found;
}

static int choose_slot(struct update *u, unsigned *slot)
{
    const struct boot *b = u->boot;
    if (boot_on_trial(b)) {
        struct text t = say(u, UPDATE_AGAIN);
        text_put(&t, slot_name(b->record.active));
        text_put(&t, " is on trial: confirm it (pycom.ota_confirm()) or go "
                     "back (pycom.ota_rollback()) first");
        return WIPY_EPERM;
    }
    if (b->keys_bad && b->keys.count == 0)
        return refuse(u, WIPY_ESIGN, UPDATE_NEVER,
                      "the board's keys are damaged: set them again over the "
                      "serial line");
    if (b->store.copies == 0)
        return refuse(u, WIPY_ENOTSUP, UPDATE_NEVER,
                      "the partition table has no otadata");
    *slot = spare_slot(b, u->executing);
    if (*slot != SLOT_NONE)
        return 0;
    return refuse(u, WIPY_EPERM, UPDATE_NEVER,
                  u->executing == SLOT_FACTORY
                      ? "the partition table has no update slot"
                      : "the only update slot is running: start factory by "
                        "the safe-boot pin and upload again");
}

int update_next_slot(struct update *u)
{
    unsigned slot;
    int err = choose_slot(u, &slot);
    return err ? err : (int)slot;
}

/* From here on the image in the slot is given up: nothing may select it. */
static int open_slot(struct update *u, enum boot_reason reason)
{
    struct boot_record *r = &u->boot->record, old = *r;
    struct record_slot *s = &r->slot[u->slot];
    if (s->state == SLOT_RECEIVING && r->blocks == 0 && r->active != u->slot &&
        r->prev != u->slot)
        return 0;
    if (r->active == u->slot) {
        r->active = r->status == RECORD_CHECK ? r->prev : u->executing;
        r->status = RECORD_READY;
    }
    if (r->active == u->slot)
        r->active = SLOT_FACTORY;
    if (r->prev == u->slot)
        r->prev = SLOT_FACTORY;
    *s = (struct record_slot){.state = SLOT_RECEIVING,
                              .reason = (uint8_t)reason};
    r->reason = (uint8_t)reason;
    r->reason_slot = (uint8_t)u->slot;
    r->blocks = 0;
    r->attempts_used = 0;
    int err = boot_record_save(&u->boot->store, r);
    if (err)
        *r = old;
    return err;
}

/* ---- begin ---- */

uint32_t update_resume_size(const struct update *u)
{
    const struct boot *b = u->boot;
    if (boot_on_trial(b))
        return 0;
    unsigned slot = spare_slot(b, u->executing);
    if (slot == SLOT_NONE || b->record.slot[slot].state != SLOT_RECEIVING)
        return 0;
    uint32_t noted = (uint32_t)b->record.blocks * FLASH_BLOCK;
    /* The counters have no checksum of their own. */
    if (noted > b->slot[slot].size)
        return 0;
    /* Since the last reset more is known than the blocks noted. */
    return slot == u->slot && u->stored > noted ? u->stored : noted;
}

static void start_stream(struct update *u, unsigned slot, uint32_t size)
{
    u->slot = slot;
    u->size = size;
    u->state = UPDATE_HEAD;
    u->outcome = UPDATE_FINE;
    u->error = 0;
    u->text[0] = 0;
    u->received = u->stored = u->fill = u->ends_len = 0;
    u->image_len = u->hashed_len = 0;
    u->preparing = false;
    sha256_init(&u->sha);
    md5_init(&u->md5);
}

static int resume_stream(struct update *u, uint32_t resume);

int update_begin(struct update *u, uint32_t size, uint32_t resume)
{
    unsigned slot;
    if (update_running(u)) {
        struct text t = say(u, UPDATE_AGAIN);
        text_put(&t, "another update is being received");
        return WIPY_EBUSY;
    }
    int err = choose_slot(u, &slot);
    if (err)
        return err;
    uint32_t room = u->boot->slot[slot].size;
    if (size != UPDATE_SIZE_UNKNOWN && size > room)
        return refuse(u, WIPY_ERANGE, UPDATE_NEVER,
                      "longer than the update slot");
    if (resume > update_resume_size(u)) {
        struct text t = say(u, UPDATE_NEVER);
        text_put(&t, "cannot resume there: ");
        text_put_number(&t, update_resume_size(u));
        text_put(&t, " bytes are stored");
        return WIPY_ERANGE;
    }
    start_stream(u, slot, size);
    return resume ? resume_stream(u, resume) : 0;
}

/* ---- the stream ---- */

static int check_length(struct update *u)
{
    uint32_t room = u->boot->slot[u->slot].size;
    if (u->image_len == 0)
        return fail_fault(u, IMAGE_BAD_SEGMENTS);
    if (u->image_len > room) {
        char why[120];
        struct text t = text_of(why, sizeof why);
        text_put(&t, "too long: the image has ");
        text_put_number(&t, u->image_len);
        text_put(&t, " bytes, ");
        text_put(&t, slot_name(u->slot));
        text_put(&t, " takes ");
        text_put_number(&t, room);
        return fail(u, WIPY_ERANGE, UPDATE_NEVER, why);
    }
    if (u->size == UPDATE_SIZE_UNKNOWN)
        return 0;
    if (u->size < u->image_len)
        return fail(u, WIPY_EFORMAT, UPDATE_NEVER,
                    "cut short: the image says it is longer than the file");
    if (u->boot->keys.count && u->size < u->image_len + IMAGE_SIGN_LEN)
        return fail_fault(u, IMAGE_UNSIGNED);
    return 0;
}

/* Looks at what has come so far; nothing has been erased yet. */
static int check_head(struct update *u, const uint8_t *data, size_t len)
{
    uint32_t image_len;
    enum image_fault fault =
        image_peek(&u->head, data, len, u->boot->machine, &image_len);
    if (fault)
        return fail_fault(u, fault);
    u->image_len = image_len;
    u->hashed_len = image_len - (u->head.has_digest ? SHA256_LEN : 0);
    return check_length(u);
}

/* Digests and what follows the image; `data` begins at u->received. */
static int take(struct update *u, const uint8_t *data, size_t len)
{
    while (len) {
        uint32_t at = u->received;
        uint32_t end = at < u->hashed_len  ? u->hashed_len
                       : at < u->image_len ? u->image_len
                                           : UINT32_MAX;
        size_t n = len < end - at ? len : end - at;
        if (at < u->hashed_len)
            sha256_update(&u->sha, data, n);
        else if (at < u->image_len)
            memcpy(u->digest + (at - u->hashed_len), data, n);
        if (at < u->image_len) {
            md5_update(&u->md5, data, n);
        } else {
            if (n > sizeof u->ends - u->ends_len)
                return fail(u, WIPY_EFORMAT, UPDATE_NEVER,
                            "not accepted: bytes follow behind the image's "
                            "end");
            memcpy(u->ends + u->ends_len, data, n);
            u->ends_len += (uint32_t)n;
        }
        u->received += (uint32_t)n;
        data += n;
        len -= n;
    }
    return 0;
}

static int begin_body(struct update *u, enum boot_reason reason)
{
    int err = open_slot(u, reason);
    if (err)
        return fail_flash(u, err);
    u->state = UPDATE_BODY;
    return 0;
}

/* The stored part is hashed again from the chip; nothing of it is believed. */
static int resume_stream(struct update *u, uint32_t resume)
{
    const uint8_t *chip = store_view(u);
    uint32_t in_sector = resume % FLASH_SECTOR;
    memcpy(u->sector, chip + resume - in_sector, in_sector);
    u->fill = in_sector;
    if (resume < IMAGE_PEEK_LEN) {
        u->received = resume;
        return 0;
    }
    int err = check_head(u, chip, resume);
    if (err)
        return err;
    u->state = UPDATE_BODY;
    u->stored = resume - in_sector;
    return take(u, chip, resume);
}

/* Fills the sector buffer from `*data`; returns how many bytes it took. */
static size_t fill_sector(struct update *u, const uint8_t *data, size_t len,
                          size_t upto)
{
    size_t n = upto - u->fill < len ? upto - u->fill : len;
    memcpy(u->sector + u->fill, data, n);
    u->fill += (uint32_t)n;
    return n;
}

/* The first bytes wait in the sector buffer until they can be judged. */
static int write_head(struct update *u, const uint8_t **data, size_t *len)
{
    size_t n = fill_sector(u, *data, *len, IMAGE_PEEK_LEN);
    *data += n;
    *len -= n;
    if (u->sector[0] != IMAGE_MAGIC)
        return fail_fault(u, IMAGE_NO_MAGIC);
    if (u->fill < IMAGE_PEEK_LEN) {
        u->received = u->fill;
        return 0;
    }
    int err = check_head(u, u->sector, u->fill);
    if (!err)
        err = begin_body(u, REASON_UPLOAD);
    u->received = 0;
    return err ? err : take(u, u->sector, u->fill);
}

static int write_body(struct update *u, const uint8_t *data, size_t len)
{
    if (len > u->boot->slot[u->slot].size - u->received)
        return fail(u, WIPY_ERANGE, UPDATE_NEVER,
                    "longer than the update slot");
    int err = take(u, data, len);
    while (!err && len) {
        /* Whole sectors go to the chip from where they are. */
        size_t whole = len & ~(size_t)(FLASH_SECTOR - 1);
        if (u->fill == 0 && whole) {
            err = store_write(u, data, whole);
            data += whole;
            len -= whole;
        } else {
            size_t n = fill_sector(u, data, len, FLASH_SECTOR);
            data += n;
            len -= n;
            if (u->fill == FLASH_SECTOR) {
                err = store_write(u, u->sector, FLASH_SECTOR);
                u->fill = 0;
            }
        }
        if (err)
            return fail_flash(u, err);
    }
    return err;
}

int update_write(struct update *u, const void *data, size_t len)
{
    const uint8_t *p = data;
    if (u->state == UPDATE_IDLE)
        return refuse(u, WIPY_EPERM, UPDATE_NEVER, "no update has begun");
    if (u->state == UPDATE_FAILED)
        return u->error;
    int err = 0;
    if (u->state == UPDATE_HEAD && len)
        err = write_head(u, &p, &len);
    if (!err && u->state == UPDATE_BODY && len)
        err = write_body(u, p, len);
    return err;
}

/* ---- the end ---- */

/* Signature block and MD5 tail, by their length. */
static enum image_fault check_ends(struct update *u,
                                   const uint8_t digest[SHA256_LEN])
{
    const struct image_keys *keys = &u->boot->keys;
    const uint8_t *tail = u->ends;
    struct image_sign sign;
    bool is_signed =
        u->ends_len >= IMAGE_SIGN_LEN && image_sign_read(u->ends, &sign) == 0;
    if (is_signed) {
        md5_update(&u->md5, u->ends, IMAGE_SIGN_LEN);
        tail += IMAGE_SIGN_LEN;
    }
    size_t tail_len = u->ends_len - (size_t)(tail - u->ends);
    if (tail_len != 0 && tail_len != IMAGE_TAIL_LEN)
        return IMAGE_BAD_TAIL;
    if (tail_len == 0 && !u->head.has_digest)
        return IMAGE_NO_DIGEST;
    if (tail_len) {
        uint8_t md5[MD5_LEN];
        char hex[IMAGE_TAIL_LEN];
        md5_final(&u->md5, md5);
        hex_encode(hex, md5, MD5_LEN);
        if (memcmp(hex, tail, IMAGE_TAIL_LEN) != 0)
            return IMAGE_BAD_TAIL;
    }
    if (keys->count == 0)
        return IMAGE_FINE;
    return is_signed ? image_sign_check(&sign, keys, digest) : IMAGE_UNSIGNED;
}

/* Structure and checksum from the chip, where it will be read at each start;
 * the digests are those of the stream, which was compared with the chip. */
static enum image_fault check_whole(struct update *u,
                                    uint8_t digest[SHA256_LEN])
{
    struct image im;
    enum image_fault fault =
        image_rom_check(store_view(u), u->received, u->boot->machine, &im);
    if (fault)
        return fault;
    sha256_final(&u->sha, digest);
    if (u->head.has_digest && memcmp(digest, u->digest, SHA256_LEN) != 0)
        return IMAGE_BAD_DIGEST;
    return check_ends(u, digest);
}

static int commit(struct update *u, const uint8_t digest[SHA256_LEN])
{
    struct boot_record *r = &u->boot->record, old = *r;
    struct record_slot *s = slot_record(u);
    s->state = SLOT_PENDING;
    s->reason = REASON_UPDATED;
    s->len = u->received;
    memcpy(s->digest, digest, SHA256_LEN);
    r->prev = r->active;
    r->active = u->slot;
    r->status = RECORD_CHECK;
    r->size = u->received;
    r->safeboot = SAFEBOOT_NONE;
    r->safe_taken = false;
    r->attempts_used = 0;
    r->left_once = false;
    r->reason = REASON_UPDATED;
    r->reason_slot = (uint8_t)u->slot;
    int err = boot_record_append(&u->boot->store, r);
    if (err)
        *r = old;
    return err;
}

static void say_success(struct update *u, const uint8_t digest[SHA256_LEN])
{
    struct text t = say(u, UPDATE_FINE);
    text_put(&t, slot_name(u->slot));
    text_put(&t, ": ");
    text_put(&t, u->head.project);
    text_put(&t, " ");
    text_put(&t, u->head.version);
    text_put(&t, ", ");
    text_put_number(&t, u->received);
    text_put(&t, " bytes, sha256 ");
    text_put_bytes(&t, digest, 8);
    text_put(&t, "..., ");
    if (u->ends_len % IMAGE_SIGN_LEN == 0)
        text_put(&t, "without MD5 tail, ");
    text_put(&t, "starts at next reset");
}

static int fail_incomplete(struct update *u)
{
    uint32_t stored = u->stored;
    struct text t = say(u, UPDATE_AGAIN);
    text_put(&t, "incomplete: ");
    text_put_number(&t, u->received);
    if (u->image_len) {
        text_put(&t, " of ");
        text_put_number(&t, u->image_len);
    }
    text_put(&t, " bytes came; ");
    if (stored && u->state == UPDATE_BODY) {
        text_put(&t, "resume at ");
        text_put_number(&t, stored);
    } else {
        text_put(&t, "nothing was changed");
    }
    return WIPY_ECLOSED;
}

/* What waits in the sector buffer goes to the chip too. */
static int flush(struct update *u)
{
    int err = u->fill ? store_write(u, u->sector, u->fill) : 0;
    u->fill = 0;
    return err;
}

static int finish_body(struct update *u)
{
    uint8_t digest[SHA256_LEN];
    int err = flush(u);
    if (err)
        return fail_flash(u, err);
    if (u->received < u->image_len ||
        (u->size != UPDATE_SIZE_UNKNOWN && u->received < u->size))
        return fail_incomplete(u);
    enum image_fault fault = check_whole(u, digest);
    if (fault)
        return fail_fault(u, fault);
    err = commit(u, digest);
    if (err)
        return fail_flash(u, err);
    say_success(u, digest);
    return 0;
}

int update_finish(struct update *u)
{
    int err;
    if (u->state == UPDATE_IDLE)
        return refuse(u, WIPY_EPERM, UPDATE_NEVER, "no update has begun");
    if (u->state == UPDATE_FAILED)
        err = u->error;
    else if (u->state == UPDATE_BODY)
        err = finish_body(u);
    else if (u->fill == 0)
        err = refuse(u, WIPY_EFORMAT, UPDATE_NEVER, "the file is empty");
    else
        err = fail(u, WIPY_EFORMAT, UPDATE_NEVER,
                   "not accepted: too short to be an image");
    u->state = UPDATE_IDLE;
    return err;
}

void update_abort(struct update *u)
{
    if (u->state == UPDATE_BODY) {
        (void)flush(u);
        (void)fail_incomplete(u);
    }
    u->state = UPDATE_IDLE;
}

/* ---- prepare, verify ---- */

static int prepare_begin(struct update *u)
{
    unsigned slot;
    if (update_running(u)) {
        struct text t = say(u, UPDATE_AGAIN);
        text_put(&t, "another update is being received");
        return WIPY_EBUSY;
    }
    int err = choose_slot(u, &slot);
    if (err)
        return err;
    u->slot = slot;
    u->stored = 0;
    err = open_slot(u, REASON_PREPARED);
    if (err)
        return refuse(u, err, UPDATE_AGAIN, wipy_strerror(err));
    u->preparing = true;
    u->prepared = 0;
    return 0;
}

int update_prepare(struct update *u)
{
    int err = u->preparing && !update_running(u) ? 0 : prepare_begin(u);
    if (err)
        return err;
    err = store_erase_ahead(u, &u->prepared);
    if (err) {
        u->preparing = false;
        struct text t = say(u, UPDATE_AGAIN);
        text_put(&t, "the flash failed: ");
        text_put(&t, wipy_strerror(err));
        return err;
    }
    if (u->prepared < u->boot->slot[u->slot].size)
        return 1;
    u->preparing = false;
    struct text t = say(u, UPDATE_FINE);
    text_put(&t, slot_name(u->slot));
    text_put(&t, " is erased and ready for an upload");
    return 0;
}

int update_verify(struct update *u)
{
    const struct boot_record *r = &u->boot->record;
    struct image im;
    uint8_t digest[SHA256_LEN];
    if (r->status != RECORD_CHECK)
        return refuse(u, WIPY_ENOENT, UPDATE_NEVER, "no image is pending");
    enum image_fault fault = boot_slot_check(u->boot, r->active, &im, digest);
    struct text t = say(u, fault ? UPDATE_NEVER : UPDATE_FINE);
    text_put(&t, slot_name(r->active));
    text_put(&t, ": ");
    text_put(&t, image_fault_text(fault));
    return fault ? WIPY_ECORRUPT : 0;
}
