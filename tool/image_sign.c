/* wipy image sign and keygen: ECDSA over P-256 with key files that openssl
 * reads too (private: RFC 5915 in PEM; public: SubjectPublicKeyInfo). */
#include <bearssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/hex.h"
#include "commands.h"
#include "file.h"
#include "image/image.h"
#include "image_parts.h"
#include "loader_args.h"
#include "outcome.h"

enum { KEY_FILE_MAX = 16384, IMAGE_FILE_MAX = 16 << 20, PRIVATE_LEN = 32 };

/* What precedes the point in the DER of a P-256 public key (RFC 5480). */
static const uint8_t spki_head[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
                                      0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                      0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
                                      0x01, 0x07, 0x03, 0x42, 0x00};

struct pem_sink {
    uint8_t data[512];
    size_t len;
    bool too_long;
};

static void pem_take(void *ctx, const void *data, size_t len)
{
    struct pem_sink *s = ctx;
    if (len > sizeof s->data - s->len) {
        s->too_long = true;
        return;
    }
    memcpy(s->data + s->len, data, len);
    s->len += len;
}

/* The DER of the first PEM object called `name`; false when there is none. */
static bool pem_find(const struct file_data *file, const char *name,
                     struct pem_sink *sink)
{
    br_pem_decoder_context pem;
    br_pem_decoder_init(&pem);
    bool wanted = false;
    const uint8_t *p = file->data;
    size_t left = file->len;
    while (left) {
        size_t n = br_pem_decoder_push(&pem, p, left);
        p += n;
        left -= n;
        switch (br_pem_decoder_event(&pem)) {
        case BR_PEM_BEGIN_OBJ:
            wanted = strcmp(br_pem_decoder_name(&pem), name) == 0;
            *sink = (struct pem_sink){0};
            br_pem_decoder_setdest(&pem, wanted ? pem_take : NULL, sink);
            break;
        case BR_PEM_END_OBJ:
            if (wanted)
                return !sink->too_long;
            break;
        case BR_PEM_ERROR:
            return false;
        default:
            if (n == 0)
                return false;
        }
    }
    return false;
}

static bool parse_public(const struct file_data *file,
                         uint8_t key[P256_KEY_LEN])
{
    struct pem_sink der;
    if (pem_find(file, "PUBLIC KEY", &der)) {
        memcpy(key, der.data + sizeof spki_head, P256_KEY_LEN);
        return der.len == sizeof spki_head + P256_KEY_LEN &&
               memcmp(der.data, spki_head, sizeof spki_head) == 0;
    }
    return file->len >= 2 * P256_KEY_LEN &&
           hex_decode(key, (const char *)file->data, P256_KEY_LEN);
}

int key_read_public(const char *path, struct image_keys *keys)
{
    struct file_data file;
    if (keys->count == IMAGE_KEYS_MAX) {
        complain("wipy: %s: a board holds at most %d keys\n", path,
                 IMAGE_KEYS_MAX);
        return EXIT_USAGE;
    }
    int code = file_read(path, KEY_FILE_MAX, &file);
    if (code)
        return code;
    uint8_t *key = keys->key[keys->count];
    if (parse_public(&file, key) && key[0] == 4) {
        keys->count++;
    } else {
        complain("wipy: %s: no public key (PEM of a P-256 key as 'wipy image "
                 "keygen' writes it, or 130 hex digits)\n",
                 path);
        code = EXIT_FILE;
    }
    free(file.data);
    return code;
}

static int read_private(const char *path, uint8_t key[PRIVATE_LEN])
{
    struct file_data file;
    struct pem_sink der;
    int code = file_read(path, KEY_FILE_MAX, &file);
    if (code)
        return code;
    br_skey_decoder_context decoder;
    br_skey_decoder_init(&decoder);
    const br_ec_private_key *ec = NULL;
    if (pem_find(&file, "EC PRIVATE KEY", &der) ||
        pem_find(&file, "PRIVATE KEY", &der)) {
        br_skey_decoder_push(&decoder, der.data, der.len);
        ec = br_skey_decoder_get_ec(&decoder);
    }
    if (ec && ec->curve == BR_EC_secp256r1 && ec->xlen <= PRIVATE_LEN) {
        memset(key, 0, PRIVATE_LEN);
        memcpy(key + PRIVATE_LEN - ec->xlen, ec->x, ec->xlen);
    } else {
        complain("wipy: %s: no P-256 private key in PEM\n", path);
        code = EXIT_FILE;
    }
    memset(file.data, 0, file.len);
    free(file.data);
    return code;
}

/* ---- sign ---- */

static int sign_image(const uint8_t *secret, const struct image *im,
                      uint8_t block[IMAGE_SIGN_LEN])
{
    uint8_t x[PRIVATE_LEN], point[P256_KEY_LEN], digest[SHA256_LEN];
    memcpy(x, secret, sizeof x);
    br_ec_private_key private = {
        .curve = BR_EC_secp256r1, .x = x, .xlen = sizeof x};
    br_ec_public_key public;
    struct image_sign s;
    image_digest(im, digest);
    if (br_ec_compute_pub(&br_ec_prime_i31, &public, point, &private) !=
            P256_KEY_LEN ||
        br_ecdsa_i31_sign_raw(&br_ec_prime_i31, &br_sha256_vtable, digest,
                              &private, s.sign) != P256_SIGN_LEN)
        return EXIT_FAILED;
    image_key_id(point, s.key_id);
    image_sign_write(block, &s);
    return EXIT_OK;
}

/* Image, signature block and, when there was one, a new tail. */
static int write_signed(const char *out, const struct image *im,
                        const uint8_t *block)
{
    size_t size = im->len + IMAGE_SIGN_LEN + IMAGE_TAIL_LEN;
    size_t len = im->len + IMAGE_SIGN_LEN;
    uint8_t *all = malloc(size);
    if (!all)
        return out_of_memory();
    memcpy(all, im->data, im->len);
    memcpy(all + im->len, block, IMAGE_SIGN_LEN);
    if (im->has_tail)
        (void)image_add_tail(all, size, &len);
    int code = file_write(out, all, len, 0644);
    free(all);
    return code;
}

static void print_signed(const char *out, const struct image *im,
                         const uint8_t *block)
{
    struct image_sign s;
    char id[2 * IMAGE_KEY_ID_LEN + 1] = "";
    (void)image_sign_read(block, &s);
    hex_encode(id, s.key_id, sizeof s.key_id);
    json_t *j = image_json(im, IMAGE_FINE);
    json_object_set_new(j, "signed", json_true());
    json_object_set_new(j, "full_length",
                        json_integer((json_int_t)im->len + IMAGE_SIGN_LEN +
                                     (im->has_tail ? IMAGE_TAIL_LEN : 0)));
    json_object_set_new(j, "file", json_string(out));
    json_object_set_new(j, "key_id", json_string(id));
    print_json(j);
}

static int sign_file(const char *path, const char *out, const uint8_t *secret,
                     bool json)
{
    struct file_data file;
    struct image im;
    uint8_t block[IMAGE_SIGN_LEN];
    int code = file_read(path, IMAGE_FILE_MAX, &file);
    if (code)
        return code;
    enum image_fault fault = image_parse(&im, file.data, file.len);
    if (!fault && !image_checksum_ok(&im))
        fault = IMAGE_BAD_CHECKSUM;
    if (!fault && !image_digest_ok(&im))
        fault = im.has_digest ? IMAGE_BAD_DIGEST : IMAGE_NO_DIGEST;
    if (fault) {
        image_refuse(path, &file, fault);
        code = EXIT_VERIFY;
    } else {
        code = sign_image(secret, &im, block);
        if (!code)
            code = write_signed(out, &im, block);
        else
            complain("wipy: signing failed: is the key valid?\n");
        if (!code && json)
            print_signed(out, &im, block);
    }
    free(file.data);
    return code;
}

int image_sign_command(struct args *a)
{
    const char *key = NULL, *out = NULL, *file;
    bool json = false;
    const struct args_option options[] = {{"key", "", NULL, &key},
                                          {"out", "", NULL, &out},
                                          {"json", "", &json, NULL}};
    unsigned words = 1;
    uint8_t secret[PRIVATE_LEN];
    int code = args_read(a, options, 3, &file, &words);
    if (!code && (!key || words < 1))
        code = args_wrong(a, "want FILE --key PRIVATE");
    if (!code)
        code = read_private(key, secret);
    if (!code)
        code = sign_file(file, out ? out : file, secret, json);
    memset(secret, 0, sizeof secret);
    return code;
}

/* ---- keygen ---- */

static int write_pem(const char *path, const char *name, const void *der,
                     size_t len, unsigned mode)
{
    char text[1024];
    size_t n = br_pem_encode(NULL, der, len, name, BR_PEM_LINE64);
    if (n >= sizeof text)
        return EXIT_FAILED;
    br_pem_encode(text, der, len, name, BR_PEM_LINE64);
    return file_write(path, text, n, mode);
}

/* Nobody gets a lost private key back. */
static int refuse_key(const char *path)
{
    static const char mark[] = "PRIVATE KEY-----";
    char text[128];
    bool found = false;
    FILE *f = fopen(path, "r");
    /* Parameters or a certificate may stand before it. */
    for (int i = 0; f && !found && i < 1000 && fgets(text, sizeof text, f); i++)
        found = strstr(text, mark) != NULL;
    if (f)
        fclose(f);
    if (!found)
        return EXIT_OK;
    complain("wipy: %s: holds a private key, which is not written over; "
             "move it away or choose another name\n",
             path);
    return EXIT_REFUSED;
}

static int write_pair(const char *const file[2],
                      const br_ec_private_key *private,
                      const br_ec_public_key *public)
{
    uint8_t der[256];
    int code = EXIT_FAILED;
    size_t len = br_encode_ec_raw_der(NULL, private, public);
    if (len && len <= sizeof der) {
        br_encode_ec_raw_der(der, private, public);
        code = write_pem(file[0], "EC PRIVATE KEY", der, len, 0600);
    }
    memset(der, 0, sizeof der);
    memcpy(der, spki_head, sizeof spki_head);
    memcpy(der + sizeof spki_head, public->q, P256_KEY_LEN);
    return code ? code
                : write_pem(file[1], "PUBLIC KEY", der,
                            sizeof spki_head + P256_KEY_LEN, 0644);
}

static void print_pair(const char *const file[2], const uint8_t *point)
{
    uint8_t id[IMAGE_KEY_ID_LEN];
    char hex[2 * IMAGE_KEY_ID_LEN + 1] = "";
    image_key_id(point, id);
    hex_encode(hex, id, sizeof id);
    print_json(json_pack("{s:s,s:s,s:s}", "private", file[0], "public", file[1],
                         "key_id", hex));
}

static int make_pair(const char *const file[2], bool json)
{
    uint8_t seed[32], secret[BR_EC_KBUF_PRIV_MAX_SIZE];
    uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed) {
        complain("wipy: no random numbers from the system\n");
        return EXIT_FAILED;
    }
    br_hmac_drbg_context rng;
    br_hmac_drbg_init(&rng, &br_sha256_vtable, seed, sizeof seed);
    br_ec_private_key private;
    br_ec_public_key public;
    br_ec_keygen(&rng.vtable, &br_ec_prime_i31, &private, secret,
                 BR_EC_secp256r1);
    br_ec_compute_pub(&br_ec_prime_i31, &public, point, &private);
    int code = write_pair(file, &private, &public);
    memset(secret, 0, sizeof secret);
    if (!code && json)
        print_pair(file, point);
    return code;
}

int image_keygen_command(struct args *a)
{
    const char *file[2];
    unsigned words = 2;
    bool json = false;
    const struct args_option options[] = {{"json", "", &json, NULL}};
    int code = args_read(a, options, 1, file, &words);
    if (!code && words < 2)
        code = args_wrong(a, "want two files: PRIVATE PUBLIC");
    if (!code && !strcmp(file[0], file[1]))
        code = args_wrong(a, "%s: the keys need a file each", file[0]);
    for (int i = 0; i < 2 && !code; i++)
        code = refuse_key(file[i]);
    return code ? code : make_pair(file, json);
}
