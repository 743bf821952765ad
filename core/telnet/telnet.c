#include <stdio.h>
#include <string.h>

#include "private.h"

enum {
    CTRL_C = 3,
    CTRL_D = 4,
    CTRL_F = 6,
    BACKSPACE = 8,
    CTRL_U = 21,
    DEL = 127,
    CLEAR_LINE = 128, /* backspaces of step 8 */
};

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
    telnet_put(t, options, sizeof options);
    telnet_put_text(t, "Login as: ");
    t->user_len = t->password_len = 0;
    t->state = TELNET_USER;
}

/* Steps 4 and 5: "I echo" keeps the password off the client's screen. */
static void ask_password(struct telnet *t)
{
    static const uint8_t options[] = {
        IAC, WILL, OPT_ECHO, IAC, WONT, OPT_SGA, IAC, WILL, OPT_LINEMODE};
    telnet_put_text(t, "Password: ");
    telnet_put(t, options, sizeof options);
    t->state = TELNET_PASSWORD;
}

/* Step 6b on. */
static void let_in(struct telnet *t)
{
    static const uint8_t options[] = {
        IAC, WILL, OPT_ECHO, IAC, WILL, OPT_SGA, IAC, WONT, OPT_LINEMODE};
    telnet_put(t, options, sizeof options);
    telnet_put_text(t, "\r\nLogin succeeded!\r\n");
    if (t->config.warning) {
        telnet_put_text(t, t->config.warning);
        telnet_put_text(t, "\r\n");
    }
    telnet_put_text(t, "Type \"help()\" for more information.\r\n");
    t->state = TELNET_PROMPT;
    t->greeting = CLEAR_LINE + 1;
    t->after_cr = true; /* the LF of the password's line may still come */
    t->ops->entered(t->ctx);
}

/* ---- login ---- */

static void refuse(struct telnet *t, const char *why)
{
    telnet_put_text(t, "\r\n");
    telnet_put_text(t, why);
    telnet_put_text(t, "\r\n");
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
    enum telnet_verdict verdict = t->ops->login(t->ctx, t->user, t->user_len,
                                                t->password, t->password_len);
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

/* ---- input ---- */

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
        telnet_sub_begin(t);
    } else if (byte == AYT) {
        /* Echoed, as the ESP32 boards do: the vendor's editor plug-in uses
         * it as a sign of life and shows any text. */
        static const uint8_t here[] = {IAC, AYT};
        telnet_put(t, here, sizeof here);
    }
    return true;
}

static bool take_byte(struct telnet *t, uint8_t byte, uint64_t now_ms)
{
    if (t->in_sub) {
        telnet_sub_byte(t, byte);
        return true;
    }
    if (t->command == IAC)
        return command_byte(t, byte, now_ms);
    if (t->command) {
        telnet_option(t, t->command, byte);
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
    telnet_put_text(t, config->banner);
    telnet_put_text(t, "\r\n");
    ask_user(t);
}

void telnet_shutdown(struct telnet *t, const char *why)
{
    if (t->state == TELNET_ENDED)
        return;
    telnet_put_text(t, "\r\n");
    telnet_put_text(t, why);
    telnet_put_text(t, "\r\n");
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
    if (telnet_is_full(t))
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
        telnet_notice_lag(t, now_ms);
    bool late = t->state != TELNET_PROMPT && t->state != TELNET_ENDED &&
                now_ms >= t->start_ms + TELNET_LOGIN_TIME_MS;
    bool idle = now_ms >= t->active_ms + t->config.idle_ms;
    bool stuck = t->lagging && now_ms >= t->moved_ms + TELNET_STUCK_MS;
    if (late || idle || stuck)
        end(t); /* without a message, as spec 6.2 has it */
}
