/* firmware/volume over a folder of the host, for net_host: enough of its
 * promises that FTP clients see what they would see on a board. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "firmware/volume/volume.h"
#include "nethost.h"

struct open_file {
    int fd;
    bool used, fresh, writes;
    char path[1400], temp[1420];
};

struct volumes {
    const char *root;
    struct open_file file[VOLUME_FILES];
    DIR *dir[VOLUME_DIRS];
    char dir_path[VOLUME_DIRS][1400];
};

struct volumes *volumes_over_folder(const char *root)
{
    struct volumes *v = calloc(1, sizeof *v);
    v->root = root;
    return v;
}

const char *volume_reason(const struct volumes *v)
{
    (void)v;
    return "";
}

static int host_path(const struct volumes *v, char to[1400], const char *path)
{
    if (strlen(path) > VOLUME_PATH_MAX)
        return -ENAMETOOLONG;
    snprintf(to, 1400, "%s%s", v->root, path);
    return 0;
}

/* The virtual root cannot be written. */
static bool is_below_volume(const char *path)
{
    return path[0] == '/' && strchr(path + 1, '/');
}

int volume_open(struct volumes *v, const char *path, unsigned flags)
{
    int n = 0;
    struct stat s;
    while (n < VOLUME_FILES && v->file[n].used)
        n++;
    if (n == VOLUME_FILES)
        return -EMFILE;
    struct open_file *f = &v->file[n];
    int err = host_path(v, f->path, path);
    if (err)
        return err;
    if ((flags & VOLUME_WRITE) && !is_below_volume(path))
        return -EPERM;
    for (int i = 0; i < VOLUME_FILES && (flags & VOLUME_WRITE); i++)
        if (v->file[i].used && v->file[i].writes &&
            !strcmp(v->file[i].path, f->path))
            return -EBUSY;
    if (stat(f->path, &s) == 0 && S_ISDIR(s.st_mode))
        return -EISDIR;
    f->fresh = flags & VOLUME_TRUNC;
    f->writes = flags & VOLUME_WRITE;
    snprintf(f->temp, sizeof f->temp, "%s/.upload%d", v->root, n);
    int how = !f->writes ? O_RDONLY
              : f->fresh ? O_RDWR | O_CREAT | O_TRUNC
                         : O_RDWR | O_CREAT;
    if (flags & VOLUME_APPEND)
        how |= O_APPEND;
    if (f->fresh) { /* the folder must be there */
        char parent[1400];
        snprintf(parent, sizeof parent, "%s", f->path);
        *strrchr(parent, '/') = '\0';
        if (stat(parent, &s) || !S_ISDIR(s.st_mode))
            return -ENOENT;
    }
    f->fd = open(f->fresh ? f->temp : f->path, how, 0644);
    if (f->fd < 0)
        return -errno;
    f->used = true;
    return n;
}

static int result(ssize_t n)
{
    return n < 0 ? -errno : (int)n;
}

int volume_read(struct volumes *v, int file, void *to, size_t len)
{
    return result(read(v->file[file].fd, to, len));
}

int volume_write(struct volumes *v, int file, const void *from, size_t len)
{
    return result(write(v->file[file].fd, from, len));
}

int64_t volume_seek(struct volumes *v, int file, int64_t at, int whence)
{
    off_t n = lseek(v->file[file].fd, at, whence);
    return n < 0 ? -errno : n;
}

int volume_truncate(struct volumes *v, int file, uint64_t len)
{
    return result(ftruncate(v->file[file].fd, (off_t)len));
}

int volume_close(struct volumes *v, int file)
{
    struct open_file *f = &v->file[file];
    f->used = false;
    close(f->fd);
    return f->fresh ? result(rename(f->temp, f->path)) : 0;
}

int volume_abandon(struct volumes *v, int file)
{
    struct open_file *f = &v->file[file];
    f->used = false;
    close(f->fd);
    return f->fresh ? result(unlink(f->temp)) : 0;
}

static void fill(struct volume_info *info, const char *name,
                 const struct stat *s)
{
    *info = (struct volume_info){
        .is_dir = S_ISDIR(s->st_mode),
        .size = S_ISDIR(s->st_mode) ? 0 : (uint64_t)s->st_size,
        .modified = s->st_mtime & ~1,
    };
    snprintf(info->name, sizeof info->name, "%.255s", name);
}

int volume_opendir(struct volumes *v, const char *path)
{
    int n = 0;
    while (n < VOLUME_DIRS && v->dir[n])
        n++;
    if (n == VOLUME_DIRS)
        return -EMFILE;
    int err = host_path(v, v->dir_path[n], path);
    if (err)
        return err;
    v->dir[n] = opendir(v->dir_path[n]);
    return v->dir[n] ? n : -errno;
}

int volume_readdir(struct volumes *v, int dir, struct volume_info *info)
{
    char path[1800];
    struct stat s;
    struct dirent *e;
    while ((e = readdir(v->dir[dir]))) {
        snprintf(path, sizeof path, "%s/%s", v->dir_path[dir], e->d_name);
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
            strncmp(e->d_name, ".upload", 7) && stat(path, &s) == 0)
            break;
    }
    if (!e)
        return 0;
    fill(info, e->d_name, &s);
    return 1;
}

int volume_closedir(struct volumes *v, int dir)
{
    closedir(v->dir[dir]);
    v->dir[dir] = NULL;
    return 0;
}

int volume_stat(struct volumes *v, const char *path, struct volume_info *info)
{
    char host[1400];
    struct stat s;
    int err = host_path(v, host, path);
    if (err)
        return err;
    if (stat(host, &s))
        return -errno;
    fill(info, strrchr(path, '/') + 1, &s);
    return 0;
}

int volume_rename(struct volumes *v, const char *from, const char *to)
{
    char a[1400], b[1400];
    struct stat s;
    if (host_path(v, a, from) || host_path(v, b, to))
        return -ENAMETOOLONG;
    if (!is_below_volume(from) || !is_below_volume(to))
        return -EPERM;
    if (stat(b, &s) == 0 && S_ISDIR(s.st_mode))
        return -EEXIST;
    return result(rename(a, b));
}

int volume_unlink(struct volumes *v, const char *path)
{
    char a[1400];
    if (host_path(v, a, path))
        return -ENAMETOOLONG;
    return is_below_volume(path) ? result(unlink(a)) : -EPERM;
}

int volume_rmdir(struct volumes *v, const char *path)
{
    char a[1400];
    if (host_path(v, a, path))
        return -ENAMETOOLONG;
    return is_below_volume(path) ? result(rmdir(a)) : -EPERM;
}

int volume_mkdir(struct volumes *v, const char *path)
{
    char a[1400];
    if (host_path(v, a, path))
        return -ENAMETOOLONG;
    return is_below_volume(path) ? result(mkdir(a, 0755)) : -EPERM;
}

int volume_utime(struct volumes *v, const char *path, int64_t modified)
{
    char a[1400];
    struct timespec t[2] = {{.tv_sec = modified}, {.tv_sec = modified}};
    if (host_path(v, a, path))
        return -ENAMETOOLONG;
    return result(utimensat(AT_FDCWD, a, t, 0));
}

int volume_statvfs(struct volumes *v, const char *path,
                   struct volume_space *space)
{
    struct statvfs s;
    (void)path;
    if (statvfs(v->root, &s))
        return -errno;
    *space = (struct volume_space){.block = (uint32_t)s.f_bsize,
                                   .blocks = s.f_blocks,
                                   .free = s.f_bavail,
                                   .namemax = VOLUME_NAME_MAX};
    return 0;
}
