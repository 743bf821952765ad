/* The ELF executables that go into images. */
#ifndef WIPY_TOOL_ELF_H
#define WIPY_TOOL_ELF_H

#include <stddef.h>
#include <stdint.h>

/* Checks that `data` is a static 64-bit executable whose segments lie inside
 * it, and cuts what only debuggers read: everything behind the last loaded
 * byte and the section table. Returns NULL, or what is wrong (constant). */
const char *elf_trim(uint8_t *data, size_t *len);

#endif
