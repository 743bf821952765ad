/* One telnet session as a push machine: options, login dialogue, prompt.
 *
 * It is fed the client's bytes, the prompt's output and the time; it answers
 * with bytes in `out` and with calls of struct telnet_ops. RFC 854, 855, 856
 * (BINARY), 860 (TIMING-MARK), 1073 (NAWS), 1091 (TERMINAL-TYPE); the
 * dialogue of spec section 6.2 to the byte. Any segmentation is the same.
 *
 * A client that negotiates at all is asked for window and terminal, and what
 * the prompt prints is fitted to them (screen.h); one that does not is sent
 * the original's bytes and no other.
 *
 * What is typed ahead of a prompt is kept: the caller feeds only what
 * telnet_feed() takes and offers the rest again after the next event.
 *
 * The session is over when ops->ended was called, once: send the rest of
 * `out`, then close. */
#ifndef WIPY_TELNET_TELNET_H
#define WIPY_TELNET_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"
#include "telnet/screen.h"

enum {
    TELNET_OUT_SIZE = 16384,
    TELNET_FIELD_MAX = 32, /* user name, password */
    TELNET_TRIES = 3,
    TELNET_LOGIN_TIME_MS = 120000, /* for the whole login */
    TELNET_IDLE_MS = 300000,
    TELNET_PATIENCE_MS = 500, /* a client that takes nothing, then: */
    TELNET_STUCK_MS = 30000,  /* loses output, and after this the session */
    TELNET_LOGIN_PATIENCE_MS = 8000, /* a longer wait is a lock-out */
    TELNET_TERMINAL_MAX = 40,
    TELNET_SUB_MAX = 64,
};

enum telnet_verdict {
    TELNET_LOGIN_OK,
    TELNET_LOGIN_WRONG,
    TELNET_LOGIN_LOCKED
};

struct telnet_ops {
    /* Bytes for the prompt; returns how many were taken. */
    size_t (*input)(void *ctx, const uint8_t *data, size_t len);

    /* How long to wait before the attempt is judged, in ms; the verdict. A
     * wait above TELNET_LOGIN_PATIENCE_MS is a lock-out, and not waited for. */
    uint64_t (*login_wait)(void *ctx);
    enum telnet_verdict (*login)(void *ctx, const char *user, size_t user_len,
                                 const char *password, size_t password_len);

    /* Logged in: from now on input is called, and telnet_print() wanted. */
    void (*entered)(void *ctx);

    /* Ctrl-F: safe boot is wanted. False: it is an ordinary byte. */
    bool (*safe_boot)(void *ctx);

    void (*ended)(void *ctx);
};

struct telnet_config {
    const char *banner;  /* first line, without line end */
    const char *warning; /* a line after the login, or NULL */
    uint32_t idle_ms;
};

enum telnet_state {
    TELNET_USER,
    TELNET_PASSWORD,
    TELNET_JUDGING, /* the attempt waits for its time */
    TELNET_PROMPT,
    TELNET_ENDED,
};

struct telnet_option {
    bool on, asked;
};

struct telnet {
    const struct telnet_ops *ops;
    void *ctx;
    struct telnet_config config;
    enum telnet_state state;
    uint64_t start_ms, active_ms, judge_ms;

    struct ring out;
    uint8_t out_data[TELNET_OUT_SIZE];
    uint64_t moved_ms; /* when the client last took output */
    bool lagging;      /* output is dropped until it has taken all */

    /* the option parser */
    uint8_t command; /* 0, IAC, or the command waiting for its option */
    uint8_t sub[TELNET_SUB_MAX];
    size_t sub_len; /* > TELNET_SUB_MAX: too long, ignored */
    bool in_sub, sub_iac;
    bool after_cr; /* LF or NUL after CR is part of it */
    bool binary_in, binary_out;
    bool knows_options; /* the client negotiates */
    struct telnet_option naws, ttype;
    char terminal[TELNET_TERMINAL_MAX + 1];
    struct screen screen;

    unsigned tries;
    char user[TELNET_FIELD_MAX], password[TELNET_FIELD_MAX];
    size_t user_len, password_len; /* > TELNET_FIELD_MAX: too long */
    unsigned greeting;             /* bytes of step 8 still to be given */
};

/* Says banner and first prompt. `t` must stay where it is. */
void telnet_init(struct telnet *t, const struct telnet_ops *ops, void *ctx,
                 const struct telnet_config *config, uint64_t now_ms);

/* Bytes of the client; returns how many were taken. */
size_t telnet_feed(struct telnet *t, const void *data, size_t len,
                   uint64_t now_ms);

/* Output of the prompt: at most telnet_room() bytes at a time. What a client
 * that has taken nothing for TELNET_PATIENCE_MS misses is dropped, with a
 * remark when it is back. SIZE_MAX: as much as you like (it is not logged in,
 * or behind). */
size_t telnet_room(struct telnet *t, uint64_t now_ms);
void telnet_print(struct telnet *t, const void *data, size_t len,
                  uint64_t now_ms);

/* The caller has moved bytes out of `out`. */
void telnet_sent(struct telnet *t, uint64_t now_ms);

/* Says `why` on a line of its own and ends. */
void telnet_shutdown(struct telnet *t, const char *why);
/* The connection is gone. */
void telnet_hangup(struct telnet *t);

uint64_t telnet_deadline(const struct telnet *t); /* UINT64_MAX: none */
void telnet_tick(struct telnet *t, uint64_t now_ms);

#endif
