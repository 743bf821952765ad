/* An encrypted data connection whose client reads slowly: all that was sent
 * arrives, whatever becomes of the session meanwhile. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "firmware/net/private.h"
#include "tls_client.h"
#include "unit/tls_pem.h"

static struct tls_pair p;
static struct tls_identity id;
static struct net *net;
static struct ftp_conn *c;
static int control; /* the client's end */

/* Over TCP: only there a reset takes what was sent before. */
static void tcp_pair(int fd[2])
{
    uint16_t port = 0;
    struct peer peer;
    uint32_t home = htonl(0x7f000001);
    int listener = socket_listen(home, &port, 1);
    assert_true(listener >= 0);
    fd[0] = socket_connect(home, home, port);
    while ((fd[1] = socket_accept(listener, &peer)) < 0)
        ;
    close(listener);
}

static void start(void)
{
    struct net_config config = {.uart = -1, .bell = -1};
    struct peer peer = {htonl(0x7f000001), 1};
    int fd[2], small = 32768, large = 200000;
    net = net_new(&config);
    assert_non_null(net);
    net->now_ms = 1000;
    c = &net->ftp[0];
    tcp_pair(fd);
    control = fd[0];
    ftp_conn_open(c, fd[1], &peer);
    ftp_conn_flush(c);

    assert_true(tls_identity_read(&id, ec_cert, strlen(ec_cert), ec_key,
                                  strlen(ec_key)));
    assert_true(pair_open(&p, &id));
    tcp_pair(fd);
    setsockopt(fd[0], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    dup2(fd[0], p.fd);
    dup2(fd[1], p.server.fd);
    close(fd[0]);
    close(fd[1]);
    for (int left = 1; left; left = stream_shake(&p.server)) {
        assert_true(left > 0);
        pair_client(&p);
    }
    c->data = p.server;
    p.server = (struct stream){.fd = -1};
}

/* Sends until the connection takes no more. */
static size_t fill(void)
{
    static const uint8_t some[10000];
    size_t sent = 0;
    for (ssize_t n; (n = stream_send(&c->data, some, sizeof some)) > 0;)
        sent += (size_t)n;
    assert_int_equal(errno, EAGAIN);
    return sent;
}

/* What the client gets in all, once it reads. */
static size_t drain(size_t enough)
{
    uint8_t got[4096];
    size_t came = 0;
    for (int idle = 0; idle < 1000 && came < enough; idle++) {
        size_t n;
        while ((n = pair_client_recv(&p, got, sizeof got)) > 0) {
            came += n;
            idle = 0;
        }
        if (c->state != CONN_FREE)
            ftp_link_tick(c);
        if (c->leaving.fd >= 0 && stream_goodbye(&c->leaving))
            stream_close(&c->leaving, false);
        usleep(1000);
    }
    return came;
}

static void stop(void)
{
    pair_close(&p);
    close(control);
    net_free(net);
}

static void a_slow_reader_gets_all(void **state)
{
    (void)state;
    start();
    size_t sent = fill();
    ftp_link_close(c, false);
    assert_true(c->leaving.fd >= 0);
    net->now_ms += 10 * FLUSH_MS;
    ftp_link_tick(c);
    assert_in_range(drain(sent), sent, sent + 10000);
    stop();
}

/* QUIT, sent ahead, does not cut it off; nor does it wait for ever. */
static void a_session_ends_behind_it(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        start();
        size_t sent = fill();
        ftp_link_close(c, false);
        assert_int_equal(send(control, "QUIT\r\n", 6, 0), 6);
        while (c->state == CONN_OPEN)
            ftp_conn_receive(c);
        ftp_conn_flush(c);
        assert_int_equal(c->state, CONN_FLUSHING);
        if (!waits) {
            net->now_ms += FLUSH_MS;
            ftp_conn_tick(c);
            assert_int_equal(c->state, CONN_FREE);
        }
        assert_in_range(drain(sent), sent, sent + 10000);
        ftp_conn_tick(c);
        assert_int_equal(c->state, CONN_FREE);
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_gets_all),
        cmocka_unit_test(a_session_ends_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
