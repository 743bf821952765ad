#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "base/hex.h"
#include "image.h"
#include "layout.h"

enum { FLASH_DIO = 2, FREQ_80M = 0xf, WP_PIN_NONE = 0xee };

static size_t round_up_4(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

/* Up to and with the checksum byte. */
static size_t hashed_len(size_t elf_len)
{
    return ((IMAGE_ELF_OFF + round_up_4(elf_len)) | 15) + 1;
}

size_t image_build_len(size_t elf_len)
{
    return hashed_len(elf_len) + SHA256_LEN;
}

/* Code 0 to 4 for 1 to 16 MiB, as flash size is told in the header. */
static uint8_t size_code(uint32_t flash_size)
{
    uint8_t code = 0;
    while (code < 4 && (0x100000u << code) < flash_size)
        code++;
    return code;
}

static void write_text(struct writer *w, const char *text, size_t room)
{
    size_t len = text ? strlen(text) : 0;
    if (len > room - 1)
        len = room - 1;
    write_bytes(w, text ? text : "", len);
    write_fill(w, 0, room - len);
}

static void write_header(struct writer *w, const struct image_plan *plan)
{
    write_u8(w, IMAGE_MAGIC);
    write_u8(w, 2);
    write_u8(w, FLASH_DIO);
    write_u8(w, (uint8_t)(size_code(plan->flash_size) << 4 | FREQ_80M));
    write_u32(w, IMAGE_ELF_LOAD);
    write_u8(w, WP_PIN_NONE);
    /* Drive strengths; chip id and revisions: 0 is any ESP32, and public
     * flashers refuse a file that says something else. */
    write_fill(w, 0, 14);
    write_u8(w, 1); /* SHA-256 appended */
}

static void write_desc(struct writer *w, const struct image_plan *plan)
{
    uint8_t elf_digest[SHA256_LEN];
    sha256_of(plan->elf, plan->elf_len, elf_digest);
    write_u32(w, IMAGE_DESC_LOAD);
    write_u32(w, IMAGE_DESC_LEN);
    write_u32(w, DESC_MAGIC);
    write_fill(w, 0, 12);
    write_text(w, plan->version, 32);
    write_text(w, plan->project, 32);
    write_text(w, plan->time, 16);
    write_text(w, plan->date, 16);
    write_text(w, "wipy", 32); /* where others name their SDK */
    write_bytes(w, elf_digest, SHA256_LEN);
    write_fill(w, 0, 8);
    write_u32(w, DESC_OURS_MAGIC);
    write_u8(w, DESC_OURS_VERSION);
    write_u8(w, (uint8_t)plan->kind);
    write_u16(w, get_u16(plan->elf + 18)); /* e_machine */
    write_text(w, plan->git, 32);
    write_fill(w, 0, 32);
}

static uint8_t xor_of(const uint8_t *p, size_t len, uint8_t sum)
{
    while (len--)
        sum ^= *p++;
    return sum;
}

int image_build(uint8_t *to, size_t size, const struct image_plan *plan,
                size_t *len)
{
    if (plan->elf_len < 64 || memcmp(plan->elf, "\177ELF", 4) != 0)
        return WIPY_EFORMAT;
    size_t total = image_build_len(plan->elf_len);
    if (total > size || total > INT32_MAX)
        return WIPY_ENOMEM;
    struct writer w = writer_of(to, total);
    size_t elf_room = round_up_4(plan->elf_len);
    write_header(&w, plan);
    write_desc(&w, plan);
    write_u32(&w, IMAGE_ELF_LOAD);
    write_u32(&w, (uint32_t)elf_room);
    write_bytes(&w, plan->elf, plan->elf_len);
    write_fill(&w, 0, hashed_len(plan->elf_len) - 1 - w.pos);
    size_t desc_off = IMAGE_HEADER_LEN + IMAGE_SEGMENT_HEADER_LEN;
    uint8_t sum = xor_of(to + desc_off, IMAGE_DESC_LEN, 0xef);
    write_u8(&w, xor_of(to + IMAGE_ELF_OFF, elf_room, sum));
    uint8_t digest[SHA256_LEN];
    sha256_of(to, w.pos, digest);
    write_bytes(&w, digest, SHA256_LEN);
    *len = w.pos;
    return w.bad ? WIPY_ENOMEM : 0;
}

int image_add_tail(uint8_t *data, size_t size, size_t *len)
{
    if (*len > size || size - *len < IMAGE_TAIL_LEN)
        return WIPY_ENOMEM;
    uint8_t md5[MD5_LEN];
    md5_of(data, *len, md5);
    hex_encode((char *)data + *len, md5, MD5_LEN);
    *len += IMAGE_TAIL_LEN;
    return 0;
}
