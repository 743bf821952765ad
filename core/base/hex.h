/* Lower-case hexadecimal. */
#ifndef WIPY_BASE_HEX_H
#define WIPY_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len characters to `to`, no NUL. */
void hex_encode(char *to, const void *from, size_t len);

/* Reads 2 * len characters, upper or lower case; false when one is not a
 * digit (then `to` is unspecified). */
bool hex_decode(void *to, const char *from, size_t len);

#endif
