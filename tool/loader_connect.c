/* From a name to a session: port, reset, synchronization, identification. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "clock.h"
#include "image/image.h"
#include "loader.h"

enum {
    BAUD_AT_RESET = 115200,
    HOLD_MS = 100,       /* EN low: its capacitor must empty */
    SETTLE_MS = 50,      /* until the ROM has sampled the strap and listens */
    SLOW_EXTRA_MS = 500, /* on later attempts */
    SYNC_MS = 100,
    QUIET_MS = 30,
    SYNC_TRIES = 5,
    ATTEMPTS = 4, /* each a reset and SYNC_TRIES */
    CONNECTS = 3,
    ASK_MS = 1000,
    STUB_ENTRY = 0x4009f000, /* any address but 0 starts the stub's dialect */
    SPI_USER = 1 << 18,
    SPI_USR = 0x1c, /* what a user command has */
    SPI_USR2 = 0x24,
};

static int open_port(struct loader *l)
{
    char why[PORT_NAME_MAX], how[1024];
    if (l->o.port) {
        snprintf(l->name, sizeof l->name, "%s", l->o.port);
    } else if (l->name[0] == 0) {
        int err = port_find(l->o.flash, l->name, how);
        if (err < 0)
            return loader_fail(l, err, "%s", how);
        if (!l->o.quiet)
            fprintf(stderr, "Port %s (%s)\n", l->name, how);
    }
    int err = port_open(&l->port, l->name, BAUD_AT_RESET, why);
    if (err < 0) {
        l->lost = true;
        return loader_fail(l, err, "%s: %s", l->name, why);
    }
    l->baud = BAUD_AT_RESET;
    return 0;
}

/* ---- reset ---- */

static int pulse(struct loader *l, uint32_t extra_ms)
{
    int err = port_set_lines(l->port, false, true);
    if (!err) {
        clock_sleep_ms(HOLD_MS);
        err = port_set_lines(l->port, true, false);
    }
    if (!err) {
        clock_sleep_ms(SETTLE_MS + extra_ms);
        err = port_set_lines(l->port, false, false);
    }
    if (!err)
        return 0;
    l->lost = true;
    return loader_fail(l, err, "%s: %s", l->name,
                       err == WIPY_ECLOSED ? "the connection broke"
                                           : "the reset lines do not work");
}

/* A board that cannot be reset may be at the speed of an earlier session. */
static int other_speed(struct loader *l)
{
    uint32_t baud = l->baud == BAUD_AT_RESET ? l->o.baud : BAUD_AT_RESET;
    int err = port_set_baud(l->port, baud);
    if (err < 0)
        return loader_fail(l, err, "%s: the port does not do %u baud", l->name,
                           (unsigned)baud);
    l->baud = baud;
    return 0;
}

/* ---- synchronization ---- */

static int sync_once(struct loader *l)
{
    uint8_t data[LOADER_SYNC_LEN];
    loader_sync_data(data);
    int err = loader_command(l, LOADER_SYNC, data, sizeof data, SYNC_MS);
    if (err == WIPY_EPROTO) /* somebody answers, whatever he says */
        err = 0;
    return err;
}

/* The other answers to SYNC. */
static void swallow(struct loader *l)
{
    do
        l->in_at = l->in_len = 0;
    while (port_read(l->port, l->in, sizeof l->in, QUIET_MS) > 0);
}

/* 0 in the value field means that a stub runs already. A port without lines
 * may reset the loader when the first bytes come: the second time counts. */
static int sync_attempt(struct loader *l, int attempt)
{
    int err = 0;
    if (!l->o.no_reset && port_has_lines(l->port))
        err = pulse(l, attempt % 2 ? SLOW_EXTRA_MS : 0);
    else if (attempt && port_has_baud(l->port))
        err = other_speed(l);
    if (err < 0)
        return err;
    for (int i = 0; i < SYNC_TRIES; i++) {
        err = sync_once(l);
        if (err != WIPY_ETIMEOUT)
            break;
    }
    if (!err && !port_has_lines(l->port)) {
        swallow(l);
        err = sync_once(l);
    }
    if (err < 0)
        return err;
    l->synced = true;
    l->client.stub = l->client.answer.value == 0;
    return 0;
}

/* A boot message heard says more than "no answer". */
static int explain_silence(struct loader *l)
{
    const char *boot = strstr(l->heard, "boot:0x");
    unsigned mode = 0;
    if (boot && sscanf(boot, "boot:%x", &mode) == 1 && (mode & 3) == 3 &&
        (mode & 0x10))
        return loader_fail(
            l, WIPY_EPERM,
            "%s: the board started its program (boot mode 0x%x) instead of "
            "the loader: connect P2 (G23) to ground and reset it",
            l->name, mode);
    if (boot && strstr(boot, "waiting for download"))
        return loader_fail(l, WIPY_ETIMEOUT,
                           "%s: the board is in its loader but does not "
                           "answer: is the line from us to it broken?",
                           l->name);
    if (!port_has_lines(l->port))
        return loader_fail(
            l, WIPY_ETIMEOUT,
            "%s: no loader answers, and this port cannot reset the board: "
            "use 'wipy reset --loader', or P2 (G23) to ground and reset",
            l->name);
    return loader_fail(l, WIPY_ETIMEOUT, "%s: no loader answers", l->name);
}

static int synchronize(struct loader *l)
{
    int err = WIPY_ETIMEOUT;
    for (int i = 0; i < ATTEMPTS; i++) {
        err = sync_attempt(l, i);
        if (err != WIPY_ETIMEOUT)
            return err;
    }
    return explain_silence(l);
}

/* ---- identification ---- */

static int read_efuse(struct loader *l, unsigned word, uint32_t *value)
{
    return loader_read_reg(l, LOADER_REG_EFUSE + 4 * word, value);
}

static int identify(struct loader *l)
{
    static const unsigned words[] = {EFUSE_MAC_LOW, EFUSE_MAC_HIGH,
                                     EFUSE_PACKAGE, 5,
                                     EFUSE_MARK,    EFUSE_MACHINE};
    uint32_t v[6], magic;
    struct chip_facts *c = &l->chip;
    int err = loader_read_reg(l, LOADER_REG_CHIP_MAGIC, &magic);
    for (size_t i = 0; !err && i < 6; i++)
        err = read_efuse(l, words[i], &v[i]);
    if (err < 0)
        return err;
    if (magic != LOADER_MAGIC_ESP32)
        return loader_fail(l, WIPY_EMACHINE,
                           "%s: that chip is no ESP32 (magic 0x%08x)", l->name,
                           magic);
    memset(c, 0, sizeof *c);
    c->mac[0] = (uint8_t)(v[1] >> 8);
    c->mac[1] = (uint8_t)v[1];
    for (int i = 0; i < 4; i++)
        c->mac[2 + i] = (uint8_t)(v[0] >> (24 - 8 * i));
    c->revision = (v[2] >> 15 & 1) | (v[3] >> 20 & 1) << 1;
    c->is_virtual = v[4] == EFUSE_MARK_VALUE;
    c->machine = c->is_virtual ? (uint16_t)v[5] : IMAGE_MACHINE_XTENSA;
    if (c->is_virtual && c->machine == IMAGE_MACHINE_NONE)
        c->machine = IMAGE_MACHINE_HERE;
    return 0;
}

/* The virtual board needs no stub uploaded to speak its dialect: larger
 * blocks, fast reading. Real silicon would jump to that address. */
static int start_stub(struct loader *l)
{
    uint8_t data[8] = {0};
    if (!l->chip.is_virtual || l->o.rom_only || l->client.stub)
        return 0;
    put_u32(data + 4, STUB_ENTRY);
    int err = loader_command(l, LOADER_MEM_END, data, sizeof data, ASK_MS);
    if (!err)
        err = loader_next_frame(l, ASK_MS);
    if (err < 0)
        return err;
    if (l->client.in.len != 4 || memcmp(l->client.in.data, "OHAI", 4) != 0)
        return loader_fail(l, WIPY_EPROTO, "%s: the stub did not start",
                           l->name);
    l->client.stub = true;
    return 0;
}

static int raise_speed(struct loader *l)
{
    uint8_t data[8];
    uint32_t magic;
    if (l->o.baud == l->baud)
        return 0;
    put_u32(data, l->o.baud);
    put_u32(data + 4, l->client.stub ? l->baud : 0);
    int err = loader_command(l, LOADER_CHANGE_BAUD, data, sizeof data, ASK_MS);
    if (!err && port_set_baud(l->port, l->o.baud) < 0)
        err = loader_fail(l, WIPY_EINVAL, "%s: the port does not do %u baud",
                          l->name, (unsigned)l->o.baud);
    if (err < 0)
        return err;
    l->baud = l->o.baud;
    clock_sleep_ms(l->chip.is_virtual ? 2 : 50); /* noise of the change */
    err = loader_read_reg(l, LOADER_REG_CHIP_MAGIC, &magic);
    if (err == WIPY_ETIMEOUT)
        return loader_fail(l, err,
                           "%s: no answer at %u baud: try --baud "
                           "115200",
                           l->name, (unsigned)l->baud);
    return err;
}

struct reg_step {
    uint32_t at, value; /* register, from a base */
};

/* Several registers in one WRITE_REG. */
static int write_regs(struct loader *l, uint32_t base,
                      const struct reg_step *steps, size_t count)
{
    uint8_t data[5 * 16];
    struct writer w = writer_of(data, sizeof data);
    for (size_t i = 0; i < count; i++) {
        write_u32(&w, base + steps[i].at);
        write_u32(&w, steps[i].value);
        write_u32(&w, 0xffffffff);
        write_u32(&w, 0);
    }
    return loader_command(l, LOADER_WRITE_REG, data, w.pos, ASK_MS);
}

/* SPI1's user command: read identification. */
static int ask_flash_id(struct loader *l)
{
    static const struct reg_step steps[] = {
        {0x2c, 24 - 1},                 /* bits to read */
        {SPI_USR, 1u << 31 | 1u << 28}, /* a command and an answer */
        {SPI_USR2, 7u << 28 | 0x9f},    /* of 8 bits */
        {0x80, 0},
        {0x00, SPI_USER},
    };
    uint32_t busy = SPI_USER;
    int err =
        write_regs(l, LOADER_REG_SPI, steps, sizeof steps / sizeof steps[0]);
    for (int i = 0; !err && (busy & SPI_USER) && i < 10; i++)
        err = loader_read_reg(l, LOADER_REG_SPI, &busy);
    if (!err)
        err = loader_read_reg(l, LOADER_REG_SPI + 0x80, &l->chip.flash_id);
    return err;
}

/* Silicon's own flash functions want the registers as they were. */
static int read_flash_id(struct loader *l)
{
    struct reg_step found[] = {{SPI_USR, 0}, {SPI_USR2, 0}};
    if (l->chip.is_virtual)
        return ask_flash_id(l);
    int err = loader_read_reg(l, LOADER_REG_SPI + SPI_USR, &found[0].value);
    if (!err)
        err = loader_read_reg(l, LOADER_REG_SPI + SPI_USR2, &found[1].value);
    if (!err)
        err = ask_flash_id(l);
    return err ? err : write_regs(l, LOADER_REG_SPI, found, 2);
}

static int attach_flash(struct loader *l)
{
    uint8_t data[24] = {0};
    int err = loader_command(l, LOADER_SPI_ATTACH, data, l->client.stub ? 4 : 8,
                             ASK_MS);
    if (!err)
        err = read_flash_id(l);
    if (err < 0)
        return err;
    uint32_t log2 = l->chip.flash_id >> 16 & 0xff;
    if (log2 < 18 || log2 > 28)
        return loader_fail(l, WIPY_EPROTO,
                           "%s: the flash chip does not identify itself "
                           "(0x%06x)",
                           l->name, (unsigned)l->chip.flash_id);
    l->chip.flash_size = 1u << log2;
    struct writer w = writer_of(data, sizeof data);
    write_u32(&w, 0);
    write_u32(&w, l->chip.flash_size);
    write_u32(&w, 64 * 1024);
    write_u32(&w, 4096);
    write_u32(&w, 256);
    write_u32(&w, 0xffff);
    return loader_command(l, LOADER_SPI_SET_PARAMS, data, w.pos, ASK_MS);
}

/* ---- all together ---- */

static int (*const stages[])(struct loader *) = {
    open_port, synchronize, identify, start_stub, raise_speed, attach_flash,
};

static int connect_once(struct loader *l)
{
    int err = 0;
    loader_client_init(&l->client);
    l->in_at = l->in_len = l->heard_len = 0;
    l->heard[0] = 0;
    l->lost = l->synced = false;
    for (size_t i = 0; !err && i < sizeof stages / sizeof stages[0]; i++)
        err = stages[i](l);
    l->block = l->client.stub ? LOADER_STUB_BLOCK : LOADER_ROM_BLOCK;
    if (err == WIPY_ECANCELED)
        loader_stopped(l);
    if (err == WIPY_ECLOSED && l->port && !l->synced)
        loader_next_frame(l, SYNC_MS); /* what it said before is heard */
    if (err < 0) {
        port_close(l->port);
        l->port = NULL;
    }
    return err;
}

/* A byte was hurt on the way, as far as can be told. */
static bool hurt(const struct loader *l, int err)
{
    return l->synced && (err == WIPY_ETIMEOUT || err == WIPY_EPROTO);
}

/* A line over TCP that another client has says so and closes; where there is
 * RFC 2217, opening the port has seen that. */
static int explain_closing(struct loader *l)
{
    char said[80];
    port_text(said, sizeof said, l->heard, l->heard_len);
    if (l->synced || !strstr(said, "in use"))
        return WIPY_ECLOSED;
    return loader_fail(l, WIPY_EBUSY,
                       "%s: it closed the connection, saying: %s", l->name,
                       said);
}

/* A line that breaks in the middle of this, or hurts a byte, is tried again;
 * one that cannot be opened, or where nobody answers, is not. */
int loader_connect(struct loader *l)
{
    int err = connect_once(l);
    for (int i = 1; hurt(l, err) && i < CONNECTS; i++)
        err = connect_once(l);
    if (err == WIPY_ECLOSED)
        err = loader_connect_again(l);
    return err == WIPY_ECLOSED ? explain_closing(l) : err;
}

/* Ends early at a signal. */
static void rest(uint32_t ms)
{
    uint64_t end = clock_now_ms() + ms;
    while (!port_interrupted && clock_now_ms() < end)
        clock_sleep_ms(10);
}

int loader_connect_again(struct loader *l)
{
    static const uint32_t pauses_ms[] = {50, 200, 500, 1000, 2000, 4000};
    int err = WIPY_ECLOSED;
    port_close(l->port);
    l->port = NULL;
    for (size_t i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        rest(pauses_ms[i]);
        err = connect_once(l);
        if (err == 0 || !(l->lost || hurt(l, err)))
            break;
    }
    return err;
}

/* Where there are no lines the RTC's watchdog resets the board. What the
 * loader itself offers would lead back into it: a reset by software keeps the
 * straps. */
static void run_flash(struct loader *l)
{
    static const struct reg_step steps[] = {
        {LOADER_REG_WDT_PROTECT, LOADER_WDT_KEY},
        {LOADER_REG_WDT_TIME, 2000}, /* 13 ms: time for an answer */
        {LOADER_REG_WDT_CONFIG, LOADER_WDT_RESETS | LOADER_WDT_LENGTHS},
    };
    if (port_has_lines(l->port)) {
        if (port_set_lines(l->port, false, true) < 0)
            return;
        clock_sleep_ms(HOLD_MS);
        port_set_lines(l->port, false, false);
        return;
    }
    write_regs(l, 0, steps, sizeof steps / sizeof steps[0]);
}

void loader_disconnect(struct loader *l)
{
    uint8_t data[8];
    if (!l->port)
        return;
    if (!l->o.stay) {
        run_flash(l);
    } else if (l->baud != BAUD_AT_RESET) { /* as the next client expects it */
        put_u32(data, BAUD_AT_RESET);
        put_u32(data + 4, l->client.stub ? l->baud : 0);
        loader_command(l, LOADER_CHANGE_BAUD, data, sizeof data, ASK_MS);
    }
    port_close(l->port);
    l->port = NULL;
}
