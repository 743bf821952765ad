/* System calls on files: shared by file_job.c, files.c and file_names.c. */
#ifndef WIPY_FIRMWARE_PYTHON_FILES_H
#define WIPY_FIRMWARE_PYTHON_FILES_H

#include "firmware/python/inside.h"

/* Of the guest's libc, which are those of Linux on x86. */
enum {
    GUEST_ACCMODE = 03,
    GUEST_RDONLY = 0,
    GUEST_WRONLY = 01,
    GUEST_CREAT = 0100,
    GUEST_EXCL = 0200,
    GUEST_TRUNC = 01000,
    GUEST_APPEND = 02000,
    GUEST_DIRECTORY = 0200000,
    GUEST_AT_FDCWD = -100,
    GUEST_IFCHR = 0020000,
    GUEST_IFDIR = 0040000,
    GUEST_IFREG = 0100000,
};

/* ---- file_job.c: one call of a volume each, for file_call() ---- */
void job_open(struct file_job *j);
void job_close(struct file_job *j);
void job_read(struct file_job *j);
void job_write(struct file_job *j);
void job_seek(struct file_job *j);
void job_sync(struct file_job *j);
void job_sync_all(struct file_job *j);
void job_stat(struct file_job *j);
void job_statvfs(struct file_job *j);
void job_opendir(struct file_job *j);
void job_readdir(struct file_job *j);
void job_closedir(struct file_job *j);
void job_mkdir(struct file_job *j);
void job_rmdir(struct file_job *j);
void job_unlink(struct file_job *j);
void job_rename(struct file_job *j);

/* The path at `addr`, resolved; 0 or -errno. */
int get_path(struct vm *vm, uint32_t dirfd, uint32_t addr,
             char out[VOLUME_PATH_MAX + 1]);

/* Name inside the board's own modules, "" for their folder, NULL when `path`
 * is an ordinary one. */
const char *frozen_name(const char *path);

/* ---- files.c: descriptors ---- */
struct vm_fd *fd_of(struct vm *vm, uint32_t fd); /* NULL: not open */

/* What was written behind goes to the volume. 0 or -errno; what could not be
 * written is given up. */
int fd_write_out(struct vm *vm, struct vm_fd *f);

#endif
