/* The board's end: frames in, dispatch, answers out. */
#include "loader/rom.h"

#include <string.h>

#include "base/cursor.h"
#include "loader/rom_parts.h"

enum {
    SYNC_LEN = 36,
    SYNC_ANSWERS = 8, /* the ROM answers every SYNC that often */
    SYNC_VALUE = 0x20120707,
    /* Room every request can count on: the eight answers to SYNC. */
    ANSWER_ROOM = 512,
    BAUD_AT_RESET = 115200,
    WRITE_REG_LEN = 16,
    DELAY_MAX_US = 1000000, /* longest pause WRITE_REG may ask for */
    CAUSE_POWER_ON = 0,     /* as enum bus_reset_cause numbers them */
    CAUSE_SOFTWARE = 4,
};

void rom_init(struct rom_loader *r, const struct rom_config *cfg)
{
    memset(r, 0, offsetof(struct rom_loader, inflater)); /* not the buffers */
    r->cfg = *cfg;
    if (r->cfg.flash_id == 0) {
        uint32_t log2 = 0;
        while (log2 < 31 && (2u << log2) <= cfg->flash->size)
            log2++;
        r->cfg.flash_id = 0xef | 0x40 << 8 | log2 << 16;
    }
    rom_stop(r);
}

void rom_stop(struct rom_loader *r)
{
    slip_init(&r->in, r->frame, sizeof r->frame);
    ring_init(&r->out, r->out_memory, sizeof r->out_memory);
    memset(&r->write, 0, sizeof r->write);
    memset(&r->read, 0, sizeof r->read);
    memset(r->spi, 0, sizeof r->spi);
    r->dialect = ROM_DIALECT_ROM;
    r->baud = BAUD_AT_RESET;
    r->running = r->rtc_open = r->held = false;
    r->then = ROM_STAY;
    r->next_baud = 0;
    r->wait_until_ms = 0;
}

static void start(struct rom_loader *r, unsigned cause)
{
    char text[ROM_BANNER_MAX];
    rom_stop(r);
    r->running = true;
    ring_put(&r->out, text, rom_banner(text, ROM_BOOT_DOWNLOAD, cause));
}

void rom_start(struct rom_loader *r, bool strapped)
{
    r->strapped = strapped;
    start(r, CAUSE_POWER_ON);
}

uint8_t rom_error(const struct rom_loader *r, enum loader_error rom,
                  enum loader_error stub)
{
    return (uint8_t)(r->dialect == ROM_DIALECT_STUB ? stub : rom);
}

void rom_answer(struct rom_loader *r, uint8_t op, const struct rom_result *a)
{
    uint8_t head[LOADER_HEAD_LEN], status[LOADER_ROM_STATUS_LEN] = {0};
    size_t status_len = r->dialect == ROM_DIALECT_STUB
                            ? (size_t)LOADER_STUB_STATUS_LEN
                            : (size_t)LOADER_ROM_STATUS_LEN;
    struct writer w = writer_of(head, sizeof head);
    write_u8(&w, 1);
    write_u8(&w, op);
    write_u16(&w, (uint16_t)(a->len + status_len));
    write_u32(&w, a->value);
    status[0] = a->error != 0;
    status[1] = a->error;
    slip_begin(&r->out);
    slip_add(&r->out, head, sizeof head);
    slip_add(&r->out, a->data, a->len);
    slip_add(&r->out, status, status_len);
    slip_end(&r->out);
    r->held = true; /* until the chip is idle; see release() */
}

bool rom_on_chip(const struct rom_loader *r, uint32_t off, uint32_t len)
{
    uint32_t size = r->cfg.flash->size;
    return off <= size && len <= size - off;
}

uint8_t rom_check_block(const struct rom_loader *r, const struct rom_request *q,
                        uint32_t *len, uint32_t *sequence)
{
    struct reader in = reader_of(q->data, q->len);
    *len = read_u32(&in);
    *sequence = read_u32(&in);
    read_skip(&in, 8);
    if (in.bad || *len != reader_left(&in))
        return rom_error(r, LOADER_ROM_BAD_PARAMETER, LOADER_STUB_LENGTH);
    if (*len > LOADER_BLOCK_MAX)
        return rom_error(r, LOADER_ROM_BAD_PARAMETER, LOADER_STUB_BLOCK_SIZE);
    if ((uint8_t)q->check != loader_checksum(q->data + in.pos, *len))
        return rom_error(r, LOADER_ROM_CHECKSUM, LOADER_STUB_CHECKSUM);
    return 0;
}

static void op_sync(struct rom_loader *r, const struct rom_request *q,
                    struct rom_result *a)
{
    if (q->len != SYNC_LEN) {
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
        return;
    }
    a->value = r->dialect == ROM_DIALECT_ROM ? SYNC_VALUE : 0;
    for (int i = 1; i < SYNC_ANSWERS; i++)
        rom_answer(r, q->op, a);
}

static void op_read_reg(struct rom_loader *r, const struct rom_request *q,
                        struct rom_result *a)
{
    if (q->len != 4)
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
    else
        a->value = rom_read_reg(r, get_u32(q->data));
}

static void op_write_reg(struct rom_loader *r, const struct rom_request *q,
                         struct rom_result *a)
{
    if (q->len == 0 || q->len % WRITE_REG_LEN != 0) {
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
        return;
    }
    uint64_t delay_us = 0;
    for (size_t i = 0; i < q->len; i += WRITE_REG_LEN) {
        const uint8_t *p = q->data + i;
        rom_write_reg(r, get_u32(p), get_u32(p + 4), get_u32(p + 8));
        delay_us += get_u32(p + 12);
    }
    if (delay_us > DELAY_MAX_US)
        delay_us = DELAY_MAX_US;
    r->wait_until_ms = r->now_ms + (delay_us + 999) / 1000;
}

/* Nothing is stored: only a session's shape matters, not what it uploads. */
static void op_mem(struct rom_loader *r, const struct rom_request *q,
                   struct rom_result *a)
{
    uint32_t len, sequence;
    size_t want = q->op == LOADER_MEM_BEGIN ? 16 : 8;
    if (q->op == LOADER_MEM_DATA)
        a->error = rom_check_block(r, q, &len, &sequence);
    else if (q->len != want)
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
    if (a->error || q->op != LOADER_MEM_END || get_u32(q->data + 4) == 0)
        return;
    rom_answer(r, q->op, a);
    a->silent = true;
    slip_begin(&r->out);
    slip_add(&r->out, "OHAI", 4);
    slip_end(&r->out);
    r->dialect = ROM_DIALECT_STUB;
    memset(&r->write, 0, sizeof r->write);
}

static void op_accept(struct rom_loader *r, const struct rom_request *q,
                      struct rom_result *a)
{
    size_t least = q->op == LOADER_SPI_SET_PARAMS ? 24 : 4;
    if (q->len < least)
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
}

static void op_baud(struct rom_loader *r, const struct rom_request *q,
                    struct rom_result *a)
{
    if (q->len != 8)
        a->error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
    else
        r->next_baud = get_u32(q->data);
}

static void op_run(struct rom_loader *r, const struct rom_request *q,
                   struct rom_result *a)
{
    (void)q;
    a->silent = true;
    r->then = ROM_RUN;
}

/* In the order a session uses them. */
static const struct {
    uint8_t op;
    bool in_rom, in_stub;
    void (*run)(struct rom_loader *r, const struct rom_request *q,
                struct rom_result *a);
} commands[] = {
    {LOADER_SYNC, true, true, op_sync},
    {LOADER_READ_REG, true, true, op_read_reg},
    {LOADER_WRITE_REG, true, true, op_write_reg},
    {LOADER_MEM_BEGIN, true, true, op_mem},
    {LOADER_MEM_DATA, true, true, op_mem},
    {LOADER_MEM_END, true, true, op_mem},
    {LOADER_CHANGE_BAUD, true, true, op_baud},
    {LOADER_SPI_ATTACH, true, true, op_accept},
    {LOADER_SPI_SET_PARAMS, true, true, op_accept},
    {LOADER_FLASH_BEGIN, true, true, rom_flash_begin},
    {LOADER_FLASH_DATA, true, true, rom_flash_data},
    {LOADER_FLASH_END, true, true, rom_flash_end},
    {LOADER_DEFL_BEGIN, true, true, rom_flash_begin},
    {LOADER_DEFL_DATA, true, true, rom_flash_data},
    {LOADER_DEFL_END, true, true, rom_flash_end},
    {LOADER_FLASH_MD5, true, true, rom_flash_md5},
    {LOADER_READ_FLASH_SLOW, true, false, rom_flash_read_slow},
    {LOADER_ERASE_FLASH, false, true, rom_flash_erase},
    {LOADER_ERASE_REGION, false, true, rom_flash_erase},
    {LOADER_READ_FLASH, false, true, rom_read_begin},
    {LOADER_RUN_USER_CODE, false, true, op_run},
};

static void dispatch(struct rom_loader *r, const struct rom_request *q)
{
    struct rom_result a = {0};
    bool known = false;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].op != q->op)
            continue;
        known = r->dialect == ROM_DIALECT_STUB ? commands[i].in_stub
                                               : commands[i].in_rom;
        if (known)
            commands[i].run(r, q, &a);
    }
    if (!known)
        a.error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_COMMAND);
    if (!a.silent)
        rom_answer(r, q->op, &a);
}

static void take_frame(struct rom_loader *r)
{
    struct reader in = reader_of(r->in.data, r->in.len);
    r->frames++;
    if (r->read.active && r->in.len == 4) {
        rom_read_ack(r, read_u32(&in));
        return;
    }
    if (read_u8(&in) != 0 || r->in.len < LOADER_HEAD_LEN)
        return;             /* not a request */
    r->read.active = false; /* the client gave up reading and starts anew */
    struct rom_request q = {.op = read_u8(&in)};
    size_t len = read_u16(&in);
    q.check = read_u32(&in);
    q.data = r->in.data + in.pos;
    q.len = reader_left(&in);
    if (len == q.len) {
        dispatch(r, &q);
        return;
    }
    struct rom_result a = {0};
    a.error = rom_error(r, LOADER_ROM_BAD_MESSAGE, LOADER_STUB_LENGTH);
    rom_answer(r, q.op, &a);
}

/* Answers leave once the chip has finished what they speak of. */
static void release(struct rom_loader *r)
{
    if (!r->held || r->now_ms < r->wait_until_ms)
        return;
    if (!r->cfg.busy || !r->cfg.busy(r->cfg.ctx))
        r->held = false;
}

/* What was announced happens when the announcement has left. */
static void drained(struct rom_loader *r)
{
    if (r->held || ring_used(&r->out) || !r->running)
        return;
    if (r->next_baud) {
        r->baud = r->next_baud;
        r->next_baud = 0;
        if (r->cfg.baud)
            r->cfg.baud(r->cfg.ctx, r->baud);
    }
    if (r->then == ROM_REBOOT && r->strapped) {
        start(r, CAUSE_SOFTWARE);
        if (r->cfg.baud)
            r->cfg.baud(r->cfg.ctx, r->baud);
    } else if (r->then) {
        rom_stop(r);
        if (r->cfg.leave)
            r->cfg.leave(r->cfg.ctx);
    }
}

static bool takes_input(const struct rom_loader *r)
{
    return r->running && !r->held && !r->then && !r->next_baud &&
           ring_room(&r->out) >= ANSWER_ROOM;
}

size_t rom_feed(struct rom_loader *r, const uint8_t *data, size_t len)
{
    if (!r->running)
        return len; /* nobody listens on the line */
    size_t pos = 0;
    while (pos < len && takes_input(r)) {
        size_t used;
        enum slip_event event = slip_push(&r->in, data + pos, len - pos, &used);
        pos += used;
        if (event == SLIP_BROKEN)
            r->broken_frames++;
        if (event == SLIP_FRAME)
            take_frame(r);
        release(r);
        drained(r);
    }
    return r->running ? pos : len;
}

size_t rom_output(struct rom_loader *r, const uint8_t **at)
{
    if (r->held || !r->running)
        return 0;
    rom_read_pump(r);
    return ring_peek(&r->out, at);
}

void rom_output_drop(struct rom_loader *r, size_t len)
{
    ring_drop(&r->out, len);
    drained(r);
}

void rom_output_purge(struct rom_loader *r)
{
    ring_clear(&r->out);
    drained(r);
}

int rom_tick(struct rom_loader *r, uint64_t now_ms)
{
    r->now_ms = now_ms;
    if (!r->running || !r->held)
        return -1;
    release(r);
    drained(r);
    if (!r->held)
        return 0;
    return r->wait_until_ms > now_ms ? (int)(r->wait_until_ms - now_ms) : 1;
}
