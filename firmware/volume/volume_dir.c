/* Looking around: stat and folders. */
#include <string.h>

#include "volume_int.h"

enum { VOLUME_DATE = 1420070400 }; /* 2015-01-01, spec section 7.5 */

static void from_fat(struct volume_info *info, const struct fat_info *from)
{
    memset(info, 0, sizeof *info);
    memcpy(info->name, from->name, sizeof info->name);
    info->is_dir = from->is_dir;
    info->readonly = from->readonly;
    info->size = from->is_dir ? 0 : from->size;
    info->modified = from->modified;
}

static void folder_info(struct volume_info *info, const char *name)
{
    memset(info, 0, sizeof *info);
    strcpy(info->name, name);
    info->is_dir = true;
    info->modified = VOLUME_DATE;
}

/* A file that has no name on the medium yet, as its writer sees it. */
static void pending_info(struct volumes *v, int file, struct volume_info *info)
{
    const struct file *f = &v->file[file];
    memset(info, 0, sizeof *info);
    strncpy(info->name, strrchr(f->path, '/') + 1, VOLUME_NAME_MAX);
    info->size = fat_size(f->vol->fat, file);
    info->modified =
        v->config.now ? v->config.now(v->config.now_ctx) : VOLUME_DATE;
}

int volume_stat(struct volumes *v, const char *path, struct volume_info *info)
{
    struct place place;
    struct fat_info found;
    int err = volume_path(v, path, &place);
    if (err)
        return err;
    if (place.kind != PATH_INSIDE) {
        folder_info(info, place.vol ? place.vol->name : "");
        return 0;
    }
    err = volume_readable(v, place.vol);
    if (err)
        return err;
    err = volume_spell(v, &place, &found);
    if (err == -ENOENT) {
        int file = volume_file_pending(v, place.vol, place.path, false);
        if (file < 0)
            return err;
        pending_info(v, file, info);
        v->reason[0] = 0;
        return 0;
    }
    if (!err)
        from_fat(info, &found);
    return err;
}

int volume_opendir(struct volumes *v, const char *path)
{
    struct place place;
    struct fat_info info;
    int slot = 0;
    int err = volume_path(v, path, &place);
    if (err)
        return err;
    while (slot < VOLUME_DIRS && v->dir[slot].used)
        slot++;
    if (slot == VOLUME_DIRS)
        return volume_fail(v, -EMFILE, "%d folders are open already",
                           VOLUME_DIRS);
    struct dir *d = &v->dir[slot];
    memset(d, 0, sizeof *d);
    if (place.kind != PATH_ROOT) {
        err = volume_readable(v, place.vol);
        if (!err)
            err = volume_spell(v, &place, &info);
        if (!err && !info.is_dir)
            err = volume_fail(v, -ENOTDIR, "'%s' is a file", path);
        if (err)
            return err;
        const char *at = place.path[0] ? place.path : "/";
        int result = fat_opendir(place.vol->fat, slot, at);
        if (result)
            return volume_fat_error(v, place.vol, result, place.path);
        d->vol = place.vol;
        strcpy(d->path, place.path);
    }
    d->used = true;
    return slot;
}

static int read_root(struct volumes *v, struct dir *d, struct volume_info *info)
{
    while (d->next < VOLUMES_MAX) {
        const struct volume *vol = &v->volume[d->next++];
        if (vol->mounted) {
            folder_info(info, vol->name);
            return 1;
        }
    }
    return 0;
}

/* Files being made in this folder come after those that are there. */
static int read_pending(struct volumes *v, struct dir *d,
                        struct volume_info *info)
{
    while (d->next < VOLUME_FILES) {
        int file = (int)d->next++;
        const struct file *f = &v->file[file];
        if (f->vol != d->vol || f->dead || !f->fresh ||
            volume_file_is_hidden(f))
            continue;
        size_t len = (size_t)(strrchr(f->path, '/') - f->path);
        if (strlen(d->path) != len || memcmp(f->path, d->path, len) != 0)
            continue;
        pending_info(v, file, info);
        return 1;
    }
    return 0;
}

int volume_readdir(struct volumes *v, int dir, struct volume_info *info)
{
    v->reason[0] = 0;
    volume_check_card(v);
    if (dir < 0 || dir >= VOLUME_DIRS || !v->dir[dir].used)
        return volume_fail(v, -EBADF, "the folder is not open");
    struct dir *d = &v->dir[dir];
    if (d->dead)
        return volume_fail(v, d->vol->state == VOLUME_ABSENT ? -ENODEV : -EIO,
                           "the folder's volume is gone");
    if (!d->vol)
        return read_root(v, d, info);
    while (!d->listed) {
        struct fat_info found;
        char path[VOLUME_NAME_MAX + 2] = "/";
        int result = fat_readdir(d->vol->fat, dir, &found);
        if (result)
            return volume_fat_error(v, d->vol, result, d->path);
        d->listed = found.name[0] == 0;
        strcpy(path + 1, found.name);
        if (d->listed || (d->path[0] == 0 && volume_is_temp(path)))
            continue;
        from_fat(info, &found);
        return 1;
    }
    return read_pending(v, d, info);
}

int volume_closedir(struct volumes *v, int dir)
{
    if (dir < 0 || dir >= VOLUME_DIRS || !v->dir[dir].used)
        return volume_fail(v, -EBADF, "the folder is not open");
    struct dir *d = &v->dir[dir];
    if (d->vol && d->vol->fat && !d->dead)
        fat_closedir(d->vol->fat, dir);
    d->used = false;
    return 0;
}
