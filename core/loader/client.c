#include "loader/client.h"

#include <string.h>

#include "base/cursor.h"
#include "base/err.h"

void loader_client_init(struct loader_client *c)
{
    memset(c, 0, offsetof(struct loader_client, in_memory));
    slip_init(&c->in, c->in_memory, sizeof c->in_memory);
    ring_init(&c->out, c->out_memory, sizeof c->out_memory);
}

int loader_client_send(struct loader_client *c, uint8_t op, uint32_t check,
                       const void *head, size_t head_len, const void *data,
                       size_t len, uint64_t now_ms, uint32_t timeout_ms)
{
    uint8_t first[LOADER_HEAD_LEN];
    struct writer w = writer_of(first, sizeof first);
    if (head_len > LOADER_DATA_HEAD_LEN ||
        len > LOADER_FRAME_MAX - LOADER_HEAD_LEN - head_len)
        return WIPY_EINVAL;
    write_u8(&w, 0);
    write_u8(&w, op);
    write_u16(&w, (uint16_t)(head_len + len));
    write_u32(&w, check);
    ring_clear(&c->out);
    slip_begin(&c->out);
    slip_add(&c->out, first, sizeof first);
    if (head_len)
        slip_add(&c->out, head, head_len);
    if (len)
        slip_add(&c->out, data, len);
    slip_end(&c->out);
    c->op = op;
    c->waiting = true;
    c->give_up_ms = now_ms + timeout_ms;
    return 0;
}

int loader_client_send_block(struct loader_client *c, uint8_t op,
                             uint32_t sequence, const uint8_t *data, size_t len,
                             uint64_t now_ms, uint32_t timeout_ms)
{
    uint8_t head[LOADER_DATA_HEAD_LEN] = {0};
    put_u32(head, (uint32_t)len);
    put_u32(head + 4, sequence);
    return loader_client_send(c, op, loader_checksum(data, len), head,
                              sizeof head, data, len, now_ms, timeout_ms);
}

int loader_client_send_frame(struct loader_client *c, const void *data,
                             size_t len)
{
    if (ring_room(&c->out) < slip_worst(len))
        return WIPY_ENOSPC;
    slip_begin(&c->out);
    slip_add(&c->out, data, len);
    slip_end(&c->out);
    return 0;
}

/* Answers to earlier commands (the ROM answers SYNC eight times) are stale. */
static bool is_answer(struct loader_client *c)
{
    struct reader in = reader_of(c->in.data, c->in.len);
    size_t status = c->stub ? (size_t)LOADER_STUB_STATUS_LEN
                            : (size_t)LOADER_ROM_STATUS_LEN;
    uint8_t direction = read_u8(&in), op = read_u8(&in);
    size_t len = read_u16(&in);
    uint32_t value = read_u32(&in);
    if (in.bad || direction != 1 || len != reader_left(&in) ||
        len < LOADER_STUB_STATUS_LEN || !c->waiting || op != c->op)
        return false;
    if (len < status)
        status = len;
    const uint8_t *data = c->in.data + in.pos;
    c->answer = (struct loader_answer){.op = op,
                                       .value = value,
                                       .data = data,
                                       .len = len - status,
                                       .failed = data[len - status] != 0,
                                       .code = data[len - status + 1]};
    return true;
}

enum loader_event loader_client_feed(struct loader_client *c,
                                     const uint8_t *data, size_t len,
                                     size_t *used)
{
    *used = 0;
    while (*used < len) {
        size_t part;
        enum slip_event event =
            slip_push(&c->in, data + *used, len - *used, &part);
        *used += part;
        if (event != SLIP_FRAME)
            continue;
        if (!c->bare && is_answer(c)) {
            c->waiting = false;
            return LOADER_ANSWER;
        }
        if (c->bare || !c->waiting)
            return LOADER_FRAME;
        c->stale++;
    }
    return LOADER_NOTHING;
}

enum loader_event loader_client_tick(struct loader_client *c, uint64_t now_ms)
{
    if (!c->waiting || now_ms < c->give_up_ms)
        return LOADER_NOTHING;
    c->waiting = false;
    return LOADER_TIMEOUT;
}

const char *loader_error_text(uint8_t code)
{
    switch (code) {
    case LOADER_ROM_BAD_PARAMETER:
        return "bad parameter";
    case LOADER_ROM_BAD_MESSAGE:
        return "command not known or malformed";
    case LOADER_ROM_FAILED:
        return "the command failed";
    case LOADER_ROM_CHECKSUM:
    case LOADER_STUB_CHECKSUM:
        return "the block was damaged on the line";
    case LOADER_ROM_FLASH_WRITE:
        return "the flash does not take the data";
    case LOADER_ROM_FLASH_READ:
        return "the flash cannot be read";
    case LOADER_ROM_READ_LENGTH:
        return "too much to read at once";
    case LOADER_ROM_INFLATE:
    case LOADER_STUB_INFLATE:
        return "the compressed data is damaged";
    case LOADER_STUB_LENGTH:
        return "bad length or place";
    case LOADER_STUB_BLOCK_SIZE:
        return "bad block size";
    case LOADER_STUB_COMMAND:
    case LOADER_STUB_UNIMPLEMENTED:
        return "command not known";
    case LOADER_STUB_SPI_FAILED:
        return "the flash chip refused";
    case LOADER_STUB_NOT_FLASHING:
        return "no write is in progress";
    case LOADER_STUB_NOT_ENOUGH:
        return "less data than announced";
    case LOADER_STUB_TOO_MUCH:
        return "more data than announced";
    default:
        return "unknown error code";
    }
}

void loader_sync_data(uint8_t to[LOADER_SYNC_LEN])
{
    static const uint8_t head[4] = {0x07, 0x07, 0x12, 0x20};
    memcpy(to, head, sizeof head);
    memset(to + sizeof head, 0x55, LOADER_SYNC_LEN - sizeof head);
}
