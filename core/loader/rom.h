/* Board end of the serial line: the ROM's loader, and the stub's command set
 * after a stub was "uploaded" (nothing uploaded is ever executed).
 *
 * A push machine over the chip: bytes in, bytes out, time by rom_tick. It
 * runs when the strap is low at reset, before any flash lock is set, on the
 * same chip the firmware uses. Facts: docs/FLASHING.md, core/loader/README.md
 * shows the wiring in a page.
 *
 * Sizes: struct rom_loader is about 120 KiB, all of it inside (frame, output,
 * inflater); put it on the heap or in a static. */
#ifndef WIPY_LOADER_ROM_H
#define WIPY_LOADER_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ring.h"
#include "flash/flash.h"
#include "loader/inflate.h"
#include "loader/protocol.h"
#include "loader/slip.h"

/* What the board gives; everything stays the caller's and must outlive the
 * loader. The functions are called from rom_feed, rom_tick and
 * rom_output_drop. */
struct rom_config {
    struct flash *flash;
    const uint32_t *efuse; /* EFUSE_WORDS words, see rom_efuse_make */
    uint32_t flash_id;     /* RDID: maker | type << 8 | log2(size) << 16;
                              0 = a Winbond of flash->size */
    void *ctx;

    /* The line runs at another speed from now on (after the answer that
     * announced it left at the old one). Values can be odd: never reject. */
    void (*baud)(void *ctx, uint32_t baud);

    /* The client left the loader: boot the flash as if EN was pulsed with
     * the strap high. The loader is silent until rom_start. */
    void (*leave)(void *ctx);

    /* True while the chip is still at work on commands given before; the
     * loader then keeps its answer until a rom_tick finds it idle. NULL: the
     * flash functions return when all is done. */
    bool (*busy)(void *ctx);
};

enum rom_dialect { ROM_DIALECT_ROM = 0, ROM_DIALECT_STUB };

enum { ROM_OUT_SIZE = 40 * 1024 };

/* What comes when the last answer has left. A reset by software keeps the
 * straps of the reset before it, so that one from the loader leads back to
 * the loader; one by the RTC's watchdog reads them anew. */
enum rom_next { ROM_STAY = 0, ROM_REBOOT, ROM_RUN };

/* One write in progress, plain or deflated. */
struct rom_write {
    bool open, deflated;
    uint32_t at;     /* next byte to program */
    uint32_t left;   /* bytes still announced */
    uint32_t erased; /* everything below is erased, as far as `end` */
    uint32_t end;    /* end of what is to be erased */
    uint32_t next;   /* sequence number */
};

/* One READ_FLASH in progress. */
struct rom_read {
    bool active;
    uint32_t at, left, total, sent, acked, block, in_flight;
    struct md5 md5;
};

struct rom_loader {
    struct rom_config cfg;
    enum rom_dialect dialect;
    bool running;
    bool strapped; /* IO0 was low at the reset */
    bool rtc_open; /* the watchdog's registers take what is written */
    struct slip in;
    struct ring out;
    struct rom_write write;
    struct rom_read read;
    uint32_t spi[64];        /* SPI1 registers, as written */
    uint8_t flash_status[3]; /* the chip's: a reset does not reach it */
    uint32_t baud;           /* as far as the loader knows */
    uint32_t next_baud;      /* after the output drained; 0 = none */
    enum rom_next then;      /* after the output drained */
    bool held;               /* the answer waits for the chip */
    uint64_t now_ms, wait_until_ms;
    uint32_t frames, broken_frames; /* statistics */
    struct inflater inflater;
    uint8_t frame[LOADER_FRAME_MAX + 64];
    uint8_t out_memory[ROM_OUT_SIZE];
    uint8_t block[LOADER_BLOCK_MAX]; /* inflated, or read from the chip */
};

void rom_init(struct rom_loader *r, const struct rom_config *cfg);

/* Reset into the loader: forgets everything, speaks the ROM's dialect and
 * prints the download banner. `strapped`: because the strap was low; else
 * because there is nothing to boot. Also call it when a plain TCP client
 * connects to a board in the loader (there is no other way to reset it). */
void rom_start(struct rom_loader *r, bool strapped);

/* EN low, power off: silent and deaf until rom_start. */
void rom_stop(struct rom_loader *r);

/* Bytes from the line. Returns how many were taken; the rest must be offered
 * again after output was dropped or time went on. */
size_t rom_feed(struct rom_loader *r, const uint8_t *data, size_t len);

/* Bytes for the line, in place: a contiguous run, 0 when there are none.
 * rom_output_drop says how many of them left; more may appear then. */
size_t rom_output(struct rom_loader *r, const uint8_t **at);
void rom_output_drop(struct rom_loader *r, size_t len);

/* Drops what has not left yet (PURGE of RFC 2217). */
void rom_output_purge(struct rom_loader *r);

/* Time goes on, in milliseconds of the board's clock. Returns in how many
 * milliseconds it wants to be called again, -1 = not before new input. */
int rom_tick(struct rom_loader *r, uint64_t now_ms);

/* The eFuses of a WiPy with this address and chip revision (0 or 1), the
 * virtual board's mark included. */
void rom_efuse_make(uint32_t efuse[EFUSE_WORDS], const uint8_t mac[6],
                    unsigned revision);

enum rom_boot { ROM_BOOT_FLASH, ROM_BOOT_DOWNLOAD };

/* What the ROM prints at 115200 baud when EN rises, for tools that look for
 * `boot:(0x..)`; `cause` is an enum bus_reset_cause (0 = power on ...).
 * Returns the length; never more than ROM_BANNER_MAX. rom_start prints the
 * download one itself. */
enum { ROM_BANNER_MAX = 192 };
size_t rom_banner(char to[ROM_BANNER_MAX], enum rom_boot boot, unsigned cause);

#endif
