/* Digests and signatures: the one place that names the crypto library. */
#ifndef WIPY_BASE_DIGEST_H
#define WIPY_BASE_DIGEST_H

#include <bearssl_hash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32, MD5_LEN = 16, P256_KEY_LEN = 65, P256_SIGN_LEN = 64 };

struct sha256 {
    br_sha256_context ctx;
};

struct md5 {
    br_md5_context ctx;
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *data, size_t len);
/* May be called in the middle: the context goes on unchanged. */
void sha256_final(const struct sha256 *h, uint8_t out[SHA256_LEN]);
void sha256_of(const void *data, size_t len, uint8_t out[SHA256_LEN]);

void md5_init(struct md5 *h);
void md5_update(struct md5 *h, const void *data, size_t len);
void md5_final(const struct md5 *h, uint8_t out[MD5_LEN]);
void md5_of(const void *data, size_t len, uint8_t out[MD5_LEN]);

/* ECDSA over P-256 (FIPS 186-4). `key` is an uncompressed point (04 X Y),
 * `sign` is r ‖ s, each 32 bytes big-endian. */
bool p256_verify(const uint8_t key[P256_KEY_LEN],
                 const uint8_t digest[SHA256_LEN],
                 const uint8_t sign[P256_SIGN_LEN]);

/* True when equal; takes the same time whatever the contents. */
bool equal_const_time(const void *a, const void *b, size_t len);

#endif
