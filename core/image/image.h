/* The ESP image: one format for bootloader and firmware, read by public
 * flashers, by our ROM, bootloader, updater and tool (docs/FORMATS.md,
 * section "Image"; spec section 2).
 *
 *   header, segments, XOR checksum, SHA-256          the image, "wipy.bin"
 *   signature block (96 bytes, optional)
 *   32 lower-case hex digits: MD5 of all before      then it is "appimg.bin"
 *
 * Our images have two segments: the 256-byte application descriptor, and a
 * whole static ELF executable at IMAGE_ELF_LOAD. Images of real ESP32 boards
 * are parsed too, and told apart by `machine`.
 *
 * Everything works on a memory view; nothing is copied or allocated. All
 * functions return 0 or a negative enum wipy_err unless said otherwise. */
#ifndef WIPY_IMAGE_IMAGE_H
#define WIPY_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

enum {
    IMAGE_MAGIC = 0xe9,
    IMAGE_HEADER_LEN = 24,
    IMAGE_SEGMENT_HEADER_LEN = 8,
    IMAGE_SEGMENTS_MAX = 16,
    IMAGE_DESC_LEN = 256,
    IMAGE_DESC_LOAD = 0x3f400020, /* agrees with offset 32 modulo 64 KiB */
    IMAGE_ELF_LOAD = 0x400d0128,  /* agrees with offset 296 likewise */
    IMAGE_ELF_OFF = 296,          /* of the ELF in an image of ours */
    IMAGE_SIGN_LEN = 96,          /* signature block */
    IMAGE_TAIL_LEN = 32,          /* MD5 in hex */
    IMAGE_KEY_ID_LEN = 8,         /* head of the SHA-256 of the public key */

    /* After so many bytes of an image of ours its length is known and
     * image_peek() can refuse what cannot run here. */
    IMAGE_PEEK_LEN = IMAGE_ELF_OFF + 64,
};

/* Most bytes a bootloader may have: 0x1000 to 0x7FFF (spec 1.2). */
enum { BOOTLOADER_OFF = 0x1000, BOOTLOADER_MAX = 0x7000 };

/* Machines as ELF's e_machine numbers them. */
enum image_machine {
    IMAGE_MACHINE_NONE = 0, /* unknown */
    IMAGE_MACHINE_X86_64 = 62,
    IMAGE_MACHINE_XTENSA = 94, /* a real ESP32 */
    IMAGE_MACHINE_AARCH64 = 183,
#if defined(__x86_64__)
    IMAGE_MACHINE_HERE = IMAGE_MACHINE_X86_64,
#elif defined(__aarch64__)
    IMAGE_MACHINE_HERE = IMAGE_MACHINE_AARCH64,
#else
    IMAGE_MACHINE_HERE = IMAGE_MACHINE_NONE,
#endif
};

enum image_kind {
    IMAGE_FIRMWARE = 0,
    IMAGE_BOOTLOADER = 1,
};

/* What image_check() found; the first that applies. */
enum image_fault {
    IMAGE_FINE = 0,
    IMAGE_BLANK,         /* only FF: an empty slot */
    IMAGE_NO_MAGIC,      /* does not begin with E9 */
    IMAGE_WRONG_CHIP,    /* header says another chip than the ESP32 */
    IMAGE_BAD_SEGMENTS,  /* none, too many, or length not a multiple of 4 */
    IMAGE_TOO_LONG,      /* goes past the end of its container */
    IMAGE_BAD_CHECKSUM,  /* XOR */
    IMAGE_BAD_DIGEST,    /* SHA-256 */
    IMAGE_NO_DIGEST,     /* neither SHA-256 nor MD5 tail */
    IMAGE_BAD_TAIL,      /* MD5 */
    IMAGE_WRONG_MACHINE, /* code of another machine */
    IMAGE_NOT_FIRMWARE,  /* a bootloader where a firmware belongs */
    IMAGE_NO_CODE,       /* of this machine, without an ELF that starts */
    IMAGE_UNSIGNED,      /* a key is set and there is no signature */
    IMAGE_UNKNOWN_KEY,   /* signed with a key that is not set */
    IMAGE_BAD_SIGNATURE,
};

/* One short English phrase ("SHA-256 does not match"), never NULL. */
const char *image_fault_text(enum image_fault fault);

struct image_segment {
    uint32_t load; /* address */
    uint32_t off;  /* of its data in the image */
    uint32_t len;  /* multiple of 4 */
};

struct image {
    const uint8_t *data;
    size_t size; /* of the view it was parsed from */

    uint8_t flash_mode;      /* 0 qio, 1 qout, 2 dio, 3 dout */
    uint8_t flash_size_freq; /* as in the header */
    uint32_t entry;
    uint16_t chip_id;
    uint8_t segments;
    struct image_segment segment[IMAGE_SEGMENTS_MAX];

    /* Offsets from the start of the image. */
    uint32_t checksum_off; /* of the XOR byte */
    uint32_t hashed_len;   /* checksum_off + 1: what SHA-256 covers */
    uint32_t len;          /* of the image, SHA-256 included */
    uint32_t full_len;     /* with signature block and tail, where present */
    bool has_digest, has_sign, has_tail;

    /* From the application descriptor; empty strings when there is none. */
    bool has_desc;
    char project[33], version[33], date[17], time[17], git[33];
    enum image_kind kind;
    uint16_t machine; /* enum image_machine */

    const uint8_t *elf; /* in `data`; NULL when not an image of ours */
    size_t elf_len;
};

/* Reads header, segments and descriptor of the image that starts at `data`;
 * every length is bounded by `size`. A structure that goes past `size` is
 * IMAGE_TOO_LONG. Checks no digest. `im` is filled as far as it went. */
enum image_fault image_parse(struct image *im, const uint8_t *data,
                             size_t size);

/* Looks at the first `size` bytes of an upload (at least IMAGE_PEEK_LEN or all
 * there is): refuses what cannot be firmware for `machine`. `im` is filled as
 * far as the bytes go; its lengths are 0 when they cannot be known yet, and
 * bounded by nothing but 2 GiB. */
enum image_fault image_peek(struct image *im, const uint8_t *data, size_t size,
                            uint16_t machine);

/* The checks, each on a parsed image. */
bool image_checksum_ok(const struct image *im);
bool image_digest_ok(const struct image *im); /* false when it has none */
bool image_tail_ok(const struct image *im);   /* false when it has none */

/* SHA-256 over the hashed part: what names an image everywhere. */
void image_digest(const struct image *im, uint8_t out[SHA256_LEN]);

/* What a ROM does: finds the image at the start of `data`, checks magic,
 * segments, XOR checksum and machine, and gives its ELF. */
enum image_fault image_rom_check(const uint8_t *data, size_t size,
                                 uint16_t machine, struct image *im);

/* Public keys that firmware must be signed with; none set = all accepted. */
enum { IMAGE_KEYS_MAX = 4 };

struct image_keys {
    unsigned count;
    uint8_t key[IMAGE_KEYS_MAX][P256_KEY_LEN];
};

/* The whole check before firmware is started or shown as good: structure,
 * checksum, SHA-256 (an image without one needs a good MD5 tail), machine,
 * kind, ELF and, when `keys` has any, the signature. `digest` gets the
 * SHA-256 of the hashed part. */
enum image_fault image_check(struct image *im, const uint8_t *data, size_t size,
                             uint16_t machine, const struct image_keys *keys,
                             uint8_t digest[SHA256_LEN]);

/* The same on an image whose ROM check was made and whose digests are known
 * already: `digest` of the hashed part, `md5` of all before the tail (NULL:
 * the tail does not count). */
enum image_fault image_judge(const struct image *im,
                             const struct image_keys *keys,
                             const uint8_t digest[SHA256_LEN],
                             const uint8_t *md5);

/* ---- signature block ---- */

struct image_sign {
    uint8_t key_id[IMAGE_KEY_ID_LEN];
    uint8_t sign[P256_SIGN_LEN];
};

void image_key_id(const uint8_t key[P256_KEY_LEN],
                  uint8_t id[IMAGE_KEY_ID_LEN]);
void image_sign_write(uint8_t to[IMAGE_SIGN_LEN], const struct image_sign *s);

/* WIPY_EFORMAT when these bytes are no signature block, WIPY_ECORRUPT when
 * they begin as one and fail its CRC. */
int image_sign_read(const uint8_t from[IMAGE_SIGN_LEN], struct image_sign *s);

/* IMAGE_FINE, IMAGE_UNKNOWN_KEY or IMAGE_BAD_SIGNATURE. */
enum image_fault image_sign_check(const struct image_sign *s,
                                  const struct image_keys *keys,
                                  const uint8_t digest[SHA256_LEN]);

/* ---- building ---- */

struct image_plan {
    const char *project, *version, *date, *time, *git; /* cut to 31 or 15 */
    enum image_kind kind;
    uint32_t flash_size; /* bytes, 1 MiB to 16 MiB: only told to flashers */
    const uint8_t *elf;  /* a static executable of IMAGE_MACHINE_* */
    size_t elf_len;
};

/* Bytes image_build needs for an ELF of that length. */
size_t image_build_len(size_t elf_len);

/* Writes the image without signature and tail; its length goes to `*len`.
 * WIPY_EFORMAT when `elf` is not an ELF, WIPY_ENOMEM when `size` is small. */
int image_build(uint8_t *to, size_t size, const struct image_plan *plan,
                size_t *len);

/* Appends the MD5 tail to `len` bytes (spec 2.1: works on any bytes). */
int image_add_tail(uint8_t *data, size_t size, size_t *len);

#endif
