#define _GNU_SOURCE
#include "boot_rom.h"
#include "board/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* linux 6.3 */
#endif

/* Hosts may forbid executing memory files that do not ask for it; older
 * kernels do not know the question. */
static int make_memory_file(void)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("wipy-bootloader", flags | MFD_EXEC);
    return fd < 0 && errno == EINVAL ? memfd_create("wipy-bootloader", flags)
                                     : fd;
}

static bool copy_in(int fd, const uint8_t *data, size_t len)
{
    int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    return write_all(fd, data, len) && fcntl(fd, F_ADD_SEALS, seals) == 0;
}

struct boot_rom_result boot_rom_load(const struct chip *chip)
{
    /* The chip's file may change at any time: what is checked is loaded. */
    uint8_t memory[BOOTLOADER_MAX];
    struct image image;
    struct boot_rom_result result = {.program = -1};
    memcpy(memory, chip->cells + BOOTLOADER_OFF, sizeof memory);
    result.fault =
        image_rom_check(memory, sizeof memory, IMAGE_MACHINE_HERE, &image);
    if (result.fault != IMAGE_FINE)
        return result;
    int fd = make_memory_file();
    if (fd >= 0 && !copy_in(fd, image.elf, image.elf_len)) {
        close(fd);
        fd = -1;
    }
    result.program = fd;
    return result;
}
