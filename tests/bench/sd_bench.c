/* FatFs on /sd, over card images in this computer's memory: the work of the
 * file system alone, not the speed of a card or of the disk an image is on. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "firmware/volume/volume.h"
#include "sim/fs_chip.h"

enum { MIB = 1 << 20 };

static struct volumes *v;
static uint8_t data[65536];

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int err, const char *what)
{
    if (err < 0) {
        fprintf(stderr, "sd_bench: %s: %s\n", what, volume_reason(v));
        exit(1);
    }
}

static uint8_t *card;
static uint64_t card_bytes;

static uint32_t card_in(void *ctx)
{
    (void)ctx;
    return 1;
}

static uint64_t card_sectors(void *ctx)
{
    (void)ctx;
    return card_bytes / 512;
}

static bool card_readonly(void *ctx)
{
    (void)ctx;
    return false;
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    (void)ctx;
    memcpy(to, card + (size_t)sector * 512, (size_t)count * 512);
    return 0;
}

static int card_store(void *ctx, const struct volume_card_part *parts,
                      unsigned count, bool sync)
{
    (void)ctx, (void)sync;
    for (unsigned i = 0; i < count; i++)
        memcpy(card + (size_t)parts[i].sector * 512, parts[i].from,
               (size_t)parts[i].count * 512);
    return 0;
}

static void sd_speed(uint32_t mib)
{
    card_bytes = (uint64_t)mib * MIB;
    card = calloc(1, card_bytes);
    struct fs_chip chip;
    fs_chip_make(&chip, MIB);
    struct volume_config config = {.flash = chip.flash,
                                   .fs_size = MIB,
                                   .card = {NULL, card_in, card_sectors,
                                            card_readonly, card_read,
                                            card_store, NULL}};
    must(volumes_start(&v, &config), "start");
    must(volume_mkfs(v, "/sd"), "mkfs");
    must(volume_mount(v, "/sd"), "mount");
    double t0 = cpu_seconds();
    uint32_t total = mib / 2;
    int file =
        volume_open(v, "/sd/big", VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    for (uint32_t i = 0; i < total * 16; i++)
        must(volume_write(v, file, data, sizeof data), "write");
    must(volume_close(v, file), "close");
    double t1 = cpu_seconds();
    file = volume_open(v, "/sd/big", VOLUME_READ);
    while (volume_read(v, file, data, sizeof data) > 0)
        ;
    volume_close(v, file);
    double t2 = cpu_seconds();
    printf("  %3u MiB card: write %.0f MB/s, read %.0f MB/s\n", mib,
           total * 1.048576 / (t1 - t0), total * 1.048576 / (t2 - t1));
    volumes_stop(v);
    fs_chip_free(&chip);
    free(card);
}

int main(void)
{
    uint32_t seed = 12345;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)fs_random(&seed, 256);
    printf("/sd: images in this computer's memory, so the work of the file "
           "system alone,\nnot the speed of a card or a disk\n");
    sd_speed(16);
    sd_speed(64);
    return 0;
}
