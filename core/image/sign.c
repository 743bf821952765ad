#include <string.h>

#include "base/crc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "image.h"
#include "layout.h"

enum { SIGN_VERSION = 1, SIGN_CRC_OFF = IMAGE_SIGN_LEN - 4 };

void image_key_id(const uint8_t key[P256_KEY_LEN], uint8_t id[IMAGE_KEY_ID_LEN])
{
    uint8_t digest[SHA256_LEN];
    sha256_of(key, P256_KEY_LEN, digest);
    memcpy(id, digest, IMAGE_KEY_ID_LEN);
}

void image_sign_write(uint8_t to[IMAGE_SIGN_LEN], const struct image_sign *s)
{
    struct writer w = writer_of(to, IMAGE_SIGN_LEN);
    write_u32(&w, SIGN_MAGIC);
    write_u16(&w, SIGN_VERSION);
    write_u16(&w, IMAGE_SIGN_LEN);
    write_bytes(&w, s->key_id, IMAGE_KEY_ID_LEN);
    write_bytes(&w, s->sign, P256_SIGN_LEN);
    write_fill(&w, 0, SIGN_CRC_OFF - w.pos);
    write_u32(&w, crc32_add(0, to, SIGN_CRC_OFF));
}

int image_sign_read(const uint8_t from[IMAGE_SIGN_LEN], struct image_sign *s)
{
    struct reader r = reader_of(from, IMAGE_SIGN_LEN);
    if (read_u32(&r) != SIGN_MAGIC)
        return WIPY_EFORMAT;
    if (get_u32(from + SIGN_CRC_OFF) != crc32_add(0, from, SIGN_CRC_OFF) ||
        read_u16(&r) != SIGN_VERSION || read_u16(&r) != IMAGE_SIGN_LEN)
        return WIPY_ECORRUPT;
    read_bytes(&r, s->key_id, IMAGE_KEY_ID_LEN);
    read_bytes(&r, s->sign, P256_SIGN_LEN);
    return 0;
}

enum image_fault image_sign_check(const struct image_sign *s,
                                  const struct image_keys *keys,
                                  const uint8_t digest[SHA256_LEN])
{
    for (unsigned i = 0; i < keys->count && i < IMAGE_KEYS_MAX; i++) {
        uint8_t id[IMAGE_KEY_ID_LEN];
        image_key_id(keys->key[i], id);
        if (memcmp(id, s->key_id, sizeof id) != 0)
            continue;
        return p256_verify(keys->key[i], digest, s->sign) ? IMAGE_FINE
                                                          : IMAGE_BAD_SIGNATURE;
    }
    return IMAGE_UNKNOWN_KEY;
}
