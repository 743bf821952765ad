#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "private.h"

/* As BearSSL's own profiles "minf2g" and "mine2g", with faster arithmetic, and
 * without renegotiation: a client could keep us at it for nothing. */
static void set_up(struct tls *tls)
{
    static const uint16_t ecdsa[] = {
        BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};
    static const uint16_t rsa[] = {BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256};
    br_ssl_server_context *server = &tls->server;
    const struct tls_identity *id = &tls->identity;
    bool is_ec = id->key_type == BR_KEYTYPE_EC;
    br_ssl_server_zero(server);
    br_ssl_engine_set_versions(&server->eng, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(&server->eng, is_ec ? ecdsa : rsa, 1);
    br_ssl_engine_set_ec(&server->eng, &br_ec_p256_m31);
    if (is_ec)
        br_ssl_server_set_single_ec(server, id->chain, id->chain_len, &id->ec,
                                    BR_KEYTYPE_SIGN, 0, &br_ec_p256_m31,
                                    br_ecdsa_i31_sign_asn1);
    else
        br_ssl_server_set_single_rsa(
            server, id->chain, id->chain_len, &id->rsa, BR_KEYTYPE_SIGN,
            br_rsa_private_get_default(), br_rsa_pkcs1_sign_get_default());
    br_ssl_engine_set_hash(&server->eng, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_prf_sha256(&server->eng, &br_tls12_sha256_prf);
    br_ssl_engine_set_default_aes_gcm(&server->eng);
    br_ssl_engine_set_all_flags(&server->eng, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_set_buffer(&server->eng, tls->buffer, sizeof tls->buffer, 1);
}

bool stream_encrypt(struct stream *s, struct tls *tls,
                    const struct tls_identity *id,
                    br_ssl_session_cache_lru *cache)
{
    uint8_t seed[32];
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return false;
    tls_identity_copy(&tls->identity, id);
    set_up(tls);
    br_ssl_engine_inject_entropy(&tls->server.eng, seed, sizeof seed);
    br_ssl_server_set_cache(&tls->server, &cache->vtable);
    s->tls = tls;
    s->sending = 0;
    return br_ssl_server_reset(&tls->server);
}

/* Records out; true when all are on the wire. errno tells why not. */
static bool push_records(struct stream *s)
{
    br_ssl_engine_context *engine = &s->tls->server.eng;
    while (br_ssl_engine_current_state(engine) & BR_SSL_SENDREC) {
        size_t len;
        const uint8_t *at = br_ssl_engine_sendrec_buf(engine, &len);
        ssize_t n = send(s->fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        br_ssl_engine_sendrec_ack(engine, (size_t)n);
    }
    return true;
}

/* Records in, as far as the engine takes them; 1 = some, 0 = end, -1 errno. */
static int pull_records(struct stream *s)
{
    br_ssl_engine_context *engine = &s->tls->server.eng;
    size_t len;
    uint8_t *at = br_ssl_engine_recvrec_buf(engine, &len);
    if (!at) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t n = recv(s->fd, at, len, 0);
    if (n > 0)
        br_ssl_engine_recvrec_ack(engine, (size_t)n);
    return n > 0 ? 1 : (int)n;
}

static ssize_t tls_ended(const struct stream *s)
{
    if (br_ssl_engine_last_error(&s->tls->server.eng) == BR_ERR_OK)
        return 0;
    errno = EPROTO;
    return -1;
}

static ssize_t tls_recv(struct stream *s, void *to, size_t len)
{
    br_ssl_engine_context *engine = &s->tls->server.eng;
    for (int i = 0; i < READS; i++) {
        /* A full socket does not stop receiving; and a client that said its
         * goodbye need not stay for ours. */
        bool gone = !push_records(s) && errno != EAGAIN;
        unsigned state = br_ssl_engine_current_state(engine);
        if ((state & BR_SSL_CLOSED) ||
            (gone && !(state & (BR_SSL_RECVAPP | BR_SSL_RECVREC))))
            return tls_ended(s);
        if (state & BR_SSL_RECVAPP) {
            size_t have;
            const uint8_t *at = br_ssl_engine_recvapp_buf(engine, &have);
            have = have < len ? have : len;
            memcpy(to, at, have);
            br_ssl_engine_recvapp_ack(engine, have);
            return (ssize_t)have;
        }
        int n = pull_records(s);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EPROTO; /* cut off: no goodbye came */
        if (n <= 0)
            return -1;
    }
    errno = EAGAIN; /* poll rings again: there is more to read, or to send */
    return -1;
}

/* The handshake, which wants to be read as well when we send. */
static bool shake(struct stream *s)
{
    br_ssl_engine_context *engine = &s->tls->server.eng;
    unsigned state = br_ssl_engine_current_state(engine);
    for (int i = 0; !(state & (BR_SSL_SENDAPP | BR_SSL_CLOSED)); i++) {
        errno = EAGAIN;
        int n = i < READS && push_records(s) ? pull_records(s) : -1;
        if (n == 0)
            errno = EPROTO;
        if (n <= 0)
            return false;
        state = br_ssl_engine_current_state(engine);
    }
    if (state & BR_SSL_CLOSED)
        errno = EPIPE;
    return !(state & BR_SSL_CLOSED);
}

int stream_shake(struct stream *s)
{
    if (!s->tls || (shake(s) && push_records(s)))
        return 0;
    return errno == EAGAIN ? 1 : -1;
}

static ssize_t tls_send(struct stream *s, const void *from, size_t len)
{
    br_ssl_engine_context *engine = &s->tls->server.eng;
    if (!s->sending) {
        if (!shake(s))
            return -1;
        size_t room;
        uint8_t *at = br_ssl_engine_sendapp_buf(engine, &room);
        s->sending = len < room ? len : room;
        memcpy(at, from, s->sending);
        br_ssl_engine_sendapp_ack(engine, s->sending);
        br_ssl_engine_flush(engine, 0);
    }
    if (!push_records(s))
        return -1;
    ssize_t sent = (ssize_t)s->sending;
    s->sending = 0;
    return sent;
}

ssize_t stream_recv(struct stream *s, void *to, size_t len)
{
    return s->tls ? tls_recv(s, to, len) : recv(s->fd, to, len, 0);
}

ssize_t stream_send(struct stream *s, const void *from, size_t len)
{
    return s->tls ? tls_send(s, from, len)
                  : send(s->fd, from, len, MSG_NOSIGNAL);
}

bool stream_flush(struct stream *s, struct ring *out, size_t *moved)
{
    const uint8_t *at;
    size_t len;
    *moved = 0;
    /* What TLS has to say by itself, too. */
    if (s->tls && !push_records(s) && errno != EAGAIN)
        return false;
    while ((len = ring_peek(out, &at)) > 0) {
        ssize_t n = stream_send(s, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        ring_drop(out, (size_t)n);
        *moved += (size_t)n;
    }
    return true;
}

short stream_events(const struct stream *s, bool want_in, bool want_out)
{
    if (!s->tls)
        return (short)((want_in ? POLLIN : 0) | (want_out ? POLLOUT : 0));
    unsigned state = br_ssl_engine_current_state(&s->tls->server.eng);
    bool shaking = !(state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP));
    bool in = (want_in || (want_out && shaking)) && (state & BR_SSL_RECVREC);
    bool out = state & BR_SSL_SENDREC || (want_out && !shaking);
    return (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
}

bool stream_holds_input(const struct stream *s)
{
    return s->tls &&
           (br_ssl_engine_current_state(&s->tls->server.eng) & BR_SSL_RECVAPP);
}

bool stream_goodbye(struct stream *s)
{
    if (s->fd < 0 || !s->tls)
        return true;
    if (!(br_ssl_engine_current_state(&s->tls->server.eng) & BR_SSL_CLOSED))
        br_ssl_engine_close(&s->tls->server.eng);
    return push_records(s) || errno != EAGAIN;
}

void stream_close(struct stream *s, bool reset)
{
    socket_close(&s->fd, reset);
    s->tls = NULL;
    s->sending = 0;
}
