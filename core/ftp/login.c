/* Who comes in, and the encryption of what follows (RFC 4217). */
#include <stdio.h>
#include <string.h>

#include "commands.h"

/* ---- login ---- */

static void keep(char *to, size_t *len, const char *arg)
{
    memset(to, 0, FTP_LOGIN_MAX + 1);
    *len = strlen(arg);
    if (*len > FTP_LOGIN_MAX) { /* cannot be right, is judged all the same */
        *len = FTP_LOGIN_MAX;
        arg = "\x01";
    }
    snprintf(to, FTP_LOGIN_MAX + 1, "%s", arg);
}

void cmd_user(struct ftp *f, const char *arg)
{
    /* A new name ends the old login (spec 12 item 12). */
    f->logged_in = false;
    f->user_given = true;
    keep(f->user, &f->user_len, arg);
    reply(f, 331, "Password please");
}

void cmd_pass(struct ftp *f, const char *arg)
{
    if (f->logged_in) {
        reply(f, 230, "Logged in already");
    } else if (!f->user_given) {
        reply(f, 503, "Say USER first");
    } else {
        keep(f->password, &f->password_len, arg);
        uint64_t wait = f->ops->login_wait(f->ctx);
        f->judging = true;
        f->login_ms = f->now_ms + (wait > FTP_LOGIN_PATIENCE_MS ? 0 : wait);
        if (f->now_ms >= f->login_ms)
            login_judge(f);
    }
}

static void login_failed(struct ftp *f, const char *why)
{
    f->tries++;
    if (f->tries < FTP_LOGIN_TRIES) {
        reply(f, 530, "%s", why);
        return;
    }
    reply(f, 421, "%s; connect again to try again", why);
    f->closing = true;
}

void login_judge(struct ftp *f)
{
    uint64_t wait = f->ops->login_wait(f->ctx);
    if (wait && wait <= FTP_LOGIN_PATIENCE_MS) {
        /* Another session of this address failed in the meantime. */
        f->login_ms = f->now_ms + wait;
        return;
    }
    f->judging = false;
    enum ftp_verdict verdict = f->ops->login(f->ctx, f->user, f->user_len,
                                             f->password, f->password_len);
    memset(f->password, 0, sizeof f->password);
    if (verdict == FTP_LOGIN_OK) {
        f->logged_in = true;
        f->tries = 0;
        snprintf(f->cwd, sizeof f->cwd, "/");
        reply(f, 230, "Welcome");
    } else if (verdict == FTP_LOGIN_LOCKED) {
        char why[80];
        snprintf(why, sizeof why,
                 "Too many wrong passwords from this address: wait %llu s",
                 (unsigned long long)(f->ops->login_wait(f->ctx) / 1000 + 1));
        login_failed(f, why);
    } else {
        login_failed(f, "Wrong user name or password");
    }
}

void cmd_rein(struct ftp *f, const char *arg)
{
    (void)arg;
    f->logged_in = f->user_given = f->have_from = f->epsv_all = false;
    f->rest = f->allo = 0;
    f->ascii = false;
    f->mlst_facts = FACT_ALL;
    snprintf(f->cwd, sizeof f->cwd, "/");
    data_close(f, false);
    reply(f, 220, "MicroPython FTP Server");
}

void cmd_quit(struct ftp *f, const char *arg)
{
    (void)arg;
    reply(f, 221, "Goodbye");
    f->closing = true;
}

/* ---- TLS (RFC 4217) ---- */

void cmd_auth(struct ftp *f, const char *arg)
{
    /* Never a 3xx: some clients would start a handshake on it. */
    if (!f->ops->tls_offered(f->ctx)) {
        reply(f, 502, "No certificate in /flash/cert: plain FTP only");
    } else if (f->tls) {
        reply(f, 503, "Encrypted already");
    } else if (strcmp(arg, "TLS") != 0 && strcmp(arg, "tls") != 0 &&
               strcmp(arg, "TLS-C") != 0) {
        reply(f, 504, "Only AUTH TLS");
    } else {
        reply(f, 234, "Go ahead");
        f->tls = true;
        f->logged_in = f->user_given = false;
        /* What came in plain behind AUTH could have been put there by
         * somebody in the middle. */
        f->in_len = 0;
        f->telnet = 0;
        f->ops->tls_start(f->ctx);
    }
}

void cmd_pbsz(struct ftp *f, const char *arg)
{
    (void)arg;
    if (!f->tls) {
        reply(f, 503, "AUTH TLS first");
    } else {
        f->pbsz = true;
        reply(f, 200, "PBSZ=0");
    }
}

void cmd_prot(struct ftp *f, const char *arg)
{
    char level = (char)(arg[0] & ~0x20);
    if (!f->tls || !f->pbsz) {
        reply(f, 503, "AUTH TLS and PBSZ first");
    } else if (arg[1] || (level != 'P' && level != 'C')) {
        reply(f, level == 'S' || level == 'E' ? 536 : 504,
              "Only PROT P and PROT C");
    } else {
        f->prot = level == 'P';
        f->ops->tls_data(f->ctx, f->prot);
        reply(f, 200,
              level == 'P' ? "Data connections are encrypted"
                           : "Data connections are plain");
    }
}
