/* FTP's file operations as jobs of the storage thread.
 *
 * One struct files per FTP session: the operations under way that core/ftp
 * starts, one file and one directory open. A path of a firmware image goes to
 * the updater instead of the volume (spec 3.1), all others to firmware/volume.
 */
#ifndef WIPY_FIRMWARE_NET_FILES_H
#define WIPY_FIRMWARE_NET_FILES_H

#include "firmware/storage/storage.h"
#include "firmware/volume/volume.h"
#include "ftp/ftp.h"
#include "update/update.h"

/* Shared by all sessions. `update` NULL: this board takes no uploads of
 * firmware. */
struct files_env {
    struct storage *storage;
    struct volumes *volumes;
    struct update *update;
    /* An upload was accepted; storage thread; may be NULL. */
    void (*update_done)(void *ctx);
    void *ctx;
};

struct files_job {
    struct storage_job job; /* first: they are converted */
    struct files *files;
    struct ftp_op *op; /* NULL: nothing under way */
};

struct files {
    struct files_job job[2];
    const struct files_env *env;
    struct ftp_op *op;                          /* being carried out */
    void (*done)(void *ctx, struct ftp_op *op); /* on the loop */
    void *ctx;
    int file, dir; /* handles of the volume, or -1 */
    bool updating; /* the open file is the updater */
    bool held;     /* an entry that did not fit any more */
    struct volume_info entry;
};

void files_init(struct files *f, const struct files_env *env,
                void (*done)(void *ctx, struct ftp_op *op), void *ctx);
void files_start(struct files *f, struct ftp_op *op);

/* Runs the operation here and now: on the storage thread, or in a test. */
void files_run(struct files *f, struct ftp_op *op);

#endif
