/* Base64 (RFC 4648), as the vendor's updater writes its back-ups. */
#ifndef WIPY_TOOL_BASE64_H
#define WIPY_TOOL_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* One line with a newline behind it; malloc, NULL without memory. */
char *base64_encode(const uint8_t *data, size_t len);

/* White space between is skipped. malloc; NULL and `*len` 0 when it is not
 * base64 or empty. */
uint8_t *base64_decode(const char *text, size_t text_len, size_t *len);

#endif
