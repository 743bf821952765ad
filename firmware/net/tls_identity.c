/* The board's certificate and key: PEM to BearSSL's structures, and whether
 * they can be used together. */
#define _DEFAULT_SOURCE
#include <bearssl_pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tls.h"

#define CERT "/flash/cert/cert.pem"
#define KEY  "/flash/cert/private.key"

static bool problem(struct tls_identity *id, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first one counts. */
static bool problem(struct tls_identity *id, const char *format, ...)
{
    va_list args;
    if (id->problem[0])
        return false;
    va_start(args, format);
    vsnprintf(id->problem, sizeof id->problem, format, args);
    va_end(args);
    return false;
}

/* ---- PEM ---- */

struct sink {
    uint8_t *to;
    size_t size, len;
    bool full;
};

static void sink_put(void *ctx, const void *data, size_t len)
{
    struct sink *s = ctx;
    if (len > s->size - s->len) {
        s->full = true;
        return;
    }
    memcpy(s->to + s->len, data, len);
    s->len += len;
}

/* Decodes the PEM objects of `text` one after the other; `each` gets the name
 * and the bytes and returns false to stop. False: the text is no PEM. */
static bool each_object(const char *text, size_t len, struct sink *sink,
                        bool (*each)(void *ctx, const char *name,
                                     struct sink *sink),
                        void *ctx)
{
    br_pem_decoder_context pem;
    bool inside = false;
    br_pem_decoder_init(&pem);
    while (len) {
        size_t n = br_pem_decoder_push(&pem, text, len);
        text += n;
        len -= n;
        int event = br_pem_decoder_event(&pem);
        if (event == BR_PEM_BEGIN_OBJ) {
            inside = true;
            sink->len = 0;
            br_pem_decoder_setdest(&pem, sink_put, sink);
        } else if (event == BR_PEM_ERROR) {
            return false;
        } else if (event == BR_PEM_END_OBJ) {
            inside = false;
            if (!each(ctx, br_pem_decoder_name(&pem), sink))
                return true;
        }
    }
    return !inside;
}

/* ---- the chain ---- */

/* Certificates follow each other in `der`: the sink moves on. */
static bool take_certificate(void *ctx, const char *name, struct sink *sink)
{
    struct tls_identity *id = ctx;
    if (strcmp(name, "CERTIFICATE") != 0 &&
        strcmp(name, "X509 CERTIFICATE") != 0)
        return true;
    if (id->chain_len == TLS_CHAIN_MAX || sink->full)
        return problem(id,
                       CERT ": more than %d certificates or %d bytes; leave "
                            "out those that clients have",
                       TLS_CHAIN_MAX, TLS_DER_MAX);
    id->chain[id->chain_len++] =
        (br_x509_certificate){.data = sink->to, .data_len = sink->len};
    sink->to += sink->len;
    sink->size -= sink->len;
    return true;
}

static bool read_chain(struct tls_identity *id, const char *text, size_t len)
{
    struct sink sink = {.to = id->der, .size = sizeof id->der};
    if (!len)
        return problem(id, CERT " is missing: make one with wipy cert");
    if (len > TLS_PEM_MAX)
        return problem(id, CERT " is longer than %d bytes", TLS_PEM_MAX);
    bool is_pem = each_object(text, len, &sink, take_certificate, id);
    if (id->problem[0])
        return false;
    if (!is_pem || !id->chain_len)
        return problem(id, CERT " is no PEM certificate, or damaged: make "
                                "one with wipy cert");
    return true;
}

/* ---- the key ---- */

static bool take_key(void *ctx, const char *name, struct sink *sink)
{
    struct tls_identity *id = ctx;
    if (!strstr(name, "PRIVATE KEY"))
        return true;
    if (strstr(name, "ENCRYPTED"))
        return problem(id, KEY " has a password: store it without one");
    br_skey_decoder_init(&id->key);
    if (!sink->full)
        br_skey_decoder_push(&id->key, sink->to, sink->len);
    id->key_type = br_skey_decoder_last_error(&id->key)
                       ? 0
                       : br_skey_decoder_key_type(&id->key);
    return false; /* one is enough */
}

static void point_keys(struct tls_identity *id)
{
    if (id->key_type == BR_KEYTYPE_EC)
        id->ec = *br_skey_decoder_get_ec(&id->key);
    else if (id->key_type == BR_KEYTYPE_RSA)
        id->rsa = *br_skey_decoder_get_rsa(&id->key);
}

static bool read_key(struct tls_identity *id, const char *text, size_t len)
{
    uint8_t secret[4096];
    struct sink sink = {.to = secret, .size = sizeof secret};
    if (!len)
        return problem(id, KEY " is missing: make one with wipy cert");
    if (len > TLS_PEM_MAX)
        return problem(id, KEY " is longer than %d bytes", TLS_PEM_MAX);
    (void)each_object(text, len, &sink, take_key, id);
    explicit_bzero(secret, sizeof secret);
    if (id->problem[0])
        return false;
    if (id->key_type != BR_KEYTYPE_EC && id->key_type != BR_KEYTYPE_RSA)
        return problem(id, KEY " is no PEM key of EC P-256 or RSA, or "
                               "damaged: make one with wipy cert");
    point_keys(id);
    return true;
}

/* ---- do they fit? ---- */

/* The key signs, the certificate's key verifies: a damaged key shows as well
 * as another one. */
static bool ec_fits(const br_ec_private_key *key,
                    const br_ec_public_key *public)
{
    static const uint8_t digest[32] = {1};
    uint8_t signature[64];
    size_t len = br_ecdsa_i31_sign_raw(&br_ec_p256_m31, &br_sha256_vtable,
                                       digest, key, signature);
    return len && public->curve == BR_EC_secp256r1 &&
           br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, digest, sizeof digest, public,
                                 signature, len);
}

static bool rsa_fits(const br_rsa_private_key *key,
                     const br_rsa_public_key *public)
{
    static const uint8_t digest[32] = {1};
    uint8_t signature[TLS_RSA_BITS_MAX / 8], back[32];
    size_t len = (key->n_bitlen + 7) / 8;
    return public->nlen == len &&
           br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, digest,
                                           sizeof digest, key, signature) &&
           br_rsa_pkcs1_vrfy_get_default()(signature, len, BR_HASH_OID_SHA256,
                                           sizeof back, public, back) &&
           memcmp(back, digest, sizeof back) == 0;
}

static bool check_pair(struct tls_identity *id, const br_x509_pkey *public)
{
    bool is_ec = id->key_type == BR_KEYTYPE_EC, fits = false;
    if (is_ec && id->ec.curve != BR_EC_secp256r1)
        return problem(id, KEY ": EC P-256 is the only curve that can be "
                               "used: make one with wipy cert");
    if (!is_ec && id->rsa.n_bitlen > TLS_RSA_BITS_MAX)
        return problem(id,
                       KEY ": RSA of %u bits takes too long; use EC P-256 "
                           "(wipy cert) or RSA up to %d bits",
                       (unsigned)id->rsa.n_bitlen, TLS_RSA_BITS_MAX);
    if (public->key_type == id->key_type)
        fits = is_ec ? ec_fits(&id->ec, &public->key.ec)
                     : rsa_fits(&id->rsa, &public->key.rsa);
    return fits || problem(id, KEY " is not the key of " CERT
                                   ", or damaged: make both with wipy cert");
}

/* The public key of a certificate, which lives in `x509`. */
static br_x509_pkey *decode(br_x509_decoder_context *x509,
                            const br_x509_certificate *certificate)
{
    br_x509_decoder_init(x509, NULL, NULL);
    br_x509_decoder_push(x509, certificate->data, certificate->data_len);
    return br_x509_decoder_get_pkey(x509);
}

static bool check_chain(struct tls_identity *id)
{
    br_x509_decoder_context x509;
    for (size_t i = 0; i < id->chain_len; i++) {
        const br_x509_pkey *key = decode(&x509, &id->chain[i]);
        int err = br_x509_decoder_last_error(&x509);
        if (!key && err != BR_ERR_X509_UNSUPPORTED)
            return problem(id, CERT ": certificate %u is damaged",
                           (unsigned)i + 1);
        if (i > 0) /* above our own, clients judge the algorithms */
            continue;
        if (!key)
            return problem(id, CERT ": only EC P-256 and RSA can be used: make "
                                    "one with wipy cert");
        if (!check_pair(id, key))
            return false;
    }
    return true;
}

bool tls_identity_read(struct tls_identity *id, const char *certificate,
                       size_t certificate_len, const char *key, size_t key_len)
{
    id->chain_len = 0;
    id->key_type = 0;
    id->problem[0] = '\0';
    id->usable = read_chain(id, certificate, certificate_len) &&
                 read_key(id, key, key_len) && check_chain(id);
    return id->usable;
}

/* The parts of an identity point into it: they move with it. */
void tls_identity_copy(struct tls_identity *to, const struct tls_identity *from)
{
    *to = *from;
    for (size_t i = 0; i < to->chain_len; i++)
        to->chain[i].data = to->der + (from->chain[i].data - from->der);
    br_rsa_private_key *rsa = &to->rsa;
    unsigned char **const parts[] = {&rsa->p,  &rsa->q,  &rsa->dp,
                                     &rsa->dq, &rsa->iq, &to->ec.x};
    bool is_ec = from->key_type == BR_KEYTYPE_EC;
    size_t first = is_ec ? 5 : 0, end = from->usable ? is_ec ? 6 : 5 : 0;
    for (size_t i = first; i < end; i++)
        *parts[i] = to->key.key_data + (*parts[i] - from->key.key_data);
}
