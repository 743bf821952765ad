#include "elf.h"

#include <elf.h>
#include <string.h>

static const char *check_header(const Elf64_Ehdr *h, size_t len)
{
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return "not an ELF file";
    if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
        h->e_ident[EI_DATA] != ELFDATA2LSB)
        return "not a 64-bit little-endian ELF file";
    if (h->e_type != ET_EXEC)
        return "not a fixed executable (link with -static -no-pie)";
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phoff > len ||
        h->e_phnum > (len - h->e_phoff) / sizeof(Elf64_Phdr))
        return "program headers damaged";
    return NULL;
}

const char *elf_trim(uint8_t *data, size_t *len)
{
    Elf64_Ehdr header;
    if (*len < sizeof header)
        return "not an ELF file";
    memcpy(&header, data, sizeof header);
    const char *wrong = check_header(&header, *len);
    if (wrong)
        return wrong;
    size_t end = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, data + header.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type == PT_INTERP)
            return "not a static executable (link with -static)";
        if (p.p_offset > *len || p.p_filesz > *len - p.p_offset)
            return "a segment goes past the end of the file";
        if (p.p_type == PT_LOAD && p.p_offset + p.p_filesz > end)
            end = p.p_offset + p.p_filesz;
    }
    header.e_shoff = 0;
    header.e_shnum = 0;
    header.e_shstrndx = 0;
    memcpy(data, &header, sizeof header);
    *len = end;
    return NULL;
}
