/* The volumes as a whole: from the start to the end, the first contents, how
 * they are. */
#include <stdlib.h>
#include <string.h>

#include "volume_int.h"

static const char *refuse_images(void *ctx, const char *path)
{
    (void)ctx;
    static const char *const images[] = {"/flash/sys/appimg.bin",
                                         "/flash/sys/mcuimg.bin"};
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
        if (volume_is_within(path, images[i]))
            return "firmware images go through the updater: upload this name "
                   "by FTP, or use 'wipy ota'";
    return NULL;
}

static void free_memory(struct volumes *v)
{
    free(v->own_card_memory);
    free(v->ftl_memory);
    free(v);
}

int volumes_start(struct volumes **out, const struct volume_config *config)
{
    struct volumes *v = calloc(1, sizeof *v);
    *out = NULL;
    if (!v)
        return -ENOMEM;
    v->config = *config;
    v->refuse = refuse_images;
    v->ftl_memory = malloc(FTL_MEMORY(config->fs_size));
    v->card_memory = config->card.memory;
    v->card_memory_size = config->card.memory_size;
    if (config->card.store && !v->card_memory) {
        v->card_memory = v->own_card_memory = malloc(VOLUME_CARD_MEMORY);
        v->card_memory_size = VOLUME_CARD_MEMORY;
    }
    bool enough = v->ftl_memory && (v->card_memory || !config->card.store);
    int err = enough ? volume_attach_flash(v) : -ENOMEM;
    if (err) {
        free_memory(v);
        return err;
    }
    *out = v;
    return 0;
}

void volumes_stop(struct volumes *v)
{
    if (!v)
        return;
    for (int i = 0; i < VOLUME_FILES; i++)
        if (v->file[i].vol)
            volume_close(v, i);
    volume_sync_all(v);
    for (int i = 0; i < VOLUMES_MAX; i++)
        fat_free(v->volume[i].fat);
    free_memory(v);
}

void volume_set_refuse(struct volumes *v,
                       const char *(*refuse)(void *ctx, const char *path),
                       void *ctx)
{
    v->refuse = refuse;
    v->refuse_ctx = ctx;
}

static int create_text(struct volumes *v, const char *path, const char *text)
{
    int file = volume_open(v, path, VOLUME_WRITE | VOLUME_CREATE | VOLUME_EXCL);
    if (file < 0)
        return file == -EEXIST ? 0 : file;
    int err = volume_write(v, file, text, strlen(text));
    int closed = volume_close(v, file);
    return err < 0 ? err : closed;
}

int volume_populate(struct volumes *v)
{
    static const char *const folders[] = {"/flash/sys", "/flash/lib",
                                          "/flash/cert"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int err = volume_mkdir(v, folders[i]);
        if (err && err != -EEXIST)
            return err;
    }
    int err =
        create_text(v, "/flash/boot.py", "# boot.py -- run on boot-up\r\n");
    if (!err)
        err = create_text(v, "/flash/main.py",
                          "# main.py -- put your code here!\r\n");
    v->reason[0] = 0;
    return err;
}

int volume_statvfs(struct volumes *v, const char *path,
                   struct volume_space *space)
{
    struct place place;
    memset(space, 0, sizeof *space);
    space->namemax = VOLUME_NAME_MAX;
    int err = volume_path(v, path, &place);
    if (err || place.kind == PATH_ROOT)
        return err;
    err = volume_readable(v, place.vol);
    if (err)
        return err;
    int result =
        fat_space(place.vol->fat, &space->block, &space->blocks, &space->free);
    return volume_fat_error(v, place.vol, result, place.path);
}

int volume_status(struct volumes *v, const char *path,
                  struct volume_status *status)
{
    struct place place;
    memset(status, 0, sizeof *status);
    int err = volume_path(v, path, &place);
    if (err)
        return err;
    if (place.kind == PATH_ROOT)
        return volume_fail(v, -ENOENT, "the root is no volume");
    const struct volume *vol = place.vol;
    status->state = vol->state;
    status->formatted = vol->formatted;
    strcpy(status->reason, vol->reason);
    if (vol->is_flash && vol->fat) {
        struct ftl_stats stats;
        ftl_get_stats(&v->ftl, &stats);
        status->erase_min = stats.erase_min;
        status->erase_max = stats.erase_max;
        status->bad_blocks = stats.bad_units * (FTL_UNIT / FLASH_SECTOR);
    }
    return 0;
}
