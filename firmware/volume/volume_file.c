/* Open files, and the rule that a file being replaced keeps its old contents
 * until the new ones are complete. */
#include <stdio.h>
#include <string.h>

#include "volume_int.h"

static bool uses_path(const struct file *f, const struct volume *vol,
                      const char *path)
{
    return f->vol == vol && !f->dead && strcmp(f->path, path) == 0;
}

int volume_file_open_at(struct volumes *v, const struct place *place,
                        bool writer)
{
    for (int i = 0; i < VOLUME_FILES; i++) {
        const struct file *f = &v->file[i];
        if (f->vol != place->vol || f->dead ||
            (writer && !(f->flags & VOLUME_WRITE)))
            continue;
        /* A folder is in use while anything in it is. */
        if (volume_is_within(f->path, place->path))
            return i;
    }
    return -1;
}

bool volume_file_is_hidden(const struct file *f)
{
    return f->fresh && (f->flags & VOLUME_HIDDEN);
}

int volume_file_pending(struct volumes *v, const struct volume *vol,
                        const char *path, bool any)
{
    for (int i = 0; i < VOLUME_FILES; i++) {
        const struct file *f = &v->file[i];
        if (uses_path(f, vol, path) && f->fresh &&
            (any || !volume_file_is_hidden(f)))
            return i;
    }
    return -1;
}

static struct file *file_of(struct volumes *v, int file)
{
    struct file *f = NULL;
    v->reason[0] = 0;
    volume_check_card(v);
    if (file >= 0 && file < VOLUME_FILES && v->file[file].vol)
        f = &v->file[file];
    if (!f)
        volume_fail(v, -EBADF, "the file is not open");
    return f;
}

/* Why a handle is of no use any more. */
static int gone(struct volumes *v, const struct file *f)
{
    if (!f->dead && !f->detached)
        return 0;
    if (f->vol->state == VOLUME_ABSENT)
        return volume_fail(v, -ENODEV, "'%s': the card was taken out", f->path);
    return volume_fail(v, -EIO, "'%s' was lost when its volume failed",
                       f->path);
}

static int check_open(struct volumes *v, struct place *place, unsigned flags,
                      const struct fat_info *info, bool exists)
{
    if (exists && info->is_dir)
        return volume_fail(v, -EISDIR, "'%s' is a folder", place->path);
    if (exists && (flags & VOLUME_CREATE) && (flags & VOLUME_EXCL))
        return volume_fail(v, -EEXIST, "'%s' exists already", place->path);
    bool pending = volume_file_pending(v, place->vol, place->path, false) >= 0;
    if (!exists && !pending && !(flags & VOLUME_CREATE))
        return -ENOENT; /* the reason is volume_spell's */
    if (!(flags & VOLUME_WRITE))
        return pending ? volume_fail(v, -EBUSY, "'%s' is being written",
                                     place->path)
                       : 0;
    int err = volume_writable(v, place->vol);
    if (!err)
        err = volume_refused(v, place);
    if (err)
        return err;
    if (exists && info->readonly)
        return volume_fail(v, -EACCES, "'%s' has the read-only attribute",
                           place->path);
    if (volume_file_open_at(v, place, true) >= 0)
        return volume_fail(v, -EBUSY, "'%s' is open for writing already",
                           place->path);
    return 0;
}

/* The folder of a name that does not exist yet must. */
static int check_folder(struct volumes *v, const struct place *place)
{
    struct fat_info info;
    char folder[VOLUME_PATH_MAX + 1];
    strcpy(folder, place->path);
    *strrchr(folder, '/') = 0;
    if (folder[0] == 0)
        return 0;
    int result = fat_stat(place->vol->fat, folder, &info);
    if (result)
        return volume_fat_error(v, place->vol, result, folder);
    return info.is_dir ? 0 : volume_fail(v, -ENOTDIR, "'%s' is a file", folder);
}

static unsigned fat_mode_of(unsigned flags, bool exists, bool temporary)
{
    if (!(flags & VOLUME_WRITE))
        return FAT_READ;
    if (temporary)
        return FAT_READ | FAT_WRITE | FAT_CREATE_ALWAYS;
    return FAT_READ | FAT_WRITE | (exists ? 0 : FAT_CREATE_NEW);
}

static int free_file(const struct volumes *v)
{
    for (int i = 0; i < VOLUME_FILES; i++)
        if (!v->file[i].vol)
            return i;
    return -1;
}

static int open_at(struct volumes *v, const struct place *place, unsigned flags,
                   bool exists, int file)
{
    struct file *f = &v->file[file];
    char temp[32];
    const char *path = place->path;
    unsigned anew = VOLUME_TRUNC;
    if (!exists) /* then CREATE is among the flags */
        anew |= VOLUME_EXCL | VOLUME_HIDDEN;
    bool temporary = (flags & VOLUME_WRITE) && (flags & anew);
    if (temporary) {
        volume_temp_path(file, temp);
        path = temp;
    }
    int result = fat_open(place->vol->fat, file, path,
                          fat_mode_of(flags, exists, temporary));
    if (result == FAT_DENIED && (flags & VOLUME_WRITE))
        return volume_fail(v, -ENOSPC, "/%s: no room for the name '%s'",
                           place->vol->name, place->path);
    if (result)
        return volume_fat_error(v, place->vol, result, place->path);
    memset(f, 0, sizeof *f);
    f->vol = place->vol;
    f->flags = flags;
    f->temporary = temporary;
    f->fresh = temporary && !exists;
    f->failures = v->card.failures;
    strcpy(f->path, place->path);
    return file;
}

int volume_open(struct volumes *v, const char *path, unsigned flags)
{
    struct place place;
    struct fat_info info;
    int err = volume_path(v, path, &place);
    if (err)
        return err;
    if (!(flags & (VOLUME_READ | VOLUME_WRITE)))
        return volume_fail(v, -EINVAL, "neither reading nor writing");
    if (place.kind != PATH_INSIDE)
        return volume_fail(v, -EISDIR, "'%s' is a folder", path);
    err = volume_readable(v, place.vol);
    if (!err && (flags & VOLUME_WRITE) && place.vol->state == VOLUME_MOUNTED)
        err = volume_make_room(v, place.vol);
    if (err)
        return err;
    err = volume_spell(v, &place, &info);
    if (err && err != -ENOENT)
        return err;
    bool exists = err == 0;
    err = check_open(v, &place, flags, &info, exists);
    if (!err && !exists)
        err = check_folder(v, &place);
    if (err)
        return err;
    v->reason[0] = 0;
    int file = free_file(v);
    if (file < 0)
        return volume_fail(v, -EMFILE, "%d files are open already",
                           VOLUME_FILES);
    return open_at(v, &place, flags, exists, file);
}

/* FatFs follows our position, which may lie past the end. */
static int seek_to(struct volumes *v, int file, uint64_t pos)
{
    struct file *f = &v->file[file];
    if (fat_tell(f->vol->fat, file) == pos)
        return 0;
    return volume_fat_error(v, f->vol, fat_seek(f->vol->fat, file, pos),
                            f->path);
}

int volume_read(struct volumes *v, int file, void *to, size_t len)
{
    struct file *f = file_of(v, file);
    uint8_t *at = to;
    size_t done = 0;
    if (!f || gone(v, f))
        return f ? gone(v, f) : -EBADF;
    if (!(f->flags & VOLUME_READ))
        return volume_fail(v, -EBADF, "'%s' is not open for reading", f->path);
    if (len > INT32_MAX)
        len = INT32_MAX;
    if (f->pos >= fat_size(f->vol->fat, file))
        return 0;
    int err = seek_to(v, file, f->pos);
    while (!err && done < len) {
        uint32_t got = 0;
        uint32_t want = len - done < FAT_IO_MAX ? (uint32_t)(len - done)
                                                : (uint32_t)FAT_IO_MAX;
        err = volume_fat_error(
            v, f->vol, fat_read(f->vol->fat, file, at + done, want, &got),
            f->path);
        done += got;
        f->pos += got;
        if (got < want)
            break;
    }
    return err ? err : (int)done;
}

/* One chunk at the position of FatFs. */
static int write_chunk(struct volumes *v, int file, const uint8_t *from,
                       uint32_t len)
{
    struct file *f = &v->file[file];
    uint32_t put = 0;
    int err = volume_make_room(v, f->vol);
    if (err)
        return err;
    int result = fat_write(f->vol->fat, file, from, len, &put);
    if (result) {
        f->lost = true;
        return volume_fat_error(v, f->vol, result, f->path);
    }
    if (put < len) {
        f->failed = true;
        return volume_fail(v, -ENOSPC, "/%s is full%s", f->vol->name,
                           f->temporary && !f->fresh
                               ? ": the old file is kept until the new one is "
                                 "complete; delete it first to make room"
                               : "");
    }
    return 0;
}

/* How much may be written before the transaction must be looked at again. */
static uint32_t chunk_of(struct volumes *v, const struct file *f, size_t len)
{
    uint32_t most = FAT_IO_MAX;
    if (f->vol->is_flash) {
        uint32_t room = ftl_tx_room(&v->ftl);
        uint32_t fits = room > 12 ? (room - 12) * FAT_SECTOR : FAT_SECTOR;
        most = fits < WRITE_CHUNK ? fits : WRITE_CHUNK;
    }
    return len < most ? (uint32_t)len : most;
}

static int write_run(struct volumes *v, int file, const uint8_t *from,
                     uint64_t len, bool zeros)
{
    static const uint8_t zero[4096];
    const struct file *f = &v->file[file];
    while (len > 0) {
        uint32_t n = chunk_of(v, f, len > FAT_IO_MAX ? FAT_IO_MAX : len);
        if (zeros && n > sizeof zero)
            n = sizeof zero;
        int err = write_chunk(v, file, zeros ? zero : from, n);
        if (err)
            return err;
        if (!zeros)
            from += n;
        len -= n;
    }
    return 0;
}

/* FAT knows no holes: what lies between the end and the position is written
 * as zeros, or old contents of other files would appear there. */
static int fill_to(struct volumes *v, int file, uint64_t pos)
{
    struct file *f = &v->file[file];
    struct volume_space space;
    uint64_t size = fat_size(f->vol->fat, file);
    if (pos <= size)
        return 0;
    int result =
        fat_space(f->vol->fat, &space.block, &space.blocks, &space.free);
    if (result)
        return volume_fat_error(v, f->vol, result, f->path);
    if (pos - size > (space.free + 1) * space.block) {
        f->failed = true;
        return volume_fail(v, -ENOSPC, "/%s has no room for a gap of that size",
                           f->vol->name);
    }
    int err = seek_to(v, file, size);
    return err ? err : write_run(v, file, NULL, pos - size, true);
}

static int writable_file(struct volumes *v, struct file *f)
{
    if (!f)
        return -EBADF;
    int err = gone(v, f);
    if (!err && !(f->flags & VOLUME_WRITE))
        err = volume_fail(v, -EBADF, "'%s' is not open for writing", f->path);
    return err ? err : volume_writable(v, f->vol);
}

int volume_write(struct volumes *v, int file, const void *from, size_t len)
{
    struct file *f = file_of(v, file);
    int err = writable_file(v, f);
    if (err)
        return err;
    if (len > INT32_MAX)
        len = INT32_MAX;
    uint64_t pos =
        f->flags & VOLUME_APPEND ? fat_size(f->vol->fat, file) : f->pos;
    if (pos + len > UINT32_MAX)
        return volume_fail(v, -EFBIG, "a file ends at 4 GiB");
    err = fill_to(v, file, pos);
    if (!err)
        err = seek_to(v, file, pos);
    if (!err)
        err = write_run(v, file, from, len, false);
    f->pos = err ? f->pos : pos + len;
    return err ? err : (int)len;
}

int64_t volume_seek(struct volumes *v, int file, int64_t at, int whence)
{
    struct file *f = file_of(v, file);
    if (!f || gone(v, f))
        return f ? gone(v, f) : -EBADF;
    int64_t from = 0;
    if (whence == SEEK_CUR)
        from = (int64_t)f->pos;
    else if (whence == SEEK_END)
        from = (int64_t)fat_size(f->vol->fat, file);
    else if (whence != SEEK_SET)
        return volume_fail(v, -EINVAL, "whence is 0, 1 or 2");
    if (at > UINT32_MAX || at < -(int64_t)UINT32_MAX || from + at < 0 ||
        from + at > UINT32_MAX)
        return volume_fail(v, -EINVAL, "a position lies between 0 and 4 GiB");
    f->pos = (uint64_t)(from + at);
    return from + at;
}

int volume_truncate(struct volumes *v, int file, uint64_t len)
{
    struct file *f = file_of(v, file);
    int err = writable_file(v, f);
    if (!err && len > UINT32_MAX)
        err = volume_fail(v, -EFBIG, "a file ends at 4 GiB");
    if (!err)
        err = volume_make_room(v, f->vol);
    if (!err)
        err = fill_to(v, file, len);
    if (!err)
        err = seek_to(v, file, len);
    if (err || len >= fat_size(f->vol->fat, file))
        return err;
    f->vol->frees = true;
    return volume_fat_error(v, f->vol, fat_truncate(f->vol->fat, file),
                            f->path);
}

/* ---- publishing ---- */

static int reader_of(const struct volumes *v, const struct file *f)
{
    for (int i = 0; i < VOLUME_FILES; i++)
        if (&v->file[i] != f && uses_path(&v->file[i], f->vol, f->path))
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
    if (!result && !f->fresh) {
        f->vol->frees = true;
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
    struct file *f = file_of(v, file);
    if (!f || gone(v, f))
        return f ? gone(v, f) : -EBADF;
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
    int result = fat_unlink(f->vol->fat, f->path);
    return result ? volume_fat_error(v, f->vol, result, f->path)
                  : volume_commit(v, f->vol);
}

static int close_file(struct volumes *v, int file, bool abandon)
{
    struct file *f = &v->file[file];
    int err = gone(v, f);
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
    struct file *f = file_of(v, file);
    if (!f)
        return -EBADF;
    int err = close_file(v, file, false);
    f->vol = NULL;
    return err;
}

int volume_abandon(struct volumes *v, int file)
{
    struct file *f = file_of(v, file);
    if (!f)
        return -EBADF;
    int err = close_file(v, file, true);
    f->vol = NULL;
    return err;
}
