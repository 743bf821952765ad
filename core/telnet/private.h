/* Between the files of this room. */
#ifndef WIPY_TELNET_PRIVATE_H
#define WIPY_TELNET_PRIVATE_H

#include "telnet.h"

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

enum { SPARE = 512 }; /* of `out`, for replies and dialogue */

/* ---- output.c ---- */

/* All of it or nothing: a client that does not read what it asked for gets no
 * answers. */
void telnet_put(struct telnet *t, const void *data, size_t len);
void telnet_put_text(struct telnet *t, const char *text);
/* Nothing more of the prompt's output fits. */
bool telnet_is_full(const struct telnet *t);
void telnet_notice_lag(struct telnet *t, uint64_t now_ms);

/* ---- options.c ---- */

/* WILL, WONT, DO or DONT of the client. */
void telnet_option(struct telnet *t, uint8_t verb, uint8_t option);
/* A sub-negotiation, byte for byte from behind SB on. */
void telnet_sub_begin(struct telnet *t);
void telnet_sub_byte(struct telnet *t, uint8_t byte);

#endif
