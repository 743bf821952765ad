/* Open files: what may be opened, reading, writing, moving about. */
#include <stdio.h>
#include <string.h>

#include "volume_int.h"

bool volume_file_uses(const struct file *f, const struct volume *vol,
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
        if (volume_file_uses(f, vol, path) && f->fresh &&
            (any || !volume_file_is_hidden(f)))
            return i;
    }
    return -1;
}

struct file *volume_file_of(struct volumes *v, int file)
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
int volume_file_gone(struct volumes *v, const struct file *f)
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

/* Long transfers of whole sectors need no copy between caller and card. */
static void lend(struct volumes *v, const struct file *f, uint64_t pos,
                 void *memory, size_t len)
{
    if (!f->vol->is_flash && pos % FAT_SECTOR == 0)
        card_cache_lend(&v->card, memory, len);
}

static int take_back(struct volumes *v, struct file *f, int err)
{
    if (f->vol->is_flash || card_cache_take_back(&v->card) == 0 || err)
        return err;
    return volume_fat_error(v, f->vol, FAT_DISK_ERR, f->path);
}

int volume_read(struct volumes *v, int file, void *to, size_t len)
{
    struct file *f = volume_file_of(v, file);
    uint8_t *at = to;
    size_t done = 0;
    if (!f || volume_file_gone(v, f))
        return f ? volume_file_gone(v, f) : -EBADF;
    if (!(f->flags & VOLUME_READ))
        return volume_fail(v, -EBADF, "'%s' is not open for reading", f->path);
    if (len > INT32_MAX)
        len = INT32_MAX;
    uint64_t size = fat_size(f->vol->fat, file);
    if (f->pos >= size)
        return 0;
    int err = seek_to(v, file, f->pos);
    lend(v, f, f->pos, to, len < size - f->pos ? len : size - f->pos);
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
    err = take_back(v, f, err);
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
    int err = volume_file_gone(v, f);
    if (!err && !(f->flags & VOLUME_WRITE))
        err = volume_fail(v, -EBADF, "'%s' is not open for writing", f->path);
    return err ? err : volume_writable(v, f->vol);
}

int volume_write(struct volumes *v, int file, const void *from, size_t len)
{
    struct file *f = volume_file_of(v, file);
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
    lend(v, f, pos, (void *)(uintptr_t)from, len);
    if (!err)
        err = write_run(v, file, from, len, false);
    err = take_back(v, f, err);
    f->pos = err ? f->pos : pos + len;
    return err ? err : (int)len;
}

int64_t volume_seek(struct volumes *v, int file, int64_t at, int whence)
{
    struct file *f = volume_file_of(v, file);
    if (!f || volume_file_gone(v, f))
        return f ? volume_file_gone(v, f) : -EBADF;
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
    struct file *f = volume_file_of(v, file);
    int err = writable_file(v, f);
    if (!err && len > UINT32_MAX)
        err = volume_fail(v, -EFBIG, "a file ends at 4 GiB");
    if (!err)
        err = volume_make_room(v, f->vol);
    if (!err)
        err = fill_to(v, file, len);
    if (!err)
        err = seek_to(v, file, len);
    if (err || len >= fat_size(f->vol->fat, file) ||
        (err = volume_will_free(v, f->vol)))
        return err;
    err = volume_fat_error(v, f->vol, fat_truncate(f->vol->fat, file), f->path);
    return err || f->vol->is_flash ? err : volume_commit(v, f->vol);
}
