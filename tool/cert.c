/* wipy cert: a certificate for FTP over TLS, signed by itself (RFC 5280), and
 * its key (ECDSA P-256). The board offers AUTH TLS when both lie in
 * /flash/cert. */
#include <arpa/inet.h>
#include <bearssl_ec.h>
#include <bearssl_pem.h>
#include <bearssl_rand.h>
#include <bearssl_x509.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "outcome.h"
#include "tool/args.h"
#include "tool/commands.h"

static const char usage[] =
    "usage: wipy cert [-o DIR] [--name NAME]... [--days N]\n"
    "\n"
    "Makes DIR/cert.pem and DIR/private.key (default: the current folder) for\n"
    "FTP over TLS. Upload both to /flash/cert; the board then offers AUTH "
    "TLS.\n"
    "NAME is a host name or an IPv4 address the clients will use (default:\n"
    "wipy, localhost, 127.0.0.1 and 192.168.1.1); N the days it is valid\n"
    "(default 3650). Clients trust it by cert.pem.\n";

enum { NAMES_MAX = 16, DER_MAX = 2048 };

enum tag {
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OCTET_STRING = 0x04,
    UTF8_STRING = 0x0c,
    UTC_TIME = 0x17,
    GENERALIZED_TIME = 0x18,
    SEQUENCE = 0x30,
    SET = 0x31,
    CONTEXT_0 = 0xa0,
    CONTEXT_3 = 0xa3,
    ALT_DNS = 0x82,
    ALT_IP = 0x87,
};

/* Bytes of DER so far; `bad` once something did not fit. */
struct der {
    uint8_t data[DER_MAX];
    size_t len;
    bool bad;
};

static void put_bytes(struct der *d, const void *data, size_t len)
{
    if (len > DER_MAX - d->len) {
        d->bad = true;
        return;
    }
    memcpy(d->data + d->len, data, len);
    d->len += len;
}

static void put(struct der *d, enum tag tag, const void *data, size_t len)
{
    uint8_t head[4] = {(uint8_t)tag};
    size_t n = 1;
    if (len >= 256)
        head[n++] = 0x82, head[n++] = (uint8_t)(len >> 8);
    else if (len >= 128)
        head[n++] = 0x81;
    head[n++] = (uint8_t)len;
    put_bytes(d, head, n);
    put_bytes(d, data, len);
}

static void put_der(struct der *d, enum tag tag, const struct der *inner)
{
    d->bad |= inner->bad;
    put(d, tag, inner->data, inner->len);
}

static void put_bits(struct der *d, const void *data, size_t len)
{
    struct der bits = {.data = {0}, .len = 1}; /* no unused bits */
    put_bytes(&bits, data, len);
    put_der(d, BIT_STRING, &bits);
}

/* ---- the parts of a certificate ---- */

static const uint8_t oid_ecdsa_sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                           0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t oids_p256[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                    0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const uint8_t oid_alt_name[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
/* basicConstraints, critical, CA: it signs itself */
static const uint8_t is_ca[] = {0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d,
                                0x13, 0x01, 0x01, 0xff, 0x04, 0x05,
                                0x30, 0x03, 0x01, 0x01, 0xff};

static void put_name(struct der *d, const char *common_name)
{
    struct der pair = {.len = 0}, set = {.len = 0}, name = {.len = 0};
    put_bytes(&pair, oid_common_name, sizeof oid_common_name);
    put(&pair, UTF8_STRING, common_name, strlen(common_name));
    put_der(&set, SEQUENCE, &pair);
    put_der(&name, SET, &set);
    put_der(d, SEQUENCE, &name);
}

/* RFC 5280 section 4.1.2.5: two digits of the year before 2050. */
static void put_time(struct der *d, time_t at)
{
    char text[32];
    struct tm tm;
    gmtime_r(&at, &tm);
    bool old = tm.tm_year + 1900 < 2050;
    size_t len = strftime(text, sizeof text,
                          old ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &tm);
    put(d, old ? UTC_TIME : GENERALIZED_TIME, text, len);
}

static void put_alt_names(struct der *d, const char *const *names, int count)
{
    struct der list = {.len = 0}, value = {.len = 0}, extension = {.len = 0};
    for (int i = 0; i < count; i++) {
        struct in_addr addr;
        if (inet_pton(AF_INET, names[i], &addr) == 1)
            put(&list, ALT_IP, &addr, 4);
        else
            put(&list, ALT_DNS, names[i], strlen(names[i]));
    }
    put_der(&value, SEQUENCE, &list);
    put_bytes(&extension, oid_alt_name, sizeof oid_alt_name);
    put_der(&extension, OCTET_STRING, &value);
    put_der(d, SEQUENCE, &extension);
}

static void put_algorithm(struct der *d)
{
    put(d, SEQUENCE, oid_ecdsa_sha256, sizeof oid_ecdsa_sha256);
}

static void put_public_key(struct der *d, const br_ec_public_key *key)
{
    struct der info = {.len = 0};
    put(&info, SEQUENCE, oids_p256, sizeof oids_p256);
    put_bits(&info, key->q, key->qlen);
    put_der(d, SEQUENCE, &info);
}

struct request {
    const char *folder;
    const char *names[NAMES_MAX];
    int name_count;
    long days;
};

static void make_body(struct der *body, const struct request *r,
                      const uint8_t serial[8], const br_ec_public_key *key)
{
    static const uint8_t version_3[] = {INTEGER, 1, 2};
    struct der part = {.len = 0}, list = {.len = 0};
    time_t now = time(NULL);
    put(body, CONTEXT_0, version_3, sizeof version_3);
    put(body, INTEGER, serial, 8);
    put_algorithm(body);
    put_name(body, r->names[0]);
    put_time(&part, now - 86400); /* clocks differ */
    put_time(&part, now + r->days * 86400);
    put_der(body, SEQUENCE, &part);
    put_name(body, r->names[0]);
    put_public_key(body, key);
    put_bytes(&list, is_ca, sizeof is_ca);
    put_alt_names(&list, r->names, r->name_count);
    part.len = 0;
    put_der(&part, SEQUENCE, &list);
    put_der(body, CONTEXT_3, &part);
}

static void sign(struct der *certificate, const struct der *body,
                 const br_ec_private_key *key)
{
    uint8_t digest[SHA256_LEN], signature[80];
    struct der outer = {.len = 0}, tbs = {.len = 0};
    put_der(&tbs, SEQUENCE, body);
    sha256_of(tbs.data, tbs.len, digest);
    size_t len = br_ecdsa_i31_sign_asn1(&br_ec_prime_i31, &br_sha256_vtable,
                                        digest, key, signature);
    put_bytes(&outer, tbs.data, tbs.len);
    put_algorithm(&outer);
    put_bits(&outer, signature, len);
    outer.bad |= tbs.bad || !len;
    put_der(certificate, SEQUENCE, &outer);
}

/* ---- files ---- */

/* An old key may be in use: it is never written over. */
static int write_pem(const char *path, mode_t mode, const char *banner,
                     const void *data, size_t len)
{
    char pem[2 * DER_MAX];
    size_t n = br_pem_encode(pem, data, len, banner, 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (fd < 0 && errno == EEXIST) {
        complain("wipy cert: %s is there already: remove it, or choose "
                 "another folder with -o\n",
                 path);
        return EXIT_FILE;
    }
    bool fine = fd >= 0 && write(fd, pem, n) == (ssize_t)n;
    if (fd >= 0 && close(fd))
        fine = false;
    if (!fine) {
        complain("wipy cert: cannot write %s: %s\n", path, strerror(errno));
        if (fd >= 0)
            unlink(path);
    }
    return fine ? EXIT_OK : EXIT_FILE;
}

/* Both files or none. */
static int write_pair(const char *folder, const struct der *certificate,
                      const uint8_t *key, size_t key_len)
{
    char key_path[4096], path[4096];
    if (snprintf(key_path, sizeof key_path, "%s/private.key", folder) >=
        (int)sizeof key_path) {
        complain("wipy cert: the folder's name is too long\n");
        return EXIT_FILE;
    }
    snprintf(path, sizeof path, "%s/cert.pem", folder);
    if (mkdir(folder, 0755) && errno != EEXIST) {
        complain("wipy cert: cannot make %s: %s\n", folder, strerror(errno));
        return EXIT_FILE;
    }
    int code = write_pem(key_path, 0600, "EC PRIVATE KEY", key, key_len);
    if (code != EXIT_OK)
        return code;
    code = write_pem(path, 0644, "CERTIFICATE", certificate->data,
                     certificate->len);
    if (code != EXIT_OK)
        unlink(key_path);
    else
        printf("%s and %s: upload both to /flash/cert\n", path, key_path);
    return code;
}

static int make(const struct request *r)
{
    br_hmac_drbg_context rng;
    br_ec_private_key secret;
    br_ec_public_key public;
    uint8_t secret_data[BR_EC_KBUF_PRIV_MAX_SIZE], serial[8];
    uint8_t public_data[BR_EC_KBUF_PUB_MAX_SIZE], key[256];
    br_prng_seeder seeder = br_prng_seeder_system(NULL);

    br_hmac_drbg_init(&rng, &br_sha256_vtable, NULL, 0);
    if (!seeder || !seeder(&rng.vtable)) {
        complain("wipy cert: this machine gives no random numbers\n");
        return EXIT_FAILED;
    }
    br_ec_keygen(&rng.vtable, &br_ec_prime_i31, &secret, secret_data,
                 BR_EC_secp256r1);
    br_ec_compute_pub(&br_ec_prime_i31, &public, public_data, &secret);
    br_hmac_drbg_generate(&rng, serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, 8 bytes */

    struct der body = {.len = 0}, certificate = {.len = 0};
    make_body(&body, r, serial, &public);
    sign(&certificate, &body, &secret);
    if (certificate.bad) {
        complain("wipy cert: the names are too long together\n");
        return EXIT_USAGE;
    }
    size_t key_len = br_encode_ec_raw_der(key, &secret, &public);
    return write_pair(r->folder, &certificate, key, key_len);
}

/* ---- arguments ---- */

static bool is_host_name(const char *name)
{
    size_t len = strlen(name);
    return len && len < 128 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789.-*") == len;
}

static int take_days(const struct args *a, const char *text, long *days)
{
    char *end;
    *days = strtol(text, &end, 10);
    if (*end || *days < 1 || *days > 36500)
        return args_wrong(a, "--days %s: want a number from 1 to 36500", text);
    return EXIT_OK;
}

static int parse(struct request *r, int argc, char **argv)
{
    struct args a = args_of("wipy cert", usage, argc, argv);
    const char *word, *name, *days = NULL;
    const struct args_option options[] = {{"o", "", NULL, &r->folder},
                                          {"name", "", NULL, &name},
                                          {"days", "", NULL, &days}};
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        name = NULL;
        int taken = kind == 1 ? args_take(&a, options, 3) : 0;
        if (taken <= 0)
            return taken < 0 ? -taken : args_unknown(&a, word);
        if (name && (!is_host_name(name) || r->name_count == NAMES_MAX))
            return args_wrong(&a, "'%s' is no host name, or one too many",
                              name);
        if (name)
            r->names[r->name_count++] = name;
    }
    return days ? take_days(&a, days, &r->days) : EXIT_OK;
}

int cmd_cert(int argc, char **argv)
{
    static char names[][12] = {"wipy", "localhost", "127.0.0.1", "192.168.1.1"};
    struct request r = {.folder = ".", .days = 3650};
    int code = parse(&r, argc, argv);
    if (code != EXIT_OK)
        return code;
    while (r.name_count == 0 || (r.names[0] == names[0] && r.name_count < 4)) {
        r.names[r.name_count] = names[r.name_count];
        r.name_count++;
    }
    return make(&r);
}
