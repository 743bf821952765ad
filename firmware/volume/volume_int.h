/* Private to the volumes: what their files share. */
#ifndef WIPY_FIRMWARE_VOLUME_INT_H
#define WIPY_FIRMWARE_VOLUME_INT_H

#include "card_cache.h"
#include "fat.h"
#include "flash/fattrim.h"
#include "flash/ftl.h"
#include "folder_cache.h"
#include "volume.h"

enum {
    VOLUMES_MAX = 2,       /* the flash and one card */
    DIR_OWN = VOLUME_DIRS, /* the volume's own directory handle */
    MOUNT_NAME_MAX = 31,
    TX_LOW = 56,         /* sectors of room below which to commit first */
    WRITE_CHUNK = 16384, /* bytes written to the flash between two looks at
                          * the room */
};

struct volume {
    bool mounted; /* listed in the root */
    bool is_flash;
    enum volume_state state;
    char name[MOUNT_NAME_MAX + 1]; /* "flash" */
    char reason[192];
    bool formatted;
    unsigned order;     /* of the next commit: enum card_order */
    struct fat *fat;    /* NULL unless state is MOUNTED or READONLY */
    uint32_t insertion; /* of the card, when it was mounted */
};

struct file {
    struct volume *vol; /* NULL = free */
    unsigned flags;
    bool dead;      /* its volume is gone: -EIO or -ENODEV */
    bool detached;  /* no FatFs object behind it any more */
    bool failed;    /* a write did not fit: not to be published */
    bool lost;      /* something did not reach the medium */
    bool temporary; /* written under a hidden name until synced */
    bool fresh;     /* there is nothing under its name yet */
    uint64_t pos;
    uint32_t failures; /* of the card, when it was opened */
    /* In the volume, as FAT spells it; a hidden name when the file was
     * replaced while it was being read. */
    char path[VOLUME_PATH_MAX + 1];
};

struct dir {
    struct volume *vol; /* NULL and used = the root */
    bool used, dead;
    uint32_t next; /* of the root; or of the files being made */
    bool listed;   /* FatFs has no more entries */
    char path[VOLUME_PATH_MAX + 1];
};

struct volumes {
    struct volume_config config;
    struct volume volume[VOLUMES_MAX];
    struct file file[VOLUME_FILES];
    struct dir dir[VOLUME_DIRS];
    struct ftl ftl;
    struct fattrim trim;
    struct folder_cache folders;
    struct card_cache card;
    void *ftl_memory;
    uint8_t *card_memory, *own_card_memory;
    size_t card_memory_size;
    bool going_back; /* to the last commit, after a failure */
    const char *(*refuse)(void *ctx, const char *path);
    void *refuse_ctx;
    char reason[192];
};

/* ---- volume.c ---- */

/* Sets the reason and returns `err`. */
__attribute__((format(printf, 3, 4))) int
volume_fail(struct volumes *v, int err, const char *text, ...);
/* A FatFs result as an errno with its reason; notes damage. */
int volume_fat_error(struct volumes *v, struct volume *vol, int result,
                     const char *path);
/* 0, or why nothing can be read (-ENODEV, -EIO) or written (-EROFS). */
int volume_readable(struct volumes *v, struct volume *vol);
int volume_writable(struct volumes *v, struct volume *vol);
struct volume *volume_find(struct volumes *v, const char *name, size_t len);
/* Every open file and directory of the volume is dead from now on. */
void volume_orphan(struct volumes *v, struct volume *vol);
bool volume_has_open(const struct volumes *v, const struct volume *vol);

/* All open files of the volume and then its medium are up to date. */
int volume_commit(struct volumes *v, struct volume *vol);
/* As volume_fat_error, after a change of several steps: when the medium failed
 * in the middle the volume goes back to the last commit, and what is open on
 * it is dead. */
int volume_broke_off(struct volumes *v, struct volume *vol, int result,
                     const char *path);
/* Before clusters are given up: on a card names go first in the next commit,
 * which would be wrong of files that grew, so these are stored before. */
int volume_will_free(struct volumes *v, struct volume *vol);
/* Room for an operation that changes a few sectors. */
int volume_make_room(struct volumes *v, struct volume *vol);

/* ---- volume_path.c ---- */

enum path_kind { PATH_ROOT, PATH_VOLUME, PATH_INSIDE };

struct place { /* a path, taken apart */
    enum path_kind kind;
    struct volume *vol;
    char path[VOLUME_PATH_MAX + 1]; /* in the volume: "/lib/x.py" or "" */
};

/* Resolves "." and "..", finds the volume, checks every name. */
int volume_path(struct volumes *v, const char *path, struct place *place);
/* Spells the path as it is stored, as far as it exists; `info` is of the
 * last component. 0, -ENOENT (the folder exists, the name does not) or an
 * error. */
int volume_spell(struct volumes *v, struct place *place, struct fat_info *info);
/* The hidden name of a file's contents until they are published. */
void volume_temp_path(int number, char to[32]);
bool volume_is_temp(const char *path);
int volume_refused(struct volumes *v, const struct place *place);
/* True when `path` is `folder` or lies in it. */
bool volume_is_within(const char *path, const char *folder);

/* ---- volume_disk.c ---- */

/* Forgets what was read before. */
struct fat_disk volume_flash_disk(struct volumes *v);
/* Of the card that is in now. */
struct fat_disk volume_card_disk(struct volumes *v);

/* ---- volume_mount.c ---- */

int volume_attach_flash(struct volumes *v);
int volume_attach_card(struct volumes *v, struct volume *vol);
void volume_detach(struct volumes *v, struct volume *vol);
void volume_check_card(struct volumes *v);
/* Still, or again, the card of that number. */
bool volume_card_is(const struct volumes *v, uint32_t insertion);

/* ---- volume_file.c, volume_publish.c ---- */

/* An open file under that path other than `but`; `writer` looks only for
 * writers. */
int volume_file_open_at(struct volumes *v, const struct place *place,
                        bool writer);
/* A file being made, whose name nobody has yet; `any`: hidden ones too. */
int volume_file_pending(struct volumes *v, const struct volume *vol,
                        const char *path, bool any);
bool volume_file_is_hidden(const struct file *f);
/* The open file of that number, or NULL with a reason. */
struct file *volume_file_of(struct volumes *v, int file);
/* Why a handle is of no use any more, or 0. */
int volume_file_gone(struct volumes *v, const struct file *f);
bool volume_file_uses(const struct file *f, const struct volume *vol,
                      const char *path);

#endif
