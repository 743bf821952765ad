/* Telnet's options: who does what, and what the client tells of its window
 * and terminal. */
#include <string.h>
#include <strings.h>

#include "private.h"

static void answer(struct telnet *t, uint8_t verb, uint8_t option)
{
    uint8_t reply[3] = {IAC, verb, option};
    telnet_put(t, reply, sizeof reply);
}

static void ask(struct telnet *t, struct telnet_option *o, uint8_t option)
{
    if (!o->on && !o->asked)
        answer(t, DO, option);
    o->asked = !o->on;
}

/* A client that negotiates at all is asked for its window and terminal; one
 * that does not is sent no byte more than by the original. */
static void ask_for_screen(struct telnet *t)
{
    t->knows_options = true;
    ask(t, &t->naws, OPT_NAWS);
    ask(t, &t->ttype, OPT_TTYPE);
}

static void on_will(struct telnet *t, uint8_t option)
{
    static const uint8_t send[] = {IAC, SB, OPT_TTYPE, 1, IAC, SE};
    if (option == OPT_BINARY) {
        if (!t->binary_in)
            answer(t, DO, option);
        t->binary_in = true;
    } else if (option == OPT_NAWS) {
        ask(t, &t->naws, option);
        t->naws = (struct telnet_option){.on = true};
    } else if (option == OPT_TTYPE) {
        ask(t, &t->ttype, option);
        if (!t->ttype.on)
            telnet_put(t, send, sizeof send);
        t->ttype = (struct telnet_option){.on = true};
    } else {
        answer(t, DONT, option);
    }
}

static void stop(struct telnet *t, struct telnet_option *o, uint8_t option)
{
    if (o->on)
        answer(t, DONT, option);
    *o = (struct telnet_option){0};
}

static void on_wont(struct telnet *t, uint8_t option)
{
    if (option == OPT_BINARY && t->binary_in) {
        answer(t, DONT, option);
        t->binary_in = false;
    } else if (option == OPT_NAWS) {
        stop(t, &t->naws, option);
        screen_set(&t->screen, 0, t->screen.dumb);
    } else if (option == OPT_TTYPE) {
        stop(t, &t->ttype, option);
        screen_set(&t->screen, t->screen.width, false);
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
        screen_lose(&t->screen);
    }
}

void telnet_option(struct telnet *t, uint8_t verb, uint8_t option)
{
    if (verb == WILL)
        on_will(t, option);
    else if (verb == WONT)
        on_wont(t, option);
    else if (verb == DO)
        on_do(t, option);
    else
        on_dont(t, option);
    if (!t->knows_options)
        ask_for_screen(t);
}

void telnet_sub_begin(struct telnet *t)
{
    t->in_sub = true;
    t->sub_iac = false;
    t->sub_len = 0;
}

/* Terminals whose cursor cannot be moved, as telnet clients name them (RFC
 * 1091, assigned numbers, terminfo). */
static bool is_dumb(const char *terminal)
{
    static const char *const names[] = {"dumb", "unknown", "network", "emacs",
                                        "teletype"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncasecmp(terminal, names[i], strlen(names[i])))
            return true;
    return false;
}

static void on_sub(struct telnet *t)
{
    const uint8_t *s = t->sub;
    size_t len = t->sub_len;
    if (len > TELNET_SUB_MAX)
        return;
    if (len == 5 && s[0] == OPT_NAWS) {
        screen_set(&t->screen, (uint16_t)(s[1] << 8 | s[2]), t->screen.dumb);
    } else if (len >= 2 && s[0] == OPT_TTYPE && s[1] == 0) {
        size_t n = len - 2;
        n = n < TELNET_TERMINAL_MAX ? n : TELNET_TERMINAL_MAX;
        memcpy(t->terminal, s + 2, n);
        t->terminal[n] = '\0';
        screen_set(&t->screen, t->screen.width, is_dumb(t->terminal));
    }
}

void telnet_sub_byte(struct telnet *t, uint8_t byte)
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
