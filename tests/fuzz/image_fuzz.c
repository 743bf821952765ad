/* The image parser: whatever the bytes, it stays inside them, and what it
 * calls good is consistent. */
#include <stdlib.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct image im;
    struct image_keys keys = {.count = 1};
    uint8_t digest[SHA256_LEN];
    if (image_parse(&im, data, len) == IMAGE_FINE) {
        (void)image_checksum_ok(&im);
        (void)image_digest_ok(&im);
        (void)image_tail_ok(&im);
        if (im.full_len > len || (im.elf && im.elf + im.elf_len > data + len))
            abort();
    }
    if (image_check(&im, data, len, IMAGE_MACHINE_HERE, NULL, digest) ==
            IMAGE_FINE &&
        (!im.elf || !(im.has_digest || im.has_tail)))
        abort();
    /* Nobody has signed with a key of zeros. */
    if (image_check(&im, data, len, IMAGE_MACHINE_HERE, &keys, digest) ==
        IMAGE_FINE)
        abort();
    for (size_t n = 1; n <= len && n <= 400; n += 7)
        (void)image_peek(&im, data, n, IMAGE_MACHINE_HERE);
    return 0;
}
