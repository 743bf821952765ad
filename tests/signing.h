/* Signatures with a public vector's key, for tests. Everything is static:
 * include it once a program. */
#ifndef WIPY_TESTS_SIGNING_H
#define WIPY_TESTS_SIGNING_H

#include <stdlib.h>

#include <bearssl.h>

#include "base/hex.h"
#include "image/image.h"

/* FIPS 186-4 P-256 / SHA-256 of "sample", RFC 6979 A.2.5: key and signature
 * are public vectors. */
static const char key_hex[] =
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char private_hex[] =
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
static const char sign_hex[] =
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

/* Puts the signature of the vectors' private key behind the image. */
static size_t sign_image(uint8_t *data, size_t len)
{
    uint8_t x[32], digest[SHA256_LEN], public[P256_KEY_LEN];
    struct image_sign s;
    struct image im;
    if (!hex_decode(x, private_hex, sizeof x) ||
        !hex_decode(public, key_hex, sizeof public) ||
        image_parse(&im, data, len) != IMAGE_FINE)
        abort();
    image_digest(&im, digest);
    br_ec_private_key key = {BR_EC_secp256r1, x, sizeof x};
    if (br_ecdsa_i31_sign_raw(&br_ec_prime_i31, &br_sha256_vtable, digest, &key,
                              s.sign) != P256_SIGN_LEN)
        abort();
    image_key_id(public, s.key_id);
    image_sign_write(data + im.len, &s);
    return im.len + IMAGE_SIGN_LEN;
}

#endif
