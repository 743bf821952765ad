#include "telnet.h"

#include <stdio.h>
#include <string.h>

/* RFC 854 */
enum {
    EOF_ = 236,
    ABORT = 238,
    SE = 240,
    BRK = 243,
    IP = 244,
    AYT = 246,
    EC = 247,
    EL = 248,
    SB = 250,
    WILL = 251,
    WONT = 252,
    DO = 253,
    DONT = 254,
    IAC = 255,
};

enum {
    OPT_BINARY = 0,
    OPT_ECHO = 1,
    OPT_SGA = 3, /* suppress go-ahead */
    OPT_TIMING_MARK = 6,
    OPT_TTYPE = 24,
    OPT_NAWS = 31,
    OPT_LINEMODE = 34,
};

enum {
    CTRL_C = 3,
    CTRL_D = 4,
    CTRL_F = 6,
    BACKSPACE = 8,
    CTRL_U = 21,
    DEL = 127,
    CLEAR_LINE = 128, /* backspaces of step 8 */
    SPARE = 512,      /* of `out`, for replies and dialogue */
};

/* ---- what we say ---- */

static void put(struct telnet *t, const void *data, size_t len)
{
    /* A client that does not read what it asked for gets no answers. */
    if (ring_room(&t->out) >= len)
        ring_put(&t->out, data, len);
}

static void put_text(struct telnet *t, const char *text)
{
    put(t, text, strlen(text));
}

static void answer(struct telnet *t, uint8_t verb, uint8_t option)
{
    uint8_t reply[3] = {IAC, verb, option};
    put(t, reply, sizeof reply);
}

static void end(struct telnet *t)
{
    if (t->state == TELNET_ENDED)
        return;
    t->state = TELNET_ENDED;
    memset(t->password, 0, sizeof t->password);
    t->ops->ended(t->ctx);
}

/* Spec 6.2 steps 2 and 3: the client echoes and edits the line. */
static void ask_user(struct telnet *t)
{
    static const uint8_t options[] = {
        IAC, WONT, OPT_ECHO, IAC, WONT, OPT_SGA, IAC, WILL, OPT_LINEMODE};
    put(t, options, sizeof options);
    put_text(t, "Login as: ");
    t->user_len = t->password_len = 0;
    t->state = TELNET_USER;
}

/* Steps 4 and 5: "I echo" keeps the password off the client's screen. */
static void ask_password(struct telnet *t)
{
    static const uint8_t options[] = {
        IAC, WILL, OPT_ECHO, IAC, WONT, OPT_SGA, IAC, WILL, OPT_LINEMODE};
    put_text(t, "Password: ");
    put(t, options, sizeof options);
    t->state = TELNET_PASSWORD;
}

/* Step 6b on. */
static void let_in(struct telnet *t)
{
    static const uint8_t options[] = {
        IAC, WILL, OPT_ECHO, IAC, WILL, OPT_SGA, IAC, WONT, OPT_LINEMODE};
    put(t, options, sizeof options);
    put_text(t, "\r\nLogin succeeded!\r\n");
    if (t->config.warning) {
        put_text(t, t->config.warning);
        put_text(t, "\r\n");
    }
    put_text(t, "Type \"help()\" for more information.\r\n");
    t->state = TELNET_PROMPT;
    t->greeting = CLEAR_LINE + 1;
    t->after_cr = true; /* the LF of the password's line may still come */
    t->ops->entered(t->ctx);
}

/* ---- login ---- */

static void refuse(struct telnet *t, const char *why)
{
    put_text(t, "\r\n");
    put_text(t, why);
    put_text(t, "\r\n");
    if (++t->tries >= TELNET_TRIES)
        end(t);
    else
        ask_user(t);
}

static void judge(struct telnet *t, uint64_t now_ms)
{
    uint64_t wait = t->ops->login_wait(t->ctx);
    t->state = TELNET_JUDGING;
    t->judge_ms = now_ms + wait;
    if (wait && wait <= TELNET_LOGIN_PATIENCE_MS)
        return;
    enum telnet_verdict verdict =
        wait ? TELNET_LOGIN_LOCKED
             : t->ops->login(t->ctx, t->user, t->user_len, t->password,
                             t->password_len);
    memset(t->password, 0, sizeof t->password);
    if (verdict == TELNET_LOGIN_OK) {
        let_in(t);
    } else if (verdict == TELNET_LOGIN_WRONG) {
        refuse(t, "Invalid credentials, try again.");
    } else {
        char why[80];
        wait = t->ops->login_wait(t->ctx);
        snprintf(why, sizeof why,
                 "Too many wrong passwords from this address: wait %llu s.",
                 (unsigned long long)(wait / 1000 + 1));
        t->tries = TELNET_TRIES;
        refuse(t, why);
    }
}

static void field_end(struct telnet *t, uint64_t now_ms)
{
    if (t->state == TELNET_USER) {
        ask_password(t);
        return;
    }
    /* Too long is wrong, and no byte past the field is looked at. */
    if (t->user_len > TELNET_FIELD_MAX)
        t->user_len = 0;
    if (t->password_len > TELNET_FIELD_MAX)
        t->password_len = 0;
    judge(t, now_ms);
}

static void field_byte(struct telnet *t, uint8_t byte, uint64_t now_ms)
{
    bool user = t->state == TELNET_USER;
    char *field = user ? t->user : t->password;
    size_t *len = user ? &t->user_len : &t->password_len;
    if (byte == '\r' || byte == '\n') {
        field_end(t, now_ms);
    } else if (byte == BACKSPACE || byte == DEL) {
        *len -= *len > 0;
    } else if (byte == CTRL_U) {
        *len = 0;
    } else if (byte >= ' ' || *len > TELNET_FIELD_MAX) {
        if (*len < TELNET_FIELD_MAX)
            field[*len] = (char)byte;
        if (*len <= TELNET_FIELD_MAX)
            ++*len;
    }
}

/* ---- options ---- */

static void on_will(struct telnet *t, uint8_t option)
{
    if (option == OPT_BINARY) {
        if (!t->binary_in)
            answer(t, DO, option);
        t->binary_in = true;
    } else if (option == OPT_NAWS) {
        if (!t->naws)
            answer(t, DO, option);
        t->naws = true;
    } else if (option == OPT_TTYPE && !t->ttype) {
        static const uint8_t send[] = {IAC, SB, OPT_TTYPE, 1, IAC, SE};
        answer(t, DO, option);
        put(t, send, sizeof send);
        t->ttype = true;
    } else if (option != OPT_TTYPE) {
        answer(t, DONT, option);
    }
}

static void on_wont(struct telnet *t, uint8_t option)
{
    if (option == OPT_BINARY && t->binary_in) {
        answer(t, DONT, option);
        t->binary_in = false;
    } else if (option == OPT_NAWS) {
        t->naws = false;
    } else if (option == OPT_TTYPE) {
        t->ttype = false;
    }
}

/* Echo, go-ahead and line mode are announced by the dialogue and not
 * negotiated: the client's DO or DONT is its answer, not a question. */
static void on_do(struct telnet *t, uint8_t option)
{
    if (option == OPT_BINARY) {
        if (!t->binary_out)
            answer(t, WILL, option);
        t->binary_out = true;
    } else if (option == OPT_TIMING_MARK) {
        answer(t, WILL, option);
    } else if (option != OPT_ECHO && option != OPT_SGA &&
               option != OPT_LINEMODE) {
        answer(t, WONT, option);
    }
}

static void on_dont(struct telnet *t, uint8_t option)
{
    if (option == OPT_BINARY && t->binary_out) {
        answer(t, WONT, option);
        t->binary_out = false;
    }
}

static void on_option(struct telnet *t, uint8_t verb, uint8_t option)
{
    if (verb == WILL)
        on_will(t, option);
    else if (verb == WONT)
        on_wont(t, option);
    else if (verb == DO)
        on_do(t, option);
    else
        on_dont(t, option);
}

static void on_sub(struct telnet *t)
{
    const uint8_t *s = t->sub;
    size_t len = t->sub_len;
    if (len > TELNET_SUB_MAX)
        return;
    if (len == 5 && s[0] == OPT_NAWS) {
        t->width = (uint16_t)(s[1] << 8 | s[2]);
        t->height = (uint16_t)(s[3] << 8 | s[4]);
    } else if (len >= 2 && s[0] == OPT_TTYPE && s[1] == 0) {
        size_t n = len - 2;
        n = n < TELNET_TERMINAL_MAX ? n : TELNET_TERMINAL_MAX;
        memcpy(t->terminal, s + 2, n);
        t->terminal[n] = '\0';
    }
}

static void sub_byte(struct telnet *t, uint8_t byte)
{
    if (!t->sub_iac && byte == IAC) {
        t->sub_iac = true;
        return;
    }
    if (t->sub_iac && byte != IAC) {
        /* SE ends it; anything else is a broken peer: end it as well, so
         * that a missing SE does not swallow the session. */
        t->in_sub = t->sub_iac = false;
        if (byte == SE)
            on_sub(t);
        return;
    }
    t->sub_iac = false;
    if (t->sub_len < TELNET_SUB_MAX)
        t->sub[t->sub_len] = byte;
    if (t->sub_len <= TELNET_SUB_MAX)
        t->sub_len++;
}

/* What a command means as a key, or 0. */
static uint8_t key_of(uint8_t command)
{
    switch (command) {
    case IP:
    case BRK:
    case ABORT:
        return CTRL_C;
    case EOF_:
        return CTRL_D;
    case EC:
        return BACKSPACE;
    case EL:
        return CTRL_U;
    default:
        return 0;
    }
}

/* ---- input ---- */

/* A byte of the user. False: not now. */
static bool user_byte(struct telnet *t, uint8_t byte, uint64_t now_ms)
{
    bool cr = t->after_cr;
    bool text = !t->binary_in || t->state != TELNET_PROMPT;
    if (t->state == TELNET_JUDGING)
        return false; /* typed ahead */
    if (text && (byte == 0 || (byte == '\n' && cr))) {
        t->after_cr = false;
        return true;
    }
    if (t->state != TELNET_PROMPT) {
        t->after_cr = byte == '\r';
        field_byte(t, byte, now_ms);
        return true;
    }
    bool boot = text && byte == CTRL_F && t->ops->safe_boot(t->ctx);
    if (!boot && t->ops->input(t->ctx, &byte, 1) == 0)
        return false;
    t->after_cr = text && byte == '\r';
    return true;
}

static bool command_byte(struct telnet *t, uint8_t byte, uint64_t now_ms)
{
    if (byte >= WILL && byte <= DONT) {
        t->command = byte;
        return true;
    }
    bool literal = byte == IAC;
    uint8_t key = literal ? IAC : key_of(byte);
    if (key && !user_byte(t, key, now_ms))
        return false;
    t->command = 0;
    if (byte == SB) {
        t->in_sub = true;
        t->sub_iac = false;
        t->sub_len = 0;
    } else if (byte == AYT) {
        /* Echoed, as the ESP32 boards do: the vendor's editor plug-in uses
         * it as a sign of life and shows any text. */
        static const uint8_t here[] = {IAC, AYT};
        put(t, here, sizeof here);
    }
    return true;
}

static bool take_byte(struct telnet *t, uint8_t byte, uint64_t now_ms)
{
    if (t->in_sub) {
        sub_byte(t, byte);
        return true;
    }
    if (t->command == IAC)
        return command_byte(t, byte, now_ms);
    if (t->command) {
        on_option(t, t->command, byte);
        t->command = 0;
        return true;
    }
    if (byte == IAC) {
        t->command = IAC;
        return true;
    }
    return user_byte(t, byte, now_ms);
}

/* Bytes the prompt can have as they are, at the start of `data`. */
static size_t plain_run(const struct telnet *t, const uint8_t *data, size_t len)
{
    size_t n = 0;
    if (t->state != TELNET_PROMPT || t->in_sub || t->command || t->after_cr)
        return 0;
    while (n < len && data[n] != IAC && data[n] != '\r' && data[n] != 0 &&
           data[n] != CTRL_F)
        n++;
    return n;
}

static bool greet_prompt(struct telnet *t)
{
    while (t->state == TELNET_PROMPT && t->greeting) {
        uint8_t byte = t->greeting == 1 ? '\r' : BACKSPACE;
        if (t->ops->input(t->ctx, &byte, 1) == 0)
            return false;
        t->greeting--;
    }
    return true;
}

size_t telnet_feed(struct telnet *t, const void *data, size_t len,
                   uint64_t now_ms)
{
    const uint8_t *p = data;
    size_t taken = 0;
    while (taken < len && t->state != TELNET_ENDED) {
        if (!greet_prompt(t))
            break;
        size_t run = plain_run(t, p + taken, len - taken);
        size_t n = run ? t->ops->input(t->ctx, p + taken, run)
                       : take_byte(t, p[taken], now_ms);
        taken += n;
        if (n < (run ? run : 1))
            break;
    }
    greet_prompt(t);
    if (taken)
        t->active_ms = now_ms;
    return t->state == TELNET_ENDED ? len : taken;
}

/* ---- output ---- */

static void notice_lag(struct telnet *t, uint64_t now_ms)
{
    if (t->lagging && ring_used(&t->out) == 0) {
        t->lagging = false;
        put_text(t, "\r\n[output lost: this client was too slow]\r\n");
        t->moved_ms = now_ms;
    }
    bool full = ring_room(&t->out) < SPARE + 2;
    if (full && now_ms - t->moved_ms >= TELNET_PATIENCE_MS)
        t->lagging = true;
}

size_t telnet_room(struct telnet *t, uint64_t now_ms)
{
    if (t->state != TELNET_PROMPT)
        return SIZE_MAX;
    notice_lag(t, now_ms);
    if (t->lagging)
        return SIZE_MAX;
    size_t room = ring_room(&t->out);
    return room < SPARE ? 0 : (room - SPARE) / 2; /* every byte may be FF */
}

void telnet_print(struct telnet *t, const void *data, size_t len,
                  uint64_t now_ms)
{
    const uint8_t *p = data;
    if (t->state != TELNET_PROMPT || t->lagging)
        return;
    if (ring_used(&t->out) == 0)
        t->moved_ms = now_ms;
    t->active_ms = now_ms;
    while (len) {
        const uint8_t *iac = memchr(p, IAC, len);
        size_t run = iac ? (size_t)(iac - p) + 1 : len;
        ring_put(&t->out, p, run);
        if (iac)
            ring_put(&t->out, iac, 1); /* doubled */
        p += run;
        len -= run;
    }
}

void telnet_sent(struct telnet *t, uint64_t now_ms)
{
    t->moved_ms = now_ms;
}

/* ---- beginning, end, time ---- */

void telnet_init(struct telnet *t, const struct telnet_ops *ops, void *ctx,
                 const struct telnet_config *config, uint64_t now_ms)
{
    *t = (struct telnet){
        .ops = ops,
        .ctx = ctx,
        .config = *config,
        .start_ms = now_ms,
        .active_ms = now_ms,
        .moved_ms = now_ms,
    };
    ring_init(&t->out, t->out_data, sizeof t->out_data);
    put_text(t, config->banner);
    put_text(t, "\r\n");
    ask_user(t);
}

void telnet_shutdown(struct telnet *t, const char *why)
{
    if (t->state == TELNET_ENDED)
        return;
    put_text(t, "\r\n");
    put_text(t, why);
    put_text(t, "\r\n");
    end(t);
}

void telnet_hangup(struct telnet *t)
{
    end(t);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t telnet_deadline(const struct telnet *t)
{
    if (t->state == TELNET_ENDED)
        return UINT64_MAX;
    uint64_t at = t->active_ms + t->config.idle_ms;
    if (t->state == TELNET_JUDGING)
        at = earliest(at, t->judge_ms);
    if (t->state != TELNET_PROMPT)
        return earliest(at, t->start_ms + TELNET_LOGIN_TIME_MS);
    if (t->lagging)
        return earliest(at, t->moved_ms + TELNET_STUCK_MS);
    if (ring_room(&t->out) < SPARE + 2)
        at = earliest(at, t->moved_ms + TELNET_PATIENCE_MS);
    return at;
}

void telnet_tick(struct telnet *t, uint64_t now_ms)
{
    if (t->state == TELNET_ENDED)
        return;
    if (t->state == TELNET_JUDGING && now_ms >= t->judge_ms)
        judge(t, now_ms);
    greet_prompt(t);
    if (t->state == TELNET_PROMPT)
        notice_lag(t, now_ms);
    bool late = t->state != TELNET_PROMPT && t->state != TELNET_ENDED &&
                now_ms >= t->start_ms + TELNET_LOGIN_TIME_MS;
    bool idle = now_ms >= t->active_ms + t->config.idle_ms;
    bool stuck = t->lagging && now_ms >= t->moved_ms + TELNET_STUCK_MS;
    if (late || idle || stuck)
        end(t); /* without a message, as spec 6.2 has it */
}
