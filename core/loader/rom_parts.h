/* Between the files of the board's end; not for callers. */
#ifndef WIPY_LOADER_ROM_PARTS_H
#define WIPY_LOADER_ROM_PARTS_H

#include "loader/rom.h"

/* A request, cut out of its frame. */
struct rom_request {
    uint8_t op;
    uint32_t check;
    const uint8_t *data;
    size_t len;
};

/* What a handler decided: an error code of the dialect spoken, 0 = done. */
struct rom_result {
    uint8_t error;
    uint32_t value;
    uint8_t data[LOADER_SLOW_READ_MAX];
    size_t len;
    bool silent; /* no answer at all */
};

/* The error in the words of the dialect spoken. */
uint8_t rom_error(const struct rom_loader *r, enum loader_error rom,
                  enum loader_error stub);

/* Queues `01 op size value data status` as a frame. */
void rom_answer(struct rom_loader *r, uint8_t op,
                const struct rom_result *result);

/* rom_regs.c */
uint32_t rom_read_reg(struct rom_loader *r, uint32_t addr);
void rom_write_reg(struct rom_loader *r, uint32_t addr, uint32_t value,
                   uint32_t mask);

/* rom_flash.c: writing, erasing, digests */
void rom_flash_begin(struct rom_loader *r, const struct rom_request *q,
                     struct rom_result *a);
void rom_flash_data(struct rom_loader *r, const struct rom_request *q,
                    struct rom_result *a);
void rom_flash_end(struct rom_loader *r, const struct rom_request *q,
                   struct rom_result *a);
void rom_flash_md5(struct rom_loader *r, const struct rom_request *q,
                   struct rom_result *a);
void rom_flash_read_slow(struct rom_loader *r, const struct rom_request *q,
                         struct rom_result *a);
void rom_flash_erase(struct rom_loader *r, const struct rom_request *q,
                     struct rom_result *a);

/* True when the range lies on the chip. */
bool rom_on_chip(const struct rom_loader *r, uint32_t off, uint32_t len);

/* Checks sub-header, length and checksum of a *_DATA request; the block is
 * q->data + LOADER_DATA_HEAD_LEN. Returns 0 or an error code. */
uint8_t rom_check_block(const struct rom_loader *r, const struct rom_request *q,
                        uint32_t *len, uint32_t *sequence);

/* rom_read.c: READ_FLASH, the one command with frames of its own */
void rom_read_begin(struct rom_loader *r, const struct rom_request *q,
                    struct rom_result *a);
void rom_read_ack(struct rom_loader *r, uint32_t total);
void rom_read_pump(struct rom_loader *r);

#endif
