/* The wires between the board and its CPU. Nothing else crosses.
 *
 * The CPU (bootloader, then firmware) is a process the board starts with the
 * descriptors below. Two pages of shared memory are the registers: one is
 * written by the CPU only, the other by the board only and mapped read-only
 * by the CPU, so firmware cannot forge why it started. Everything that can
 * fail or take time is a command over a socket pair; the board is the only
 * writer of the chip. Both ends are the same machine: integers are native.
 *
 * The CPU's side of this is bus/cpu.h, the board's side board/bus.c. */
#ifndef WIPY_BUS_BUS_H
#define WIPY_BUS_BUS_H

#include <stdatomic.h>
#include <stdint.h>

enum { BUS_VERSION = 1 };

/* Descriptors of the CPU at its start; they survive the hand-over from
 * bootloader to firmware (execve keeps them). */
enum bus_fd {
    BUS_FD_CPU_REGS = 3,   /* memory, read-write: struct bus_cpu_regs */
    BUS_FD_BOARD_REGS = 4, /* memory, read-only: struct bus_board_regs */
    BUS_FD_CHIP = 5,       /* memory, read-only: the flash chip */
    BUS_FD_COMMAND = 6,    /* SOCK_SEQPACKET: struct bus_command */
    BUS_FD_UART = 7,       /* SOCK_STREAM: the serial line, both ways */
    BUS_FD_BELL_UP = 8,    /* eventfd: the CPU changed a register */
    BUS_FD_BELL_DOWN = 9,  /* eventfd: the board changed a register */
    BUS_FD_CARD = 10,      /* memory, read-write: what the card slot reaches */
    BUS_FD_COUNT = 8,
};

/* Spec section 5.8. A hard fault is told apart by bus_board_regs.last_fault. */
enum bus_reset_cause {
    BUS_RESET_POWER_ON = 0,
    BUS_RESET_HARD = 1, /* reset switch, machine.reset() */
    BUS_RESET_WATCHDOG = 2,
    BUS_RESET_DEEP_SLEEP = 3,
    BUS_RESET_SOFT = 4, /* never seen by a bootloader: Python only */
    BUS_RESET_BROWN_OUT = 5,
};

enum bus_cpu_state {
    BUS_CPU_OFF = 0,        /* written by the board at reset */
    BUS_CPU_BOOTLOADER = 1, /* the bootloader runs */
    BUS_CPU_FIRMWARE = 2,   /* the firmware started */
    BUS_CPU_SERVICES = 3,   /* telnet and FTP answer, /flash is mounted */
    BUS_CPU_FATAL = 4,      /* stopped: nothing bootable, or a hard fault */
};

enum bus_fault_kind {
    BUS_FAULT_NONE = 0,
    BUS_FAULT_SIGNAL = 1, /* the CPU died of a signal; `code` is its number */
    BUS_FAULT_EXIT = 2,   /* the CPU ended by itself; `code` is the status */
    BUS_FAULT_FATAL = 3,  /* the firmware gave up on purpose; see `text` */
};

struct bus_fault {
    uint32_t kind;
    uint32_t code;
    uint64_t address; /* what was accessed, 0 when unknown */
    uint64_t pc;      /* where, 0 when unknown */
    char text[64];    /* one line for the user, NUL-terminated */
};

enum {
    BUS_RETAINED_WORDS = 64, /* kept over every reset, not over power-off */
    BUS_HANDOVER_WORDS = 32, /* bootloader to firmware, this start only */
};

/* Written by the CPU. The board clears all of it at power-on and all but
 * `retained` at reset. After changing a field marked (bell) ring
 * BUS_FD_BELL_UP. */
struct bus_cpu_regs {
    _Atomic uint32_t version;  /* BUS_VERSION once the CPU runs */
    _Atomic uint32_t state;    /* (bell) enum bus_cpu_state */
    _Atomic uint32_t led;      /* (bell) 0xRRGGBB, 0 is dark */
    _Atomic uint32_t pin_out;  /* (bell) driven levels, bit n is GPn */
    _Atomic uint32_t pin_dir;  /* (bell) 1 = output */
    _Atomic uint32_t pin_up;   /* (bell) 1 = pull-up */
    _Atomic uint32_t pin_down; /* (bell) 1 = pull-down */
    _Atomic uint32_t wdt_feed; /* any change feeds an armed watchdog */

    /* (bell) what the services listen on; 0 = not listening */
    _Atomic uint32_t telnet_port;
    _Atomic uint32_t ftp_port;
    _Atomic uint32_t ftp_data_port;

    _Atomic uint32_t slot;  /* (bell) executing: 0 factory, 1 ota_0, 2 ota_1 */
    char image_version[32]; /* of the executing image, NUL-terminated */
    char image_note[64];    /* "on trial", "safe boot", ...; may be empty */
    struct bus_fault fault; /* filled by the CPU's own fault handler */

    uint32_t handover[BUS_HANDOVER_WORDS]; /* layout: core/boot/handover.h */
    uint32_t retained[BUS_RETAINED_WORDS]; /* layout: core/boot/handover.h */
};

enum bus_board_kind { BUS_BOARD_WIPY = 0, BUS_BOARD_WIPY1 = 1 };

enum { BUS_STRAP_LOADER = 1 }; /* P2/G23 low at reset: serial loader */

/* Written by the board, read-only for the CPU. */
struct bus_board_regs {
    uint32_t version;
    uint32_t board;      /* enum bus_board_kind */
    uint32_t flash_size; /* bytes */
    uint8_t mac[6];      /* eFuse, station address */
    uint8_t revision;    /* chip revision */
    uint8_t unused;
    uint32_t reset_cause;        /* enum bus_reset_cause of this start */
    uint32_t starts;             /* starts since power-on, this one included */
    struct bus_fault last_fault; /* what ended the previous run, if a fault */

    _Atomic uint32_t strap;     /* sampled at reset */
    _Atomic uint32_t pin_level; /* (bell) level seen on each pin */

    /* Board time: milliseconds = (CLOCK_MONOTONIC ns - zero_ns) * speed /
     * 65536 / 1e6, zero at power-on. The real-time clock starts at rtc_start
     * (Unix seconds) and follows board time. */
    uint64_t zero_ns;
    uint32_t speed; /* 65536 = real time */
    uint32_t unused2;
    int64_t rtc_start;

    /* The radio: where the services may listen. Address as in_addr (network
     * order); a wanted port 0 means any free one. */
    uint32_t bind_addr;
    uint16_t telnet_port;
    uint16_t ftp_port;
    uint16_t ftp_data_port; /* 2024 for the first session; 0 = any */
    uint16_t link;          /* 1 = network up */

    _Atomic uint32_t sd_present; /* (bell) changes count insertions */
    uint32_t sd_readonly;
    uint64_t sd_sectors; /* of 512 bytes */
};

_Static_assert(sizeof(struct bus_cpu_regs) <= 4096, "registers fit a page");
_Static_assert(sizeof(struct bus_board_regs) <= 4096, "registers fit a page");

/* Commands: one packet each way. A request is a struct bus_command, with the
 * payload of BUS_PROGRAM, BUS_SD_WRITE, BUS_CARD_READ and BUS_CARD_WRITE
 * behind it; the answer a struct bus_answer, with the payload of BUS_SD_READ
 * behind it. One caller at a time; `id` is returned as sent.
 *
 * BUS_CARD_READ and BUS_CARD_WRITE move sectors between the card and the
 * memory of BUS_FD_CARD, as a controller with direct memory access does: the
 * payload is a list of struct bus_card_part, carried out in order up to the
 * first that fails. One of no sectors names, in `sector`, the insertion (as
 * sd_present) that those behind it are for: with another card in, or none,
 * WIPY_ENOENT. That memory is new at each start. BUS_SD_READ and
 * BUS_SD_WRITE are what firmware of before asks. */
enum bus_op {
    BUS_ERASE = 1,    /* addr, len: multiples of 4096 */
    BUS_PROGRAM = 2,  /* addr, len <= 65536, payload */
    BUS_SYNC = 3,     /* chip file safe against loss of the host's power */
    BUS_LOCK = 4,     /* addr, len: no erase or program until reset */
    BUS_RESET = 5,    /* addr: 0 normal, 1 into the serial loader */
    BUS_WDT_ARM = 6,  /* len: milliseconds of board time; cannot be undone */
    BUS_SD_READ = 7,  /* addr: first sector, len: bytes, multiple of 512 */
    BUS_SD_WRITE = 8, /* likewise, payload */
    BUS_SD_SYNC = 9,
    BUS_SLEEP = 10,     /* len: ms of deep sleep, 0 = until pin; ends the CPU */
    BUS_CARD_READ = 11, /* len: of the payload */
    BUS_CARD_WRITE = 12, /* likewise; addr: 1 = then as BUS_SD_SYNC */
};

enum {
    BUS_PAYLOAD_MAX = 65536,
    BUS_CARD_MEMORY = 8192 * 1024,
    BUS_CARD_PARTS = 64,
};

struct bus_card_part {
    uint32_t sector, count; /* of 512 bytes */
    uint32_t at;            /* in the card's memory, bytes */
};

struct bus_command {
    uint32_t id;
    uint32_t op; /* enum bus_op */
    uint32_t addr;
    uint32_t len;
};

struct bus_answer {
    uint32_t id;
    int32_t status; /* 0 or enum wipy_err */
};

#endif
