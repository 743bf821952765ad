/* Volumes come and go: mounting, taking away, making them anew. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "volume_int.h"

static void set_state(struct volume *vol, enum volume_state state,
                      const char *reason)
{
    vol->state = state;
    snprintf(vol->reason, sizeof vol->reason, "%s", reason);
}

/* Files a power cut left half written. */
static void sweep(struct volumes *v, struct volume *vol)
{
    struct fat_info info;
    char path[VOLUME_NAME_MAX + 2];
    bool any = false;
    for (int round = 0; round < 2 * VOLUME_FILES; round++) {
        bool found = false;
        if (fat_opendir(vol->fat, DIR_OWN, "/"))
            return;
        while (!found && !fat_readdir(vol->fat, DIR_OWN, &info) &&
               info.name[0]) {
            path[0] = '/';
            strcpy(path + 1, info.name);
            found = !info.is_dir && volume_is_temp(path);
        }
        fat_closedir(vol->fat, DIR_OWN);
        if (!found)
            break;
        vol->order = CARD_FREES;
        if (fat_unlink(vol->fat, path))
            break;
        any = true;
    }
    if (any)
        volume_commit(v, vol);
}

static int mount_fat(struct volumes *v, struct volume *vol,
                     const struct fat_disk *disk)
{
    vol->fat = fat_new(disk);
    if (!vol->fat)
        return -ENOMEM;
    set_state(vol, VOLUME_MOUNTED, "");
    int result = fat_mount(vol->fat);
    if (result) {
        volume_fat_error(v, vol, result, "");
        set_state(vol, VOLUME_DAMAGED,
                  result == FAT_NO_FILESYSTEM ? "no FAT volume is on it"
                                              : v->reason);
        fat_free(vol->fat);
        vol->fat = NULL;
        return result == FAT_NO_FILESYSTEM ? -EINVAL : -EIO;
    }
    if (!vol->is_flash)
        v->card.fence = fat_fence(vol->fat);
    if (disk->readonly)
        set_state(vol, VOLUME_READONLY, "it is write-protected");
    else
        sweep(v, vol);
    return 0;
}

/* The FAT itself must be readable, or what is free is guesswork. */
static bool fat_is_whole(struct volumes *v)
{
    uint8_t sector[FTL_SECTOR];
    for (uint32_t i = 0; v->trim.valid && i < v->trim.fat_sectors; i++)
        if (ftl_read(&v->ftl, v->trim.fat + i, sector, 1))
            return false;
    return true;
}

static int format_flash(struct volumes *v, struct volume *vol)
{
    uint32_t size = v->config.fs_size;
    int err = ftl_format(&v->ftl, &v->config.flash, v->config.fs_off, size,
                         v->ftl_memory, FTL_MEMORY(size));
    if (err)
        return volume_fail(v, -EINVAL, "the partition is too small");
    v->ftl.committed = NULL;
    struct fat_disk disk = volume_flash_disk(v);
    vol->fat = fat_new(&disk);
    if (!vol->fat)
        return -ENOMEM;
    uint32_t root = size < (1 << 20) ? 256 : 1024;
    int result = fat_make_flash(vol->fat, root);
    fat_free(vol->fat);
    vol->fat = NULL;
    if (result || ftl_commit(&v->ftl))
        return volume_fail(v, -EIO, "/%s: the flash cannot be written",
                           vol->name);
    return 0;
}

static int mount_flash(struct volumes *v, struct volume *vol)
{
    fattrim_attach(&v->trim, &v->ftl);
    bool whole = fat_is_whole(v);
    struct fat_disk disk = volume_flash_disk(v);
    disk.readonly |= !whole;
    int err = mount_fat(v, vol, &disk);
    if (err)
        return err;
    if (!whole)
        set_state(vol, VOLUME_READONLY, "part of its FAT cannot be read");
    else if (v->ftl.readonly)
        set_state(vol, VOLUME_READONLY, v->ftl.reason);
    return 0;
}

/* State and reason say how it went; only a lack of memory is an error. */
int volume_attach_flash(struct volumes *v)
{
    struct volume *vol = &v->volume[0];
    uint32_t size = v->config.fs_size;
    int err = ftl_mount(&v->ftl, &v->config.flash, v->config.fs_off, size,
                        v->ftl_memory, FTL_MEMORY(size));
    vol->mounted = vol->is_flash = true;
    vol->formatted = false;
    strcpy(vol->name, "flash");
    if (err == WIPY_EINVAL) {
        set_state(vol, VOLUME_DAMAGED,
                  "the partition table has no place for files, or too small");
    } else if (err == WIPY_ENOENT) {
        err = format_flash(v, vol);
        vol->formatted = err == 0;
        if (err)
            set_state(vol, VOLUME_DAMAGED, "the blank flash cannot be written");
    } else if (err == WIPY_EFORMAT) {
        set_state(vol, VOLUME_DAMAGED,
                  "the partition holds data, but no volume of ours");
    } else if (err) {
        set_state(vol, VOLUME_DAMAGED, wipy_strerror(err));
    }
    if (err)
        return err == -ENOMEM ? err : 0;
    err = mount_flash(v, vol);
    return err == -ENOMEM ? err : 0;
}

int volume_attach_card(struct volumes *v, struct volume *vol)
{
    const struct volume_card *c = &v->config.card;
    vol->insertion = c->insertions(c->ctx);
    struct fat_disk disk = volume_card_disk(v);
    return mount_fat(v, vol, &disk);
}

void volume_detach(struct volumes *v, struct volume *vol)
{
    (void)v;
    fat_free(vol->fat);
    vol->fat = NULL;
}

static bool card_is_in(const struct volumes *v)
{
    const struct volume_card *c = &v->config.card;
    return c->insertions && c->insertions(c->ctx) != 0;
}

bool volume_card_is(const struct volumes *v, uint32_t insertion)
{
    const struct volume_card *c = &v->config.card;
    return c->insertions(c->ctx) == insertion;
}

/* A card that was pulled, or swapped, takes its volume with it. */
void volume_check_card(struct volumes *v)
{
    struct volume *vol = &v->volume[1];
    if (!vol->mounted || volume_card_is(v, vol->insertion))
        return;
    volume_orphan(v, vol);
    volume_detach(v, vol);
    vol->mounted = false;
    set_state(vol, VOLUME_ABSENT, "the card was taken out");
}

/* ---- the interface ---- */

/* "/sd" as a name for a volume: one component under the root. */
static int mount_name(struct volumes *v, const char *path, char *name)
{
    const char *at = path[0] == '/' ? path + 1 : path;
    if (path[0] != '/' || at[0] == 0 || strchr(at, '/') || at[0] == '.' ||
        strlen(at) > MOUNT_NAME_MAX)
        return volume_fail(v, -EINVAL,
                           "'%.80s' is no name for a volume; use one like /sd",
                           path);
    strcpy(name, at);
    return 0;
}

int volume_mount(struct volumes *v, const char *path)
{
    char name[MOUNT_NAME_MAX + 1];
    struct volume *vol = &v->volume[1];
    v->reason[0] = 0;
    volume_check_card(v);
    int err = mount_name(v, path, name);
    if (err)
        return err;
    if (volume_find(v, name, strlen(name)))
        return volume_fail(v, -EEXIST, "'%s' is mounted already", path);
    if (strcmp(name, "flash") == 0)
        return volume_attach_flash(v);
    if (!card_is_in(v))
        return volume_fail(v, -ENODEV, "there is no card in the slot");
    if (vol->mounted)
        return volume_fail(v, -EBUSY, "the card is mounted at /%s", vol->name);
    strcpy(vol->name, name);
    err = volume_attach_card(v, vol);
    if (err)
        return volume_fail(v, err, "the card cannot be mounted: %s",
                           vol->reason);
    vol->mounted = true;
    return 0;
}

static void close_all(struct volumes *v, struct volume *vol)
{
    for (int i = 0; i < VOLUME_FILES; i++)
        if (v->file[i].vol == vol && !v->file[i].dead)
            volume_close(v, i);
}

int volume_umount(struct volumes *v, const char *path, bool force)
{
    struct place place;
    int err = volume_path(v, path, &place);
    if (err)
        return err == -ENOENT ? -EINVAL : err;
    if (place.kind != PATH_VOLUME)
        return volume_fail(v, -EINVAL, "no volume is mounted at '%s'", path);
    struct volume *vol = place.vol;
    if (volume_has_open(v, vol) && !force)
        return volume_fail(v, -EBUSY, "files are open in '%s'", path);
    close_all(v, vol);
    err = vol->fat && vol->state == VOLUME_MOUNTED ? volume_commit(v, vol) : 0;
    volume_orphan(v, vol);
    volume_detach(v, vol);
    vol->mounted = false;
    set_state(vol, VOLUME_ABSENT, "it is not mounted");
    return err;
}

static int mkfs_flash(struct volumes *v)
{
    struct volume *vol = &v->volume[0];
    if (volume_has_open(v, vol))
        return volume_fail(v, -EBUSY, "files are open in /flash");
    volume_orphan(v, vol);
    volume_detach(v, vol);
    vol->mounted = vol->is_flash = true;
    strcpy(vol->name, "flash");
    int err = format_flash(v, vol);
    if (err) {
        volume_attach_flash(v); /* the old one is still there */
        return err;
    }
    return mount_flash(v, vol);
}

static int mkfs_card(struct volumes *v)
{
    struct volume *vol = &v->volume[1];
    const struct volume_card *c = &v->config.card;
    if (!card_is_in(v))
        return volume_fail(v, -ENODEV, "there is no card in the slot");
    if (c->readonly(c->ctx))
        return volume_fail(v, -EROFS, "the card is write-protected");
    if (vol->mounted && volume_has_open(v, vol))
        return volume_fail(v, -EBUSY, "files are open in /%s", vol->name);
    bool was_mounted = vol->mounted;
    volume_orphan(v, vol);
    volume_detach(v, vol);
    vol->mounted = false;
    struct fat_disk disk = volume_card_disk(v);
    struct fat *fat = fat_new(&disk);
    if (!fat)
        return -ENOMEM;
    int result = fat_make_card(fat);
    fat_free(fat);
    if (result || card_cache_sync(&v->card, false))
        return volume_fail(v, -EIO, "the card cannot be formatted");
    if (!was_mounted)
        return 0;
    int err = volume_attach_card(v, vol);
    vol->mounted = err == 0;
    return err;
}

int volume_mkfs(struct volumes *v, const char *path)
{
    char name[MOUNT_NAME_MAX + 1];
    v->reason[0] = 0;
    volume_check_card(v);
    int err = mount_name(v, path, name);
    if (err)
        return err;
    if (strcmp(name, "flash") == 0)
        return mkfs_flash(v);
    const struct volume *vol = volume_find(v, name, strlen(name));
    if (vol == &v->volume[1] || (!vol && strcmp(name, "sd") == 0))
        return mkfs_card(v);
    return volume_fail(v, -ENOENT, "there is no volume '%s'", path);
}
