/* Serial ports of the host: bytes, speed and modem lines, by name.
 *
 *   /dev/ttyUSB0, /dev/cu.…, /dev/pts/3   a tty or pty
 *   rfc2217://HOST:PORT                   a serial port over TCP with lines
 *   socket://HOST:PORT                    bytes only
 *
 * Blocking, with time-outs; one thread. Errors are negative enum wipy_err;
 * port_error() is the sentence for the user. */
#ifndef WIPY_TOOL_PORT_H
#define WIPY_TOOL_PORT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port;

enum {
    PORT_NAME_MAX = 256,
    PORT_SETTLE_MS = 3000, /* longest wait for a setting's acknowledgement */
};

/* A signal handler sets it: what moves without waiting still does, but
 * whatever waits for a port then ends with WIPY_ECANCELED. */
extern volatile sig_atomic_t port_interrupted;

/* WIPY_ENOENT: no such device, nobody listens, or something else than a serial
 * port; WIPY_EBUSY: in use (an RFC 2217 line for five seconds); WIPY_EINVAL:
 * the name is none. `*p` is set on success; the reason is in `why`
 * (PORT_NAME_MAX characters) otherwise. */
int port_open(struct port **p, const char *name, uint32_t baud, char *why);
void port_close(struct port *p);

/* Waits up to `timeout_ms` for at least a byte. Returns the count, 0 when
 * time ran out, WIPY_ECLOSED when the other end is gone. */
int port_read(struct port *p, void *to, size_t size, int timeout_ms);

/* Writes all, or WIPY_ETIMEOUT / WIPY_ECLOSED / WIPY_ECANCELED. */
int port_write(struct port *p, const void *from, size_t len, int timeout_ms);

/* A new speed after everything written has left; odd values are fine. */
int port_set_baud(struct port *p, uint32_t baud);

/* Both lines. WIPY_ENOTSUP when the carrier has none (pty, socket). */
int port_set_lines(struct port *p, bool dtr, bool rts);
bool port_has_lines(const struct port *p);
bool port_has_baud(const struct port *p);

/* Drops what came and was not read. */
void port_purge(struct port *p);

/* What the other end said, for a message: only what a terminal prints, cut to
 * `size`; `to` may be `from`. */
void port_text(char *to, size_t size, const char *from, size_t len);

/* Readable with poll(2); port_read may still have bytes of its own first. */
int port_fd(const struct port *p);
bool port_has_input(const struct port *p);

/* ---- finding one ---- */

/* The port to use when none was named: WIPY_PORT from the environment, the
 * running board's (through `flash`.ctl; NULL = wipy.flash), or the only USB
 * serial port there is. `name` gets it, `how` why ("the running board of
 * wipy.flash"). WIPY_ENOENT: none; WIPY_EEXIST: several; then `how` is the
 * sentence for the user. */
int port_find(const char *flash, char name[PORT_NAME_MAX], char how[1024]);

#endif
