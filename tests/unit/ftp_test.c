/* core/ftp: the login, commands, paths, listings, names, TLS; lines that are
 * no commands. */
#include "ftp_say.h"

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
        {"MKD new", "257 \"/flash/sys/new\""},
        {"MKD a \"b\"", "257 \"/flash/sys/a \"\"b\"\"\""},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_login),
        cmocka_unit_test(guessing_ends_the_session),
        cmocka_unit_test(login_waits_as_told),
        cmocka_unit_test(a_login_that_never_comes_ends),
        cmocka_unit_test(commands),
        cmocka_unit_test(paths_cannot_leave),
        cmocka_unit_test(lists_have_the_old_form),
        cmocka_unit_test(names_match_as_on_fat),
        cmocka_unit_test(dates_are_civil),
        cmocka_unit_test(long_lines_are_refused_once),
        cmocka_unit_test(junk_is_answered_then_ended),
        cmocka_unit_test(tls_is_offered_only_with_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
