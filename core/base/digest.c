#include "digest.h"

#include <string.h>

#ifndef __GLIBC__
/* The crypto library as packaged was compiled with glibc's fortified calls;
 * another C library does not have them. They are here because whoever links
 * the library links this file. */
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room);
void *__memset_chk(void *to, int value, size_t len, size_t room);
void *__memmove_chk(void *to, const void *from, size_t len, size_t room);

void *__memcpy_chk(void *to, const void *from, size_t len, size_t room)
{
    if (len > room)
        __builtin_trap();
    return memcpy(to, from, len);
}

void *__memset_chk(void *to, int value, size_t len, size_t room)
{
    if (len > room)
        __builtin_trap();
    return memset(to, value, len);
}

void *__memmove_chk(void *to, const void *from, size_t len, size_t room)
{
    if (len > room)
        __builtin_trap();
    return memmove(to, from, len);
}
#endif

void sha256_init(struct sha256 *h)
{
    br_sha256_init(&h->ctx);
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
    br_sha256_update(&h->ctx, data, len);
}

void sha256_final(const struct sha256 *h, uint8_t out[SHA256_LEN])
{
    br_sha256_out(&h->ctx, out);
}

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, data, len);
    sha256_final(&h, out);
}

void md5_init(struct md5 *h)
{
    br_md5_init(&h->ctx);
}

void md5_update(struct md5 *h, const void *data, size_t len)
{
    br_md5_update(&h->ctx, data, len);
}

void md5_final(const struct md5 *h, uint8_t out[MD5_LEN])
{
    br_md5_out(&h->ctx, out);
}

void md5_of(const void *data, size_t len, uint8_t out[MD5_LEN])
{
    struct md5 h;
    md5_init(&h);
    md5_update(&h, data, len);
    md5_final(&h, out);
}

bool equal_const_time(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *p = a, *q = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++)
        diff |= p[i] ^ q[i];
    return diff == 0;
}
