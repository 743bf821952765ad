/* READ_FLASH: after its answer the board sends the contents as bare frames,
 * never more than the client allowed ahead of its acknowledgements (bare
 * frames too: the total received), and an MD5 at the end. */
#include "base/cursor.h"
#include "loader/rom_parts.h"

void rom_read_begin(struct rom_loader *r, const struct rom_request *q,
                    struct rom_result *a)
{
    struct reader in = reader_of(q->data, q->len);
    struct rom_read read = {.active = true};
    read.at = read_u32(&in);
    read.left = read_u32(&in);
    read.block = read_u32(&in);
    read.in_flight = read_u32(&in);
    if (in.bad || !rom_on_chip(r, read.at, read.left)) {
        a->error = LOADER_STUB_LENGTH;
        return;
    }
    if (read.block == 0 || read.block > LOADER_BLOCK_MAX) {
        a->error = LOADER_STUB_BLOCK_SIZE;
        return;
    }
    if (read.in_flight == 0)
        read.in_flight = 1;
    read.total = read.left;
    md5_init(&read.md5);
    r->read = read;
}

void rom_read_ack(struct rom_loader *r, uint32_t total)
{
    if (total <= r->read.sent && total > r->read.acked)
        r->read.acked = total;
}

static bool may_send(const struct rom_loader *r)
{
    const struct rom_read *read = &r->read;
    uint32_t ahead = (read->sent - read->acked + read->block - 1) / read->block;
    return read->left && ahead < read->in_flight &&
           ring_room(&r->out) >= slip_worst(read->block);
}

static void send_frame(struct rom_loader *r, const void *data, size_t len)
{
    slip_begin(&r->out);
    slip_add(&r->out, data, len);
    slip_end(&r->out);
}

void rom_read_pump(struct rom_loader *r)
{
    struct rom_read *read = &r->read;
    while (read->active && may_send(r)) {
        uint32_t part = read->left < read->block ? read->left : read->block;
        if (flash_read(r->cfg.flash, read->at, r->block, part) < 0) {
            read->active = false; /* the client's time-out tells it */
            return;
        }
        md5_update(&read->md5, r->block, part);
        send_frame(r, r->block, part);
        read->at += part;
        read->left -= part;
        read->sent += part;
    }
    if (read->active && read->acked == read->total &&
        ring_room(&r->out) >= slip_worst(MD5_LEN)) {
        uint8_t digest[MD5_LEN];
        md5_final(&read->md5, digest);
        send_frame(r, digest, sizeof digest);
        read->active = false;
    }
}
