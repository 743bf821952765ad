/* FTP over TLS (RFC 4217): the board's certificate, and a stream that is
 * plain or encrypted.
 *
 * TLS 1.2 with ECDHE and AES-128-GCM, which every current client speaks. The
 * certificate is /flash/cert/cert.pem (one or more certificates, the board's
 * own first), the key /flash/cert/private.key (EC P-256 or RSA, PEM, not
 * encrypted), made by `wipy cert`. They are read on the storage thread when
 * the loop starts and again when a client comes.
 *
 * The handshake's arithmetic runs on the loop thread: at most about 0.7 ms at
 * a time with P-256, 1.7 ms with RSA of 2048 bits, more than which is
 * refused (4096 bits: 16 ms, in which nobody is served). */
#ifndef WIPY_FIRMWARE_NET_TLS_H
#define WIPY_FIRMWARE_NET_TLS_H

#include <bearssl_ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ring.h"

enum {
    TLS_CHAIN_MAX = 4,
    TLS_DER_MAX = 8192, /* of the whole chain */
    TLS_RSA_BITS_MAX = 2048,
    TLS_PEM_MAX = 16384, /* of each file */
};

/* A certificate chain and its key, by value: sessions under way keep theirs
 * when new ones are read. */
struct tls_identity {
    bool usable;
    char problem[120]; /* why not; empty when there is no certificate */
    br_x509_certificate chain[TLS_CHAIN_MAX];
    size_t chain_len;
    uint8_t der[TLS_DER_MAX];
    int key_type; /* BR_KEYTYPE_EC or BR_KEYTYPE_RSA */
    br_ec_private_key ec;
    br_rsa_private_key rsa;
    br_skey_decoder_context key; /* the keys point into it */
};

/* ---- tls_identity.c ---- */

/* Reads both PEM texts and checks that they belong together; `id` must stay
 * where it is. A text longer than TLS_PEM_MAX is told as too long, an empty
 * one as missing. False: `problem` says why. */
bool tls_identity_read(struct tls_identity *id, const char *certificate,
                       size_t certificate_len, const char *key, size_t key_len);

/* Pointers inside move along. */
void tls_identity_copy(struct tls_identity *to,
                       const struct tls_identity *from);

/* ---- tls.c ---- */

/* One connection. Its memory is about 38 KiB: one is made per session at
 * start-up. */
struct tls {
    br_ssl_server_context server;
    struct tls_identity identity;
    uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
};

/* A socket that may be encrypted; plain when `tls` is NULL. */
struct stream {
    int fd;
    struct tls *tls;
    size_t sending; /* taken by TLS, not yet on the wire */
};

/* Encrypts from here on with a copy of `id`; the handshake happens as bytes
 * move. False when the host gives no randomness. */
bool stream_encrypt(struct stream *s, struct tls *tls,
                    const struct tls_identity *id,
                    br_ssl_session_cache_lru *cache);

/* Goes on with the handshake: 0 done, 1 not yet (see stream_events with
 * both), -1 it failed. */
int stream_shake(struct stream *s);

/* As recv(2) and send(2) on a non-blocking socket: -1 with EAGAIN for not
 * now, 0 for an orderly end. An encrypted stream that ends without TLS's own
 * goodbye is an error (EPROTO): somebody may have cut it. A byte counts as
 * sent when it has left TLS. */
ssize_t stream_recv(struct stream *s, void *to, size_t len);
ssize_t stream_send(struct stream *s, const void *from, size_t len);

/* Sends from the ring; false when the connection is broken. */
bool stream_flush(struct stream *s, struct ring *out, size_t *moved);

/* The poll events it needs so that recv or send, as wanted, can go on. */
short stream_events(const struct stream *s, bool want_in, bool want_out);

/* True when bytes wait inside: poll would not tell. */
bool stream_holds_input(const struct stream *s);

/* Says TLS's goodbye; true when it is on the wire (or the stream is plain),
 * false: call again when writable. */
bool stream_goodbye(struct stream *s);

void stream_close(struct stream *s, bool reset);

#endif
