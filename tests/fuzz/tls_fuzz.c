/* FTP over TLS. The first byte chooses:
 *   P  two texts, divided by a NUL, as certificate and key
 *   R  the rest are records for a server that waits for a handshake
 *   S  a script for a client with a good handshake, one byte each and its
 *      arguments: what the wire and the two ends do
 * In S nothing may reach the other side but a beginning of what was sent, and
 * an end only when it was said. */
#include <stdlib.h>

#include "tls_client.h"
#include "unit/tls_pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct tls_identity id;
static struct tls_pair p;
static bool spoiled, said_goodbye;
static uint8_t up, down, came, taken; /* counters are the data */

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void texts(const uint8_t *data, size_t len)
{
    const uint8_t *nul = memchr(data, 0, len);
    size_t first = nul ? (size_t)(nul - data) : len;
    static struct tls_identity one, copy;
    bool ok = tls_identity_read(&one, (const char *)data, first,
                                nul ? (const char *)nul + 1 : "",
                                nul ? len - first - 1 : 0);
    check(ok == (one.problem[0] == '\0'));
    tls_identity_copy(&copy, &one);
}

static void records(const uint8_t *data, size_t len)
{
    uint8_t got[256];
    while (len && stream_shake(&p.server) > 0) {
        size_t n = len < 4096 ? len : 4096;
        check(send(p.fd, data, n, MSG_NOSIGNAL) == (ssize_t)n);
        data += n;
        len -= n;
        check(stream_recv(&p.server, got, sizeof got) < 0);
        while (recv(p.fd, got, sizeof got, 0) > 0)
            ;
    }
}

static void server_receives(void)
{
    uint8_t got[256];
    ssize_t n = stream_recv(&p.server, got, sizeof got);
    for (ssize_t i = 0; i < n; i++)
        check(got[i] == came++);
    check(n != 0 || said_goodbye || spoiled);
}

static void server_sends(size_t len)
{
    uint8_t data[256];
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(down + i);
    if (p.server.sending) /* the same again, as the caller of send(2) would */
        len = p.server.sending;
    ssize_t n = len ? stream_send(&p.server, data, len) : 0;
    if (n > 0)
        down = (uint8_t)(down + n);
}

static void client_sends(size_t len)
{
    uint8_t data[256];
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(up + i);
    up = (uint8_t)(up + pair_client_send(&p, data, len));
}

static void client_receives(void)
{
    uint8_t got[256];
    size_t n = pair_client_recv(&p, got, sizeof got);
    for (size_t i = 0; i < n; i++)
        check(got[i] == taken++ || spoiled);
}

/* Bytes on the wire that the client did not make. */
static void spoil(const uint8_t *data, size_t len)
{
    spoiled = true;
    if (p.fd >= 0)
        (void)!send(p.fd, data, len, MSG_NOSIGNAL);
}

static void script(const uint8_t *data, size_t len)
{
    while (len >= 2) {
        uint8_t what = data[0], n = data[1];
        data += 2;
        len -= 2;
        if (what == 'c') {
            client_sends(n);
        } else if (what == 's') {
            server_sends(n);
        } else if (what == 'r') {
            server_receives();
        } else if (what == 'g') {
            client_receives();
        } else if (what == 'x') {
            size_t some = n < len ? n : len;
            spoil(data, some);
            data += some;
            len -= some;
        } else if (what == 'n') {
            br_ssl_engine_renegotiate(&p.client.eng);
            pair_client(&p);
        } else if (what == 'q') {
            said_goodbye = true;
            br_ssl_engine_close(&p.client.eng);
            pair_client(&p);
        } else if (what == 'b') {
            said_goodbye = true; /* which the other side answers */
            stream_goodbye(&p.server);
        } else if (what == 'k' && p.fd >= 0) {
            close(p.fd);
            p.fd = -1;
        }
        (void)stream_events(&p.server, n & 1, n & 2);
        (void)stream_holds_input(&p.server);
    }
    for (int i = 0; i < 8; i++)
        server_receives();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!id.usable)
        check(tls_identity_read(&id, ec_cert, strlen(ec_cert), ec_key,
                                strlen(ec_key)));
    if (len < 1 || len > 65536)
        return 0;
    if (data[0] == 'P') {
        texts(data + 1, len - 1);
        return 0;
    }
    if (data[0] != 'R' && data[0] != 'S')
        return 0;
    spoiled = said_goodbye = false;
    up = down = came = taken = 0;
    check(pair_open(&p, &id));
    if (data[0] == 'R') {
        records(data + 1, len - 1);
    } else {
        check(pair_shake(&p) == 0);
        script(data + 1, len - 1);
    }
    pair_close(&p);
    return 0;
}
