/* Commands and answers of a session; connecting is loader_connect.c. */
#include "loader.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "clock.h"
#include "commands.h"
#include "outcome.h"

enum {
    WRITE_MS = 20000, /* longest stall of the line while sending */
};

/* ---- Ctrl-C ---- */

static void on_signal(int number)
{
    (void)number;
    port_interrupted = 1;
}

static void catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    act.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

int loader_stopped(struct loader *l)
{
    l->lost = false;  /* connecting again is not wanted */
    l->o.stay = true; /* nothing half written is started */
    return loader_fail(
        l, WIPY_ECANCELED, "interrupted%s%s",
        l->synced ? "; the board waits in its loader ('wipy reset' or its "
                    "button starts it)"
                  : "",
        l->touched ? ", and what was being written is there in part: the same "
                     "command again sends only what is missing"
                   : "; nothing was changed");
}

struct loader *loader_new(const struct loader_options *o)
{
    struct loader *l = calloc(1, sizeof *l);
    if (!l) {
        complain("wipy: out of memory\n");
        exit(EXIT_FAILED);
    }
    l->o = *o;
    catch_signals();
    return l;
}

void loader_free(struct loader *l)
{
    if (!l)
        return;
    port_close(l->port);
    free(l);
}

int loader_fail(struct loader *l, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->error, sizeof l->error, format, args);
    va_end(args);
    return err;
}

/* ---- bytes ---- */

static int send_out(struct loader *l)
{
    const uint8_t *at;
    size_t len;
    while ((len = ring_peek(&l->client.out, &at)) > 0) {
        int err = port_write(l->port, at, len, WRITE_MS);
        if (err == WIPY_ECANCELED)
            return loader_stopped(l);
        if (err < 0) {
            l->lost = true;
            return loader_fail(l, err, "%s: %s", l->name,
                               err == WIPY_ECLOSED ? "the connection broke"
                                                   : "the line does not move");
        }
        ring_drop(&l->client.out, len);
    }
    return 0;
}

/* Keeps the end of what was heard: a boot message says why nobody answers. */
static void remember(struct loader *l, const uint8_t *data, size_t len)
{
    size_t room = sizeof l->heard - 1;
    if (len > room / 2) {
        data += len - room / 2;
        len = room / 2;
    }
    if (l->heard_len + len > room) {
        size_t drop = l->heard_len + len - room;
        memmove(l->heard, l->heard + drop, l->heard_len - drop);
        l->heard_len -= drop;
    }
    memcpy(l->heard + l->heard_len, data, len);
    l->heard_len += len;
    l->heard[l->heard_len] = 0;
}

/* The next event of the client, at the latest when the command times out. */
static int next_event(struct loader *l, uint64_t give_up_ms)
{
    for (;;) {
        size_t used;
        enum loader_event event = loader_client_feed(
            &l->client, l->in + l->in_at, l->in_len - l->in_at, &used);
        l->in_at += used;
        if (event != LOADER_NOTHING)
            return (int)event;
        uint64_t now = clock_now_ms();
        if (port_interrupted)
            return WIPY_ECANCELED;
        if (now >= give_up_ms)
            return WIPY_ETIMEOUT;
        int got =
            port_read(l->port, l->in, sizeof l->in, (int)(give_up_ms - now));
        if (got < 0)
            return got;
        l->in_at = 0;
        l->in_len = (size_t)got;
        remember(l, l->in, (size_t)got);
    }
}

static int line_failed(struct loader *l, int err)
{
    l->client.waiting = false;
    if (err == WIPY_ECANCELED)
        return loader_stopped(l);
    l->lost = true;
    return loader_fail(l, err, "%s: %s", l->name,
                       err == WIPY_ECLOSED ? "the connection broke"
                                           : "the board does not answer");
}

int loader_wait(struct loader *l)
{
    int event;
    do
        event = next_event(l, l->client.give_up_ms);
    while (event == LOADER_FRAME);
    if (event < 0)
        return line_failed(l, event);
    const struct loader_answer *a = &l->client.answer;
    if (!a->failed)
        return 0;
    return loader_fail(l, WIPY_EPROTO,
                       "the board refused command %02x: %s (code %02x)", a->op,
                       loader_error_text(a->code), a->code);
}

int loader_command(struct loader *l, uint8_t op, const void *data, size_t len,
                   uint32_t timeout_ms)
{
    int err = loader_ask(l, op, data, len, timeout_ms);
    return err < 0 ? err : loader_wait(l);
}

int loader_ask(struct loader *l, uint8_t op, const void *data, size_t len,
               uint32_t timeout_ms)
{
    int err = loader_client_send(&l->client, op, 0, NULL, 0, data, len,
                                 clock_now_ms(), timeout_ms);
    if (err < 0)
        return loader_fail(l, err, "command %02x is too long", op);
    return send_out(l);
}

/* A block that was not taken may come again. One without an answer may have
 * been taken: only a virtual board looks at its number. */
static bool worth_a_try(const struct loader *l, int err)
{
    if (err != WIPY_EPROTO)
        return err == WIPY_ETIMEOUT && l->chip.is_virtual;
    switch (l->client.answer.code) {
    case LOADER_ROM_CHECKSUM:
    case LOADER_ROM_BAD_MESSAGE:
    case LOADER_ROM_BAD_PARAMETER:
    case LOADER_STUB_CHECKSUM:
    case LOADER_STUB_LENGTH:
        return true;
    default:
        return false;
    }
}

/* A block's time-out counts from when it can have arrived. */
static int post(struct loader *l)
{
    uint64_t wire_ms = (uint64_t)l->posted.len * 20 * 1000 / l->baud;
    int err = loader_client_send_block(
        &l->client, l->posted.op, l->posted.sequence, l->posted.data,
        l->posted.len, clock_now_ms() + wire_ms, l->posted.timeout_ms);
    return err < 0 ? err : send_out(l);
}

int loader_post_block(struct loader *l, uint8_t op, uint32_t sequence,
                      const uint8_t *data, size_t len, uint32_t timeout_ms)
{
    l->posted.op = op;
    l->posted.sequence = sequence;
    l->posted.data = data;
    l->posted.len = len;
    l->posted.timeout_ms = timeout_ms;
    l->posted.open++;
    return post(l);
}

int loader_settle_block(struct loader *l)
{
    bool alone = l->posted.open == 1;
    l->posted.open--;
    l->client.waiting = true; /* also after an earlier answer */
    int err = loader_wait(l);
    if (err < 0 && !alone)
        l->lost = true;
    for (int i = 1; i < LOADER_TRIES && alone && worth_a_try(l, err); i++) {
        err = post(l);
        if (!err)
            err = loader_wait(l);
    }
    if (!err)
        l->settled++;
    return err;
}

int loader_send_block(struct loader *l, uint8_t op, uint32_t sequence,
                      const uint8_t *data, size_t len, uint32_t timeout_ms)
{
    l->posted.open = 0;
    int err = loader_post_block(l, op, sequence, data, len, timeout_ms);
    return err < 0 ? err : loader_settle_block(l);
}

int loader_next_frame(struct loader *l, uint32_t timeout_ms)
{
    int event = next_event(l, clock_now_ms() + timeout_ms);
    if (event < 0)
        return line_failed(l, event);
    l->settled++;
    return 0;
}

int loader_send_frame(struct loader *l, const void *data, size_t len)
{
    int err = loader_client_send_frame(&l->client, data, len);
    return err < 0 ? err : send_out(l);
}

enum {
    RECONNECTS_MAX = 30,
    VAIN_LOST_MAX = 3,
    VAIN_REFUSED_MAX = 2, /* what is refused three times is meant so */
};

bool loader_recovered(struct loader *l, int *err, unsigned *again)
{
    unsigned most = l->lost ? VAIN_LOST_MAX : VAIN_REFUSED_MAX;
    if ((!l->lost && *err != WIPY_EPROTO) || *again == RECONNECTS_MAX)
        return false;
    l->in_vain = l->settled == l->settled_before ? l->in_vain + 1 : 1;
    l->settled_before = l->settled;
    if (l->in_vain > most)
        return false;
    if (!l->o.quiet)
        fprintf(stderr, "%s; connecting again\n", l->error);
    ++*again;
    int failed = loader_connect_again(l);
    if (failed)
        *err = failed;
    return !failed;
}

int loader_read_reg(struct loader *l, uint32_t addr, uint32_t *value)
{
    uint8_t data[4];
    put_u32(data, addr);
    int err = loader_command(l, LOADER_READ_REG, data, sizeof data, 1000);
    *value = l->client.answer.value;
    return err;
}

void loader_describe(const struct loader *l, char to[160])
{
    const struct chip_facts *c = &l->chip;
    snprintf(to, 160,
             "%s revision %u, %u MiB flash, address "
             "%02x:%02x:%02x:%02x:%02x:%02x",
             c->is_virtual ? "virtual WiPy" : "ESP32", c->revision,
             (unsigned)(c->flash_size >> 20), c->mac[0], c->mac[1], c->mac[2],
             c->mac[3], c->mac[4], c->mac[5]);
}

int loader_exit_code(int err)
{
    switch (err) {
    case WIPY_ECANCELED:
        return EXIT_INTERRUPTED;
    case 0:
        return EXIT_OK;
    case WIPY_EBUSY:
        return EXIT_BUSY;
    case WIPY_ENOENT:
    case WIPY_EEXIST:
    case WIPY_ETIMEOUT:
    case WIPY_ECLOSED:
    case WIPY_EPERM:
        return EXIT_BOARD;
    case WIPY_ECORRUPT:
        return EXIT_VERIFY;
    case WIPY_EMACHINE:
        return EXIT_REFUSED;
    case WIPY_ERANGE:
    case WIPY_EINVAL:
        return EXIT_USAGE;
    default:
        return EXIT_FAILED;
    }
}
