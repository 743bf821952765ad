/* firmware/net/tls*: which certificates and keys are taken, and what a stream
 * over TLS does. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tls_client.h"
#include "unit/tls_pem.h"

static struct tls_identity id;

static bool read_pair(const char *certificate, const char *key)
{
    bool ok = tls_identity_read(&id, certificate, strlen(certificate), key,
                                strlen(key));
    assert_int_equal(ok, id.usable);
    assert_int_equal(ok, id.problem[0] == '\0');
    return ok;
}

static char *joined(const char *text, int count)
{
    static char all[3 * TLS_PEM_MAX];
    all[0] = '\0';
    while (count--)
        strcat(all, text);
    return all;
}

/* What the log says, NULL: it can be used. */
static void certificates_and_keys(void **state)
{
    (void)state;
    static char long_text[TLS_PEM_MAX + 2];
    memset(long_text, 'x', TLS_PEM_MAX + 1);
    char cut[1000], parameters[2000];
    snprintf(cut, sizeof cut, "%.*s", (int)strlen(ec_cert) / 2, ec_cert);
    snprintf(parameters, sizeof parameters,
             "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
             "-----END EC PARAMETERS-----\n%s",
             ec_key_sec1);
    const struct {
        const char *certificate, *key, *problem;
    } cases[] = {
        {ec_cert, ec_key, NULL},
        {ec_cert, ec_key_sec1, NULL},
        {ec_cert, parameters, NULL},
        {rsa_cert, rsa_key, NULL},
        {rsa_cert, rsa_key_pkcs1, NULL},
        {"", ec_key, "cert.pem is missing"},
        {ec_cert, "", "private.key is missing"},
        {"hello", ec_key, "no PEM certificate"},
        {cut, ec_key, "damaged"},
        {ec_key, ec_key, "no PEM certificate"},
        {ec_cert, ec_cert, "no PEM key"},
        {ec_cert, "hello", "no PEM key"},
        {ec_cert, rsa_key, "is not the key of"},
        {rsa_cert, ec_key, "is not the key of"},
        {rsa4096_cert, rsa_key, "is not the key of"},
        {p384_cert, ec_key, "is not the key of"},
        {rsa4096_cert, rsa4096_key, "RSA of 4096 bits takes too long"},
        {p384_cert, p384_key, "only curve"},
        {ed_cert, ed_key, "no PEM key of EC P-256 or RSA"},
        {ed_cert, ec_key, "only EC P-256 and RSA"},
        {ec_cert, ec_key_password, "has a password"},
        {ec_cert, ec_key_password_sec1, "no PEM key of EC P-256"},
        {long_text, ec_key, "longer than 16384 bytes"},
        {ec_cert, long_text, "longer than 16384 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool ok = read_pair(cases[i].certificate, cases[i].key);
        bool right = cases[i].problem
                         ? strstr(id.problem, cases[i].problem) != NULL
                         : ok;
        if (!right)
            print_error("case %zu: %s\n", i, id.problem);
        assert_true(right);
    }
}

static void chains(void **state)
{
    (void)state;
    assert_true(read_pair(joined(ec_cert, TLS_CHAIN_MAX), ec_key));
    assert_int_equal(id.chain_len, TLS_CHAIN_MAX);
    struct tls_identity copy;
    tls_identity_copy(&copy, &id);
    for (size_t i = 0; i < copy.chain_len; i++) {
        assert_ptr_not_equal(copy.chain[i].data, id.chain[i].data);
        assert_memory_equal(copy.chain[i].data, id.chain[i].data,
                            id.chain[i].data_len);
    }
    assert_true(copy.ec.x >= (uint8_t *)&copy &&
                copy.ec.x < (uint8_t *)(&copy + 1));
    assert_false(read_pair(joined(ec_cert, TLS_CHAIN_MAX + 1), ec_key));
    assert_non_null(strstr(id.problem, "more than 4 certificates"));
    /* What stands above our own may be of a kind that clients know. */
    char *all = joined(ec_cert, 1);
    assert_true(read_pair(strcat(all, ed_cert), ec_key));
    assert_int_equal(id.chain_len, 2);
}

/* Every byte of both texts damaged in turn: told, and never followed. */
static void damage(void **state)
{
    (void)state;
    unsigned refused = 0, total = 0;
    char text[2000];
    for (int which = 0; which < 2; which++) {
        const char *whole = which ? ec_key : ec_cert;
        for (size_t i = 0; whole[i]; i += 1) {
            strcpy(text, whole);
            text[i] = text[i] == 'A' ? 'Q' : 'A';
            refused +=
                !read_pair(which ? ec_cert : text, which ? text : ec_key);
            total++;
            strcpy(text, whole);
            text[i] = '\0';
            if (i < strlen(whole) - 2)
                assert_false(
                    read_pair(which ? ec_cert : text, which ? text : ec_key));
        }
    }
    /* The rest is in parts that only clients can judge: names, signature. */
    assert_true(refused > total / 4);
}

/* ---- the stream ---- */

static struct tls_pair p;

static void open_pair(const char *certificate, const char *key)
{
    assert_true(read_pair(certificate, key));
    assert_true(pair_open(&p, &id));
    assert_int_equal(pair_shake(&p), 0);
}

/* `len` bytes each way at the same time, in odd pieces. */
static void both_ways(size_t len)
{
    uint8_t *up = malloc(len), *down = malloc(len), got[3000];
    size_t sent = 0, came = 0, given = 0, taken = 0;
    for (size_t i = 0; i < len; i++) {
        up[i] = (uint8_t)(i * 7);
        down[i] = (uint8_t)(i * 13);
    }
    while (came < len || taken < len) {
        size_t n = len - sent < 1777 ? len - sent : 1777;
        sent += pair_client_send(&p, up + sent, n);
        ssize_t r = stream_recv(&p.server, got, sizeof got);
        assert_true(r > 0 || (r < 0 && errno == EAGAIN));
        if (r > 0) {
            assert_memory_equal(got, up + came, (size_t)r);
            came += (size_t)r;
        }
        if (given < len) {
            r = stream_send(&p.server, down + given, len - given);
            assert_true(r > 0 || (r < 0 && errno == EAGAIN));
            given += r > 0 ? (size_t)r : 0;
        }
        n = pair_client_recv(&p, got, sizeof got);
        assert_memory_equal(got, down + taken, n);
        taken += n;
    }
    free(up);
    free(down);
}

static void data_goes_both_ways(void **state)
{
    (void)state;
    for (int rsa = 0; rsa < 2; rsa++) {
        open_pair(rsa ? rsa_cert : ec_cert, rsa ? rsa_key : ec_key);
        both_ways(300000);
        pair_close(&p);
    }
}

static void an_end_without_goodbye_is_an_error(void **state)
{
    (void)state;
    char got[10];
    open_pair(ec_cert, ec_key);
    assert_int_equal(pair_client_send(&p, "half", 4), 4);
    close(p.fd);
    p.fd = -1;
    assert_int_equal(stream_recv(&p.server, got, sizeof got), 4);
    assert_int_equal(stream_recv(&p.server, got, sizeof got), -1);
    assert_int_equal(errno, EPROTO);
    pair_close(&p);

    open_pair(ec_cert, ec_key);
    pair_client_send(&p, "whole", 5);
    br_ssl_engine_close(&p.client.eng);
    pair_client(&p);
    assert_int_equal(stream_recv(&p.server, got, sizeof got), 5);
    assert_int_equal(stream_recv(&p.server, got, sizeof got), 0);
    pair_close(&p);
}

static void our_goodbye_is_said(void **state)
{
    (void)state;
    open_pair(ec_cert, ec_key);
    assert_int_equal(stream_send(&p.server, "last", 4), 4);
    assert_true(stream_goodbye(&p.server));
    char got[10];
    assert_int_equal(pair_client_recv(&p, got, sizeof got), 4);
    pair_client(&p);
    assert_true(br_ssl_engine_current_state(&p.client.eng) & BR_SSL_CLOSED);
    assert_int_equal(br_ssl_engine_last_error(&p.client.eng), BR_ERR_OK);
    pair_close(&p);
}

/* As the loop does it: calls only when poll rings, which must be enough for
 * an answer behind any number of records without contents. */
static void poll_is_enough(void **state)
{
    (void)state;
    char got[10];
    struct ring nothing = {0};
    size_t moved;
    for (int empty = 0; empty < 100; empty++) {
        open_pair(ec_cert, ec_key);
        for (int i = 0; i < empty; i++) {
            br_ssl_engine_flush(&p.client.eng, 1);
            pair_client(&p);
        }
        br_ssl_engine_renegotiate(&p.client.eng); /* is answered */
        pair_client(&p);
        for (int calls = 0;; calls++) {
            struct pollfd ring = {p.server.fd,
                                  stream_events(&p.server, true, false), 0};
            if (poll(&ring, 1, 0) != 1)
                break;
            assert_true(calls < 100);
            if (ring.revents & POLLIN)
                assert_int_equal(stream_recv(&p.server, got, sizeof got), -1);
            assert_true(stream_flush(&p.server, &nothing, &moved));
        }
        assert_false(br_ssl_engine_current_state(&p.tls.server.eng) &
                     BR_SSL_SENDREC);
        pair_close(&p);
    }
}

/* A client that asks for the arithmetic again and again does not get it. */
static void renegotiation_is_refused(void **state)
{
    (void)state;
    open_pair(ec_cert, ec_key);
    assert_true(br_ssl_engine_renegotiate(&p.client.eng));
    for (int i = 0; i < 10; i++) {
        char got[10];
        pair_client(&p);
        (void)stream_recv(&p.server, got, sizeof got);
    }
    bool again = br_ssl_engine_current_state(&p.client.eng) & BR_SSL_SENDAPP &&
                 pair_client_send(&p, "x", 1) == 1;
    /* Still the first handshake, or broken off; never a second one. */
    if (again) {
        char got[10];
        assert_int_equal(stream_recv(&p.server, got, sizeof got), 1);
    }
    assert_true(p.tls.server.eng.flags & BR_OPT_NO_RENEGOTIATION);
    pair_close(&p);
}

static void plain_text_is_no_handshake(void **state)
{
    (void)state;
    assert_true(read_pair(ec_cert, ec_key));
    assert_true(pair_open(&p, &id));
    assert_int_equal(write(p.fd, "USER micro\r\nPASS python\r\n", 25), 25);
    assert_int_equal(stream_shake(&p.server), -1);
    char got[10];
    assert_int_equal(stream_recv(&p.server, got, sizeof got), -1);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_and_keys),
        cmocka_unit_test(chains),
        cmocka_unit_test(damage),
        cmocka_unit_test(data_goes_both_ways),
        cmocka_unit_test(an_end_without_goodbye_is_an_error),
        cmocka_unit_test(our_goodbye_is_said),
        cmocka_unit_test(poll_is_enough),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(plain_text_is_no_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
