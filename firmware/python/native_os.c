/* Volumes and randomness: what `os` has beyond its built-in part. */
#include <errno.h>
#include <sys/random.h>

#include "firmware/python/native.h"

static void do_mount(struct file_job *j)
{
    j->result = volume_mount(j->volumes, j->path);
}

/* It could not be unmounted at the last soft reset. */
static void do_mount_kept(struct file_job *j)
{
    do_mount(j);
    if (j->result == -EEXIST)
        j->result = 0;
}

static void do_umount(struct file_job *j)
{
    j->result = volume_umount(j->volumes, j->path, false);
}

static void do_mkfs(struct file_job *j)
{
    j->result = volume_mkfs(j->volumes, j->path);
}

static void do_status(struct file_job *j)
{
    j->result = volume_status(j->volumes, j->path, j->data);
}

/* Argument 0 as an absolute path. */
static void path_argument(struct native *n, char path[VOLUME_PATH_MAX + 1])
{
    char given[VOLUME_PATH_MAX + 1];
    native_text(n, 0, given, sizeof given);
    if (!file_path(n->vm, given, path))
        native_os_error(n, ENAMETOOLONG, "the path is too long");
}

/* Errors of the volume carry its sentence. */
static int64_t on_volume(struct native *n, struct file_job *j,
                         void (*run)(struct file_job *j))
{
    char path[VOLUME_PATH_MAX + 1], reason[VM_REASON] = "";
    path_argument(n, path);
    j->path = path;
    j->reason = reason;
    int64_t result = file_call_unless_open(n->vm, j, run);
    if (result < 0)
        native_os_error(n, (int)-result, reason[0] ? reason : NULL);
    return result;
}

static void mount(struct native *n)
{
    struct vm *vm = n->vm;
    struct file_job j = {0};
    char path[VOLUME_PATH_MAX + 1];
    path_argument(n, path);
    bool kept = vm->card_kept && strcmp(path, vm->card) == 0;
    on_volume(n, &j, kept ? do_mount_kept : do_mount);
    strcpy(vm->card, path);
    vm->card_kept = false;
}

void card_release(struct vm *vm)
{
    struct file_job j = {.path = vm->card};
    if (vm->card[0])
        vm->card_kept = file_call(vm, &j, do_umount) == -EBUSY;
}

static void umount(struct native *n)
{
    struct file_job j = {0};
    on_volume(n, &j, do_umount);
}

static void mkfs(struct native *n)
{
    struct file_job j = {0};
    on_volume(n, &j, do_mkfs);
}

/* status(path) -> volume_state; reason(path) -> why */
static void status(struct native *n)
{
    struct volume_status s;
    struct file_job j = {.data = &s};
    on_volume(n, &j, do_status);
    native_return_int(n, s.state);
}

static void reason(struct native *n)
{
    struct volume_status s;
    struct file_job j = {.data = &s};
    on_volume(n, &j, do_status);
    native_return_str(n, s.reason, strlen(s.reason));
}

static void sync(struct native *n)
{
    int err = files_sync(n->vm);
    if (err)
        native_os_error(n, -err, NULL);
}

enum { URANDOM_MAX = 65536 };

/* random_fill(buffer) */
static void random_fill(struct native *n)
{
    size_t len, done = 0;
    uint8_t *to = native_buffer(n, 0, &len, true);
    while (done < len) {
        size_t part = len - done < 256 ? len - done : 256;
        ssize_t got = getrandom(to + done, part, 0);
        if (got > 0)
            done += (size_t)got;
    }
}

const struct native_entry native_os[] = {
    {"mount", 1, 1, mount},
    {"umount", 1, 1, umount},
    {"mkfs", 1, 1, mkfs},
    {"volume_status", 1, 1, status},
    {"volume_reason", 1, 1, reason},
    {"sync", 0, 0, sync},
    {"random_fill", 1, 1, random_fill},
    {0},
};
