/* core/ftp: the RFCs' tables, the defects of the spec, every command split at
 * every byte, ends at every moment. */
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

static void start(void)
{
    model_init(&m);
    model_settle(&m);
    m.out_len = 0;
}

static void logged_in(void)
{
    start();
    model_feed(&m, LOGIN, strlen(LOGIN));
    model_settle(&m);
    assert_string_equal(m.out, LOGGED_IN);
    m.out_len = 0;
    m.out[0] = '\0';
}

/* What the session answers to `text`. */
static const char *say(const char *text)
{
    m.out_len = m.data_len = 0;
    m.out[0] = '\0';
    model_feed(&m, text, strlen(text));
    model_settle(&m);
    m.data[m.data_len] = '\0';
    return m.out;
}

/* '*' in the expectation stands for any text. */
static void expect_reply(const char *command, const char *expected)
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

static void run_rows(const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_reply(row[i].command, row[i].reply);
}

#define RUN(rows) run_rows(rows, sizeof rows / sizeof *rows)

/* Spec 7.2: 332 to everything else before the login. */
static void before_login(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"PWD", "332 *"},
        {"LIST", "332 *"},
        {"STOR x", "332 *"},
        {"SYST", "332 *"},
        {"nonsense", "332 *"},
        {"AUTH TLS", "502 *"},
        {"PASS python", "503 *"},
        {"USER x", "331 *"},
        {"PASS python", "530 *"},
        {"USER micro", "331 *"},
        {"PASS nope", "530 *"},
        {"PASS python", "230 *"},
        {"PWD", "257 \"/\""},
        /* a new USER ends the login (spec 12 item 12) */
        {"USER eve", "331 *"},
        {"PWD", "332 *"},
    };
    start();
    RUN(rows);
    assert_string_equal(say("FEAT\r\n") + strlen(m.out) - 9, "211 End\r\n");
    assert_string_equal(say("QUIT\r\n"), "221 Goodbye\r\n");
    assert_true(m.ended);
}

static void guessing_ends_the_session(void **state)
{
    (void)state;
    start();
    say("USER micro\r\n");
    for (int i = 0; i < FTP_LOGIN_TRIES - 1; i++)
        expect_reply("PASS guess", "530 *");
    expect_reply("PASS guess", "421 *");
    assert_true(m.ended);
}

static void login_waits_as_told(void **state)
{
    (void)state;
    start();
    m.login_wait = m.now_ms + 2000;
    assert_string_equal(say("USER micro\r\nPASS python\r\nNOOP\r\n"),
                        "331 Password please\r\n");
    assert_int_equal(m.attempts, 0);
    assert_int_equal(ftp_deadline(&m.ftp), m.now_ms + 2000);
    m.now_ms += 2000;
    ftp_tick(&m.ftp, m.now_ms);
    model_settle(&m);
    assert_string_equal(m.out,
                        "331 Password please\r\n230 Welcome\r\n200 OK\r\n");

    start();
    m.login_wait = m.now_ms + 60000;
    say("USER micro\r\n");
    expect_reply("PASS python", "530 *wait 61 s");
    assert_int_equal(m.attempts, 0);
}

/* RFC 959, 2389, 2428, 3659: a row a command. */
static void commands(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"noop", "200 OK"},
        {"SYST", "215 UNIX Type: L8"},
        {"XYZZY", "502 *"},
        {"", "502 *"},
        {"TYPE I", "200 *"},
        {"TYPE A", "200 *"},
        {"TYPE A N", "200 *"},
        {"TYPE L 8", "200 *"},
        {"TYPE E", "504 *"},
        {"TYPE", "501 *"},
        {"MODE S", "200 *"},
        {"MODE B", "504 *"},
        {"STRU F", "200 *"},
        {"STRU R", "504 *"},
        {"ACCT x", "202 *"},
        {"PWD", "257 \"/\""},
        {"CWD flash", "250 /flash"},
        {"CWD ..", "250 /"},
        {"CDUP", "250 /"},
        {"CWD /flash/sys/", "250 /flash/sys"},
        {"CWD nowhere", "550 *"},
        {"PWD", "257 \"/flash/sys\""}, /* a failed CWD changes nothing */
        {"SIZE /flash/boot.py", "213 7"},
        {"PWD", "257 \"/flash/sys\""}, /* nor does an absolute argument */
        {"SIZE ../boot.py", "213 7"},
        {"SIZE .././../flash//boot.py", "213 7"},
        {"SIZE /flash", "213 0"},
        {"SIZE /flash/none", "550 *"},
        {"SIZE ../a b.txt", "213 12"},
        {"MDTM /flash/boot.py", "213 20150103000000"},
        {"MDTM /flash/none", "550 *"},
        {"MFMT 20200229123456 /flash/boot.py",
         "213 Modify=20200229123456; /flash/boot.py"},
        {"MDTM /flash/boot.py", "213 20200229123456"},
        {"MFMT 20210229123456 /flash/boot.py", "501 *"},
        {"MFMT 2020 /flash/boot.py", "501 *"},
        {"MFMT 20200229123456", "501 *"},
        {"MKD new", "250 /flash/sys/new"},
        {"MKD new", "550 *"},
        {"MKD /top", "550 *"},
        {"RMD new", "250 *"},
        {"RMD new", "550 *"},
        {"RMD ../boot.py", "550 *"},
        {"RNTO x", "503 *"},
        {"RNFR none", "550 *"},
        {"RNFR /flash/boot.py", "350 *"},
        {"PWD", "257 *"}, /* RNFR survives other commands */
        {"PASV", "227 (192,168,1,1,7,232)"},
        {"RNTO /flash/b.py", "250 *"},
        {"RNTO /flash/c.py", "503 *"},
        {"DELE /flash/b.py", "250 *"},
        {"DELE /flash/b.py", "550 *"},
        {"DELE /flash", "450 *"}, /* not empty */
        {"REST 5", "350 *"},
        {"REST x", "501 *"},
        {"REST 99999999999999999999", "501 *"},
        {"REST 0", "350 *"},
        {"ALLO 100", "200 *"},
        {"ALLO 100 R 5", "200 *"},
        {"ALLO x", "501 *"},
        {"OPTS UTF8 ON", "200 *"},
        {"opts utf8 on", "200 *"},
        {"OPTS MLST type;size;frob;", "200 MLST OPTS type;size;"},
        {"OPTS MLST", "200 MLST OPTS "},
        {"OPTS MLST Size;Type;Modify;Perm;",
         "200 MLST OPTS type;size;modify;perm;"},
        {"OPTS X", "501 *"},
        {"EPSV", "229 *(|||2024|)"},
        {"EPSV 1", "229 *"},
        {"EPSV 2", "522 *"},
        {"SITE PREPARE", "200 erased"},
        {"SITE HELP", "214 *"},
        {"SITE CHMOD 777 x", "504 *"},
        {"HELP stor", "214 *"},
        {"HELP frob", "502 *"},
        {"CLNT x", "200 *"},
        {"ABOR", "226 *"},
        {"LIST", "425 *"}, /* no data connection */
        {"STOR x", "425 *"},
        {"SMNT x", "502 *"},
        {"REIN", "220 *"},
        {"PWD", "332 *"},
    };
    logged_in();
    RUN(rows);
    assert_int_equal(m.files_open, 0);
}

/* RFC 2577, the bounce attack; RFC 2428 for the forms. */
static void data_goes_only_to_the_client(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"PORT 192,168,1,2,100,1", "200 *"},
        {"PORT 192,168,1,3,100,1", "504 *"},
        {"PORT 127,0,0,1,100,1", "504 *"},
        {"PORT 192,168,1,2,0,22", "504 *"},
        {"PORT 192,168,1,2,256,1", "501 *"},
        {"PORT 192,168,1,2,1", "501 *"},
        {"PORT 192,168,1,2,100,1,7", "501 *"},
        {"PORT -1,168,1,2,100,1", "501 *"},
        {"PORT ,,,,,", "501 *"},
        {"EPRT |1|192.168.1.2|30000|", "200 *"},
        {"EPRT !1!192.168.1.2!30000!", "200 *"},
        {"EPRT |1|192.168.1.3|30000|", "504 *"},
        {"EPRT |1|192.168.1.2|80|", "504 *"},
        {"EPRT |2|::1|30000|", "522 *"},
        {"EPRT |1|192.168.1.2|65536|", "501 *"},
        {"EPRT |1|192.168.1.2|", "501 *"},
        {"EPRT |", "501 *"},
        {"EPSV ALL", "200 *"},
        {"PASV", "503 *"},
        {"PORT 192,168,1,2,100,1", "503 *"},
        {"EPSV", "229 *"},
    };
    logged_in();
    RUN(rows);
}

static void paths_cannot_leave(void **state)
{
    (void)state;
    static const char *const out[] = {
        "..",
        "../..",
        "/..",
        "/../..",
        "../../../../etc",
        "/flash/../..",
        "./..",
        ".//..",
        "..//",
        "/./../.",
        "flash/../../..",
        "/flash/sys/../../..",
        "///",
        "/.",
        "/./",
        "../.",
        "..//..//..",
        "/flash/./../",
        "//..//",
        "flash/..",
        "flash/sys/../..",
    };
    char to[FTP_PATH_MAX + 1];
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        assert_int_equal(path_resolve(to, "/", out[i]), 0);
        if (strcmp(to, "/") && strcmp(to, "/etc"))
            fail_msg("%s => %s", out[i], to);
    }
    assert_int_equal(path_resolve(to, "/flash", "..\\..\\etc"), WIPY_EINVAL);
    assert_int_equal(path_resolve(to, "/flash", "a\nb"), WIPY_EINVAL);
    assert_int_equal(path_resolve(to, "/flash", "..."), 0);
    assert_string_equal(to, "/flash/...");

    char name[FTP_PATH_MAX + 8];
    memset(name, 'x', sizeof name);
    name[FTP_PATH_MAX - 1] = '\0';
    assert_int_equal(path_resolve(to, "/", name), 0);
    assert_int_equal(strlen(to), FTP_PATH_MAX);
    name[FTP_PATH_MAX - 1] = 'x';
    name[FTP_PATH_MAX] = '\0';
    assert_int_equal(path_resolve(to, "/", name), WIPY_ERANGE);
}

static void lists_have_the_old_form(void **state)
{
    (void)state;
    logged_in();
    say("PASV\r\nLIST /\r\n");
    assert_string_equal(
        m.data, "drw-rw-r--   1 root  root         0 Jan  1 00:00 flash\r\n");
    say("PASV\r\nLIST -la /flash/boot.py\r\n");
    assert_string_equal(
        m.data, "-rw-rw-r--   1 root  root         7 Jan  3 00:00 boot.py\r\n");
    say("CWD /flash\r\nMFMT 20130807010203 boot.py\r\nPASV\r\nLIST *.py\r\n");
    assert_string_equal(
        m.data, "-rw-rw-r--   1 root  root         7 Aug  7  2013 boot.py\r\n");
    /* in the future: the year */
    say("MFMT 20300101000000 boot.py\r\nPASV\r\nLIST boot.py\r\n");
    assert_string_equal(
        m.data, "-rw-rw-r--   1 root  root         7 Jan  1  2030 boot.py\r\n");
    expect_reply("PASV\r\nLIST none", "227 *\r\n550 *");
    say("PASV\r\nNLST\r\n");
    assert_string_equal(m.data, "sys\r\nboot.py\r\na b.txt\r\n");
    say("PASV\r\nNLST *.PY\r\n");
    assert_string_equal(m.data, "boot.py\r\n");
    say("CWD /\r\nPASV\r\nNLST flash\r\n");
    assert_string_equal(m.data,
                        "flash/sys\r\nflash/boot.py\r\nflash/a b.txt\r\n");
    say("PASV\r\nNLST flash/b*\r\n");
    assert_string_equal(m.data, "flash/boot.py\r\n");
    say("PASV\r\nNLST flash/boot.py\r\n");
    assert_string_equal(m.data, "flash/boot.py\r\n");
    say("PASV\r\nMLSD flash\r\n");
    assert_string_equal(
        m.data,
        "type=dir;modify=20150102000000;perm=cdeflmp; sys\r\n"
        "type=file;size=7;modify=20300101000000;perm=adfrw; boot.py\r\n"
        "type=file;size=12;modify=20150104000000;perm=adfrw; a b.txt\r\n");
    assert_string_equal(say("MLST flash/boot.py\r\n"),
                        "250-Facts:\r\n type=file;size=7;modify=20300101000000;"
                        "perm=adfrw; /flash/boot.py\r\n250 End\r\n");
    expect_reply("PASV\r\nMLSD flash/boot.py", "227 *\r\n501 *");
    assert_string_equal(
        say("STAT flash/boot.py\r\n"),
        "213-Status of /flash/boot.py:\r\n"
        "-rw-rw-r--   1 root  root         7 Jan  1  2030 boot.py\r\n"
        "213 End of status\r\n");
    assert_int_equal(m.files_open, 0);
}

static void names_match_as_on_fat(void **state)
{
    (void)state;
    assert_true(name_matches("*", "a"));
    assert_true(name_matches("*.py", "A.PY"));
    assert_true(name_matches("a*b*c", "a-b-b-c"));
    assert_true(name_matches("?x*", "axe"));
    assert_false(name_matches("*.py", "a.pyc"));
    assert_false(name_matches("?", ""));
    assert_true(name_matches("**", ""));
}

static void dates_are_civil(void **state)
{
    (void)state;
    int64_t at;
    char stamp[15];
    assert_true(date_parse("19800101000000", 14, &at));
    assert_int_equal(at, 315532800);
    assert_true(date_parse("21071231235958", 14, &at));
    assert_int_equal(at, 4354819198);
    assert_false(date_parse("20190229000000", 14, &at));
    assert_false(date_parse("2019010100000x", 14, &at));
    assert_true(date_parse("20190101000000.5", 16, &at));
    for (int64_t t = 0; t < 4200000000; t += 86400 * 17 + 3601) {
        date_stamp(stamp, t);
        assert_true(date_parse(stamp, 14, &at) || t < 315532800);
        if (t >= 315532800)
            assert_int_equal(at, t);
    }
}

static void files_go_there_and_back(void **state)
{
    (void)state;
    static char big[7000];
    logged_in();
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7);
    m.upload = big;
    m.upload_len = sizeof big;
    assert_true(name_matches("227 *\r\n150 *\r\n226 Stored 7000 bytes\r\n",
                             say("PASV\r\nSTOR /flash/big\r\n")));
    say("PASV\r\nRETR /flash/big\r\n");
    assert_int_equal(m.data_len, sizeof big);
    assert_memory_equal(m.data, big, sizeof big);
    say("PASV\r\nREST 6990\r\nRETR /flash/big\r\n");
    assert_int_equal(m.data_len, 10);
    assert_memory_equal(m.data, big + 6990, 10);
    /* REST is for one transfer */
    say("PASV\r\nRETR /flash/big\r\n");
    assert_int_equal(m.data_len, sizeof big);
    expect_reply("PASV\r\nREST 7001\r\nRETR /flash/big",
                 "227 *\r\n350 *\r\n550 *");
    m.upload = "end";
    m.upload_len = 3;
    say("PASV\r\nAPPE /flash/big\r\n");
    expect_reply("SIZE /flash/big", "213 7003");
    say("PASV\r\nREST 10\r\nSTOR /flash/big\r\n");
    expect_reply("SIZE /flash/big", "213 13");
    m.upload_len = 0;
    say("PASV\r\nSTOR /flash/empty\r\n");
    expect_reply("SIZE /flash/empty", "213 0");
    say("PORT 192,168,1,2,100,1\r\nRETR /flash/boot.py\r\n");
    assert_memory_equal(m.data, "# boot\n", 7);
    assert_int_equal(m.files_open, 0);
}

/* Spec 12 item 1: what breaks off is never stored. */
static void broken_uploads_leave_the_old_file(void **state)
{
    (void)state;
    static char junk[6000];
    logged_in();
    m.upload = junk;
    m.upload_len = sizeof junk;
    m.upload_breaks = true;
    expect_reply("PASV\r\nSTOR /flash/boot.py", "227 *\r\n150 *\r\n426 *");
    expect_reply("SIZE /flash/boot.py", "213 7");

    /* no room: told by 552, after the client has been let finish */
    m.upload_breaks = false;
    m.fail_write = WIPY_ENOSPC;
    expect_reply("PASV\r\nSTOR /flash/boot.py", "227 *\r\n150 *\r\n552 *");
    assert_int_equal(m.uploaded, sizeof junk);
    expect_reply("SIZE /flash/boot.py", "213 7");

    /* the client is killed: both connections end */
    m.no_data = true;
    say("PASV\r\nSTOR /flash/boot.py\r\n");
    ftp_feed_end(&m.ftp, m.now_ms);
    model_settle(&m);
    assert_true(m.ended);
    assert_int_equal(model_find(&m, "/flash/boot.py")->len, 7);
    assert_int_equal(m.files_open, 0);
}

/* How long the end of an upload waits for a sign that its client was killed:
 * the less is known, the longer. */
static void uploads_settle_as_long_as_needed(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t bytes;
        unsigned spent_ms, pause_ms, settle_ms;
    } rows[] = {
        /* its end right behind its last bytes */
        {"", 200, 0, 0, 0},
        {"", 4096, 1000, 0, 0},
        {"", 5000, 0, 0, FTP_SETTLE_MS},
        {"", 5000, 160, 0, 160 / 8},
        {"", 5000, 998, 2, 1000 / 8},
        {"", 5000, 5000, 2, FTP_SETTLE_MAX_MS},
        /* after a pause, or without any byte */
        {"", 200, 0, 3, FTP_SETTLE_PAUSED_MS},
        {"", 5000, 160, 40, 200 / 4},
        {"", 5000, 9000, 40, FTP_SETTLE_MAX_MS},
        {"", 0, 0, 0, FTP_SETTLE_PAUSED_MS},
        /* the length is known */
        {"ALLO 5000\r\n", 5000, 160, 40, 0},
        {"ALLO 5001\r\n", 5000, 0, 0, FTP_SETTLE_MAX_MS},
        {"ALLO 4999\r\n", 5000, 0, 0, FTP_SETTLE_MS},
        {"ALLO 5000\r\nNOOP\r\nREST 0\r\n", 5000, 9, 9, 0},
        /* TLS tells an end from a cut by itself */
        {"PBSZ 0\r\nPROT P\r\n", 5000, 160, 40, 0},
    };
    static char junk[5000];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        logged_in();
        m.ftp.tls = true;
        say(rows[i].before);
        say("PASV\r\n");
        m.no_data = true; /* by hand */
        say("STOR /flash/new\r\n");
        ftp_data_opened(&m.ftp, m.now_ms);
        m.now_ms += rows[i].spent_ms;
        for (size_t left = rows[i].bytes, len; left; left -= len) {
            uint8_t *to = ftp_data_room(&m.ftp, &len);
            len = len < left ? len : left;
            memcpy(to, junk, len);
            ftp_data_received(&m.ftp, len, m.now_ms);
            if (m.op)
                model_step(&m);
        }
        m.now_ms += rows[i].pause_ms;
        uint64_t end_ms = m.now_ms;
        ftp_data_received(&m.ftp, 0, m.now_ms);
        model_settle(&m);
        assert_non_null(strstr(m.out, "226 Stored"));
        if (m.now_ms - end_ms != rows[i].settle_ms)
            fail_msg("row %zu: settled %u ms, not %u", i,
                     (unsigned)(m.now_ms - end_ms), rows[i].settle_ms);
    }
}

static void data_time_runs_out(void **state)
{
    (void)state;
    logged_in();
    m.no_data = true;
    say("PASV\r\nRETR /flash/boot.py\r\n");
    uint64_t at = ftp_deadline(&m.ftp);
    assert_int_equal(at, m.now_ms + FTP_DATA_MS);
    m.now_ms = at;
    ftp_tick(&m.ftp, m.now_ms);
    model_settle(&m);
    assert_true(name_matches("227 *\r\n150 *\r\n425 *\r\n", m.out));

    /* PASV that nobody uses is forgotten silently; the session lives */
    say("PASV\r\n");
    m.now_ms = ftp_deadline(&m.ftp);
    ftp_tick(&m.ftp, m.now_ms);
    assert_false(m.listening);
    expect_reply("NOOP", "200 OK");

    m.now_ms += FTP_IDLE_MS;
    ftp_tick(&m.ftp, m.now_ms);
    m.out_len = 0;
    model_settle(&m);
    assert_true(name_matches("221 *\r\n", m.out));
    assert_true(m.ended);
}

static void a_login_that_never_comes_ends(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 10 && !m.ended; i++) { /* a byte every 10 s */
        m.now_ms += 10000;
        ftp_feed(&m.ftp, "U", 1, m.now_ms);
        ftp_tick(&m.ftp, m.now_ms);
        model_settle(&m);
    }
    assert_true(m.ended);
}

static void abort_during_a_transfer(void **state)
{
    (void)state;
    logged_in();
    m.no_data = true; /* the transfer hangs */
    say("PASV\r\nRETR /flash/boot.py\r\nPWD\r\nSTAT\r\n");
    assert_non_null(strstr(m.out, " Transfer: sending"));
    assert_null(strstr(m.out, "257")); /* PWD waits its turn */
    assert_true(
        name_matches("426 *\r\n226 *\r\n257 *\r\n", say("\xff\xf4\xff\xf2"
                                                        "abor\r\n")));
    assert_int_equal(m.files_open, 0);
    assert_false(m.listening);
}

static void long_lines_are_refused_once(void **state)
{
    (void)state;
    static char junk[100000];
    logged_in();
    memset(junk, 'A', sizeof junk);
    model_feed(&m, junk, sizeof junk);
    assert_string_equal(say("\r\nNOOP\r\n"),
                        "500 The line is too long: at most 1023 bytes\r\n"
                        "200 OK\r\n");
    start();
    memcpy(junk, "USER ", 5);
    model_feed(&m, junk, 10000);
    expect_reply("\r\nPASS python", "500 *\r\n503 *");
    char name[200];
    snprintf(name, sizeof name, "USER %0150d", 1);
    expect_reply(name, "331 *");
    expect_reply("PASS python", "530 *");
}

static void junk_is_answered_then_ended(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 100 && !m.ended; i++)
        say("\x16\x03\x01\x02\r\n");
    assert_true(m.ended);
    assert_non_null(strstr(m.out, "421"));
}

static void tls_is_offered_only_with_a_certificate(void **state)
{
    (void)state;
    start();
    assert_null(strstr(say("FEAT\r\n"), "AUTH"));
    m.tls = true;
    assert_non_null(strstr(say("FEAT\r\n"), "\r\n AUTH TLS\r\n"));
    static const struct row rows[] = {
        {"PBSZ 0", "503 *"},   {"PROT P", "503 *"},   {"AUTH SSL3", "504 *"},
        {"AUTH TLS", "234 *"}, {"AUTH TLS", "503 *"}, {"PROT P", "503 *"},
        {"PBSZ 0", "200 *"},   {"PROT P", "200 *"},   {"PROT C", "200 *"},
        {"PROT S", "536 *"},   {"PROT X", "504 *"},
    };
    RUN(rows);
    /* nothing that came in plain behind AUTH counts (injection) */
    start();
    m.tls = true;
    assert_string_equal(say("AUTH TLS\r\nUSER micro\r\nPASS python\r\n"),
                        "234 Go ahead\r\n");
}

/* One long conversation; the same answers whatever the segments. */
static const char conversation[] =
    "FEAT\r\nUSER micro\r\nPASS python\r\nSYST\r\nOPTS UTF8 ON\r\n"
    "CWD /flash\r\nPWD\r\nTYPE I\r\nPASV\r\nMLSD\r\nEPSV\r\nLIST -a\r\n"
    "EPSV\r\nSTOR neu \xc3\xbc.txt\r\nSIZE neu \xc3\xbc.txt\r\n"
    "MFMT 20200101000000 neu \xc3\xbc.txt\r\nMLST neu \xc3\xbc.txt\r\n"
    "PASV\r\nREST 2\r\nRETR neu \xc3\xbc.txt\r\n"
    "RNFR neu \xc3\xbc.txt\r\nRNTO sys/y\r\nDELE sys/y\r\n"
    "MKD d\r\nRMD d\r\nNLST\r\nPORT 192,168,1,2,9,9\r\nNLST\r\n"
    "STAT /flash\r\nHELP\r\nEPRT |1|192.168.1.2|2000|\r\nAPPE log\r\n"
    "SITE PREPARE\r\nREIN\r\nNOOP\r\nQUIT\r\n";

static void converse(size_t cut, size_t step)
{
    size_t len = sizeof conversation - 1;
    model_init(&m);
    m.upload = "abcdef";
    m.upload_len = 6;
    model_settle(&m);
    if (cut) {
        model_feed(&m, conversation, cut);
        model_settle(&m);
    }
    for (size_t at = cut; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        model_feed(&m, conversation + at, n);
        model_settle(&m);
    }
}

static void split_at_every_byte(void **state)
{
    (void)state;
    static char whole[MODEL_OUT], data[MODEL_OUT];
    size_t len = sizeof conversation - 1;
    converse(0, len);
    assert_true(m.ended);
    memcpy(whole, m.out, m.out_len + 1);
    memcpy(data, m.data, m.data_len);
    size_t data_len = m.data_len;
    assert_non_null(strstr(whole, "226 Stored 6 bytes"));
    for (size_t cut = 0; cut <= len; cut++) {
        converse(cut, cut ? len : 1);
        assert_string_equal(m.out, whole);
        assert_int_equal(m.data_len, data_len);
        assert_memory_equal(m.data, data, data_len);
        assert_int_equal(m.files_open, 0);
    }
}

/* The connection may vanish at any moment: nothing stays open. */
static void hangup_at_every_step(void **state)
{
    (void)state;
    for (int after = 0; after < 400; after++) {
        model_init(&m);
        m.upload = "abcdef";
        m.upload_len = 6;
        m.chunk = 3;
        const char *p = conversation;
        size_t left = sizeof conversation - 1;
        for (int i = 0; i < after && !m.ended; i++) {
            size_t n = ftp_feed(&m.ftp, p, left, m.now_ms);
            p += n;
            left -= n;
            model_step(&m);
        }
        if (!m.ended)
            ftp_hangup(&m.ftp, m.now_ms);
        model_settle(&m);
        assert_true(m.ended);
        assert_int_equal(m.files_open, 0);
        assert_false(m.data_open || m.listening);
    }
}

static void shutdown_at_every_step(void **state)
{
    (void)state;
    for (int after = 0; after < 400; after++) {
        model_init(&m);
        m.upload = "abcdef";
        m.upload_len = 6;
        const char *p = conversation;
        size_t left = sizeof conversation - 1;
        for (int i = 0; i < after && !m.ended; i++) {
            size_t n = ftp_feed(&m.ftp, p, left, m.now_ms);
            p += n;
            left -= n;
            model_step(&m);
        }
        bool over = m.ftp.closing;
        ftp_shutdown(&m.ftp, "going down", m.now_ms);
        model_settle(&m);
        assert_true(m.ended);
        assert_int_equal(m.files_open, 0);
        /* the last word, also in the middle of a transfer */
        static const char last[] = "421 going down\r\n";
        if (!over)
            assert_string_equal(m.out + m.out_len - strlen(last), last);
    }
}

/* A client that sends and never reads is not served on, and goes. */
static void a_deaf_client_is_bounded(void **state)
{
    (void)state;
    logged_in();
    size_t fed = 0;
    for (int i = 0; i < 10000; i++) {
        size_t n = ftp_feed(&m.ftp, "HELP\r\n", 6, m.now_ms);
        fed += n;
        if (n < 6)
            break;
    }
    assert_true(fed < 20000);
    m.now_ms += FTP_IDLE_MS + 1;
    ftp_tick(&m.ftp, m.now_ms);
    assert_true(m.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_login),
        cmocka_unit_test(guessing_ends_the_session),
        cmocka_unit_test(login_waits_as_told),
        cmocka_unit_test(commands),
        cmocka_unit_test(data_goes_only_to_the_client),
        cmocka_unit_test(paths_cannot_leave),
        cmocka_unit_test(lists_have_the_old_form),
        cmocka_unit_test(names_match_as_on_fat),
        cmocka_unit_test(dates_are_civil),
        cmocka_unit_test(files_go_there_and_back),
        cmocka_unit_test(broken_uploads_leave_the_old_file),
        cmocka_unit_test(uploads_settle_as_long_as_needed),
        cmocka_unit_test(data_time_runs_out),
        cmocka_unit_test(a_login_that_never_comes_ends),
        cmocka_unit_test(abort_during_a_transfer),
        cmocka_unit_test(long_lines_are_refused_once),
        cmocka_unit_test(junk_is_answered_then_ended),
        cmocka_unit_test(tls_is_offered_only_with_a_certificate),
        cmocka_unit_test(split_at_every_byte),
        cmocka_unit_test(hangup_at_every_step),
        cmocka_unit_test(shutdown_at_every_step),
        cmocka_unit_test(a_deaf_client_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
