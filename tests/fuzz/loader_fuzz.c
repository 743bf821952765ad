/* The board's end of the serial loader: any bytes, and any commands in valid
 * frames, on a small chip.
 *
 * Input: the first byte chooses. Even: the rest is the line, in pieces of that
 * size / 2 + 1. Odd: commands `op len:u16 data[len]` that get a head, a
 * checksum and a frame. The loader must stay inside its chip, always take its
 * input once its output is read, and answer only in whole frames. */
#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "loader/rom.h"

enum { CHIP = 64 * 1024 };

static uint8_t chip[CHIP];
static bool chip_changed = true;

static int chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    (void)ctx;
    assert(off <= CHIP && len <= CHIP - off);
    memcpy(to, chip + off, len);
    return 0;
}

static int chip_program(void *ctx, flash_off off, const void *from, size_t len)
{
    (void)ctx;
    assert(off <= CHIP && len <= CHIP - off && len <= FLASH_PROGRAM_MAX);
    chip_changed = true;
    for (size_t i = 0; i < len; i++)
        chip[off + i] &= ((const uint8_t *)from)[i];
    return 0;
}

static int chip_erase(void *ctx, flash_off off, size_t len)
{
    (void)ctx;
    assert(off <= CHIP && len <= CHIP - off);
    assert(off % FLASH_SECTOR == 0 && len % FLASH_SECTOR == 0);
    chip_changed = true;
    memset(chip + off, 0xff, len);
    return 0;
}

static bool left;
static uint64_t now;

static void on_leave(void *ctx)
{
    (void)ctx;
    left = true;
}

static struct rom_loader *rom;
static struct slip reader;
static uint8_t reader_memory[LOADER_FRAME_MAX];
static bool after_banner;

/* Everything the loader says is a banner, then frames. */
static void read_out(void)
{
    const uint8_t *at;
    size_t len, total = 0;
    while ((len = rom_output(rom, &at)) > 0) {
        for (size_t i = 0; i < len && !after_banner; i++)
            after_banner = at[i] == 0xc0;
        for (size_t pos = 0, used; pos < len; pos += used)
            assert(slip_push(&reader, at + pos, len - pos, &used) !=
                   SLIP_BROKEN);
        rom_output_drop(rom, len);
        total += len;
        assert(total < 64u << 20);
    }
}

static void feed(const uint8_t *data, size_t len)
{
    for (size_t pos = 0; pos < len && !left;) {
        size_t taken = rom_feed(rom, data + pos, len - pos);
        assert(taken <= len - pos);
        pos += taken;
        read_out();
        if (taken == 0) {
            now += 2000;
            rom_tick(rom, now);
            read_out();
            taken = rom_feed(rom, data + pos, len - pos);
            assert(taken > 0); /* it must go on */
            pos += taken;
        }
    }
}

static void command(uint8_t op, const uint8_t *data, size_t len)
{
    static uint8_t frame[LOADER_FRAME_MAX], wire[2 * LOADER_FRAME_MAX + 2];
    uint32_t check = len > LOADER_DATA_HEAD_LEN
                         ? loader_checksum(data + LOADER_DATA_HEAD_LEN,
                                           len - LOADER_DATA_HEAD_LEN)
                         : 0;
    struct writer w = writer_of(frame, sizeof frame);
    if (op == 0xff && len == 4) { /* a bare acknowledgement */
        feed(wire, slip_encode(wire, data, len));
        return;
    }
    write_u8(&w, 0);
    write_u8(&w, op);
    write_u16(&w, (uint16_t)len);
    write_u32(&w, check);
    write_bytes(&w, data, len);
    if (!w.bad)
        feed(wire, slip_encode(wire, frame, w.pos));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint32_t efuse[EFUSE_WORDS];
    struct flash flash = {.size = CHIP,
                          .read = chip_read,
                          .program = chip_program,
                          .erase = chip_erase};
    static struct rom_loader the_rom; /* 120 KiB: not anew for each run */
    if (len == 0)
        return 0;
    rom = &the_rom;
    if (chip_changed)
        memset(chip, 0x5a, sizeof chip);
    chip_changed = false;
    left = after_banner = false;
    now = 0;
    slip_init(&reader, reader_memory, sizeof reader_memory);
    rom_efuse_make(efuse, (const uint8_t[6]){1, 2, 3, 4, 5, 6}, 1);
    rom_init(rom, &(struct rom_config){
                      .flash = &flash, .efuse = efuse, .leave = on_leave});
    rom_start(rom, true);
    struct reader in = reader_of(data + 1, len - 1);
    if (data[0] & 1) {
        while (reader_left(&in) >= 3 && !left) {
            uint8_t op = read_u8(&in);
            size_t want = read_u16(&in);
            if (want > reader_left(&in))
                want = reader_left(&in);
            command(op, read_view(&in, want), want);
        }
    } else {
        size_t step = data[0] / 2 + 1;
        for (size_t at = 1; at < len; at += step)
            feed(data + at, len - at < step ? len - at : step);
    }
    return 0;
}
