/* What the kernel that starts an ELF would refuse, or begin and give up: seen
 * before, it is one more reason to take another image. */
#include <string.h>

#include "base/cursor.h"
#include "layout.h"

enum {
    CLASS_64_LITTLE = 0x0102,
    TYPE_FIXED = 2, /* neither relocated nor linked at its start */
    PROGRAM_LEN = 56,
    PROGRAMS_MAX = 64,
    PROGRAM_LOAD = 1,
    PROGRAM_INTERPRETER = 3,
    EXECUTABLE = 1,
    PAGE = 4096,
    FIRST_ADDRESS = 0x10000, /* below, no kernel maps anything */
};

#define ADDRESS_END ((uint64_t)1 << 47)

static uint64_t get_u64(const uint8_t *p)
{
    return (uint64_t)get_u32(p + 4) << 32 | get_u32(p);
}

bool elf_head_ok(const uint8_t *elf, size_t len, uint16_t machine)
{
    if (len < ELF_HEAD_LEN || memcmp(elf, "\177ELF", 4) != 0)
        return false;
    uint64_t off = get_u64(elf + 32);
    unsigned count = get_u16(elf + 56);
    return get_u16(elf + 4) == CLASS_64_LITTLE &&
           get_u16(elf + 16) == TYPE_FIXED && get_u16(elf + 18) == machine &&
           get_u16(elf + 54) == PROGRAM_LEN && count >= 1 &&
           count <= PROGRAMS_MAX && off <= len &&
           count * PROGRAM_LEN <= len - off;
}

/* `p` is the program header of a part to load. */
static bool fits(const uint8_t *p, size_t len)
{
    uint64_t off = get_u64(p + 8), address = get_u64(p + 16);
    uint64_t in_file = get_u64(p + 32), in_memory = get_u64(p + 40);
    return off <= len && in_file <= len - off && in_file <= in_memory &&
           address >= FIRST_ADDRESS && address < ADDRESS_END &&
           in_memory < ADDRESS_END - address && (address - off) % PAGE == 0;
}

static bool holds_entry(const uint8_t *p, uint64_t entry)
{
    return get_u32(p + 4) & EXECUTABLE &&
           entry - get_u64(p + 16) < get_u64(p + 32);
}

bool elf_ok(const uint8_t *elf, size_t len, uint16_t machine)
{
    bool entry_found = false;
    if (!elf_head_ok(elf, len, machine))
        return false;
    const uint8_t *p = elf + get_u64(elf + 32);
    for (unsigned i = 0; i < get_u16(elf + 56); i++, p += PROGRAM_LEN) {
        uint32_t type = get_u32(p);
        if (type == PROGRAM_INTERPRETER ||
            (type == PROGRAM_LOAD && !fits(p, len)))
            return false;
        entry_found |=
            type == PROGRAM_LOAD && holds_entry(p, get_u64(elf + 24));
    }
    return entry_found;
}
