/* Why a file is no good image, and what to do about it. */
#include <stdio.h>
#include <string.h>

#include "image_parts.h"
#include "outcome.h"

/* Files people mistake for images, by how they begin. */
static const struct likeness {
    const char *begin, *words;
} likenesses[] = {
    {"\x7f"
     "ELF",
     "an ELF executable: make an image of it with `wipy image build --elf`"},
    {"\xaa\x50", "a partition table: show it with `wipy image csv`"},
    {"\x1f\x8b", "a compressed package: `wipy update -t` takes those"},
    {"PK\x03\x04", "a zip archive: unpack it and give the .bin file inside"},
    {"-----BEGIN", "a key or a certificate"},
};

static const char *advice(enum image_fault fault)
{
    switch (fault) {
    case IMAGE_NO_MAGIC:
        return "give a file made by `wipy image build`, such as appimg.bin";
    case IMAGE_UNSIGNED:
        return "sign it with `wipy image sign`";
    case IMAGE_WRONG_CHIP:
    case IMAGE_UNKNOWN_KEY:
        return NULL;
    default:
        return "build or copy it again";
    }
}

void image_refuse(const char *path, const struct file_data *file,
                  enum image_fault fault)
{
    if (!file->len) {
        complain("wipy: %s: nothing in it; build or copy it again\n", path);
        return;
    }
    for (size_t i = 0; i < sizeof likenesses / sizeof likenesses[0]; i++) {
        const struct likeness *like = &likenesses[i];
        size_t n = strlen(like->begin);
        if (file->len >= n && !memcmp(file->data, like->begin, n)) {
            complain("wipy: %s: not an ESP image but %s\n", path, like->words);
            return;
        }
    }
    const char *what = advice(fault);
    complain("wipy: %s: %s%s%s\n", path, image_fault_text(fault),
             what ? "; " : "", what ? what : "");
}
