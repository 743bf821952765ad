/* The workloads of the design's table (FLASH-FS.md, section 2) on /flash over
 * a modelled W25Q chip of 4 MiB, beside littlefs's figures for the same:
 * bytes programmed, sectors erased, modelled chip time, worst single call.
 * Chip: 0.4 ms a page program, 45 ms a sector erase, 150 ms a 64 KiB block
 * erase, 20 MB/s reading. Exits with 1 when a limit is missed. */
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "firmware/volume/volume.h"
#include "flash/ftl.h"
#include "sim/fs_chip.h"

enum { MIB = 1 << 20 };

struct marks { /* where the counters stood */
    uint64_t prog, erases, read;
    double chip, cpu;
};

struct peer { /* littlefs v2.11: MicroPython's configuration, then 512 B */
    double prog[2], erases[2], chip[2];
};

static struct fs_chip chip;
static struct volumes *v;
static uint8_t data[65536];
static uint32_t seed = 12345;
static double worst;
static bool missed;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct marks now(void)
{
    return (struct marks){chip.prog_bytes, chip.sectors_erased, chip.read_bytes,
                          fs_chip_seconds(&chip), cpu_seconds()};
}

static void must(int err, const char *what)
{
    if (err < 0) {
        fprintf(stderr, "fs_bench: %s: %s\n", what, volume_reason(v));
        exit(1);
    }
}

static void cell(double value, const double peer[2], const char *format)
{
    printf(format, value);
    if (!peer)
        return;
    for (int i = 0; i < 2; i++)
        if (peer[i] > 0)
            printf(" %6.2fx", value / peer[i]);
        else
            printf("       -");
}

static void report(const char *what, struct marks m, const struct peer *peer)
{
    struct marks n = now();
    printf("%-34s", what);
    cell((double)(n.prog - m.prog), peer ? peer->prog : NULL, "%11.0f");
    cell((double)(n.erases - m.erases), peer ? peer->erases : NULL, "%7.0f");
    cell(n.chip - m.chip, peer ? peer->chip : NULL, "%8.2f");
    printf("%8.1f", (n.cpu - m.cpu) * 1e3);
    if (worst > 0)
        printf("   worst call %.3f s", worst);
    printf("\n");
    worst = 0;
}

/* A figure of its own line that has a limit. */
static void line(const char *what, double value, const char *format,
                 double most)
{
    char text[32];
    bool ok = value <= most;
    snprintf(text, sizeof text, format, value);
    printf("%-34s%-32s %-10s (at most %g: %s)\n", "", what, text, most,
           ok ? "ok" : "MISSED");
    missed |= !ok;
}

static double programmed_since(struct marks m)
{
    return (double)(chip.prog_bytes - m.prog);
}

static void note_worst(double before)
{
    double took = fs_chip_seconds(&chip) - before;
    if (took > worst)
        worst = took;
}

static int write_file(const char *path, unsigned flags, const void *from,
                      size_t len)
{
    int file = volume_open(v, path, flags);
    if (file < 0)
        return file;
    int err = volume_write(v, file, from, len);
    int closed = volume_close(v, file);
    return err < 0 ? err : closed;
}

static const unsigned put = VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC;
static const unsigned append = VOLUME_WRITE | VOLUME_CREATE | VOLUME_APPEND;

static void start(uint32_t size)
{
    static bool made;
    if (made)
        fs_chip_free(&chip);
    made = true;
    fs_chip_make(&chip, size);
    struct volume_config config = {.flash = chip.flash, .fs_size = size};
    must(volumes_start(&v, &config), "start");
    must(volume_mkdir(v, "/flash/many"), "mkdir");
}

static void megabyte(const char *what, const struct peer *peer)
{
    struct marks m = now();
    int file = volume_open(v, "/flash/big.bin", put);
    must(file, "open");
    for (int i = 0; i < 16; i++)
        must(volume_write(v, file, data, sizeof data), what);
    must(volume_close(v, file), what);
    report(what, m, peer);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] ^= 0x5A;
}

static void read_megabyte(void)
{
    struct marks m = now();
    int file = volume_open(v, "/flash/big.bin", VOLUME_READ);
    static uint8_t back[65536];
    while (volume_read(v, file, back, sizeof back) > 0)
        ;
    volume_close(v, file);
    struct marks n = now();
    printf("%-34s read %llu bytes, cpu %.2f ms\n", "1 MiB sequential read",
           (unsigned long long)(n.read - m.read), (n.cpu - m.cpu) * 1e3);
}

static void append_sync(const char *what, const char *path,
                        const struct peer *peer)
{
    struct marks m = now();
    int file = volume_open(v, path, append);
    must(file, "open");
    for (int i = 0; i < 1000; i++) {
        double before = fs_chip_seconds(&chip);
        must(volume_write(v, file, "x", 1), what);
        must(volume_sync(v, file), what);
        note_worst(before);
    }
    must(volume_close(v, file), what);
    report(what, m, peer);
    line("bytes programmed for each", programmed_since(m) / 1000, "%.0f", 64);
}

static void many_small(void)
{
    static const struct peer open_append = {
        {2122432, 2458880}, {1019, 1068}, {53.3, 52.6}};
    static const struct peer create4k = {
        {423328, 489216}, {104, 127}, {6.3, 7.3}};
    static const struct peer config = {
        {267264, 371712}, {1010, 90}, {47.3, 7.9}};
    char path[64];
    struct marks m = now();
    for (int i = 0; i < 1000; i++)
        must(write_file("/flash/log3.txt", append, data, 64), "append");
    report("1000 x open, append 64 B, close", m, &open_append);
    m = now();
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "/flash/k%03d.bin", i);
        must(write_file(path, put, data, 4096), "create");
    }
    report("100 x create 4 KiB file", m, &create4k);
    m = now();
    for (int i = 0; i < 1000; i++)
        must(write_file("/flash/config.json", put, data + i, 200), "config");
    report("1000 x rewrite 200 B file", m, &config);
}

static void random_writes(void)
{
    static const struct peer peer = {
        {27300352, 27365888}, {6840, 6856}, {397, 355}};
    int file = volume_open(v, "/flash/db.bin", put);
    for (int i = 0; i < 4; i++)
        must(volume_write(v, file, data, sizeof data), "db");
    must(volume_close(v, file), "db");
    struct marks m = now();
    file = volume_open(v, "/flash/db.bin", VOLUME_READ | VOLUME_WRITE);
    for (int i = 0; i < 200; i++) {
        double before = fs_chip_seconds(&chip);
        volume_seek(v, file, fs_random(&seed, 262044), SEEK_SET);
        must(volume_write(v, file, data, 100), "db");
        must(volume_sync(v, file), "db");
        note_worst(before);
    }
    must(volume_close(v, file), "db");
    report("200 x 100 B anywhere in 256 KiB", m, &peer);
}

static void renames(void)
{
    static const struct peer peer = {{88640, 372736}, {22, 91}, {0, 0}};
    struct marks m = now();
    for (int i = 0; i < 1000; i++)
        must(volume_rename(v, i & 1 ? "/flash/cfgB.json" : "/flash/config.json",
                           i & 1 ? "/flash/config.json" : "/flash/cfgB.json"),
             "rename");
    report("1000 x rename", m, &peer);
}

/* What looking for names costs: part of the chip's seconds. */
static void read_each(struct marks m)
{
    double bytes = (double)(chip.read_bytes - m.read) / 1000;
    printf("%-34s%-32s %.0f (%.2f ms of the chip)\n", "", "bytes read for each",
           bytes, bytes / 20e3);
}

static void one_folder(void)
{
    static const struct peer creates = {
        {434368, 1002240}, {152, 355}, {14.0, 27.5}};
    static const struct peer deletes = {{32032, 256000}, {1, 7}, {1.1, 1.5}};
    char path[64];
    struct volume_info info;
    struct marks m = now();
    for (int i = 0; i < 1000; i++) {
        double before = fs_chip_seconds(&chip);
        snprintf(path, sizeof path, "/flash/many/file_%04d.txt", i);
        must(write_file(path, put, data, 100), "create");
        note_worst(before);
    }
    report("1000 x create 100 B in a folder", m, &creates);
    read_each(m);
    line("bytes programmed for each", programmed_since(m) / 1000, "%.0f", 900);
    m = now();
    int dir = volume_opendir(v, "/flash/many"), count = 0;
    while (volume_readdir(v, dir, &info) == 1)
        count++;
    volume_closedir(v, dir);
    struct marks n = now();
    printf("%-34s read %llu bytes (littlefs 1.1, 1.9 MB)\n", "list them",
           (unsigned long long)(n.read - m.read));
    m = now();
    for (int i = 0; i < 1000; i++) {
        double before = fs_chip_seconds(&chip);
        snprintf(path, sizeof path, "/flash/many/file_%04d.txt", i);
        must(volume_unlink(v, path), "delete");
        note_worst(before);
    }
    report("1000 x delete", m, &deletes);
    read_each(m);
}

/* Files of 8000 bytes up to `percent`, then 1500 of them written anew. */
static void aged(uint32_t percent, const struct peer *peer)
{
    char path[64], what[64];
    struct volume_space space;
    int files = 0;
    for (;; files++) {
        must(volume_statvfs(v, "/flash", &space), "statvfs");
        uint64_t left = space.free * space.block;
        if (left < space.blocks * space.block * (100 - percent) / 100 + 17500)
            break;
        snprintf(path, sizeof path, "/flash/a%04d", files);
        if (write_file(path, put, data, 8000))
            break;
    }
    struct marks m = now();
    for (int i = 0; i < 1500; i++) {
        double before = fs_chip_seconds(&chip);
        uint32_t k = fs_random(&seed, (uint32_t)files);
        snprintf(path, sizeof path, "/flash/a%04u", k);
        must(write_file(path, put, data + 1 + k % 255, 8000), "rewrite");
        note_worst(before);
    }
    snprintf(what, sizeof what, "%u %% full: 1500 x rewrite 8000 B", percent);
    double w = worst;
    report(what, m, peer);
    printf("%-34s%d files\n", "", files);
    line("write amplification", programmed_since(m) / (1500 * 8000.0), "%.2f",
         3);
    line("worst call", w, "%.3f s", 0.5);
}

static void single_sectors(int file, uint32_t sectors, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        double before = fs_chip_seconds(&chip);
        for (int k = 0; k < 512; k++)
            data[k] = (uint8_t)fs_random(&seed, 256);
        volume_seek(v, file, fs_random(&seed, sectors) * 512, SEEK_SET);
        must(volume_write(v, file, data, 512), "random");
        must(volume_sync(v, file), "random");
        note_worst(before);
    }
}

/* One file that takes every free cluster. */
static int fill_up(uint32_t *sectors)
{
    struct volume_space space;
    must(volume_statvfs(v, "/flash", &space), "statvfs");
    *sectors = (uint32_t)space.free;
    int file = volume_open(v, "/flash/full.bin", put);
    for (uint32_t i = 0; i < *sectors; i++)
        must(volume_write(v, file, data + i % 500, 512), "fill");
    must(volume_close(v, file), "fill");
    must(volume_statvfs(v, "/flash", &space), "statvfs");
    must(space.free == 0 ? 0 : WIPY_ERANGE, "not full");
    return volume_open(v, "/flash/full.bin", VOLUME_READ | VOLUME_WRITE);
}

/* The worst case: single sectors anywhere in a full volume, each committed.
 * At first garbage collection still meets units that were filled in one go.
 * This goes on until four rounds in a row were no worse than what was seen
 * before them; the worst round is what lasts. */
static void worst_case(const char *what)
{
    enum { COUNT = 8000 };
    uint32_t sectors, rounds = 0, settled = 0;
    double first = 0, lasting = 0;
    int file = fill_up(&sectors);
    struct marks m = now();
    for (; settled < 4 && rounds < 40; rounds++) {
        struct marks round = now();
        single_sectors(file, sectors, COUNT);
        double amplification = programmed_since(round) / (COUNT * 512.0);
        settled = amplification > lasting * 1.01 ? 0 : settled + 1;
        lasting = amplification > lasting ? amplification : lasting;
        first = rounds == 0 ? amplification : first;
    }
    double w = worst;
    report(what, m, NULL);
    printf("%-34s%u sectors written over %.1f times\n", "", sectors,
           (double)(rounds * COUNT) / sectors);
    printf("%-34s%-32s %.2f\n", "", "write amplification, first 8000", first);
    line("write amplification, lasting", lasting, "%.2f", 3);
    line("worst call", w, "%.3f s", 0.5);
    must(volume_close(v, file), "random");
}

static void wear(void)
{
    struct volume_status s;
    volume_status(v, "/flash", &s);
    printf("%-34s %u to %u (littlefs 1 to 38, 1 to 120)\n",
           "erase counts after all that", s.erase_min, s.erase_max);
}

static void worst_cases(void)
{
    char path[64];
    for (int i = 0; i < 400; i++) { /* of aged(); the rest stays, unchanged */
        snprintf(path, sizeof path, "/flash/a%04d", i);
        volume_unlink(v, path);
    }
    worst_case("100 % full: 512 B over 3/4 of it");
    wear();
    volumes_stop(v);
    start(4 * MIB);
    worst_case("100 % full: 512 B over all of it");
}

static void capacity(uint32_t size, uint32_t bytes, const char *peer)
{
    char path[64];
    start(size);
    int files = 0;
    for (; files < 20000; files++) {
        snprintf(path, sizeof path, "/flash/many/f%05d", files);
        if (write_file(path, put, data, bytes))
            break;
    }
    printf("  %4u KiB, files of %5u B: %5d files, %2.0f %% payload (%s)\n",
           size >> 10, bytes, files, 100.0 * files * bytes / size, peer);
    volumes_stop(v);
}

static void mounting(uint32_t size, const char *peer)
{
    char path[64];
    start(size);
    for (uint32_t i = 0; i < size / 2 / 8192; i++) {
        snprintf(path, sizeof path, "/flash/many/f%05u", i);
        write_file(path, put, data, 8000);
    }
    volumes_stop(v);
    struct marks m = now();
    struct volume_config config = {.flash = chip.flash, .fs_size = size};
    must(volumes_start(&v, &config), "mount");
    struct marks n = now();
    printf("  %2u MiB half full: %4.0f KB read (littlefs %s), %4.1f ms of chip "
           "time, %.2f ms of this computer, %zu KiB of memory\n",
           size >> 20, (double)(n.read - m.read) / 1000, peer,
           (n.chip - m.chip) * 1e3, (n.cpu - m.cpu) * 1e3,
           (sizeof(struct ftl) + FTL_MEMORY(size)) >> 10);
    volumes_stop(v);
}

int main(void)
{
    static const struct peer write1m = {
        {1050720, 1051136}, {257, 257}, {14.9, 13.3}};
    static const struct peer rewrite1m = {
        {1050656, 1050880}, {257, 257}, {0, 0}};
    static const struct peer append0 = {
        {548032, 772096}, {882, 571}, {41.9, 27.2}};
    static const struct peer append10k = {
        {2369024, 2701568}, {1008, 1064}, {53.5, 52.7}};
    static const struct peer full = {
        {12113472, 12828160}, {3015, 3132}, {0, 0}};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)fs_random(&seed, 256);
    printf("/flash on a 4 MiB W25Q model. After each figure its ratio to "
           "littlefs (MicroPython's\nconfiguration, 512-byte configuration): "
           "below 1 is less work than littlefs.\n\n");
    printf("%-34s%11s %15s%7s %15s%8s %15s%8s\n", "workload", "programmed", "",
           "erased", "", "chip s", "", "cpu ms");
    start(4 * MIB);
    megabyte("1 MiB sequential write", &write1m);
    read_megabyte();
    megabyte("1 MiB rewrite", &rewrite1m);
    append_sync("1000 x append 1 B + sync", "/flash/log.txt", &append0);
    must(write_file("/flash/log2.txt", put, data, 10000), "log2");
    append_sync("the same at 10 KB", "/flash/log2.txt", &append10k);
    many_small();
    random_writes();
    renames();
    one_folder();
    must(volume_unlink(v, "/flash/big.bin"), "unlink");
    aged(75, &full);
    aged(100, NULL);
    worst_cases();
    wear();
    volumes_stop(v);
    printf("\nCapacity\n");
    capacity(512 << 10, 100, "littlefs 838");
    capacity(512 << 10, 1000, "littlefs 122");
    capacity(512 << 10, 4096, "littlefs 122");
    capacity(4 * MIB, 100, "littlefs 6662");
    capacity(4 * MIB, 1000, "littlefs 984");
    capacity(4 * MIB, 4096, "littlefs 984, 96 %");
    capacity(4 * MIB, 20000, "littlefs 202, 96 %");
    printf("\nMounting (littlefs: read to mount + for the first write)\n");
    mounting(MIB, "9 + 44");
    mounting(2 * MIB, "not measured");
    mounting(4 * MIB, "7 + 117");
    mounting(8 * MIB, "not measured");
    mounting(16 * MIB, "26 + 1641");
    return missed;
}
