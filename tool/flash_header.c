#include "flash_header.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "image/image.h"
#include "outcome.h"

struct choice {
    const char *name;
    uint8_t value;
};

static const struct choice modes[] = {
    {"qio", 0}, {"qout", 1}, {"dio", 2}, {"dout", 3}, {NULL, 0}};
static const struct choice freqs[] = {
    {"40m", 0}, {"26m", 1}, {"20m", 2}, {"80m", 0xf}, {NULL, 0}};
static const struct choice sizes[] = {{"1MB", 0}, {"2MB", 1},  {"4MB", 2},
                                      {"8MB", 3}, {"16MB", 4}, {NULL, 0}};

static int choose(struct args *a, const struct choice *list, bool *has,
                  uint8_t *to)
{
    const char *value = args_value(a);
    if (!value)
        return EXIT_USAGE;
    if (strcmp(value, "keep") == 0)
        return 0;
    char known[64] = "keep";
    for (; list->name; list++) {
        if (strcmp(value, list->name) == 0) {
            *has = true;
            *to = list->value;
            return 0;
        }
        size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, ", %s", list->name);
    }
    return args_wrong(a, "--%s %s: want one of %s", a->name, value, known);
}

int flash_header_take(struct flash_header *h, struct args *a)
{
    if (args_is(a, "flash-mode") || args_is(a, "fm"))
        return choose(a, modes, &h->has_mode, &h->mode);
    if (args_is(a, "flash-freq") || args_is(a, "ff"))
        return choose(a, freqs, &h->has_freq, &h->freq);
    const char *value = a->value          ? a->value
                        : a->at < a->argc ? a->argv[a->at]
                                          : "";
    h->detect = strcmp(value, "detect") == 0;
    if (h->detect)
        return args_value(a) ? 0 : EXIT_USAGE;
    return choose(a, sizes, &h->has_size, &h->size);
}

static uint8_t size_code(uint32_t chip_size)
{
    uint8_t code = 0;
    while (code < 4 && (1u << 20 << code) < chip_size)
        code++;
    return code;
}

int flash_header_patch(const struct flash_header *h, const char *name,
                       uint32_t off, uint8_t *data, size_t len,
                       uint32_t chip_size, bool quiet)
{
    struct image im;
    if (off != BOOTLOADER_OFF || image_parse(&im, data, len) != IMAGE_FINE)
        return 0;
    uint8_t mode = h->has_mode ? h->mode : data[2];
    uint8_t freq = h->has_freq ? h->freq : data[3] & 0xf;
    uint8_t size = h->has_size ? h->size
                   : h->detect ? size_code(chip_size)
                               : data[3] >> 4;
    uint8_t both = (uint8_t)(size << 4 | freq);
    if (data[2] == mode && data[3] == both)
        return 0;
    if (im.has_sign || im.has_tail) {
        complain("wipy: %s carries a signature or an MD5 of its own: its flash "
                 "parameters cannot be changed (use 'keep')\n",
                 name);
        return EXIT_REFUSED;
    }
    data[2] = mode;
    data[3] = both;
    if (im.has_digest)
        sha256_of(data, im.hashed_len, data + im.hashed_len);
    if (!quiet)
        fprintf(stderr, "Flash parameters of %s set to 0x%02x%02x\n", name,
                mode, both);
    return 0;
}
