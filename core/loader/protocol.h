/* The numbers of the serial loader protocol, shared by both ends.
 *
 * A request is `00 op size:u16 check:u32 data[size]`, an answer
 * `01 op size:u16 value:u32 data[size]`, little-endian, each in a SLIP frame.
 * The last bytes of an answer's data are its status: `fail code 0 0` in the
 * ROM's dialect, `fail code` in the stub's. */
#ifndef WIPY_LOADER_PROTOCOL_H
#define WIPY_LOADER_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

enum loader_op {
    LOADER_FLASH_BEGIN = 0x02,
    LOADER_FLASH_DATA = 0x03,
    LOADER_FLASH_END = 0x04,
    LOADER_MEM_BEGIN = 0x05,
    LOADER_MEM_END = 0x06,
    LOADER_MEM_DATA = 0x07,
    LOADER_SYNC = 0x08,
    LOADER_WRITE_REG = 0x09,
    LOADER_READ_REG = 0x0a,
    LOADER_SPI_SET_PARAMS = 0x0b,
    LOADER_SPI_ATTACH = 0x0d,
    LOADER_READ_FLASH_SLOW = 0x0e, /* ROM only */
    LOADER_CHANGE_BAUD = 0x0f,
    LOADER_DEFL_BEGIN = 0x10,
    LOADER_DEFL_DATA = 0x11,
    LOADER_DEFL_END = 0x12,
    LOADER_FLASH_MD5 = 0x13,
    LOADER_SECURITY_INFO = 0x14, /* this ROM does not know it */
    LOADER_ERASE_FLASH = 0xd0,   /* from here on: stub only */
    LOADER_ERASE_REGION = 0xd1,
    LOADER_READ_FLASH = 0xd2,
    LOADER_RUN_USER_CODE = 0xd3,
    LOADER_FLASH_ENCRYPT_DATA = 0xd4,
};

enum loader_error {
    LOADER_ROM_BAD_PARAMETER = 0x01,
    LOADER_ROM_BAD_MESSAGE = 0x05, /* also: unknown command */
    LOADER_ROM_FAILED = 0x06,
    LOADER_ROM_CHECKSUM = 0x07,
    LOADER_ROM_FLASH_WRITE = 0x08,
    LOADER_ROM_FLASH_READ = 0x09,
    LOADER_ROM_READ_LENGTH = 0x0a,
    LOADER_ROM_INFLATE = 0x0b,
    LOADER_STUB_LENGTH = 0xc0,
    LOADER_STUB_CHECKSUM = 0xc1,
    LOADER_STUB_BLOCK_SIZE = 0xc2,
    LOADER_STUB_COMMAND = 0xc3,
    LOADER_STUB_SPI_FAILED = 0xc4,
    LOADER_STUB_NOT_FLASHING = 0xc6,
    LOADER_STUB_INFLATE = 0xc7,
    LOADER_STUB_NOT_ENOUGH = 0xc8,
    LOADER_STUB_TOO_MUCH = 0xc9,
    LOADER_STUB_UNIMPLEMENTED = 0xff,
};

enum {
    LOADER_HEAD_LEN = 8,
    LOADER_DATA_HEAD_LEN = 16, /* len, sequence, 0, 0 before a block */
    LOADER_ROM_BLOCK = 0x400,  /* what public tools use without a stub */
    LOADER_STUB_BLOCK = 0x4000,
    LOADER_BLOCK_MAX = 0x4000, /* longest block our board end takes */
    LOADER_FRAME_MAX =
        LOADER_HEAD_LEN + LOADER_DATA_HEAD_LEN + LOADER_BLOCK_MAX,
    LOADER_ROM_STATUS_LEN = 4,
    LOADER_STUB_STATUS_LEN = 2,
    LOADER_SLOW_READ_MAX = 64,
};

/* Registers both ends name. */
enum {
    LOADER_REG_CHIP_MAGIC = 0x40001000,
    LOADER_MAGIC_ESP32 = 0x00f01d83,
    LOADER_REG_UART_DATE = 0x60000078,
    LOADER_REG_UART_CLKDIV = 0x3ff40014,
    LOADER_REG_EFUSE = 0x3ff5a000,
    LOADER_REG_SPI = 0x3ff42000,
};

/* The RTC's watchdog: its stage 0, after a time in cycles of 150 kHz, resets
 * all and reads the straps anew (ESP32 technical reference, "Watchdog
 * timers"). Nothing but PROTECT is written unless PROTECT holds the key. */
enum {
    LOADER_REG_WDT_CONFIG = 0x3ff4808c,
    LOADER_REG_WDT_TIME = 0x3ff48090,
    LOADER_REG_WDT_PROTECT = 0x3ff480a4,
    LOADER_WDT_KEY = 0x50d83aa1,
    LOADER_WDT_LENGTHS = 7 << 14 | 7 << 11, /* of the reset's pulses */
};
#define LOADER_WDT_RESETS (UINT32_C(1) << 31 | UINT32_C(4) << 28)

/* eFuse words, by number: word n is the register LOADER_REG_EFUSE + 4 n
 * (ESP32 technical reference, "eFuse controller"). Block 3 is the user's.
 * The mark tells a virtual board from silicon, the word behind it the machine
 * its code runs on, as ELF numbers it; see docs/FORMATS.md. */
enum {
    EFUSE_MAC_LOW = 1,
    EFUSE_MAC_HIGH = 2,
    EFUSE_PACKAGE = 3,
    EFUSE_BLOCK3 = 30, /* eight words */
    EFUSE_MARK = EFUSE_BLOCK3 + 6,
    EFUSE_MACHINE = EFUSE_BLOCK3 + 7,
    EFUSE_WORDS = EFUSE_BLOCK3 + 8,
    EFUSE_MARK_VALUE = 0x59504957, /* "WIPY" */
};

/* XOR over the block, seeded: carried by the *_DATA requests. */
uint8_t loader_checksum(const uint8_t *data, size_t len);

#endif
