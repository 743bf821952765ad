/* What was burned into the silicon: address, chip revision, the mark of a
 * virtual board. Kept beside the chip file as FILE.efuse, because a copied or
 * erased flash does not change the silicon. Format: docs/FORMATS.md, "The
 * eFuse file". */
#ifndef WIPY_BOARD_EFUSE_H
#define WIPY_BOARD_EFUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "board/problem.h"
#include "loader/protocol.h"

struct efuse {
    uint32_t words[EFUSE_WORDS];
    uint8_t mac[6];
    uint8_t revision;
};

/* Reads `<chip>.efuse`, or makes it: with an address from `seed` when
 * `seeded`, else a random one. A file that cannot be understood is left as it
 * is and reported. */
int efuse_open(struct efuse *efuse, const char *chip, bool seeded,
               uint64_t seed, struct problem *problem);

/* "24:0a:c4:..:..:.."; `to` holds 18 bytes. */
void efuse_mac_text(const struct efuse *efuse, char to[18]);

#endif
