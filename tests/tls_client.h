/* A TLS client on one end of a socket pair, for the tests of firmware/net's
 * stream on the other: one thread, both in turn. It knows the server's key. */
#ifndef WIPY_TESTS_TLS_CLIENT_H
#define WIPY_TESTS_TLS_CLIENT_H

#include <bearssl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "firmware/net/tls.h"

struct tls_pair {
    struct stream server;
    struct tls tls;
    br_ssl_session_cache_lru cache;
    uint8_t cache_data[800];

    int fd;
    br_ssl_client_context client;
    br_x509_minimal_context minimal;
    br_x509_decoder_context decoder;
    br_x509_knownkey_context known;
    uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
};

static inline void pair_know_key(struct tls_pair *p,
                                 const struct tls_identity *id)
{
    br_x509_decoder_init(&p->decoder, NULL, NULL);
    br_x509_decoder_push(&p->decoder, id->chain[0].data, id->chain[0].data_len);
    br_x509_pkey *key = br_x509_decoder_get_pkey(&p->decoder);
    if (id->key_type == BR_KEYTYPE_EC)
        br_x509_knownkey_init_ec(&p->known, &key->key.ec, BR_KEYTYPE_SIGN);
    else
        br_x509_knownkey_init_rsa(&p->known, &key->key.rsa, BR_KEYTYPE_SIGN);
    br_ssl_engine_set_x509(&p->client.eng, &p->known.vtable);
}

static inline bool pair_open(struct tls_pair *p, const struct tls_identity *id)
{
    static const char seed[32] = "the client's seed";
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
        return false;
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    p->fd = fd[0];
    p->server = (struct stream){.fd = fd[1]};
    br_ssl_session_cache_lru_init(&p->cache, p->cache_data,
                                  sizeof p->cache_data);
    br_ssl_client_init_full(&p->client, &p->minimal, NULL, 0);
    pair_know_key(p, id);
    br_ssl_engine_set_buffer(&p->client.eng, p->buffer, sizeof p->buffer, 1);
    br_ssl_engine_inject_entropy(&p->client.eng, seed, sizeof seed);
    return br_ssl_client_reset(&p->client, "wipy", 0) &&
           stream_encrypt(&p->server, &p->tls, id, &p->cache);
}

/* Moves the client's records both ways as far as they go; true when some
 * moved. */
static inline bool pair_client(struct tls_pair *p)
{
    br_ssl_engine_context *e = &p->client.eng;
    bool moved = false;
    for (;;) {
        unsigned state = br_ssl_engine_current_state(e);
        size_t len;
        ssize_t n = 0;
        if (p->fd < 0)
            return moved;
        if (state & BR_SSL_SENDREC) {
            uint8_t *at = br_ssl_engine_sendrec_buf(e, &len);
            n = send(p->fd, at, len, MSG_NOSIGNAL);
            if (n > 0)
                br_ssl_engine_sendrec_ack(e, (size_t)n);
        }
        if (n <= 0 && (state & BR_SSL_RECVREC)) {
            uint8_t *at = br_ssl_engine_recvrec_buf(e, &len);
            n = recv(p->fd, at, len, 0);
            if (n > 0)
                br_ssl_engine_recvrec_ack(e, (size_t)n);
        }
        if (n <= 0)
            return moved;
        moved = true;
    }
}

/* Both in turn until the handshake is done; 0, or -1 when it failed. */
static inline int pair_shake(struct tls_pair *p)
{
    for (;;) {
        bool moved = pair_client(p);
        int left = stream_shake(&p->server);
        moved |= pair_client(p);
        if (left <= 0)
            return left;
        if (!moved)
            return -1;
    }
}

static inline size_t pair_client_send(struct tls_pair *p, const void *from,
                                      size_t len)
{
    br_ssl_engine_context *e = &p->client.eng;
    size_t room = 0;
    uint8_t *at = br_ssl_engine_sendapp_buf(e, &room);
    room = at && room < len ? room : at ? len : 0;
    if (!room)
        return 0;
    memcpy(at, from, room);
    br_ssl_engine_sendapp_ack(e, room);
    br_ssl_engine_flush(e, 0);
    pair_client(p);
    return room;
}

static inline size_t pair_client_recv(struct tls_pair *p, void *to, size_t len)
{
    br_ssl_engine_context *e = &p->client.eng;
    size_t have = 0;
    pair_client(p);
    const uint8_t *at = br_ssl_engine_recvapp_buf(e, &have);
    have = at && have < len ? have : at ? len : 0;
    if (!have)
        return 0;
    memcpy(to, at, have);
    br_ssl_engine_recvapp_ack(e, have);
    return have;
}

static inline void pair_close(struct tls_pair *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    stream_close(&p->server, false);
}

#endif
