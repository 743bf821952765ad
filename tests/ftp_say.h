/* What an FTP session answers in the world of ftp_model.h. */
#ifndef WIPY_TESTS_FTP_SAY_H
#define WIPY_TESTS_FTP_SAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ftp/internal.h"
#include "ftp_model.h"

#define LOGIN     "USER micro\r\nPASS python\r\n"
#define LOGGED_IN "331 Password please\r\n230 Welcome\r\n"

static struct model m;

static inline void start(void)
{
    model_init(&m);
    model_settle(&m);
    m.out_len = 0;
}

static inline void logged_in(void)
{
    start();
    model_feed(&m, LOGIN, strlen(LOGIN));
    model_settle(&m);
    assert_string_equal(m.out, LOGGED_IN);
    m.out_len = 0;
    m.out[0] = '\0';
}

/* What the session answers to `text`. */
static inline const char *say(const char *text)
{
    m.out_len = m.data_len = 0;
    m.out[0] = '\0';
    model_feed(&m, text, strlen(text));
    model_settle(&m);
    m.data[m.data_len] = '\0';
    return m.out;
}

/* '*' in the expectation stands for any text. */
static inline void expect_reply(const char *command, const char *expected)
{
    char line[600];
    snprintf(line, sizeof line, "%s\r\n", command);
    const char *got = say(line);
    char want[600];
    snprintf(want, sizeof want, "%s\r\n", expected);
    if (!name_matches(want, got))
        fail_msg("%s => %s, expected %s", command, got, want);
}

struct row {
    const char *command, *reply;
};

static inline void run_rows(const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_reply(row[i].command, row[i].reply);
}

#define RUN(rows) run_rows(rows, sizeof rows / sizeof *rows)

#endif
