/* core/ftp: the data connection, files there and back, what breaks off, what
 * takes too long. */
#include "ftp_say.h"

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

    /* likewise when the bytes go with the commit */
    m.upload_len = 10;
    m.fail_write = WIPY_ENOSPC;
    expect_reply("PASV\r\nSTOR /flash/boot.py", "227 *\r\n150 *\r\n552 *");
    expect_reply("SIZE /flash/boot.py", "213 7");
    assert_int_equal(m.files_open, 0);
    m.upload_len = sizeof junk;

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
        {"", 4095, 1000, 0, 0},
        {"", 4096, 0, 0, FTP_SETTLE_MS}, /* a client's buffer */
        {"", 512, 0, 0, FTP_SETTLE_MS},
        {"", 1536, 80, 0, 80 / 8},
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
            if (m.op[0])
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

/* A listing over the control connection is one reply: nothing comes between
 * its lines, but ABOR ends it. */
static void stat_of_a_folder_is_one_reply(void **state)
{
    (void)state;
    logged_in();
    const char *got = say("STAT /flash\r\nSTAT\r\nNOOP\r\n");
    const char *end = strstr(got, "213 End"), *status = strstr(got, "211-");
    assert_non_null(end);
    assert_non_null(status);
    assert_true(end < status);
    assert_true(name_matches("426 *\r\n226 *\r\n200 *\r\n",
                             say("STAT /flash\r\nNOOP\r\nABOR\r\n")));
}

/* REST and ALLO are for the next transfer, whatever that is. */
static void rest_is_for_one_transfer(void **state)
{
    (void)state;
    logged_in();
    m.upload = "new";
    m.upload_len = 3;
    say("REST 4\r\nALLO 99\r\nPASV\r\nLIST\r\n");
    assert_non_null(strstr(m.out, "226 Listed"));
    say("PASV\r\nSTOR /flash/boot.py\r\n");
    assert_non_null(strstr(m.out, "226 Stored"));
    assert_int_equal(model_find(&m, "/flash/boot.py")->len, 3);
    say("REST 4\r\nPASV\r\nRETR /flash/none\r\nPASV\r\n"
        "RETR /flash/boot.py\r\n");
    assert_string_equal(m.data, "new");
}

/* While one buffer is being stored the next may be handed over already; what
 * the client sends beyond waits in its connection. */
static void the_file_side_has_the_next_at_hand(void **state)
{
    (void)state;
    static char big[3 * FTP_BUFFER_MIN + 5];
    size_t len;
    logged_in();
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 3);
    say("PASV\r\n");
    m.no_data = true; /* by hand */
    say("STOR /flash/new\r\n");
    ftp_data_opened(&m.ftp, m.now_ms);
    size_t fed = 0;
    for (uint8_t *to; to = ftp_data_room(&m.ftp, &len), len; fed += len) {
        memcpy(to, big + fed, len);
        ftp_data_received(&m.ftp, len, m.now_ms);
    }
    assert_int_equal(fed, 2 * FTP_BUFFER_MIN);
    assert_ptr_equal(m.op[0], &m.ftp.io[0]);
    assert_ptr_equal(m.op[1], &m.ftp.io[1]);
    m.upload = big;
    m.upload_len = sizeof big;
    m.uploaded = fed;
    model_settle(&m);
    assert_non_null(strstr(m.out, "226 Stored"));
    const struct model_file *f = model_find(&m, "/flash/new");
    assert_int_equal(f->len, sizeof big);
    assert_memory_equal(f->data, big, sizeof big);
    assert_int_equal(m.files_open, 0);
}

/* Of a download both buffers are filled ahead, whoever is slower. */
static void downloads_are_read_ahead(void **state)
{
    (void)state;
    logged_in();
    struct model_file *f = model_add(&m, "/flash/big", false, "");
    f->len = 3 * FTP_BUFFER_MIN + 1;
    for (size_t i = 0; i < f->len; i++)
        f->data[i] = (uint8_t)(i * 5);
    m.no_data = true; /* by hand */
    say("PASV\r\nRETR /flash/big\r\n");
    ftp_data_opened(&m.ftp, m.now_ms);
    assert_ptr_equal(m.op[0], &m.ftp.io[1]);
    size_t got = 0, len;
    while (m.ftp.t.state == FTP_RUNNING) {
        const uint8_t *p = ftp_data_pending(&m.ftp, &len);
        if (len == 0 && !model_step(&m))
            break;
        assert_memory_equal(p, f->data + got, len);
        got += len;
        if (len)
            ftp_data_sent(&m.ftp, len, m.now_ms);
    }
    model_settle(&m);
    assert_int_equal(got, f->len);
    assert_non_null(strstr(m.out, "226 Sent"));
    assert_int_equal(m.files_open, 0);
}

/* All that happens by itself, but for bytes of the data connection. */
static void settle_files(void)
{
    while (m.op[0] || ring_used(&m.ftp.out))
        model_step(&m);
}

static void open_by_hand(const char *command)
{
    logged_in();
    m.no_data = true;
    say("PASV\r\n");
    say(command);
    ftp_data_opened(&m.ftp, m.now_ms);
    settle_files();
}

/* Moves `bytes` a second; the seconds until the transfer ended, 0 if it goes
 * on after ten minutes. */
static unsigned seconds_at(size_t bytes, bool up)
{
    size_t len;
    for (unsigned s = 1; s <= 600; s++) {
        m.now_ms += 1000;
        for (size_t left = bytes; left; left -= len) {
            if (up)
                ftp_data_room(&m.ftp, &len);
            else
                ftp_data_pending(&m.ftp, &len);
            len = len < left ? len : left;
            if (!len)
                break;
            if (up)
                ftp_data_received(&m.ftp, len, m.now_ms);
            else
                ftp_data_sent(&m.ftp, len, m.now_ms);
        }
        ftp_tick(&m.ftp, m.now_ms);
        settle_files();
        if (m.ftp.t.state == FTP_IDLE)
            return s;
    }
    return 0;
}

/* A client that takes or gives a byte a second is not served for ever. */
static void slow_clients_are_given_up(void **state)
{
    (void)state;
    static const char too_slow[] = "426 Fewer than 1024 bytes in 60 s\r\n";
    open_by_hand("STOR /flash/slow\r\n");
    assert_int_equal(seconds_at(1, true), FTP_SLOW_MS / 1000);
    assert_non_null(strstr(m.out, too_slow));
    assert_null(model_find(&m, "/flash/slow"));
    expect_reply("NOOP", "200 OK");

    open_by_hand("STOR /flash/slow\r\n");
    assert_int_equal(seconds_at(FTP_SLOW_BYTES / 60 + 1, true), 0);

    logged_in();
    model_add(&m, "/flash/big", false, "")->len = MODEL_FILE_SIZE;
    m.no_data = true;
    say("PASV\r\nRETR /flash/big\r\n");
    ftp_data_opened(&m.ftp, m.now_ms);
    settle_files();
    assert_int_equal(seconds_at(1, false), FTP_SLOW_MS / 1000);
    assert_non_null(strstr(m.out, too_slow));
    assert_int_equal(m.files_open, 0);
}

/* An upload without end is refused when the volume is full, and then not read
 * for ever. */
static void an_endless_upload_ends(void **state)
{
    (void)state;
    uint64_t taken = 0;
    size_t len;
    open_by_hand("STOR /flash/endless\r\n");
    while (m.ftp.t.state != FTP_IDLE && taken < UINT64_C(1) << 30) {
        ftp_data_room(&m.ftp, &len);
        ftp_data_received(&m.ftp, len, m.now_ms);
        settle_files();
        taken += len;
    }
    assert_non_null(strstr(m.out, "\r\n552 "));
    assert_in_range(taken, 64 << 20, (64 << 20) + (1 << 17));
    assert_null(model_find(&m, "/flash/endless"));
    expect_reply("NOOP", "200 OK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_only_to_the_client),
        cmocka_unit_test(files_go_there_and_back),
        cmocka_unit_test(broken_uploads_leave_the_old_file),
        cmocka_unit_test(uploads_settle_as_long_as_needed),
        cmocka_unit_test(data_time_runs_out),
        cmocka_unit_test(abort_during_a_transfer),
        cmocka_unit_test(stat_of_a_folder_is_one_reply),
        cmocka_unit_test(rest_is_for_one_transfer),
        cmocka_unit_test(the_file_side_has_the_next_at_hand),
        cmocka_unit_test(downloads_are_read_ahead),
        cmocka_unit_test(slow_clients_are_given_up),
        cmocka_unit_test(an_endless_upload_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
