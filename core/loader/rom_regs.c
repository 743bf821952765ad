/* Registers, eFuses and boot texts: what identifies the chip. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "image/image.h"
#include "loader/rom_parts.h"

enum {
    REG_RTC_SDIO_CONF = 0x3ff48074, /* with GPIO_STRAP 0: 3.3 V by strap */
    REG_GPIO_STRAP = 0x3ff44038,
    REG_APB_CTL_DATE = 0x3ff6607c,
    REG_RTC_CAL = 0x3ff5f06c,
    REG_UART_DATE = 0x3ff40078,
    UART_DATE = 0x15122500,
    CRYSTAL_HZ = 40000000,
    CK8M_FREQ = 0x85,
    /* Clients reckon the crystal as cal * 15625 * ck8m / 40, wanting 40 MHz. */
    RTC_CAL = 770 << 7,
    ALIAS_FROM = 0x60000000,
    ALIAS_TO = 0x3ff40000,
    ALIAS_LEN = 0x40000,
};

/* SPI1, offsets in words. */
enum {
    SPI_CMD = 0,
    SPI_ADDR = 1,
    SPI_USR2 = 9,
    SPI_MISO_DLEN = 11,
    SPI_W0 = 32,
    SPI_WORDS = 64,
    SPI_CMD_USER = 1 << 18,
};

/* The peripherals answer at two addresses. */
static uint32_t unalias(uint32_t addr)
{
    if (addr >= ALIAS_FROM && addr - ALIAS_FROM < ALIAS_LEN)
        return addr - ALIAS_FROM + ALIAS_TO;
    return addr;
}

/* The word number of `addr` in a bank, or `words` when it is not in there. */
static uint32_t word_in(uint32_t addr, uint32_t base, uint32_t words)
{
    if (addr < base || addr % 4 != 0 || (addr - base) / 4 >= words)
        return words;
    return (addr - base) / 4;
}

uint32_t rom_read_reg(struct rom_loader *r, uint32_t addr)
{
    addr = unalias(addr);
    uint32_t word = word_in(addr, LOADER_REG_EFUSE, EFUSE_WORDS);
    if (word < EFUSE_WORDS)
        return r->cfg.efuse[word];
    word = word_in(addr, LOADER_REG_SPI, SPI_WORDS);
    if (word < SPI_WORDS)
        return r->spi[word];
    switch (addr) {
    case LOADER_REG_CHIP_MAGIC:
        return LOADER_MAGIC_ESP32;
    case REG_UART_DATE:
        return UART_DATE;
    case LOADER_REG_UART_CLKDIV:
        return CRYSTAL_HZ / (r->baud ? r->baud : 1);
    case REG_RTC_CAL:
        return RTC_CAL;
    case REG_RTC_SDIO_CONF:
    case REG_GPIO_STRAP:
    case REG_APB_CTL_DATE: /* bit 31: revision 3 */
    default:
        return 0;
    }
}

/* Serial flash discoverable parameters (JESD216): only that they exist. */
static uint32_t sfdp_word(uint32_t offset)
{
    return offset == 0 ? 0x50444653 : 0xffffffff;
}

/* The status registers are kept but protect nothing: the boards this stands
 * for leave them at 0. */
static uint32_t spi_answer(struct rom_loader *r, uint8_t opcode)
{
    uint8_t *status = r->flash_status, value = (uint8_t)r->spi[SPI_W0];
    switch (opcode) {
    case 0x9f: /* read identification */
        return r->cfg.flash_id;
    case 0x05:
        return status[0];
    case 0x35:
        return status[1];
    case 0x15:
        return status[2];
    case 0x01:
        status[0] = value & 0xfc; /* busy and write enable cannot be written */
        return 0;
    case 0x31:
        status[1] = value;
        return 0;
    case 0x11:
        status[2] = value;
        return 0;
    case 0x5a:
        return sfdp_word(r->spi[SPI_ADDR] >> 8);
    default: /* write enable, reset and others: nothing to read */
        return 0;
    }
}

static void spi_user_command(struct rom_loader *r)
{
    uint32_t answer = spi_answer(r, (uint8_t)r->spi[SPI_USR2]);
    uint32_t bits = r->spi[SPI_MISO_DLEN] + 1;
    if (bits < 32)
        answer &= (1u << bits) - 1;
    r->spi[SPI_W0] = answer;
}

void rom_write_reg(struct rom_loader *r, uint32_t addr, uint32_t value,
                   uint32_t mask)
{
    addr = unalias(addr);
    if (addr == LOADER_REG_WDT_PROTECT)
        r->rtc_open = value == LOADER_WDT_KEY;
    if (addr == LOADER_REG_WDT_CONFIG && r->rtc_open &&
        (value & mask & LOADER_WDT_RESETS) == LOADER_WDT_RESETS)
        r->then = ROM_RUN;
    uint32_t word = word_in(addr, LOADER_REG_SPI, SPI_WORDS);
    if (word == SPI_WORDS)
        return; /* clocks and others: nothing here would notice */
    r->spi[word] = (r->spi[word] & ~mask) | (value & mask);
    if (word == SPI_CMD && (r->spi[SPI_CMD] & SPI_CMD_USER)) {
        spi_user_command(r);
        r->spi[SPI_CMD] = 0; /* done at once: clients poll the bit */
    }
}

/* CRC-8 of the eFuse address: polynomial 0x31 reflected, from 0. */
static uint8_t mac_crc(const uint8_t mac[6])
{
    uint8_t crc = 0;
    for (int i = 0; i < 6; i++) {
        crc ^= mac[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint8_t)(crc & 1 ? crc >> 1 ^ 0x8c : crc >> 1);
    }
    return crc;
}

void rom_efuse_make(uint32_t efuse[EFUSE_WORDS], const uint8_t mac[6],
                    unsigned revision)
{
    memset(efuse, 0, EFUSE_WORDS * sizeof efuse[0]);
    efuse[EFUSE_MAC_LOW] = (uint32_t)mac[2] << 24 | (uint32_t)mac[3] << 16 |
                           (uint32_t)mac[4] << 8 | mac[5];
    efuse[EFUSE_MAC_HIGH] =
        (uint32_t)mac_crc(mac) << 16 | (uint32_t)mac[0] << 8 | mac[1];
    /* Package 1, rated for 240 MHz, revision bit 0. */
    efuse[EFUSE_PACKAGE] = 1u << 9 | 1u << 13 | (revision ? 1u << 15 : 0);
    efuse[4] = CK8M_FREQ;
    efuse[EFUSE_MARK] = EFUSE_MARK_VALUE;
    efuse[EFUSE_MACHINE] = IMAGE_MACHINE_HERE;
}

size_t rom_banner(char to[ROM_BANNER_MAX], enum rom_boot boot, unsigned cause)
{
    /* By enum bus_reset_cause; the ROM's own numbers and names. */
    static const struct {
        int number;
        const char *name;
    } causes[] = {
        {0x1, "POWERON_RESET"},    {0x1, "POWERON_RESET"},
        {0x8, "TG1WDT_SYS_RESET"}, {0x5, "DEEPSLEEP_RESET"},
        {0xc, "SW_CPU_RESET"},     {0xf, "RTCWDT_BROWN_OUT_RESET"},
    };
    if (cause >= sizeof causes / sizeof causes[0])
        cause = 0;
    bool flash = boot == ROM_BOOT_FLASH;
    int len = snprintf(
        to, ROM_BANNER_MAX,
        "ets Jun  8 2016 00:22:57\r\n\r\nrst:0x%x (%s),boot:0x%x (%s)\r\n%s",
        (unsigned)causes[cause].number, causes[cause].name, flash ? 0x13 : 0x3,
        flash ? "SPI_FAST_FLASH_BOOT"
              : "DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2)",
        flash ? "" : "waiting for download\r\n");
    return len < ROM_BANNER_MAX ? (size_t)len : ROM_BANNER_MAX - 1;
}
