/* A whole FTP session. The input is a program for the client and its network:
 *   byte 0  bits 0-1 logged in first, data never comes; bits 2-7 chunk size
 *   then    records: length byte n and n control bytes; n = 0 takes one more
 *           byte, an event: time, broken data, hang-up, stuck output ...
 * Whatever happens, the session ends, nothing stays open, and the output is
 * made of lines that begin with a code or continue one. */
#include <stdlib.h>

#include "ftp_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct model m;

static void event(uint8_t what)
{
    switch (what & 7) {
    case 0:
        m.now_ms += 1000u * (what >> 3);
        ftp_tick(&m.ftp, m.now_ms);
        break;
    case 1:
        if (m.data_open)
            ftp_data_failed(&m.ftp, m.now_ms);
        break;
    case 2:
        ftp_feed_end(&m.ftp, m.now_ms);
        break;
    case 3:
        ftp_shutdown(&m.ftp, "going down", m.now_ms);
        break;
    case 4:
        m.fail_write = WIPY_ENOSPC;
        break;
    case 5:
        m.login_wait = m.now_ms + 500u * (what >> 3);
        break;
    case 6:
        for (int i = what >> 3; i > 0; i--)
            model_step(&m);
        break;
    default:
        m.tls = true;
        m.upload_breaks = what & 8;
    }
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char upload[3000];
    static const char login[] = "USER micro\r\nPASS python\r\n";
    if (!len)
        return 0;
    model_init(&m);
    m.upload = upload;
    m.upload_len = sizeof upload;
    m.chunk = 1 + (size_t)(data[0] >> 2) * 40;
    m.no_data = data[0] & 2;
    if (data[0] & 1)
        model_feed(&m, login, sizeof login - 1);
    for (size_t at = 1; at < len && !m.ended;) {
        size_t n = data[at++];
        if (n == 0) {
            if (at < len)
                event(data[at++]);
            continue;
        }
        n = n < len - at ? n : len - at;
        model_feed(&m, data + at, n);
        at += n;
    }
    model_settle(&m);
    if (!m.ended)
        ftp_hangup(&m.ftp, m.now_ms);
    model_settle(&m);
    check(m.ended);
    check(m.files_open == 0);
    check(!m.data_open && !m.listening);
    check(ftp_deadline(&m.ftp) == UINT64_MAX);
    return 0;
}
