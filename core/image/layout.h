/* Numbers of the image format that only this room needs. */
#ifndef WIPY_IMAGE_LAYOUT_H
#define WIPY_IMAGE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* The application descriptor as public tools read it. */
    DESC_VERSION_OFF = 16,
    DESC_PROJECT_OFF = 48,
    DESC_TIME_OFF = 80,
    DESC_DATE_OFF = 96,
    DESC_SDK_OFF = 112,
    DESC_ELF_DIGEST_OFF = 144,
    /* 176..183 are block revisions and page size in newer tools: zero. */
    DESC_OURS_OFF = 184,
    DESC_OURS_VERSION = 1,
    DESC_GIT_OFF = 192,

    ELF_HEAD_LEN = 64,
};

#define DESC_MAGIC      0xabcd5432u
#define DESC_OURS_MAGIC 0x59504957u /* "WIPY" */
#define SIGN_MAGIC      0x47495357u /* "WSIG" */

/* A static executable of 64 bits for `machine` that can be started: its parts
 * lie inside its `len` bytes and inside the memory of a process. The head alone
 * needs ELF_HEAD_LEN bytes there (elf.c). */
bool elf_ok(const uint8_t *elf, size_t len, uint16_t machine);
bool elf_head_ok(const uint8_t *elf, size_t len, uint16_t machine);

#endif
