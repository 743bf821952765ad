/* FatFs in its sandbox and the rules above it, over a card whose boot sector,
 * FAT and folders say anything. The first byte chooses the card: FAT as our
 * mkfs makes it, the same without partition table, or bytes as they come. */
#include <stdio.h>
#include <stdlib.h>

#include "board/chip.h"
#include "firmware/volume/volume.h"
#include "patch.h"

enum { FLASH_SIZE = 256 * 1024, CARD_SIZE = 512 * 1024 };

static uint8_t cells[FLASH_SIZE], card[CARD_SIZE], sound[2][CARD_SIZE];
static struct chip chip;
static struct volumes *v;
static uint32_t inserted = 1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint32_t insertions(void *ctx)
{
    (void)ctx;
    return inserted;
}

static uint64_t sectors(void *ctx)
{
    (void)ctx;
    return CARD_SIZE / 512;
}

static bool is_readonly(void *ctx)
{
    (void)ctx;
    return false;
}

static int card_read(void *ctx, uint32_t sector, void *to, uint32_t count)
{
    (void)ctx;
    if (sector + (uint64_t)count > CARD_SIZE / 512)
        abort();
    memcpy(to, card + sector * 512, count * 512);
    return 0;
}

static int card_store(void *ctx, const struct volume_card_part *parts,
                      unsigned count, bool sync)
{
    (void)ctx, (void)sync;
    for (unsigned i = 0; i < count; i++) {
        const struct volume_card_part *p = &parts[i];
        if (p->sector + (uint64_t)p->count > CARD_SIZE / 512)
            abort();
        memcpy(card + p->sector * 512, p->from, p->count * 512);
    }
    return 0;
}

static void put(const char *path, size_t len)
{
    static uint8_t bytes[5000];
    int file =
        volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_TRUNC);
    if (file < 0)
        return;
    volume_write(v, file, bytes, len);
    volume_close(v, file);
}

static void make_sound(void)
{
    memset(cells, 0xFF, sizeof cells);
    chip_init(&chip, cells, FLASH_SIZE, 1);
    struct volume_config config = {
        .flash = chip_flash(&chip),
        .fs_size = FLASH_SIZE,
        .card = {NULL, insertions, sectors, is_readonly, card_read, card_store,
                 NULL, 0},
    };
    if (volumes_start(&v, &config) || volume_mkfs(v, "/sd") ||
        volume_mount(v, "/sd"))
        abort();
    volume_mkdir(v, "/sd/folder");
    volume_mkdir(v, "/sd/folder/deeper");
    put("/sd/folder/a long file name.txt", 5000);
    put("/sd/main.py", 700);
    put("/sd/folder/deeper/x", 1);
    volume_umount(v, "/sd", true);
    memcpy(sound[0], card, CARD_SIZE);
    uint32_t first = get_u32(card + 446 + 8) % (CARD_SIZE / 512);
    memcpy(sound[1], card + first * 512, CARD_SIZE - first * 512);
}

static void walk(const char *path, int depth)
{
    struct volume_info info;
    int dir = volume_opendir(v, path);
    for (int i = 0; dir >= 0 && i < 40; i++) {
        char name[VOLUME_PATH_MAX + 300];
        if (volume_readdir(v, dir, &info) != 1)
            break;
        strcpy(name, path);
        strcat(name, "/");
        strcat(name, info.name);
        if (strlen(name) > VOLUME_PATH_MAX)
            continue;
        if (info.is_dir && depth < 3)
            walk(name, depth + 1);
        static uint8_t bytes[3000];
        int file = volume_open(v, name, VOLUME_READ);
        if (file >= 0) {
            volume_read(v, file, bytes, sizeof bytes);
            volume_seek(v, file, -1, SEEK_END);
            volume_read(v, file, bytes, 10);
            volume_close(v, file);
        }
    }
    if (dir >= 0)
        volume_closedir(v, dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static int made;
    struct reader r = reader_of(data, len);
    struct patch p;
    if (!made)
        make_sound();
    made = 1;
    uint8_t kind = read_u8(&r) % 3;
    if (kind == 2) {
        memset(card, 0, CARD_SIZE);
        size_t n = reader_left(&r) < CARD_SIZE ? reader_left(&r) : CARD_SIZE;
        read_bytes(&r, card, n);
    } else {
        memcpy(card, sound[kind], CARD_SIZE);
        for (int i = 0; i < 100 && patch_next(&r, &p); i++)
            /* where structures are, mostly */
            patch_apply(&p, card, p.kind & 0x80 ? CARD_SIZE : 96 * 512);
    }
    inserted++;
    if (volume_mount(v, "/sd"))
        return 0;
    struct volume_space space;
    volume_statvfs(v, "/sd", &space);
    walk("/sd", 0);
    put("/sd/main.py", 3000);
    put("/sd/folder/another long name.txt", 100);
    volume_mkdir(v, "/sd/folder/new");
    volume_rename(v, "/sd/main.py", "/sd/folder/main.py");
    volume_unlink(v, "/sd/folder/a long file name.txt");
    volume_rmdir(v, "/sd/folder/deeper");
    volume_umount(v, "/sd", true);
    return 0;
}
