#define _GNU_SOURCE
#include "tls.h"

#include <bearssl_pem.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "private.h"

/* ---- certificate and key ---- */

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
 * and the bytes and returns false to stop. */
static bool each_object(const char *text, size_t len, struct sink *sink,
                        bool (*each)(void *ctx, const char *name,
                                     struct sink *sink),
                        void *ctx)
{
    br_pem_decoder_context pem;
    br_pem_decoder_init(&pem);
    while (len) {
        size_t n = br_pem_decoder_push(&pem, text, len);
        text += n;
        len -= n;
        int event = br_pem_decoder_event(&pem);
        if (event == BR_PEM_BEGIN_OBJ) {
            sink->len = 0;
            br_pem_decoder_setdest(&pem, sink_put, sink);
        } else if (event == BR_PEM_ERROR) {
            return false;
        } else if (event == BR_PEM_END_OBJ &&
                   (sink->full ||
                    !each(ctx, br_pem_decoder_name(&pem), sink))) {
            return false;
        }
    }
    return true;
}

/* Certificates follow each other in `der`: the sink moves on. */
static bool take_certificate(void *ctx, const char *name, struct sink *sink)
{
    struct tls_identity *id = ctx;
    if (strcmp(name, "CERTIFICATE") != 0 &&
        strcmp(name, "X509 CERTIFICATE") != 0)
        return true;
    if (id->chain_len == TLS_CHAIN_MAX)
        return false;
    id->chain[id->chain_len++] =
        (br_x509_certificate){.data = sink->to, .data_len = sink->len};
    sink->to += sink->len;
    sink->size -= sink->len;
    return true;
}

static bool take_key(void *ctx, const char *name, struct sink *sink)
{
    struct tls_identity *id = ctx;
    if (!strstr(name, "PRIVATE KEY"))
        return true;
    br_skey_decoder_init(&id->key);
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

static bool problem(struct tls_identity *id, const char *text)
{
    snprintf(id->problem, sizeof id->problem, "%s", text);
    return false;
}

bool tls_identity_read(struct tls_identity *id, const char *certificate,
                       size_t certificate_len, const char *key, size_t key_len)
{
    uint8_t secret[4096];
    struct sink sink = {.to = id->der, .size = sizeof id->der};
    id->usable = false;
    id->chain_len = 0;
    id->key_type = 0;
    id->problem[0] = '\0';
    if (!each_object(certificate, certificate_len, &sink, take_certificate,
                     id) ||
        !id->chain_len)
        return problem(id, "/flash/cert/cert.pem is no PEM certificate (or "
                           "too long): make one with wipy cert");
    sink = (struct sink){.to = secret, .size = sizeof secret};
    (void)each_object(key, key_len, &sink, take_key, id);
    memset(secret, 0, sizeof secret);
    if (id->key_type != BR_KEYTYPE_EC && id->key_type != BR_KEYTYPE_RSA)
        return problem(id, "/flash/cert/private.key is no PEM key without "
                           "password: make one with wipy cert");
    id->usable = true;
    return true;
}

/* The parts of an identity point into it: they move with it. */
void tls_identity_copy(struct tls_identity *to, const struct tls_identity *from)
{
    *to = *from;
    for (size_t i = 0; i < to->chain_len; i++)
        to->chain[i].data = to->der + (from->chain[i].data - from->der);
    point_keys(to);
}

/* ---- the stream ---- */

bool stream_encrypt(struct stream *s, struct tls *tls,
                    const struct tls_identity *id,
                    br_ssl_session_cache_lru *cache)
{
    uint8_t seed[32];
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return false;
    tls_identity_copy(&tls->identity, id);
    id = &tls->identity;
    if (id->key_type == BR_KEYTYPE_EC)
        br_ssl_server_init_minf2g(&tls->server, id->chain, id->chain_len,
                                  &id->ec);
    else
        br_ssl_server_init_mine2g(&tls->server, id->chain, id->chain_len,
                                  &id->rsa);
    br_ssl_engine_set_buffer(&tls->server.eng, tls->buffer, sizeof tls->buffer,
                             1);
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
    for (;;) {
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
}

/* The handshake, which wants to be read as well when we send. */
static bool shake(struct stream *s)
{
    br_ssl_engine_context *engine = &s->tls->server.eng;
    unsigned state = br_ssl_engine_current_state(engine);
    while (!(state & (BR_SSL_SENDAPP | BR_SSL_CLOSED))) {
        int n = push_records(s) ? pull_records(s) : -1;
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
