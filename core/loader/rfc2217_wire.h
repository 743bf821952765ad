/* Telnet's bytes, shared by the two ends of RFC 2217; not for callers. */
#ifndef WIPY_LOADER_RFC2217_WIRE_H
#define WIPY_LOADER_RFC2217_WIRE_H

#include "loader/rfc2217.h"

enum {
    TELNET_SE = 240,
    TELNET_SB = 250,
    TELNET_WILL = 251,
    TELNET_WONT = 252,
    TELNET_DO = 253,
    TELNET_DONT = 254,
    TELNET_IAC = 255,
};

enum { OPTION_BINARY = 0, OPTION_SGA = 3, OPTION_COM_PORT = 44 };

/* The place of a supported option in arrays, or -1. */
int telnet_option_index(uint8_t option);

enum telnet_event {
    TELNET_NOTHING,
    TELNET_OPTION, /* p->verb, the byte just given */
    TELNET_SUB,    /* p->sub, p->sub_len: complete and not too long */
};

/* The data the bytes begin with, pairs of FF made one: as far as the first
 * command, the end or `size` bytes of data (`*made` of them). Returns how many
 * of the bytes that took. */
size_t telnet_take_data(struct telnet_parser *p, const uint8_t *data,
                        size_t len, uint8_t *to, size_t size, size_t *made);

/* True when the next byte belongs to a command: telnet_step. */
bool telnet_in_command(const struct telnet_parser *p, uint8_t byte);

/* One byte of a command. */
enum telnet_event telnet_step(struct telnet_parser *p, uint8_t byte);

/* Appends `IAC verb option` and `IAC SB 44 command value IAC SE`. The ring
 * must have room (3 and 7 + 2 * len). */
void telnet_put_option(struct ring *out, uint8_t verb, uint8_t option);
void telnet_put_sub(struct ring *out, uint8_t command, const uint8_t *value,
                    size_t len);

/* Appends data with FF doubled. Returns how many bytes were taken: all, or
 * as many as surely fit. */
size_t telnet_put_data(struct ring *out, const uint8_t *data, size_t len);

uint32_t get_u32_be(const uint8_t *p);
void put_u32_be(uint8_t *p, uint32_t v);

#endif
