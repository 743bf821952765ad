/* The serial loader's rooms: framing, both dialects of the board's end, the
 * reset lines as a truth table, the speed of a line, RFC 2217. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/err.h"
#include "loader/client.h"
#include "loader/line_rate.h"
#include "loader/lines.h"
#include "loader/rfc2217.h"
#include "loader/rom.h"

enum { CHIP = 1 << 20 };

struct bench {
    uint8_t chip[CHIP];
    struct flash flash;
    uint32_t efuse[EFUSE_WORDS];
    struct rom_loader rom;
    struct loader_client client;
    uint32_t baud;
    bool left, busy;
    unsigned erases;
};

static int chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    memcpy(to, ((struct bench *)ctx)->chip + off, len);
    return 0;
}

static int chip_program(void *ctx, flash_off off, const void *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((struct bench *)ctx)->chip[off + i] &= ((const uint8_t *)from)[i];
    return 0;
}

static int chip_erase(void *ctx, flash_off off, size_t len)
{
    struct bench *b = ctx;
    memset(b->chip + off, 0xff, len);
    b->erases += len / FLASH_SECTOR;
    return 0;
}

static void on_baud(void *ctx, uint32_t baud)
{
    ((struct bench *)ctx)->baud = baud;
}

static void on_leave(void *ctx)
{
    ((struct bench *)ctx)->left = true;
}

static bool is_busy(void *ctx)
{
    return ((struct bench *)ctx)->busy;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->flash = (struct flash){.ctx = b,
                              .size = CHIP,
                              .read = chip_read,
                              .program = chip_program,
                              .erase = chip_erase};
    rom_efuse_make(b->efuse, (const uint8_t[6]){0x24, 0x0a, 0xc4, 1, 2, 3}, 1);
    rom_init(&b->rom, &(struct rom_config){.flash = &b->flash,
                                           .efuse = b->efuse,
                                           .ctx = b,
                                           .baud = on_baud,
                                           .leave = on_leave,
                                           .busy = is_busy});
    rom_start(&b->rom, true);
    loader_client_init(&b->client);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

/* Carries the client's bytes over and looks for its answer. */
static enum loader_event exchange(struct bench *b)
{
    const uint8_t *at;
    size_t n, used;
    while ((n = ring_peek(&b->client.out, &at)) > 0)
        ring_drop(&b->client.out, rom_feed(&b->rom, at, n));
    while ((n = rom_output(&b->rom, &at)) > 0) {
        enum loader_event event = loader_client_feed(&b->client, at, n, &used);
        rom_output_drop(&b->rom, used);
        if (event != LOADER_NOTHING)
            return event;
    }
    return LOADER_NOTHING;
}

/* Words as a request; the error code, 0 = done, -1 = no answer. */
static int ask(struct bench *b, uint8_t op, unsigned count, ...)
{
    uint8_t data[64];
    va_list args;
    va_start(args, count);
    for (unsigned i = 0; i < count; i++)
        put_u32(data + 4 * i, va_arg(args, uint32_t));
    va_end(args);
    loader_client_send(&b->client, op, 0, NULL, 0, data, 4 * count, 0, 1);
    if (exchange(b) != LOADER_ANSWER)
        return -1;
    return b->client.answer.failed ? b->client.answer.code : 0;
}

static int block(struct bench *b, uint8_t op, uint32_t seq, const void *data,
                 size_t len)
{
    loader_client_send_block(&b->client, op, seq, data, len, 0, 1);
    if (exchange(b) != LOADER_ANSWER)
        return -1;
    return b->client.answer.failed ? b->client.answer.code : 0;
}

static void sync_up(struct bench *b)
{
    uint8_t data[LOADER_SYNC_LEN];
    loader_sync_data(data);
    loader_client_send(&b->client, LOADER_SYNC, 0, NULL, 0, data, sizeof data,
                       0, 1);
    assert_int_equal(exchange(b), LOADER_ANSWER);
}

static void start_stub(struct bench *b)
{
    assert_int_equal(ask(b, LOADER_MEM_END, 2, 0u, 0x40080000u), 0);
    assert_int_equal(exchange(b), LOADER_FRAME);
    assert_memory_equal(b->client.in.data, "OHAI", 4);
    b->client.stub = true;
}

static void banner_then_eight_answers(void **state)
{
    struct bench *b = *state;
    uint8_t data[LOADER_SYNC_LEN], wire[128];
    const uint8_t *at;
    size_t n = rom_output(&b->rom, &at);
    assert_non_null(memmem(at, n, "boot:0x3 (DOWNLOAD_BOOT", 23));
    assert_memory_equal(at + n - 22, "waiting for download\r\n", 22);
    rom_output_drop(&b->rom, n);
    loader_sync_data(data);
    loader_client_send(&b->client, LOADER_SYNC, 0, NULL, 0, data, sizeof data,
                       0, 1);
    n = ring_get(&b->client.out, wire, sizeof wire);
    assert_int_equal(rom_feed(&b->rom, wire, n), n);
    unsigned frames = 0;
    struct slip slip;
    uint8_t frame[64];
    slip_init(&slip, frame, sizeof frame);
    n = rom_output(&b->rom, &at);
    for (size_t pos = 0, used; pos < n; pos += used) {
        if (slip_push(&slip, at + pos, n - pos, &used) != SLIP_FRAME)
            continue;
        frames++;
        assert_int_equal(slip.len, 12); /* four status bytes */
        assert_int_equal(get_u32(frame + 4), 0x20120707);
    }
    assert_int_equal(frames, 8);
}

static void identifies_itself(void **state)
{
    static const struct {
        uint32_t addr, value;
    } regs[] = {
        {0x40001000, 0x00f01d83}, {0x60000078, 0x15122500},
        {0x3ff40078, 0x15122500}, {0x3ff5a004, 0xc4010203},
        {0x6001a004, 0xc4010203}, {0x3ff5a00c, 1 << 9 | 1 << 13 | 1 << 15},
        {0x3ff5a090, 0x59504957}, {0x3ff40014, 347},
        {0x3ff48074, 0},          {0x12345678, 0},
    };
    struct bench *b = *state;
    sync_up(b);
    for (size_t i = 0; i < sizeof regs / sizeof regs[0]; i++) {
        assert_int_equal(ask(b, LOADER_READ_REG, 1, regs[i].addr), 0);
        assert_int_equal(b->client.answer.value, regs[i].value);
    }
    assert_int_equal(ask(b, LOADER_READ_REG, 1, 0x3ff5a008), 0);
    assert_int_equal(b->client.answer.value & 0xffff, 0x240a);
}

static void both_dialects_differ(void **state)
{
    struct bench *b = *state;
    sync_up(b);
    memset(b->chip, 0xaa, 4096);
    assert_int_equal(ask(b, LOADER_SECURITY_INFO, 0), 5);
    assert_int_equal(ask(b, LOADER_ERASE_FLASH, 0), 5); /* stub only */
    assert_int_equal(ask(b, LOADER_FLASH_MD5, 4, 0u, 4096u, 0u, 0u), 0);
    assert_int_equal(b->client.answer.len, 32); /* text */
    start_stub(b);
    assert_int_equal(ask(b, LOADER_FLASH_MD5, 4, 0u, 4096u, 0u, 0u), 0);
    assert_int_equal(b->client.answer.len, 16);
    assert_int_equal(ask(b, LOADER_READ_FLASH_SLOW, 2, 0u, 64u), 0xc3);
    sync_up(b);
    assert_int_equal(b->client.answer.value, 0); /* "a stub runs already" */
    assert_int_equal(ask(b, LOADER_ERASE_FLASH, 0), 0);
    assert_int_equal(b->chip[0], 0xff);
}

static void writes_and_repeats(void **state)
{
    struct bench *b = *state;
    uint8_t data[0x400];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    sync_up(b);
    memset(b->chip, 0, 0x4000);
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 0x600u, 2u, 0x400u, 0x1000u),
                     0);
    assert_int_equal(b->erases, 1); /* the ROM erases up front */
    assert_int_equal(block(b, LOADER_FLASH_DATA, 0, data, 0x400), 0);
    assert_int_equal(block(b, LOADER_FLASH_DATA, 0, data, 0x400), 0);
    memset(data + 0x200, 0xff, 0x200); /* padding past what was announced */
    assert_int_equal(block(b, LOADER_FLASH_DATA, 1, data, 0x400), 0);
    assert_int_equal(block(b, LOADER_FLASH_DATA, 7, data, 0x400), 1);
    assert_memory_equal(b->chip + 0x1400, data, 0x200);
    assert_int_equal(b->chip[0xfff], 0);
    assert_int_equal(b->chip[0x1600], 0xff);
    assert_int_equal(b->chip[0x2000], 0);
    assert_int_equal(ask(b, LOADER_FLASH_END, 1, 1u), 0);
    assert_true(b->left); /* the ROM has nothing else to do */
}

static void checks_before_it_writes(void **state)
{
    struct bench *b = *state;
    sync_up(b);
    assert_int_equal(
        ask(b, LOADER_FLASH_BEGIN, 4, 0x1000u, 1u, 0x400u, CHIP - 1u), 1);
    assert_int_equal(
        ask(b, LOADER_FLASH_BEGIN, 4, 0xfffff000u, 1u, 0x400u, 0x2000u), 1);
    assert_int_equal(block(b, LOADER_FLASH_DATA, 0, "abcd", 4), 6);
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 64u, 1u, 64u, 0u), 0);
    uint8_t head[16] = {4};
    loader_client_send(&b->client, LOADER_FLASH_DATA, 0x11, head, 16, "abcd", 4,
                       0, 1);
    assert_int_equal(exchange(b), LOADER_ANSWER);
    assert_int_equal(b->client.answer.code, LOADER_ROM_CHECKSUM);
    assert_int_equal(b->chip[0], 0xff);
}

/* What a write was refused for must not be done by the blocks that follow. */
static void a_refused_begin_ends_the_write_before(void **state)
{
    struct bench *b = *state;
    sync_up(b);
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 64u, 1u, 64u, 0u), 0);
    assert_int_equal(
        ask(b, LOADER_FLASH_BEGIN, 4, 0x1000u, 1u, 0x400u, CHIP - 1u), 1);
    assert_int_equal(block(b, LOADER_FLASH_DATA, 0, "abcd", 4), 6);
    assert_int_equal(b->chip[0], 0xff);
}

/* As esptool does it: SPI1's user command, at most 4 bytes each way. */
static uint32_t spi(struct bench *b, uint32_t opcode, uint32_t value,
                    uint32_t answer_bits)
{
    uint32_t at = 0x3ff42000;
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, at + 0x2c, answer_bits - 1,
                         0xffffffffu, 0u),
                     0);
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, at + 0x24, 7u << 28 | opcode,
                         0xffffffffu, 0u),
                     0);
    assert_int_equal(
        ask(b, LOADER_WRITE_REG, 4, at + 0x80, value, 0xffffffffu, 0u), 0);
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, at, 1u << 18, 0xffffffffu, 0u),
                     0);
    assert_int_equal(ask(b, LOADER_READ_REG, 1, at + 0x80), 0);
    return b->client.answer.value;
}

/* The flash chip has no reset line: its status registers outlast a reset. */
static void the_flash_keeps_its_status(void **state)
{
    static const struct {
        uint8_t read, write;
        uint32_t value, then;
    } registers[] = {
        {0x05, 0x01, 0x1c, 0x1c},
        {0x35, 0x31, 0x02, 0x02},
        {0x15, 0x11, 0x60, 0x60},
        {0x05, 0x01, 0xff, 0xfc}, /* never busy */
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        sync_up(b);
        spi(b, 0x06, 0, 8);
        spi(b, registers[i].write, registers[i].value, 8);
        assert_int_equal(spi(b, registers[i].read, 0, 8), registers[i].then);
        rom_stop(&b->rom);
        rom_start(&b->rom, true);
        sync_up(b);
        assert_int_equal(spi(b, registers[i].read, 0, 8), registers[i].then);
    }
    assert_int_equal(spi(b, 0x9f, 0, 24) & 0xff, 0xef);
}

static void speed_and_leaving_come_after_the_answer(void **state)
{
    struct bench *b = *state;
    sync_up(b);
    while (exchange(b) != LOADER_NOTHING)
        ;
    assert_int_equal(ask(b, LOADER_CHANGE_BAUD, 2, 461234u, 0u), 0);
    assert_int_equal(b->baud, 461234); /* an odd value is fine */
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 0u, 0u, 0x400u, 0u), 0);
    assert_int_equal(ask(b, LOADER_FLASH_END, 1, 1u), 0);
    assert_true(b->left);
}

static void a_reset_by_software_keeps_the_straps(void **state)
{
    struct bench *b = *state;
    sync_up(b);
    start_stub(b);
    assert_int_equal(ask(b, LOADER_CHANGE_BAUD, 2, 460800u, 115200u), 0);
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 0u, 0u, 0x4000u, 0u), 0);
    assert_int_equal(ask(b, LOADER_FLASH_END, 1, 0u), 0);
    assert_false(b->left);
    assert_int_equal(b->baud, 115200);
    b->client.stub = false;
    sync_up(b); /* in the ROM's dialect again */

    rom_start(&b->rom, false); /* nothing to boot: the strap was high */
    sync_up(b);
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 0u, 0u, 0x400u, 0u), 0);
    assert_int_equal(ask(b, LOADER_FLASH_END, 1, 0u), 0);
    assert_true(b->left);
}

static void the_watchdog_reads_the_straps_anew(void **state)
{
    enum { CONFIG = 0x3ff4808c, PROTECT = 0x3ff480a4 };
    const uint32_t resets = 0xc0000000u, key = 0x50d83aa1u, all = 0xffffffffu;
    struct bench *b = *state;
    sync_up(b);
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, CONFIG, resets, all, 0u), 0);
    assert_false(b->left); /* protected */
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, PROTECT, key, all, 0u), 0);
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, CONFIG, 0u, all, 0u), 0);
    assert_false(b->left); /* switched off, as tools do */
    assert_int_equal(ask(b, LOADER_WRITE_REG, 4, CONFIG, resets, all, 0u), 0);
    assert_true(b->left);
}

static void waits_for_a_busy_chip(void **state)
{
    struct bench *b = *state;
    sync_up(b);
    b->busy = true;
    assert_int_equal(ask(b, LOADER_FLASH_BEGIN, 4, 4096u, 4u, 0x400u, 0u), -1);
    assert_int_equal(rom_tick(&b->rom, 5), 1);
    b->busy = false;
    assert_int_equal(rom_tick(&b->rom, 6), 0);
    assert_int_equal(exchange(b), LOADER_ANSWER);
}

static void reads_no_further_than_allowed(void **state)
{
    struct bench *b = *state;
    uint8_t ack[4];
    unsigned frames = 0;
    sync_up(b);
    start_stub(b);
    assert_int_equal(ask(b, LOADER_READ_FLASH, 4, 0u, 0x4000u, 0x1000u, 2u), 0);
    b->client.bare = true;
    while (exchange(b) == LOADER_FRAME)
        frames++;
    assert_int_equal(frames, 2);
    put_u32(ack, 0x2000);
    loader_client_send_frame(&b->client, ack, 4);
    while (exchange(b) == LOADER_FRAME)
        frames++;
    assert_int_equal(frames, 4);
    put_u32(ack, 0x4000);
    loader_client_send_frame(&b->client, ack, 4);
    assert_int_equal(exchange(b), LOADER_FRAME);
    assert_int_equal(b->client.in.len, 16); /* its MD5 */
}

/* D and R set the lines, + lets that many ms go by. => events seen. */
static void lines_follow_levels(void **state)
{
    static const struct {
        const char *steps, *events;
    } cases[] = {
        {"D0 R1 +100 D1 R0 +50 D0", "held download"}, /* classic */
        {"D1 R1 D0 D1 R0 D0", "held download"},       /* one by one */
        {"R1 +100 R0", "held boot"},                  /* hard reset */
        {"D1 R1", ""},                                /* opening a port */
        {"D1 R1 R0 D0", ""},                          /* and closing it */
        {"R1 D1 +249", "held"},                       /* EN's capacitor */
        {"R1 D1 +251", "held boot"},
        {"R1 D1 +100 D0 +500 D1 R0", "held download"},
    };
    (void)state;
    static const char *const names[] = {"", "held ", "boot ", "download "};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lines l;
        bool dtr = false, rts = false;
        uint64_t now = 1000;
        char seen[64] = "", want[64];
        int next;
        lines_init(&l);
        for (const char *s = cases[i].steps; *s;
             s += strcspn(s, " "), s += strspn(s, " ")) {
            enum lines_event e;
            if (*s == '+') {
                now += strtoul(s + 1, NULL, 10);
                e = lines_tick(&l, now, &next);
            } else {
                *(*s == 'D' ? &dtr : &rts) = s[1] == '1';
                e = lines_set(&l, dtr, rts, now);
            }
            strcat(seen, names[e]);
        }
        snprintf(want, sizeof want, "%s%s", cases[i].events,
                 *cases[i].events ? " " : "");
        assert_string_equal(seen, want);
    }
}

static void a_line_takes_its_time(void **state)
{
    struct line_rate l;
    size_t total = 0;
    (void)state;
    line_rate_init(&l, 460800);
    for (uint64_t us = 0; us <= 1000000; us += 700) {
        size_t n = line_rate_allow(&l, 100000, us);
        line_rate_spend(&l, n);
        total += n;
    }
    assert_in_range(total, 46080 - 200, 46080 + 200);
    line_rate_init(&l, 0);
    assert_int_equal(line_rate_allow(&l, 12345, 0), 12345);
}

/* Bytes that wait lose no time to a caller that comes late; an idle line saves
 * little up. */
static void late_callers_lose_nothing(void **state)
{
    struct line_rate l;
    size_t total = 0;
    (void)state;
    line_rate_init(&l, 460800);
    for (uint64_t us = 0; us <= 1000000; us += 40000) {
        size_t n = line_rate_allow(&l, 100000, us);
        line_rate_spend(&l, n);
        total += n;
    }
    assert_in_range(total, 46080 - 200, 46080 + 200);
    line_rate_spend(&l, line_rate_allow(&l, 10, 1001000)); /* all there was */
    assert_in_range(line_rate_allow(&l, 100000, 2000000), 1, 200);
}

static size_t take_none(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    (void)data;
    return len;
}

/* The client's bytes => the server's, without the negotiation's beginning. */
static void acknowledges_every_setting(void **state)
{
    static const struct {
        uint8_t in[8], in_len, out[8], out_len;
    } cases[] = {
        {{1, 0, 7, 8, 0}, 5, {101, 0, 7, 8, 0}, 5}, /* 460800 */
        {{1, 0, 0, 0, 0}, 5, {101, 0, 7, 8, 0}, 5}, /* which? */
        {{2, 8}, 2, {102, 8}, 2},
        {{3, 1}, 2, {103, 1}, 2},
        {{4, 1}, 2, {104, 1}, 2},
        {{5, 1}, 2, {105, 1}, 2},
        {{5, 8}, 2, {105, 8}, 2},
        {{5, 7}, 2, {105, 8}, 2},
        {{5, 12}, 2, {105, 12}, 2},
        {{12, 1}, 2, {112, 1}, 2},
    };
    struct rfc2217_server *s = calloc(1, sizeof *s);
    struct rfc2217_events ev = {.data = take_none};
    (void)state;
    rfc2217_server_init(s, &ev, false, 115200);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t in[16] = {255, 250, 44}, out[32], want[16] = {255, 250, 44};
        memcpy(in + 3, cases[i].in, cases[i].in_len);
        memcpy(in + 3 + cases[i].in_len, (uint8_t[]){255, 240}, 2);
        memcpy(want + 3, cases[i].out, cases[i].out_len);
        memcpy(want + 3 + cases[i].out_len, (uint8_t[]){255, 240}, 2);
        for (size_t k = 0; k < 5u + cases[i].in_len; k++) /* byte by byte */
            assert_int_equal(rfc2217_server_feed(s, in + k, 1), 1);
        assert_int_equal(rfc2217_server_take(s, out, sizeof out),
                         5u + cases[i].out_len);
        assert_memory_equal(out, want, 5u + cases[i].out_len);
    }
    rfc2217_server_put(s, (const uint8_t *)"late", 4);
    rfc2217_server_feed(s, (const uint8_t *)"\xff\xfa\x2c\x0c\x01\xff\xf0", 7);
    uint8_t out[32]; /* PURGE drops what waits */
    assert_int_equal(rfc2217_server_take(s, out, sizeof out), 7);
    free(s);
}

static void plain_and_telnet_share_a_port(void **state)
{
    static const struct {
        const char *first;
        size_t len;
        bool telnet;
    } cases[] = {{"\xc0\x00", 2, false},
                 {"\xff\xfb\x2c", 3, true},
                 {"\xff\x00", 2, false},
                 {"hello", 5, false}};
    struct rfc2217_server *s = calloc(1, sizeof *s);
    struct rfc2217_events ev = {.data = take_none};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[8];
        rfc2217_server_init(s, &ev, true, 115200);
        rfc2217_server_feed(s, (const uint8_t *)cases[i].first, cases[i].len);
        assert_true(s->decided);
        assert_int_equal(s->telnet, cases[i].telnet);
        while (rfc2217_server_take(s, out, sizeof out))
            ;
        rfc2217_server_put(s, (const uint8_t *)"\xff", 1);
        assert_int_equal(rfc2217_server_take(s, out, 1), 1);
        assert_int_equal(rfc2217_server_take(s, out, 1), cases[i].telnet);
    }
    free(s);
}

static void frames_survive_junk(void **state)
{
    static const struct {
        const char *wire;
        size_t len;
        const char *events;
    } cases[] = {
        {"\xc0"
         "ab\xc0",
         4, "F"},
        {"junk\xc0\xc0\xc0"
         "ab\xc0\xc0"
         "cd\xc0",
         14, "FF"},
        {"\xc0\xdb\xdc\xdb\xdd\xc0", 6, "F"},
        {"\xc0\xdb\x01\xc0\xc0"
         "a\xc0",
         7, "BF"},
        {"\xc0"
         "far too long a frame\xc0",
         22, "B"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step <= cases[i].len; step++) {
            struct slip s;
            uint8_t memory[8];
            char seen[8] = "";
            slip_init(&s, memory, sizeof memory);
            for (size_t at = 0, used; at < cases[i].len; at += used) {
                size_t n = cases[i].len - at;
                enum slip_event e =
                    slip_push(&s, (const uint8_t *)cases[i].wire + at,
                              n < step ? n : step, &used);
                if (e)
                    strcat(seen, e == SLIP_FRAME ? "F" : "B");
            }
            assert_string_equal(seen, cases[i].events);
        }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_survive_junk),
        WITH(banner_then_eight_answers),
        WITH(identifies_itself),
        WITH(both_dialects_differ),
        WITH(writes_and_repeats),
        WITH(checks_before_it_writes),
        WITH(a_refused_begin_ends_the_write_before),
        WITH(the_flash_keeps_its_status),
        WITH(speed_and_leaving_come_after_the_answer),
        WITH(a_reset_by_software_keeps_the_straps),
        WITH(the_watchdog_reads_the_straps_anew),
        WITH(waits_for_a_busy_chip),
        WITH(reads_no_further_than_allowed),
        cmocka_unit_test(lines_follow_levels),
        cmocka_unit_test(a_line_takes_its_time),
        cmocka_unit_test(late_callers_lose_nothing),
        cmocka_unit_test(acknowledges_every_setting),
        cmocka_unit_test(plain_and_telnet_share_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
