/* Calls of the volumes as jobs of the storage thread, and what their paths
 * are: see files.c. */
#include <errno.h>
#include <stdio.h>

#include "firmware/python/files.h"

/* ---- jobs ---- */

static void run_job(struct storage_job *job)
{
    struct file_job *j = (struct file_job *)job;
    j->run(j);
    if (j->reason && j->result < 0)
        snprintf(j->reason, VM_REASON, "%s", volume_reason(j->volumes));
}

int64_t file_call(struct vm *vm, struct file_job *j,
                  void (*run)(struct file_job *j))
{
    j->job.run = run_job;
    j->volumes = vm->config->volumes;
    j->run = run;
    storage_call(vm->config->storage, &j->job);
    /* The guest takes 27 for an interrupted call and would try for ever. */
    return j->result == -EFBIG ? -ENOSPC : j->result;
}

int64_t file_call_unless_open(struct vm *vm, struct file_job *j,
                              void (*run)(struct file_job *j))
{
    int64_t result = file_call(vm, j, run);
    bool open = result == -EBUSY || result == -EMFILE;
    if (!open || !files_close_lost(vm))
        return result;
    if (j->reason)
        j->reason[0] = 0;
    return file_call(vm, j, run);
}

void job_open(struct file_job *j)
{
    j->result = volume_open(j->volumes, j->path, j->flags);
}

void job_close(struct file_job *j)
{
    j->result = volume_close(j->volumes, j->handle);
}

void job_read(struct file_job *j)
{
    j->result = volume_read(j->volumes, j->handle, j->data, j->len);
}

void job_write(struct file_job *j)
{
    j->result = volume_write(j->volumes, j->handle, j->from, j->len);
}

void job_seek(struct file_job *j)
{
    j->result = volume_seek(j->volumes, j->handle, j->at, (int)j->flags);
}

void job_sync(struct file_job *j)
{
    j->result = volume_sync(j->volumes, j->handle);
}

void job_sync_all(struct file_job *j)
{
    j->result = volume_sync_all(j->volumes);
}

void job_stat(struct file_job *j)
{
    j->result = volume_stat(j->volumes, j->path, j->data);
}

void job_statvfs(struct file_job *j)
{
    j->result = volume_statvfs(j->volumes, j->path, j->data);
}

void job_opendir(struct file_job *j)
{
    j->result = volume_opendir(j->volumes, j->path);
}

void job_readdir(struct file_job *j)
{
    j->result = volume_readdir(j->volumes, j->handle, j->data);
}

void job_closedir(struct file_job *j)
{
    j->result = volume_closedir(j->volumes, j->handle);
}

void job_mkdir(struct file_job *j)
{
    j->result = volume_mkdir(j->volumes, j->path);
}

void job_rmdir(struct file_job *j)
{
    j->result = volume_rmdir(j->volumes, j->path);
}

void job_unlink(struct file_job *j)
{
    j->result = volume_unlink(j->volumes, j->path);
}

void job_rename(struct file_job *j)
{
    j->result = volume_rename(j->volumes, j->path, j->other);
}

/* ---- paths ---- */

/* Adds `name` to `out`, which is absolute; "/" alone has no trailing slash
 * otherwise. */
static bool add_name(char *out, const char *name, size_t len)
{
    size_t at = strlen(out);
    if (at == 1)
        at = 0;
    if (at + 1 + len > VOLUME_PATH_MAX)
        return false;
    out[at] = '/';
    memcpy(out + at + 1, name, len);
    out[at + 1 + len] = 0;
    return true;
}

static void drop_name(char *out)
{
    char *slash = strrchr(out, '/');
    slash[slash == out] = 0;
}

bool file_path(const struct vm *vm, const char *path,
               char out[VOLUME_PATH_MAX + 1])
{
    strcpy(out, path[0] == '/' ? "/" : vm->cwd);
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && memcmp(path, "..", 2) == 0)
            drop_name(out);
        else if (len && !(len == 1 && path[0] == '.'))
            if (!add_name(out, path, len))
                return false;
        path += len;
        path += strspn(path, "/");
    }
    return true;
}

int get_path(struct vm *vm, uint32_t dirfd, uint32_t addr,
             char out[VOLUME_PATH_MAX + 1])
{
    const char *path = vm_cstr(vm, addr);
    if ((int32_t)dirfd != GUEST_AT_FDCWD && path[0] != '/')
        return -EBADF;
    if (!*path)
        return -ENOENT;
    return file_path(vm, path, out) ? 0 : -ENAMETOOLONG;
}

static const char frozen_prefix[] = ".board";

const char *frozen_name(const char *path)
{
    size_t len = sizeof frozen_prefix - 1;
    if (strncmp(path, frozen_prefix, len) != 0)
        return NULL;
    if (path[len] == 0)
        return path + len;
    return path[len] == '/' ? path + len + 1 : NULL;
}
