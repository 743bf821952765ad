/* core/ftp against the tables of RFC 959, 2228, 2389, 2428, 3659 and 4217:
 * every command before the login, after it, with a wrong argument and during
 * a transfer; what FEAT says; each command split at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ftp_model.h"

static struct model m;

/* Codes of a conversation: the last lines of the replies, "150 226". */
static void codes_of(const char *text, char *to, size_t size)
{
    size_t len = 0;
    to[0] = '\0';
    for (const char *p = text; p && *p; p = strchr(p, '\n'), p += p != NULL)
        if (strspn(p, "0123456789") == 3 && p[3] == ' ')
            len += (size_t)snprintf(to + len, size - len, "%s%.3s",
                                    len ? " " : "", p);
}

static const char *codes(const char *format, const char *line)
{
    static char to[200];
    char text[300];
    snprintf(text, sizeof text, format, line);
    m.out_len = 0;
    m.out[0] = '\0';
    model_feed(&m, text, strlen(text));
    model_settle(&m);
    codes_of(m.out, to, sizeof to);
    return to;
}

static void expect(const char *when, const char *format, const char *line,
                   const char *expected)
{
    const char *got = codes(format, line);
    if (strcmp(got, expected))
        fail_msg("%s: %s => %s, expected %s", when, line, got, expected);
}

static void start(bool tls)
{
    model_init(&m);
    m.tls = tls;
    m.upload = "abc";
    m.upload_len = 3;
    model_settle(&m);
}

static void logged_in(bool tls)
{
    start(tls);
    expect("login", "USER micro\r\nPASS %s\r\n", "python", "331 230");
}

/* `after` follows an EPSV where the command moves data. NULL: not tried. */
static const struct row {
    const char *line, *before, *after, *wrong_line, *wrong;
    bool data;
} rows[] = {
    /* RFC 959 section 5.4: access control */
    {"USER micro", "331", "331", NULL, NULL, false},
    {"PASS python", "503", "230", NULL, NULL, false},
    {"ACCT x", "332", "202", NULL, NULL, false},
    {"CWD /flash", "332", "250", "CWD", "501", false},
    {"CWD /flash", "332", "250", "CWD /flash/boot.py", "550", false},
    {"CDUP", "332", "250", NULL, NULL, false},
    {"REIN", "332", "220", NULL, NULL, false},
    {"QUIT", "221", "221", NULL, NULL, false},
    /* transfer parameters */
    {"PORT 192,168,1,2,9,9", "332", "200", "PORT 1,2,3", "501", false},
    {"PASV", "332", "227", NULL, NULL, false},
    {"TYPE I", "332", "200", "TYPE X", "504", false},
    {"STRU F", "332", "200", "STRU P", "504", false},
    {"MODE S", "332", "200", "MODE C", "504", false},
    /* service */
    {"ALLO 3", "332", "200", "ALLO three", "501", false},
    {"REST 2", "332", "350", "REST -1", "501", false},
    {"STOR /flash/new", "332", "150 226", "STOR", "501", true},
    {"STOR /flash/new", "332", "150 226", "STOR /none/new", "550", true},
    {"APPE /flash/new", "332", "150 226", "APPE", "501", true},
    {"RETR /flash/boot.py", "332", "150 226", "RETR", "501", true},
    {"RETR /flash/boot.py", "332", "150 226", "RETR /flash", "550", true},
    {"RNFR /flash/boot.py", "332", "350", "RNFR /flash/none", "550", false},
    {"RNTO /flash/new", "332", "503", "RNTO", "501", false},
    {"ABOR", "332", "226", NULL, NULL, false},
    {"DELE /flash/boot.py", "332", "250", "DELE /flash/none", "550", false},
    {"RMD /flash/sys", "332", "250", "RMD /flash/boot.py", "550", false},
    {"MKD /flash/new", "332", "257", "MKD /flash/sys", "550", false},
    {"PWD", "332", "257", NULL, NULL, false},
    {"LIST", "332", "150 226", "LIST /flash/none", "550", true},
    {"NLST", "332", "150 226", "NLST /flash/none", "550", true},
    {"SITE HELP", "332", "214", "SITE CHMOD 777 x", "504", false},
    {"SITE PREPARE", "332", "200", "SITE", "501", false},
    {"SYST", "332", "215", NULL, NULL, false},
    {"STAT", "332", "211", NULL, NULL, false},
    {"STAT /flash", "332", "213", "STAT /flash/none", "550", false},
    {"HELP", "332", "214", NULL, NULL, false},
    {"HELP RETR", "332", "214", "HELP NONE", "502", false},
    {"NOOP", "332", "200", NULL, NULL, false},
    /* RFC 1123 section 4.1.3.1: the names of before */
    {"XCWD /flash", "332", "250", "XCWD", "501", false},
    {"XCUP", "332", "250", NULL, NULL, false},
    {"XMKD /flash/new", "332", "257", "XMKD", "501", false},
    {"XRMD /flash/sys", "332", "250", "XRMD", "501", false},
    {"XPWD", "332", "257", NULL, NULL, false},
    /* RFC 2228, 4217: without a certificate */
    {"AUTH TLS", "502", "502", "AUTH", "501", false},
    {"PBSZ 0", "503", "503", "PBSZ", "501", false},
    {"PROT P", "503", "503", "PROT", "501", false},
    /* RFC 2389 */
    {"FEAT", "211", "211", NULL, NULL, false},
    {"OPTS UTF8 ON", "332", "200", "OPTS NONE", "501", false},
    /* RFC 2428: 522 offers (1), IPv4 */
    {"EPRT |1|192.168.1.2|2000|", "332", "200", "EPRT |1|x|", "501", false},
    {"EPRT |1|192.168.1.2|2000|", "332", "200", "EPRT |2|::1|2000|", "522",
     false},
    {"EPSV", "332", "229", "EPSV 2", "522", false},
    {"EPSV ALL", "332", "200", "EPSV 3", "522", false},
    /* RFC 3659 */
    {"MDTM /flash/boot.py", "332", "213", "MDTM /flash/none", "550", false},
    {"SIZE /flash/boot.py", "332", "213", "SIZE /flash/none", "550", false},
    {"MLST /flash", "332", "250", "MLST /flash/none", "550", false},
    {"MLSD /flash", "332", "150 226", "MLSD /flash/boot.py", "501", true},
    /* draft-somers-ftp-mfxx, and what clients say of themselves */
    {"MFMT 20200101000000 /flash/boot.py", "332", "213",
     "MFMT x /flash/boot.py", "501", false},
    {"CLNT me", "332", "200", NULL, NULL, false},
    /* not offered */
    {"SMNT x", "332", "502", NULL, NULL, false},
    {"STOU", "332", "502", NULL, NULL, false},
    {"ADAT x", "332", "502", NULL, NULL, false},
    {"CCC", "332", "502", NULL, NULL, false},
    {"MIC x", "332", "502", NULL, NULL, false},
    {"CONF x", "332", "502", NULL, NULL, false},
    {"ENC x", "332", "502", NULL, NULL, false},
    {"LANG en", "332", "502", NULL, NULL, false},
    {"LPRT 6", "332", "502", NULL, NULL, false},
    {"LPSV", "332", "502", NULL, NULL, false},
    {"MFCT 20200101000000 x", "332", "502", NULL, NULL, false},
    {"HOST x", "332", "502", NULL, NULL, false},
};

enum { ROWS = sizeof rows / sizeof *rows };

static void before_the_login(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        start(false);
        expect("before the login", "%s\r\n", rows[i].line, rows[i].before);
    }
}

static void after_the_login(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        logged_in(false);
        if (rows[i].data)
            expect("before", "%s\r\n", "EPSV", "229");
        expect("after the login", "%s\r\n", rows[i].line, rows[i].after);
        assert_int_equal(m.files_open, 0);
        assert_false(m.data_open);
    }
}

/* A command that moves data is refused at once without a connection for it,
 * and with one that refusal lets it go. */
static void wrong_arguments(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        logged_in(false);
        if (rows[i].data)
            expect("without data connection", "%s\r\n", rows[i].line, "425");
        if (!rows[i].wrong_line)
            continue;
        if (rows[i].data)
            expect("before", "%s\r\n", "EPSV", "229");
        expect("wrong argument", "%s\r\n", rows[i].wrong_line, rows[i].wrong);
        expect("afterwards", "%s\r\n", "NOOP", "200");
        assert_int_equal(m.files_open, 0);
    }
}

/* RFC 959 section 4.1.3: ABOR and STAT are answered at once, everything else
 * waits for the end of the transfer. */
static void during_a_transfer(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        logged_in(false);
        m.no_data = true; /* it never ends by itself */
        expect("transfer", "EPSV\r\nRETR %s\r\n", "/flash/boot.py", "229 150");
        bool abor = !strcmp(rows[i].line, "ABOR");
        bool stat = !strcmp(rows[i].line, "STAT");
        expect("during a transfer", "%s\r\n", rows[i].line,
               abor   ? "426 226"
               : stat ? "211"
                      : "");
        if (abor)
            continue;
        /* `data`: the connection went with the transfer that was aborted */
        char want[40];
        snprintf(want, sizeof want, "426 226%s%s", stat ? "" : " ",
                 stat           ? ""
                 : rows[i].data ? "425"
                                : rows[i].after);
        expect("behind a transfer", "%s\r\n", "ABOR", want);
        assert_int_equal(m.files_open, 0);
    }
}

static bool has_row(const char *name)
{
    size_t len = strlen(name);
    for (int i = 0; i < ROWS; i++)
        if (!strncmp(rows[i].line, name, len) &&
            (!rows[i].line[len] || rows[i].line[len] == ' '))
            return true;
    return false;
}

/* Each command of the RFCs, offered or not, has its rows. */
static void every_rfc_is_covered(void **state)
{
    (void)state;
    static const struct {
        const char *rfc, *commands;
    } rfcs[] = {
        {"959", "USER PASS ACCT CWD CDUP SMNT QUIT REIN PORT PASV TYPE STRU "
                "MODE RETR STOR STOU APPE ALLO REST RNFR RNTO ABOR DELE RMD "
                "MKD PWD LIST NLST SITE SYST STAT HELP NOOP"},
        {"1123", "XCWD XCUP XMKD XRMD XPWD"},
        {"1639", "LPRT LPSV"},
        {"2228", "AUTH ADAT PROT PBSZ CCC MIC CONF ENC"},
        {"2389", "FEAT OPTS"},
        {"2428", "EPRT EPSV"},
        {"2640", "LANG"},
        {"3659", "MDTM SIZE REST MLST MLSD"},
        {"4217", "AUTH PBSZ PROT CCC"},
        {"7151", "HOST"},
    };
    for (size_t i = 0; i < sizeof rfcs / sizeof *rfcs; i++) {
        char name[8];
        int n;
        for (const char *p = rfcs[i].commands;
             sscanf(p, " %7[A-Z]%n", name, &n) == 1; p += n)
            if (!has_row(name))
                fail_msg("%s of RFC %s has no row", name, rfcs[i].rfc);
    }
}

/* And so has each command HELP lists. */
static void the_table_is_complete(void **state)
{
    (void)state;
    logged_in(false);
    codes("%s\r\n", "HELP");
    unsigned count = 0;
    for (const char *p = strstr(m.out, "\r\n "); p; p = strchr(p + 1, ' ')) {
        char name[8] = "";
        if (sscanf(p, " %7[A-Z]", name) != 1 || strlen(name) < 3)
            continue;
        if (!has_row(name))
            fail_msg("%s has no row", name);
        count++;
    }
    assert_true(count > 45);
}

/* RFC 4217 and 2228, with a certificate. */
static void encryption(void **state)
{
    (void)state;
    static const struct {
        const char *line, *codes;
    } steps[] = {
        {"AUTH KERBEROS_V4", "504"},
        {"AUTH TLS", "234"},
        {"PWD", "332"},
        {"USER micro", "331"},
        {"PBSZ 0", "200"},
        {"PASS python", "230"},
        {"PROT P", "200"},
        {"PROT C", "200"},
        {"PROT S", "536"},
        {"PROT E", "536"},
        {"PROT X", "504"},
        {"AUTH TLS", "503"},
        {"CCC", "502"},
    };
    start(true);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        expect("TLS", "%s\r\n", steps[i].line, steps[i].codes);
}

/* RFC 2389: what FEAT lists works, and no extension is missing in it. */
static void feat_is_honest(void **state)
{
    (void)state;
    static const struct {
        const char *feature, *line, *codes;
    } proofs[] = {
        {"AUTH TLS", "AUTH TLS", "234"},
        {"PBSZ", "PBSZ 0", "200"},
        {"PROT", "PBSZ 0\r\nPROT P", "200 200"},
        {"CLNT", "CLNT me", "200"},
        {"EPRT", "EPRT |1|192.168.1.2|2000|\r\nLIST", "200 150 226"},
        {"EPSV", "EPSV\r\nLIST", "229 150 226"},
        {"MDTM", "MDTM /flash/boot.py", "213"},
        {"MFMT", "MFMT 20200101000000 /flash/boot.py", "213"},
        {"MLST type*;size*;modify*;perm*;", "MLST /flash", "250"},
        {"PASV", "PASV\r\nLIST", "227 150 226"},
        {"REST STREAM", "PASV\r\nREST 2\r\nRETR /flash/boot.py",
         "227 350 150 226"},
        {"SIZE", "SIZE /flash/boot.py", "213"},
        {"TVFS", "SIZE /flash/sys/../boot.py", "213"},
        {"UTF8", "OPTS UTF8 ON\r\nMKD /flash/\xc3\xbc", "200 257"},
    };
    enum { PROOFS = sizeof proofs / sizeof *proofs };
    start(true);
    codes("%s\r\n", "FEAT");
    char text[1000], want[100];
    snprintf(text, sizeof text, "%.999s", m.out);
    unsigned lines = 0;
    for (const char *p = text; (p = strstr(p, "\r\n ")); p++)
        lines++;
    assert_int_equal(lines, PROOFS);
    for (int i = 0; i < PROOFS; i++) {
        snprintf(want, sizeof want, "\r\n %s\r\n", proofs[i].feature);
        if (!strstr(text, want))
            fail_msg("FEAT does not list %s", proofs[i].feature);
        logged_in(true);
        if (proofs[i].feature[0] == 'P' && proofs[i].feature[1] != 'A')
            expect("before", "%s\r\n", "AUTH TLS", "234");
        expect(proofs[i].feature, "%s\r\n", proofs[i].line, proofs[i].codes);
    }
    /* without a certificate nothing is promised */
    start(false);
    codes("%s\r\n", "FEAT");
    assert_null(strstr(m.out, "AUTH"));
    assert_null(strstr(m.out, "P\r\n PROT"));
}

/* Each row in two segments, at every byte, and byte by byte: same answer. */
static void split_at_every_byte(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        char line[300], whole[MODEL_OUT / 64];
        size_t len =
            (size_t)snprintf(line, sizeof line, "%s%s\r\n",
                             rows[i].data ? "EPSV\r\n" : "", rows[i].line);
        for (size_t cut = 0; cut <= len; cut++) {
            logged_in(false);
            m.out_len = 0;
            m.out[0] = '\0';
            for (size_t at = 0, n; at < len; at += n) {
                n = cut == 0 ? 1 : at == 0 ? cut : len - at;
                model_feed(&m, line + at, n);
                model_settle(&m);
            }
            if (cut == 0)
                snprintf(whole, sizeof whole, "%.2000s", m.out);
            assert_string_equal(m.out, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_login),
        cmocka_unit_test(after_the_login),
        cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(during_a_transfer),
        cmocka_unit_test(every_rfc_is_covered),
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(encryption),
        cmocka_unit_test(feat_is_honest),
        cmocka_unit_test(split_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
