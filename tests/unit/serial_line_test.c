/* board/uart: who gets what on the serial line. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/serial_line.h"

struct client {
    char got[8192];
    size_t len, room;
    unsigned resumed;
};

static uv_loop_t loop;
static struct serial_line uart;
static struct client tcp, person;
static const struct carrier *tcp_carrier, *person_carrier;
static int cpu; /* the CPU's end of the line */
static int board_end;

static char loader_got[64];
static size_t loader_len, loader_room;

static size_t put(void *ctx, const uint8_t *data, size_t len)
{
    struct client *c = ctx;
    if (len > c->room)
        len = c->room;
    memcpy(c->got + c->len, data, len);
    c->len += len;
    c->room -= len;
    return len;
}

static void resume(void *ctx)
{
    struct client *c = ctx;
    c->resumed++;
}

static size_t loader_feed(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    if (len > loader_room)
        len = loader_room;
    memcpy(loader_got + loader_len, data, len);
    loader_len += len;
    return len;
}

static void loader_wakes(void *ctx)
{
    (void)ctx;
}

static int make(void **state)
{
    (void)state;
    int pair[2];
    struct serial_line_loader loader = {.feed = loader_feed,
                                        .room = loader_wakes};
    tcp = person = (struct client){.room = sizeof tcp.got};
    loader_len = 0;
    loader_room = sizeof loader_got;
    uv_loop_init(&loop);
    serial_line_init(&uart, &loop, loader);
    tcp_carrier =
        serial_line_attach(&uart, (struct carrier){&tcp, put, resume, false});
    person_carrier =
        serial_line_attach(&uart, (struct carrier){&person, put, resume, true});
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
        return -1;
    board_end = pair[0];
    cpu = pair[1];
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    serial_line_stop(&uart);
    uv_close((uv_handle_t *)&uart.pace.timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    close(board_end);
    close(cpu);
    return uv_loop_close(&loop);
}

static void cpu_prints(const char *text)
{
    assert_int_equal(write(cpu, text, strlen(text)), (ssize_t)strlen(text));
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static size_t feed(const struct carrier *from, const char *text)
{
    return serial_line_feed(&uart, from, (const uint8_t *)text, strlen(text));
}

static void what_the_cpu_prints_goes_to_all(void **state)
{
    (void)state;
    serial_line_start(&uart, board_end);
    person.room = 3; /* a full one does not hold the others up */
    cpu_prints("hello");
    assert_int_equal(tcp.len, 5);
    assert_memory_equal(tcp.got, "hello", 5);
    assert_int_equal(person.len, 3);
}

static void what_carriers_send_is_merged(void **state)
{
    (void)state;
    char got[16];
    serial_line_start(&uart, board_end);
    assert_int_equal(feed(tcp_carrier, "ab"), 2);
    assert_int_equal(feed(person_carrier, "cd"), 2);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(read(cpu, got, sizeof got), 4);
    assert_memory_equal(got, "abcd", 4);
}

static void a_full_line_holds_back_and_resumes(void **state)
{
    (void)state;
    static uint8_t lots[SERIAL_LINE_IN_SIZE + 100];
    serial_line_start(&uart, board_end);
    assert_int_equal(serial_line_feed(&uart, tcp_carrier, lots, sizeof lots),
                     SERIAL_LINE_IN_SIZE);
    assert_int_equal(tcp.resumed, 0);
    uv_run(&loop, UV_RUN_NOWAIT); /* the socket takes it */
    assert_int_equal(tcp.resumed, 1);
}

static void without_a_cpu_bytes_are_lost(void **state)
{
    (void)state;
    assert_int_equal(feed(tcp_carrier, "into the void"), 13);
}

static void last_words_are_carried_and_kept(void **state)
{
    (void)state;
    char line[20];
    serial_line_start(&uart, board_end);
    serial_line_last_line(&uart, line, sizeof line);
    assert_string_equal(line, "");
    assert_int_equal(write(cpu, "one\r\ntwo\033[1m !\r\n\r\n> ", 20), 20);
    serial_line_stop(&uart);
    assert_int_equal(tcp.len, 20);
    serial_line_last_line(&uart, line, sizeof line);
    assert_string_equal(line, ">");
    close(board_end);
    close(cpu);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    board_end = pair[0];
    cpu = pair[1];
    serial_line_start(&uart, board_end); /* a new start has said nothing */
    serial_line_last_line(&uart, line, sizeof line);
    assert_string_equal(line, "");
    for (int i = 0; i < 100; i++)
        cpu_prints("0123456789");
    cpu_prints("\nport 23 is in use\r\n");
    serial_line_last_line(&uart, line, sizeof line);
    assert_string_equal(line, "port 23 is in use");
    serial_line_last_line(&uart, line, 5);
    assert_string_equal(line, "port");
}

static void the_loader_talks_to_its_client_only(void **state)
{
    (void)state;
    serial_line_set_loading(&uart, true);
    serial_line_put_client(&uart, (const uint8_t *)"banner", 6);
    assert_int_equal(tcp.len, 6);
    assert_int_equal(person.len, 6); /* nobody spoke yet */
    assert_int_equal(feed(person_carrier, "keys"), 4);
    assert_int_equal(loader_len, 0); /* not for the loader */
    assert_int_equal(feed(tcp_carrier, "sync"), 4);
    assert_memory_equal(loader_got, "sync", 4);
    tcp.room = 2;
    assert_int_equal(
        serial_line_put_client(&uart, (const uint8_t *)"answer", 6), 2);
    assert_int_equal(person.len, 6);
    loader_room = 1;
    assert_int_equal(feed(tcp_carrier, "more"), 1);
    serial_line_resume(&uart);
    assert_int_equal(tcp.resumed, 1);
}

/* Not UV_RUN_ONCE: it may run the last timer and then wait for ever. */
static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
    usleep(300);
}

/* 115200 baud: 11.52 bytes a millisecond, 46 of them at once. */
static void a_real_line_takes_its_time(void **state)
{
    (void)state;
    static uint8_t lots[2000];
    uart.pace.real = true;
    serial_line_start(&uart, board_end);
    size_t sent = 0;
    uint64_t began = uv_hrtime();
    usleep(5000);
    while (sent < 1000) {
        sent += serial_line_feed(&uart, tcp_carrier, lots, 1000 - sent);
        turn();
    }
    uint64_t ms = (uv_hrtime() - began) / 1000000;
    assert_in_range(ms, 80, 2000); /* the machine may be busy */
    began = uv_hrtime();
    assert_int_equal(write(cpu, lots, 1000), 1000);
    while (tcp.len < 1000)
        turn();
    ms = (uv_hrtime() - began) / 1000000;
    assert_in_range(ms, 80, 2000); /* the machine may be busy */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_cpu_prints_goes_to_all, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(what_carriers_send_is_merged, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_full_line_holds_back_and_resumes,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(without_a_cpu_bytes_are_lost, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(last_words_are_carried_and_kept, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(the_loader_talks_to_its_client_only,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(a_real_line_takes_its_time, make,
                                        destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
