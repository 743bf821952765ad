/* A session with the serial loader of a board: connect, identify, ask.
 *
 * Blocking, over port.h; what goes over the wire is core/loader/client.h.
 * Functions return 0 or a negative enum wipy_err; the sentence for the user
 * is then in `error`. */
#ifndef WIPY_TOOL_LOADER_H
#define WIPY_TOOL_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/client.h"
#include "port.h"

enum {
    LOADER_BAUD = 460800, /* default speed of the data */
    LOADER_TRIES = 3,     /* of a block that was not taken */
    LOADER_ERROR_MAX = 512,
};

struct loader_options {
    const char *port;  /* NULL: port_find */
    const char *flash; /* chip file of the board meant by port_find */
    uint32_t baud;
    bool rom_only; /* --no-stub: the ROM's own commands */
    bool no_reset; /* --before no_reset: the board is in its loader */
    bool stay;     /* --after no_reset: leave it there */
    bool quiet;    /* only errors and results */
};

/* Which chip answers. */
struct chip_facts {
    bool is_virtual;  /* the eFuse mark: code of `machine` runs there */
    uint16_t machine; /* enum image_machine; IMAGE_MACHINE_XTENSA on silicon */
    uint8_t mac[6];
    unsigned revision;
    uint32_t flash_id;
    uint32_t flash_size; /* bytes */
};

/* Whether the line has a speed that compressing could save. */
enum line_speed { LINE_UNKNOWN, LINE_SLOW, LINE_FAST };

struct loader {
    struct loader_options o;
    enum line_speed speed;
    char name[PORT_NAME_MAX];
    struct port *port;
    struct loader_client client;
    struct chip_facts chip;
    uint32_t baud;  /* in use */
    uint32_t block; /* bytes a FLASH_DATA carries */
    bool lost;    /* the last failure was the line's: connecting again helps */
    bool synced;  /* somebody answered since the port was opened */
    bool touched; /* something was written or erased */
    unsigned settled;        /* blocks and frames that arrived, ever */
    unsigned settled_before; /* when the line was lost the last time */
    unsigned in_vain; /* losses in a row with nothing settled in between */
    char heard[1024]; /* the last text that came before the session */
    size_t heard_len;
    struct {
        uint8_t op;
        uint32_t sequence, timeout_ms;
        const uint8_t *data;
        size_t len;
        unsigned open; /* posted and not settled */
    } posted;          /* the last block */
    size_t in_at, in_len;
    uint8_t in[16384];
    char error[LOADER_ERROR_MAX];
};

/* malloc; NULL never: ends the program when memory is out. From here on
 * SIGINT and SIGTERM end what waits for the board with WIPY_ECANCELED and a
 * message that says what state it is in; a second one ends the program. */
struct loader *loader_new(const struct loader_options *o);
void loader_free(struct loader *l);

/* Finds and opens the port, resets into the loader, synchronizes, identifies
 * the chip, starts the stub's dialect on a virtual board, raises the speed.
 * WIPY_ENOENT: no port; WIPY_EBUSY: in use; WIPY_ETIMEOUT: nobody answers;
 * WIPY_EPERM: it answers, but did not enter the loader; WIPY_EMACHINE: another
 * chip. */
int loader_connect(struct loader *l);

/* After a failure with `lost`: the same again, several times with pauses. */
int loader_connect_again(struct loader *l);

/* After failure `*err`: true when the line was lost, or the board said no or
 * nonsense (a hurt byte can do that), and a new session stands, so that what
 * failed can be done anew. `*again` counts; given up when several in a row
 * brought nothing further. Where none stands, `*err` is why. */
bool loader_recovered(struct loader *l, int *err, unsigned *again);

/* Runs the flash (EN pulse; the loader's own way where the port has no
 * lines), unless `stay`; closes the port. */
void loader_disconnect(struct loader *l);

/* Ctrl-C came: l->error says what state the board is in. WIPY_ECANCELED. */
int loader_stopped(struct loader *l);

/* One command and its answer (l->client.answer). WIPY_EPROTO when the board
 * says it failed, WIPY_ETIMEOUT, WIPY_ECLOSED. */
int loader_command(struct loader *l, uint8_t op, const void *data, size_t len,
                   uint32_t timeout_ms);

/* The same in two halves, with work of one's own in between. */
int loader_ask(struct loader *l, uint8_t op, const void *data, size_t len,
               uint32_t timeout_ms);
int loader_wait(struct loader *l);

/* A *_DATA command, tried again when it arrived damaged. One that is not
 * answered is tried again only on a virtual board, which knows a block it has
 * seen by its number; silicon would write it twice. */
int loader_send_block(struct loader *l, uint8_t op, uint32_t sequence,
                      const uint8_t *data, size_t len, uint32_t timeout_ms);

/* The same in two halves; `data` must stay until the second. Several may be
 * posted before they are settled, one after the other, where the line loses
 * nothing: then a failure cannot be repaired and counts as a lost line. */
int loader_post_block(struct loader *l, uint8_t op, uint32_t sequence,
                      const uint8_t *data, size_t len, uint32_t timeout_ms);
int loader_settle_block(struct loader *l);

/* The next bare frame: l->client.in. */
int loader_next_frame(struct loader *l, uint32_t timeout_ms);
int loader_send_frame(struct loader *l, const void *data, size_t len);

int loader_read_reg(struct loader *l, uint32_t addr, uint32_t *value);

/* "ESP32 revision 1 (virtual), 8 MiB flash, 24:0a:c4:…" */
void loader_describe(const struct loader *l, char to[160]);

/* What `wipy` exits with for such an error. */
int loader_exit_code(int err);

/* Fills `error`; returns `err`. */
int loader_fail(struct loader *l, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
