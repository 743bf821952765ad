/* The NOR flash chip as a pure model over memory of the caller: no file, no
 * clock, no allocation, so that simulators can link it and cut its power
 * wherever they like.
 *
 * Rules of the W25Q data sheet: a page program (256 bytes) only clears bits;
 * an erase sets a whole 4 KiB sector or aligned 64 KiB block to FF. Each page
 * program and each sector or block erase is one *chip command*; a longer
 * request is split into them, in rising order of address.
 *
 * Power can be cut at any chip command. That command is torn as the mode
 * says, everything before it is complete, and from then on every request
 * fails with WIPY_EIO until chip_power_on(). */
#ifndef WIPY_BOARD_CHIP_H
#define WIPY_BOARD_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/flash.h"

enum {
    CHIP_LOCKS_MAX = 32,

    /* Typical times, W25Q64JV data sheet, section 9.6. */
    CHIP_PAGE_US = 400,
    CHIP_SECTOR_US = 45000,
    CHIP_BLOCK_US = 150000,
};

/* How much of the command during which power fails is done. */
enum chip_tear {
    CHIP_TEAR_NONE, /* nothing of it */
    CHIP_TEAR_BITS, /* some of the bits it would have changed */
    CHIP_TEAR_HALF, /* its first half */
    CHIP_TEAR_ALL,  /* all of it, but nobody is told */
};

struct chip_range {
    uint32_t off, len;
};

struct chip {
    uint8_t *cells; /* `size` bytes, of the caller */
    uint32_t size;
    struct chip_range locks[CHIP_LOCKS_MAX];
    unsigned lock_count;

    uint64_t commands; /* chip commands done, the torn one included */
    uint64_t cut_at;   /* the command during which power fails; 0 = none */
    enum chip_tear tear;
    bool dead;       /* power failed; see chip_power_on() */
    uint64_t random; /* state of the generator that tears and flips */
};

/* `size` is a multiple of FLASH_SECTOR. The cells are used as they are: a new
 * chip is all FF, which is the caller's to write. */
void chip_init(struct chip *chip, uint8_t *cells, uint32_t size, uint64_t seed);

/* Both return 0, WIPY_ERANGE past the end, WIPY_EINVAL for an erase that is
 * not whole sectors or a program longer than FLASH_PROGRAM_MAX, WIPY_ELOCKED
 * when any byte of the range is locked (then nothing is done), WIPY_EIO when
 * power is or gets cut. */
int chip_program(struct chip *chip, uint32_t off, const uint8_t *from,
                 size_t len);
int chip_erase(struct chip *chip, uint32_t off, uint32_t len);

/* Forbids changes to a range until chip_unlock_all(). Locks that touch or
 * overlap are joined. WIPY_ERANGE, or WIPY_ENOSPC after CHIP_LOCKS_MAX. */
int chip_lock(struct chip *chip, uint32_t off, uint32_t len);
void chip_unlock_all(struct chip *chip);
bool chip_is_locked(const struct chip *chip, uint32_t off, uint32_t len);

/* Power fails at the `nth` chip command from now (1 = the next one); 0 takes
 * a planned cut back. */
void chip_cut(struct chip *chip, uint64_t nth, enum chip_tear tear);

/* Power is back: no locks; a cut that came is over, one that is still planned
 * stays planned. The cells stay as they are. */
void chip_power_on(struct chip *chip);

/* A cell that changed by itself, in either direction. WIPY_ERANGE. */
int chip_flip(struct chip *chip, uint32_t off, unsigned bit);

/* Flips one bit somewhere on the chip; returns the byte's offset and the bit
 * (0..7) in `bit`. */
uint32_t chip_flip_any(struct chip *chip, unsigned *bit);

/* Microseconds a real chip is busy with the request. */
uint32_t chip_program_us(uint32_t off, size_t len);
uint32_t chip_erase_us(uint32_t off, uint32_t len);

/* The chip as the rooms above see flash; `sync` is a no-op. */
struct flash chip_flash(struct chip *chip);

/* "none", "bits", "half", "all"; -1 when the name is another. */
int chip_tear_by_name(const char *name);
const char *chip_tear_name(enum chip_tear tear);

#endif
