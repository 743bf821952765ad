#include "image.h"

#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/hex.h"
#include "layout.h"

const char *image_fault_text(enum image_fault fault)
{
    static const char *const text[] = {
        [IMAGE_FINE] = "good",
        [IMAGE_BLANK] = "empty",
        [IMAGE_NO_MAGIC] = "not an ESP image (does not begin with E9)",
        [IMAGE_WRONG_CHIP] = "for another chip than the ESP32",
        [IMAGE_BAD_SEGMENTS] = "segment list damaged",
        [IMAGE_TOO_LONG] = "cut short or longer than its place",
        [IMAGE_BAD_CHECKSUM] = "XOR checksum does not match",
        [IMAGE_BAD_DIGEST] = "SHA-256 does not match",
        [IMAGE_NO_DIGEST] = "carries neither SHA-256 nor MD5",
        [IMAGE_BAD_TAIL] = "MD5 tail does not match",
        [IMAGE_WRONG_MACHINE] = "code of another machine",
        [IMAGE_NOT_FIRMWARE] = "a bootloader, not a firmware",
        [IMAGE_NO_CODE] = "has no executable inside",
        [IMAGE_UNSIGNED] = "not signed, and this board has a key set",
        [IMAGE_UNKNOWN_KEY] = "signed with a key this board does not have",
        [IMAGE_BAD_SIGNATURE] = "signature does not match",
    };
    return (size_t)fault < sizeof text / sizeof text[0] ? text[fault]
                                                        : "unknown fault";
}

static enum image_fault parse_header(struct image *im, struct reader *r)
{
    if (im->size < 1 ||
        bytes_are(im->data, 0xff, im->size < 256 ? im->size : 256))
        return IMAGE_BLANK;
    if (im->data[0] != IMAGE_MAGIC)
        return IMAGE_NO_MAGIC;
    if (im->size < IMAGE_HEADER_LEN)
        return IMAGE_TOO_LONG;
    read_skip(r, 1);
    im->segments = read_u8(r);
    im->flash_mode = read_u8(r);
    im->flash_size_freq = read_u8(r);
    im->entry = read_u32(r);
    read_skip(r, 4); /* write-protect pin, drive strengths */
    im->chip_id = read_u16(r);
    read_skip(r, 9); /* revisions, reserved */
    im->has_digest = read_u8(r) == 1;
    if (im->chip_id != 0)
        return IMAGE_WRONG_CHIP;
    if (im->segments < 1 || im->segments > IMAGE_SEGMENTS_MAX)
        return IMAGE_BAD_SEGMENTS;
    return IMAGE_FINE;
}

static enum image_fault parse_segments(struct image *im, struct reader *r)
{
    for (unsigned i = 0; i < im->segments; i++) {
        struct image_segment *s = &im->segment[i];
        s->load = read_u32(r);
        s->len = read_u32(r);
        s->off = (uint32_t)r->pos;
        if (r->bad)
            return IMAGE_TOO_LONG;
        if (s->len % 4 != 0)
            return IMAGE_BAD_SEGMENTS;
        if (s->len > reader_left(r))
            return IMAGE_TOO_LONG;
        read_skip(r, s->len);
    }
    return IMAGE_FINE;
}

/* Checksum byte: last of the 16-byte row in which at least one is free. */
static void set_lengths(struct image *im, uint32_t segments_end)
{
    im->checksum_off = segments_end | 15;
    im->hashed_len = im->checksum_off + 1;
    im->len = im->hashed_len + (im->has_digest ? SHA256_LEN : 0);
}

static enum image_fault parse_ends(struct image *im, struct reader *r)
{
    set_lengths(im, (uint32_t)r->pos);
    if (im->len > im->size)
        return IMAGE_TOO_LONG;
    im->full_len = im->len;
    size_t left = im->size - im->full_len;
    struct image_sign sign;
    if (left >= IMAGE_SIGN_LEN &&
        image_sign_read(im->data + im->full_len, &sign) == 0) {
        im->has_sign = true;
        im->full_len += IMAGE_SIGN_LEN;
        left -= IMAGE_SIGN_LEN;
    }
    uint8_t md5[MD5_LEN];
    if (left >= IMAGE_TAIL_LEN &&
        hex_decode(md5, (const char *)im->data + im->full_len, MD5_LEN)) {
        im->has_tail = true;
        im->full_len += IMAGE_TAIL_LEN;
    }
    return IMAGE_FINE;
}

static void copy_text(char *to, struct reader *r, size_t len)
{
    read_bytes(r, to, len);
    to[len] = 0;
    /* What goes into replies and terminals is printable. */
    for (size_t i = 0; i < len; i++)
        if (to[i] && (to[i] < ' ' || to[i] > '~'))
            to[i] = '?';
}

/* `len` bytes at `desc`, which may be the head of an upload. */
static void parse_desc(struct image *im, const uint8_t *desc, size_t len)
{
    struct reader r = reader_of(desc, len);
    im->machine = IMAGE_MACHINE_XTENSA;
    if (len < IMAGE_DESC_LEN || read_u32(&r) != DESC_MAGIC)
        return;
    im->has_desc = true;
    read_skip(&r, 12);
    copy_text(im->version, &r, 32);
    copy_text(im->project, &r, 32);
    copy_text(im->time, &r, 16);
    copy_text(im->date, &r, 16);
    r.pos = DESC_OURS_OFF;
    if (read_u32(&r) != DESC_OURS_MAGIC || read_u8(&r) != DESC_OURS_VERSION)
        return;
    im->kind =
        read_u8(&r) == IMAGE_BOOTLOADER ? IMAGE_BOOTLOADER : IMAGE_FIRMWARE;
    im->machine = read_u16(&r);
    copy_text(im->git, &r, 32);
}

static void parse_content(struct image *im)
{
    const struct image_segment *s = &im->segment[0];
    parse_desc(im, im->data + s->off, s->len);
    if (im->machine == IMAGE_MACHINE_XTENSA || im->segments < 2)
        return;
    s = &im->segment[1];
    const uint8_t *elf = im->data + s->off;
    if (s->load == IMAGE_ELF_LOAD && elf_ok(elf, s->len, im->machine)) {
        im->elf = elf;
        im->elf_len = s->len;
    }
}

enum image_fault image_parse(struct image *im, const uint8_t *data, size_t size)
{
    /* So that no sum of offsets wraps: files may be longer, images not. */
    if (size > INT32_MAX)
        size = INT32_MAX;
    *im = (struct image){.data = data, .size = size};
    struct reader r = reader_of(data, size);
    enum image_fault fault = parse_header(im, &r);
    if (!fault)
        fault = parse_segments(im, &r);
    if (!fault)
        fault = parse_ends(im, &r);
    if (!fault)
        parse_content(im);
    return fault;
}

static enum image_fault check_machine(const struct image *im, uint16_t machine)
{
    if (im->machine != machine)
        return IMAGE_WRONG_MACHINE;
    return im->kind == IMAGE_FIRMWARE ? IMAGE_FINE : IMAGE_NOT_FIRMWARE;
}

/* The segment list as far as it can be followed without its data. */
static enum image_fault peek_segments(struct image *im)
{
    uint64_t pos = IMAGE_HEADER_LEN;
    for (unsigned i = 0; i < im->segments; i++) {
        if (pos + IMAGE_SEGMENT_HEADER_LEN > im->size)
            return IMAGE_FINE;
        struct image_segment *s = &im->segment[i];
        s->load = get_u32(im->data + pos);
        s->len = get_u32(im->data + pos + 4);
        s->off = (uint32_t)pos + IMAGE_SEGMENT_HEADER_LEN;
        if (s->len % 4 != 0)
            return IMAGE_BAD_SEGMENTS;
        pos = (uint64_t)s->off + s->len;
        if (pos > INT32_MAX)
            return IMAGE_TOO_LONG;
    }
    set_lengths(im, (uint32_t)pos);
    return IMAGE_FINE;
}

/* Where the head of the executable has come, in an image of ours. */
static enum image_fault peek_code(const struct image *im)
{
    const struct image_segment *s = &im->segment[1];
    if (im->len == 0 || s->off != IMAGE_ELF_OFF || im->size < IMAGE_PEEK_LEN)
        return IMAGE_FINE;
    return elf_head_ok(im->data + s->off, s->len, im->machine) ? IMAGE_FINE
                                                               : IMAGE_NO_CODE;
}

enum image_fault image_peek(struct image *im, const uint8_t *data, size_t size,
                            uint16_t machine)
{
    *im = (struct image){.data = data, .size = size};
    struct reader r = reader_of(data, size);
    enum image_fault fault = parse_header(im, &r);
    if (!fault)
        fault = peek_segments(im);
    if (fault)
        return fault;
    size_t first = IMAGE_HEADER_LEN + IMAGE_SEGMENT_HEADER_LEN;
    size_t there = size > first ? size - first : 0;
    parse_desc(im, data + first,
               there < im->segment[0].len ? there : im->segment[0].len);
    fault = check_machine(im, machine);
    return fault ? fault : peek_code(im);
}

bool image_checksum_ok(const struct image *im)
{
    uint8_t sum = 0xef;
    for (unsigned i = 0; i < im->segments; i++) {
        const uint8_t *p = im->data + im->segment[i].off;
        for (uint32_t k = 0; k < im->segment[i].len; k++)
            sum ^= p[k];
    }
    return sum == im->data[im->checksum_off];
}

void image_digest(const struct image *im, uint8_t out[SHA256_LEN])
{
    sha256_of(im->data, im->hashed_len, out);
}

bool image_digest_ok(const struct image *im)
{
    uint8_t digest[SHA256_LEN];
    image_digest(im, digest);
    return im->has_digest &&
           memcmp(digest, im->data + im->hashed_len, SHA256_LEN) == 0;
}

/* `md5` is of everything before the tail. */
static bool tail_is(const struct image *im, const uint8_t md5[MD5_LEN])
{
    char hex[IMAGE_TAIL_LEN];
    hex_encode(hex, md5, MD5_LEN);
    return memcmp(hex, im->data + im->full_len - IMAGE_TAIL_LEN,
                  IMAGE_TAIL_LEN) == 0;
}

bool image_tail_ok(const struct image *im)
{
    uint8_t md5[MD5_LEN];
    if (!im->has_tail)
        return false;
    md5_of(im->data, im->full_len - IMAGE_TAIL_LEN, md5);
    return tail_is(im, md5);
}

enum image_fault image_rom_check(const uint8_t *data, size_t size,
                                 uint16_t machine, struct image *im)
{
    enum image_fault fault = image_parse(im, data, size);
    if (fault)
        return fault;
    if (!image_checksum_ok(im))
        return IMAGE_BAD_CHECKSUM;
    if (im->machine != machine)
        return IMAGE_WRONG_MACHINE;
    return im->elf ? IMAGE_FINE : IMAGE_NO_CODE;
}

static enum image_fault check_signature(const struct image *im,
                                        const struct image_keys *keys,
                                        const uint8_t digest[SHA256_LEN])
{
    struct image_sign sign;
    if (!keys || keys->count == 0)
        return IMAGE_FINE;
    if (!im->has_sign || image_sign_read(im->data + im->len, &sign) != 0)
        return IMAGE_UNSIGNED;
    return image_sign_check(&sign, keys, digest);
}

enum image_fault image_judge(const struct image *im,
                             const struct image_keys *keys,
                             const uint8_t digest[SHA256_LEN],
                             const uint8_t *md5)
{
    if (im->kind != IMAGE_FIRMWARE)
        return IMAGE_NOT_FIRMWARE;
    if (im->has_digest &&
        memcmp(digest, im->data + im->hashed_len, SHA256_LEN) != 0)
        return IMAGE_BAD_DIGEST;
    if (!im->has_digest && !im->has_tail)
        return IMAGE_NO_DIGEST;
    if (im->has_tail && md5 && !tail_is(im, md5))
        return IMAGE_BAD_TAIL;
    return check_signature(im, keys, digest);
}

enum image_fault image_check(struct image *im, const uint8_t *data, size_t size,
                             uint16_t machine, const struct image_keys *keys,
                             uint8_t digest[SHA256_LEN])
{
    uint8_t md5[MD5_LEN];
    memset(digest, 0, SHA256_LEN);
    enum image_fault fault = image_rom_check(data, size, machine, im);
    if (fault)
        return fault;
    image_digest(im, digest);
    /* The tail is of the upload; it counts where there is nothing better. */
    bool by_tail = !im->has_digest && im->has_tail;
    if (by_tail)
        md5_of(data, im->full_len - IMAGE_TAIL_LEN, md5);
    return image_judge(im, keys, digest, by_tail ? md5 : NULL);
}
