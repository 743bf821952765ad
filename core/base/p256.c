/* Apart from digest.c so that a program that never checks a signature does
 * not link elliptic curves. */
#include <bearssl_ec.h>

#include "digest.h"

bool p256_verify(const uint8_t key[P256_KEY_LEN],
                 const uint8_t digest[SHA256_LEN],
                 const uint8_t sign[P256_SIGN_LEN])
{
    uint8_t point[P256_KEY_LEN];
    for (size_t i = 0; i < sizeof point; i++)
        point[i] = key[i];
    br_ec_public_key pk = {
        .curve = BR_EC_secp256r1, .q = point, .qlen = sizeof point};
    return br_ecdsa_i31_vrfy_raw(&br_ec_prime_i31, digest, SHA256_LEN, &pk,
                                 sign, P256_SIGN_LEN) == 1;
}
