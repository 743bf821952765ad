/* core/ftp: one long conversation in every segmentation, and ended at every
 * moment. */
#include "ftp_say.h"

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

/* The conversation, as far as it gets in so many steps. */
static void converse_for(int steps)
{
    const char *p = conversation;
    size_t left = sizeof conversation - 1;
    for (int i = 0; i < steps && !m.ended; i++) {
        size_t n = ftp_feed(&m.ftp, p, left, m.now_ms);
        p += n;
        left -= n;
        model_step(&m);
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
        converse_for(after);
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
        converse_for(after);
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

/* A slot that is erased block by block for a client that is gone holds the
 * session for one more block, not for all. */
static void preparing_ends_with_its_client(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        logged_in();
        m.blocks = 20;
        model_feed(&m, "SITE PREPARE\r\n", 14);
        model_step(&m);
        assert_int_equal(m.blocks, 19);
        if (how)
            ftp_shutdown(&m.ftp, "going down", m.now_ms);
        else
            ftp_hangup(&m.ftp, m.now_ms);
        model_settle(&m);
        assert_true(m.ended);
        assert_in_range(m.blocks, 18, 19);
    }
}

/* The client left while its upload was being stored: the file side knows
 * before it lets the file appear. */
static void a_commit_hears_of_the_end(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        logged_in();
        m.upload = "abc";
        m.upload_len = 3;
        model_feed(&m, "PASV\r\nSTOR /flash/boot.py\r\n", 28);
        while (!m.op[0] || m.op[0]->kind != FTP_OP_COMMIT)
            model_step(&m);
        assert_false(m.op[0]->unwanted);
        if (how == 0)
            ftp_hangup(&m.ftp, m.now_ms);
        else if (how == 1)
            ftp_feed_end(&m.ftp, m.now_ms);
        bool gone = how < 2;
        assert_int_equal(m.op[0]->unwanted, gone);
        model_settle(&m);
        assert_int_equal(model_find(&m, "/flash/boot.py")->len, gone ? 7 : 3);
        assert_int_equal(m.files_open, 0);
        assert_int_equal(m.ended, gone);
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
        cmocka_unit_test(split_at_every_byte),
        cmocka_unit_test(hangup_at_every_step),
        cmocka_unit_test(shutdown_at_every_step),
        cmocka_unit_test(preparing_ends_with_its_client),
        cmocka_unit_test(a_commit_hears_of_the_end),
        cmocka_unit_test(a_deaf_client_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
