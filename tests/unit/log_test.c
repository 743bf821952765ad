/* firmware/log: the last lines, whatever strangers send. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/log.h"

static struct log l;
static char text[LOG_LINES * (LOG_LINE_LEN + 24)];

static unsigned count_lines(const char *from)
{
    unsigned n = *from != 0;
    for (; *from; from++)
        n += *from == '\n';
    return n;
}

static int fresh(void **state)
{
    (void)state;
    log_init(&l);
    return 0;
}

static void empty_is_empty(void **state)
{
    (void)state;
    assert_int_equal(log_text(&l, text, sizeof text), 0);
    assert_string_equal(text, "");
}

static void the_oldest_first_with_time(void **state)
{
    (void)state;
    log_add(&l, 0, "one");
    log_add(&l, 1000000000, "two");
    size_t len = log_text(&l, text, sizeof text);
    assert_string_equal(text, "1970-01-01 00:00:00 one\n"
                              "2001-09-09 01:46:40 two");
    assert_int_equal(len, strlen(text));
}

static void keeps_the_last_64(void **state)
{
    (void)state;
    char line[16];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "line %u.", i);
        log_add(&l, i, line);
        log_text(&l, text, sizeof text);
        assert_int_equal(count_lines(text), i < 64 ? i + 1 : 64);
        assert_non_null(strstr(text, line));
    }
    assert_memory_equal(text + 20, "line 936.", 9);
    assert_null(strstr(text, "line 935."));
}

/* Control characters of a login name must not move a terminal's cursor, nor
 * make lines of their own. */
static void strange_bytes(void **state)
{
    (void)state;
    log_add(&l, 0, "user \x1b[2J\r\nfake line\x7f \xc3\xa9");
    log_text(&l, text, sizeof text);
    assert_string_equal(text + 20, "user ?[2J??fake line? \xc3\xa9");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    char line[400];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    log_add(&l, 0, line);
    assert_int_equal(log_text(&l, text, sizeof text), 20 + LOG_LINE_LEN - 1);
}

static void a_small_buffer_gets_whole_lines(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        log_add(&l, 0, "0123456789");
    for (size_t size = 1; size < 200; size++) {
        char *small = malloc(size);
        size_t len = log_text(&l, small, size);
        assert_true(len < size);
        assert_int_equal(small[len], 0);
        assert_int_equal((len + 1) % 31, len ? 0 : 1);
        free(small);
    }
}

static void *writer(void *arg)
{
    const char *line = arg;
    for (unsigned i = 0; i < 2000; i++)
        log_add(&l, i, line);
    return NULL;
}

static void two_threads(void **state)
{
    (void)state;
    pthread_t one, two;
    pthread_create(&one, NULL, writer, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    pthread_create(&two, NULL, writer, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    for (unsigned i = 0; i < 500; i++) {
        log_text(&l, text, sizeof text);
        for (char *at = text; *at;) { /* no line is half the other's */
            char *end = strchr(at, '\n');
            size_t len = end ? (size_t)(end - at) : strlen(at);
            assert_int_equal(len, 52);
            assert_int_equal(at[20], at[51]);
            at += len + (end != NULL);
        }
    }
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    assert_int_equal(l.count, 4000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, fresh)
    const struct CMUnitTest tests[] = {
        CASE(empty_is_empty),     CASE(the_oldest_first_with_time),
        CASE(keeps_the_last_64),  CASE(strange_bytes),
        CASE(long_lines_are_cut), CASE(a_small_buffer_gets_whole_lines),
        CASE(two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
