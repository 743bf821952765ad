/* Publishing: a file being replaced keeps its old contents until the new ones
 * are complete. Sync and the two ways of closing. */
#include <string.h>

#include "volume_int.h"

static int reader_of(const struct volumes *v, const struct file *f)
{
    for (int i = 0; i < VOLUME_FILES; i++)
        if (&v->file[i] != f && volume_file_uses(&v->file[i], f->vol, f->path))
            return i;
    return -1;
}

/* The old file goes; while it is being read only its name does. */
static int retire_old(struct volumes *v, struct file *f)
{
    char hidden[32];
    int reader = reader_of(v, f);
    if (reader < 0)
        return fat_unlink(f->vol->fat, f->path);
    volume_temp_path(VOLUME_FILES + reader, hidden);
    int result = fat_rename(f->vol->fat, f->path, hidden);
    if (result)
        return result;
    while ((reader = reader_of(v, f)) >= 0)
        strcpy(v->file[reader].path, hidden);
    return FAT_OK;
}

/* The contents under the hidden name become the file: one transaction. */
static int publish(struct volumes *v, int file)
{
    struct file *f = &v->file[file];
    struct fat *fat = f->vol->fat;
    char temp[32];
    volume_temp_path(file, temp);
    int result = fat_close(fat, file);
    f->detached = true;
    /* The hidden name first: what has it is deleted at the next mount. */
    f->vol->order = CARD_BACK;
    if (!result && !f->fresh) {
        f->vol->order |= CARD_FREES;
        /* The new contents are safe before the old ones are given up. */
        if (!f->vol->is_flash && card_cache_flush(&v->card))
            result = FAT_DISK_ERR;
        else
            result = retire_old(v, f);
    }
    if (!result)
        result = fat_rename(fat, temp, f->path);
    if (!result) {
        f->temporary = f->fresh = false;
        return 0;
    }
    if (result != FAT_DENIED)
        return volume_broke_off(v, f->vol, result, f->path);
    fat_unlink(fat, temp);
    return volume_fail(v, -ENOSPC, "/%s: no room for the name '%s'",
                       f->vol->name, f->path);
}

static int reopen(struct volumes *v, int file)
{
    struct file *f = &v->file[file];
    int result = fat_open(f->vol->fat, file, f->path, FAT_READ | FAT_WRITE);
    f->detached = result != 0;
    return volume_fat_error(v, f->vol, result, f->path);
}

/* Also when the card failed to store what was written before. */
static bool is_lost(const struct volumes *v, const struct file *f)
{
    return f->lost || (!f->vol->is_flash && f->failures != v->card.failures);
}

static int failed_write(struct volumes *v, const struct file *f)
{
    if (is_lost(v, f))
        return volume_fail(v, -EIO, "'%s' %s", f->path,
                           f->temporary && !f->fresh
                               ? "keeps its old contents: the new ones could "
                                 "not be stored"
                               : "could not be stored");
    return volume_fail(v, -ENOSPC,
                       "'%s' keeps its old contents: the new ones did not fit",
                       f->path);
}

int volume_sync(struct volumes *v, int file)
{
    struct file *f = volume_file_of(v, file);
    if (!f || volume_file_gone(v, f))
        return f ? volume_file_gone(v, f) : -EBADF;
    if (!(f->flags & VOLUME_WRITE))
        return 0;
    if (is_lost(v, f) || (f->temporary && f->failed))
        return failed_write(v, f);
    int err = volume_make_room(v, f->vol);
    if (!err && f->temporary) {
        err = publish(v, file);
        if (!err)
            err = reopen(v, file);
    }
    return err ? err : volume_commit(v, f->vol);
}

static int drop_temporary(struct volumes *v, int file)
{
    struct file *f = &v->file[file];
    char temp[32];
    volume_temp_path(file, temp);
    fat_close(f->vol->fat, file);
    f->detached = true;
    int err = volume_will_free(v, f->vol);
    if (err)
        return err;
    return volume_fat_error(v, f->vol, fat_unlink(f->vol->fat, temp), temp);
}

/* The last reader of a file that was replaced meanwhile lets it go. */
static int close_reader(struct volumes *v, int file)
{
    struct file *f = &v->file[file];
    fat_close(f->vol->fat, file);
    f->detached = true;
    if (!volume_is_temp(f->path) || reader_of(v, f) >= 0)
        return 0;
    int err = volume_will_free(v, f->vol);
    if (err)
        return err;
    int result = fat_unlink(f->vol->fat, f->path);
    return result ? volume_fat_error(v, f->vol, result, f->path)
                  : volume_commit(v, f->vol);
}

static int close_file(struct volumes *v, int file, bool abandon)
{
    struct file *f = &v->file[file];
    int err = volume_file_gone(v, f);
    if (err)
        return f->flags & VOLUME_WRITE ? err : 0;
    if (!(f->flags & VOLUME_WRITE))
        return close_reader(v, file);
    err = volume_make_room(v, f->vol);
    if (err)
        return err;
    bool lost = is_lost(v, f);
    if (f->temporary && (abandon || lost || f->failed)) {
        err = drop_temporary(v, file);
        if (!err)
            err = volume_commit(v, f->vol);
        return err || abandon ? err : failed_write(v, f);
    }
    if (f->temporary) {
        err = publish(v, file);
    } else {
        f->detached = true;
        err =
            volume_fat_error(v, f->vol, fat_close(f->vol->fat, file), f->path);
    }
    if (!err)
        err = volume_commit(v, f->vol);
    return err || !lost ? err : failed_write(v, f);
}

int volume_close(struct volumes *v, int file)
{
    struct file *f = volume_file_of(v, file);
    if (!f)
        return -EBADF;
    int err = close_file(v, file, false);
    f->vol = NULL;
    return err;
}

int volume_abandon(struct volumes *v, int file)
{
    struct file *f = volume_file_of(v, file);
    if (!f)
        return -EBADF;
    int err = close_file(v, file, true);
    f->vol = NULL;
    return err;
}
