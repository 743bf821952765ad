/* Errors, commits, and the operations on names. */
#include "volume.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "volume_int.h"

int volume_fail(struct volumes *v, int err, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    vsnprintf(v->reason, sizeof v->reason, text, args);
    va_end(args);
    return err;
}

const char *volume_reason(const struct volumes *v)
{
    return v->reason;
}

struct volume *volume_find(struct volumes *v, const char *name, size_t len)
{
    for (int i = 0; i < VOLUMES_MAX; i++) {
        struct volume *vol = &v->volume[i];
        if (vol->mounted && strlen(vol->name) == len &&
            memcmp(vol->name, name, len) == 0)
            return vol;
    }
    return NULL;
}

int volume_readable(struct volumes *v, struct volume *vol)
{
    if (vol->fat)
        return 0;
    return volume_fail(v, vol->state == VOLUME_ABSENT ? -ENODEV : -EIO,
                       "/%s cannot be used: %s", vol->name, vol->reason);
}

int volume_writable(struct volumes *v, struct volume *vol)
{
    int err = volume_readable(v, vol);
    if (!err && vol->state == VOLUME_READONLY)
        return volume_fail(v, -EROFS, "/%s is read-only: %s", vol->name,
                           vol->reason);
    return err;
}

static int errno_of(int result)
{
    switch (result) {
    case FAT_OK:
        return 0;
    case FAT_NOT_READY:
        return -ENODEV;
    case FAT_NO_FILE:
    case FAT_NO_PATH:
        return -ENOENT;
    case FAT_INVALID_NAME:
    case FAT_INVALID_PARAMETER:
    case FAT_NO_FILESYSTEM:
        return -EINVAL;
    case FAT_DENIED:
        return -EACCES;
    case FAT_EXIST:
        return -EEXIST;
    case FAT_INVALID_OBJECT:
        return -EBADF;
    case FAT_WRITE_PROTECTED:
        return -EROFS;
    case FAT_NOT_ENOUGH_CORE:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static const char *text_of(int result)
{
    switch (result) {
    case FAT_DISK_ERR:
        return "the medium cannot be read or written there";
    case FAT_INT_ERR:
        return "the volume's structures contradict each other";
    case FAT_NO_FILE:
    case FAT_NO_PATH:
        return "there is no such file or folder";
    case FAT_INVALID_NAME:
        return "FAT does not allow this name";
    case FAT_DENIED:
        return "access denied, or no room for the name";
    case FAT_EXIST:
        return "it exists already";
    case FAT_WRITE_PROTECTED:
        return "the card is write-protected";
    case FAT_NO_FILESYSTEM:
        return "there is no FAT volume";
    case FAT_NOT_ENOUGH_CORE:
        return "folders are nested too deeply";
    default:
        return "the file system failed";
    }
}

/* What a trap leaves is not to be called again: the sandbox held, the volume
 * is gone until it is mounted anew. */
static void volume_trapped(struct volumes *v, struct volume *vol)
{
    snprintf(vol->reason, sizeof vol->reason,
             "its structures made the file system stop (%s)",
             fat_trap_text(vol->fat));
    volume_orphan(v, vol);
    fat_free(vol->fat);
    vol->fat = NULL;
    vol->state = VOLUME_DAMAGED;
}

int volume_fat_error(struct volumes *v, struct volume *vol, int result,
                     const char *path)
{
    if (result == FAT_OK)
        return 0;
    if (result == FAT_TRAP) {
        volume_trapped(v, vol);
        return volume_fail(v, -EIO, "/%s: %s", vol->name, vol->reason);
    }
    if (result == FAT_INT_ERR && vol->state == VOLUME_MOUNTED) {
        vol->state = VOLUME_READONLY;
        snprintf(vol->reason, sizeof vol->reason, "%s", text_of(result));
    }
    return volume_fail(v, errno_of(result), "'/%s%s': %s", vol->name, path,
                       text_of(result));
}

void volume_orphan(struct volumes *v, struct volume *vol)
{
    for (int i = 0; i < VOLUME_FILES; i++)
        if (v->file[i].vol == vol)
            v->file[i].dead = true;
    for (int i = 0; i < VOLUME_DIRS; i++)
        if (v->dir[i].vol == vol)
            v->dir[i].dead = true;
}

bool volume_has_open(const struct volumes *v, const struct volume *vol)
{
    for (int i = 0; i < VOLUME_FILES; i++)
        if (v->file[i].vol == vol && !v->file[i].dead)
            return true;
    return false;
}

/* What was not committed may be half done: back to the last commit. A medium
 * that fails even then is left readable. A card taken out meanwhile is noticed
 * by the next call. */
static void go_back(struct volumes *v, struct volume *vol, const char *why)
{
    if (v->going_back) {
        vol->state = VOLUME_READONLY;
        snprintf(vol->reason, sizeof vol->reason,
                 "the %s cannot be written (%.140s)",
                 vol->is_flash ? "flash" : "card", why);
        return;
    }
    v->going_back = true;
    volume_orphan(v, vol);
    volume_detach(v, vol);
    if (vol->is_flash)
        volume_attach_flash(v);
    else if (volume_card_is(v, vol->insertion))
        volume_attach_card(v, vol);
    v->going_back = false;
}

static int commit_failed(struct volumes *v, struct volume *vol, int err)
{
    const char *why = wipy_strerror(err);
    go_back(v, vol, why);
    return volume_fail(v, err == WIPY_ENOSPC ? -ENOSPC : -EIO,
                       "/%s: the last changes could not be stored (%s)",
                       vol->name, why);
}

/* One file that cannot be synced any more does not keep the others from it:
 * it is told once here, and again when it is closed. */
int volume_commit(struct volumes *v, struct volume *vol)
{
    for (int i = 0; i < VOLUME_FILES; i++) {
        struct file *f = &v->file[i];
        if (f->vol != vol || f->dead || f->detached || f->lost ||
            !(f->flags & VOLUME_WRITE))
            continue;
        int result = fat_sync(vol->fat, i);
        f->lost = result != FAT_OK;
        if (result)
            return volume_fat_error(v, vol, result, f->path);
    }
    int err = vol->is_flash ? ftl_commit(&v->ftl)
                            : card_cache_sync(&v->card, vol->order);
    vol->order = 0;
    return err ? commit_failed(v, vol, err) : 0;
}

int volume_will_free(struct volumes *v, struct volume *vol)
{
    int err = vol->is_flash ? 0 : volume_commit(v, vol);
    if (!err)
        vol->order |= CARD_FREES;
    return err;
}

int volume_make_room(struct volumes *v, struct volume *vol)
{
    if (!vol->is_flash)
        return 0;
    uint32_t low = ftl_tx_most(&v->ftl) / 2; /* on a tiny flash */
    if (ftl_tx_room(&v->ftl) >= (low < TX_LOW ? low : TX_LOW))
        return 0;
    return volume_commit(v, vol);
}

int volume_sync_all(struct volumes *v)
{
    int first = 0;
    v->reason[0] = 0;
    for (int i = 0; i < VOLUMES_MAX; i++) {
        struct volume *vol = &v->volume[i];
        if (!vol->mounted || !vol->fat || vol->state == VOLUME_READONLY)
            continue;
        int err = volume_commit(v, vol);
        first = first ? first : err;
    }
    return first;
}

/* ---- names ---- */

/* A path inside a volume that can be written, spelled; -ENOENT is left to
 * the caller. */
static int prepare(struct volumes *v, const char *path, struct place *place,
                   struct fat_info *info)
{
    int err = volume_path(v, path, place);
    if (err)
        return err;
    if (place->kind != PATH_INSIDE)
        return volume_fail(v, -EPERM, "'%s' is not in a volume", path);
    err = volume_writable(v, place->vol);
    if (!err)
        err = volume_make_room(v, place->vol);
    return err ? err : volume_spell(v, place, info);
}

int volume_broke_off(struct volumes *v, struct volume *vol, int result,
                     const char *path)
{
    int err = volume_fat_error(v, vol, result, path);
    bool half_done = result == FAT_DISK_ERR || result == FAT_INT_ERR;
    if (half_done && vol->fat) {
        char why[sizeof v->reason];
        strcpy(why, v->reason);
        go_back(v, vol, why);
        strcpy(v->reason, why);
    }
    return err;
}

/* The end of every change: the error of the operation, or the commit's. */
static int finish(struct volumes *v, struct place *place, int result)
{
    return result ? volume_broke_off(v, place->vol, result, place->path)
                  : volume_commit(v, place->vol);
}

static int no_room(struct volumes *v, const struct place *place)
{
    return volume_fail(v, -ENOSPC, "/%s: no room for '%s'", place->vol->name,
                       place->path);
}

int volume_mkdir(struct volumes *v, const char *path)
{
    struct place place;
    struct fat_info info;
    int err = prepare(v, path, &place, &info);
    if (err == -EPERM) /* a volume itself, or what holds them */
        return volume_fail(v, -EEXIST, "'%s' exists already", path);
    if (!place.vol)
        return err;
    if (err == 0 || volume_file_pending(v, place.vol, place.path, true) >= 0)
        return volume_fail(v, -EEXIST, "'%s' exists already", path);
    if (err != -ENOENT || (err = volume_refused(v, &place)))
        return err;
    int result = fat_mkdir(place.vol->fat, place.path);
    if (result == FAT_NO_PATH)
        return err ? err : -ENOENT; /* the reason is volume_spell's */
    if (result == FAT_DENIED)
        return no_room(v, &place);
    return finish(v, &place, result);
}

static int open_check(struct volumes *v, const struct place *place)
{
    if (volume_file_open_at(v, place, false) >= 0)
        return volume_fail(v, -EBUSY, "'/%s%s' is open", place->vol->name,
                           place->path);
    return 0;
}

static int remove_entry(struct volumes *v, const char *path, bool dir)
{
    struct place place;
    struct fat_info info;
    int err = prepare(v, path, &place, &info);
    if (err == 0 && info.is_dir && !dir)
        return volume_fail(v, -EISDIR, "'%s' is a folder", path);
    if (err == 0 && !info.is_dir && dir)
        return volume_fail(v, -ENOTDIR, "'%s' is a file", path);
    if (err == 0 && info.readonly)
        return volume_fail(v, -EACCES, "'%s' has the read-only attribute",
                           path);
    if (err || (err = open_check(v, &place)) ||
        (err = volume_will_free(v, place.vol)))
        return err;
    int result = fat_unlink(place.vol->fat, place.path);
    if (result == FAT_DENIED && dir)
        return volume_fail(v, -ENOTEMPTY, "the folder '%s' is not empty", path);
    return finish(v, &place, result);
}

int volume_unlink(struct volumes *v, const char *path)
{
    return remove_entry(v, path, false);
}

int volume_rmdir(struct volumes *v, const char *path)
{
    return remove_entry(v, path, true);
}

/* What stands at the target of a rename may be replaced. */
static int rename_target(struct volumes *v, const struct place *from,
                         const struct fat_info *what, struct place *to,
                         bool *replace)
{
    struct fat_info there;
    char asked[VOLUME_PATH_MAX + 1];
    strcpy(asked, to->path);
    *replace = false;
    int err = volume_spell(v, to, &there);
    if (err == -ENOENT) {
        v->reason[0] = 0;
        return volume_file_pending(v, to->vol, to->path, true) >= 0
                   ? volume_fail(v, -EBUSY, "'%s' is being written", to->path)
                   : 0;
    }
    if (err)
        return err;
    if (strcmp(to->path, from->path) == 0) {
        strcpy(to->path, asked); /* the same file: perhaps another spelling */
        return 0;
    }
    if (there.is_dir || what->is_dir)
        return volume_fail(v, -EEXIST, "'%s' exists already", to->path);
    *replace = true;
    return open_check(v, to);
}

int volume_rename(struct volumes *v, const char *from, const char *to)
{
    struct place a, b;
    struct fat_info info;
    bool replace;
    int err = prepare(v, from, &a, &info);
    if (err || (err = volume_path(v, to, &b)))
        return err;
    if (b.kind != PATH_INSIDE || b.vol != a.vol)
        return volume_fail(v, -EXDEV, "'%s' and '%s' are not in one volume",
                           from, to);
    if ((err = open_check(v, &a)) || (err = volume_refused(v, &b)) ||
        (err = rename_target(v, &a, &info, &b, &replace)))
        return err;
    if (strcmp(a.path, b.path) == 0)
        return 0;
    if (info.is_dir && volume_is_within(b.path, a.path) &&
        b.path[strlen(a.path)] != 0)
        return volume_fail(v, -EINVAL, "a folder cannot move into itself");
    int result = FAT_OK;
    if (replace) {
        if ((err = volume_will_free(v, b.vol)))
            return err;
        result = fat_unlink(b.vol->fat, b.path);
        card_cache_postpone(&v->card);
    }
    if (!result)
        result = fat_rename(a.vol->fat, a.path, b.path);
    if (result == FAT_NO_PATH)
        return volume_fail(v, -ENOENT, "there is no folder for '%s'", to);
    if (result == FAT_DENIED && !replace)
        return no_room(v, &b);
    return finish(v, &b, result);
}

int volume_utime(struct volumes *v, const char *path, int64_t modified)
{
    struct place place;
    struct fat_info info;
    int err = prepare(v, path, &place, &info);
    if (err || (err = open_check(v, &place)))
        return err;
    return finish(v, &place, fat_utime(place.vol->fat, place.path, modified));
}
