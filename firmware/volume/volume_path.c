#include <string.h>
#include <strings.h>

#include "volume_int.h"

/* FAT refuses these in long names; FatFs drops trailing dots and spaces. */
static const char forbidden[] = "\"*:<>?\\|";

/* RFC 3629: no overlong forms, no surrogates, up to U+10FFFF. */
static bool is_utf8(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + len;
    while (p < end) {
        unsigned more = *p < 0x80 ? 0 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : 3;
        if ((*p >= 0x80 && *p < 0xC2) || *p > 0xF4 || more >= (size_t)(end - p))
            return false;
        unsigned low = *p == 0xE0 ? 0xA0 : *p == 0xF0 ? 0x90 : 0x80;
        unsigned high = *p == 0xED ? 0x9F : *p == 0xF4 ? 0x8F : 0xBF;
        for (p++; more; more--, p++, low = 0x80, high = 0xBF)
            if (*p < low || *p > high)
                return false;
    }
    return true;
}

static int name_check(struct volumes *v, const char *name, size_t len)
{
    if (len > VOLUME_NAME_MAX)
        return volume_fail(v, -ENAMETOOLONG,
                           "the name '%.40s...' is longer than %d bytes", name,
                           VOLUME_NAME_MAX);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7F)
            return volume_fail(v, -EINVAL,
                               "the name has a control character (%d), which "
                               "FAT does not allow",
                               c);
        if (strchr(forbidden, c))
            return volume_fail(v, -EINVAL,
                               "the name '%.*s' has a character FAT does not "
                               "allow: '%c'",
                               (int)(len < 80 ? len : 80), name, c);
    }
    if (!is_utf8(name, len))
        return volume_fail(v, -EINVAL,
                           "a name of %d bytes is not UTF-8; send it in UTF-8",
                           (int)len);
    if (name[len - 1] == '.' || name[len - 1] == ' ')
        return volume_fail(v, -EINVAL,
                           "the name '%.*s' ends with a %s, which FAT drops",
                           (int)(len < 80 ? len : 80), name,
                           name[len - 1] == '.' ? "dot" : "space");
    return 0;
}

static void drop_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
}

/* "/a//b/../c/" becomes "/a/c", "/" becomes "". */
static int normalize(struct volumes *v, const char *path,
                     char to[VOLUME_PATH_MAX + 1])
{
    size_t used = 0;
    if (path[0] != '/')
        return volume_fail(v, -EINVAL, "the path '%.80s' is not absolute",
                           path);
    to[0] = 0;
    while (*path) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        const char *name = path;
        path += len;
        if (len == 0 || (len == 1 && name[0] == '.'))
            continue;
        if (len == 2 && memcmp(name, "..", 2) == 0) {
            drop_last(to);
            used = strlen(to);
            continue;
        }
        int err = name_check(v, name, len);
        if (err)
            return err;
        if (used + 1 + len > VOLUME_PATH_MAX)
            return volume_fail(v, -ENAMETOOLONG,
                               "the path is longer than %d bytes",
                               VOLUME_PATH_MAX);
        to[used] = '/';
        memcpy(to + used + 1, name, len);
        used += 1 + len;
        to[used] = 0;
    }
    return 0;
}

int volume_path(struct volumes *v, const char *path, struct place *place)
{
    char whole[VOLUME_PATH_MAX + 1];
    v->reason[0] = 0;
    volume_check_card(v);
    memset(place, 0, sizeof *place);
    int err = normalize(v, path, whole);
    if (err)
        return err;
    if (whole[0] == 0)
        return 0; /* PATH_ROOT */
    size_t len = strcspn(whole + 1, "/");
    place->vol = volume_find(v, whole + 1, len);
    if (!place->vol)
        return volume_fail(v, -ENOENT, "there is no volume '/%.*s'",
                           (int)(len < 80 ? len : 80), whole + 1);
    strcpy(place->path, whole + 1 + len);
    place->kind = place->path[0] ? PATH_INSIDE : PATH_VOLUME;
    if (volume_is_temp(place->path))
        return volume_fail(v, -EACCES, "names like '%s' are the volume's own",
                           place->path + 1);
    return 0;
}

/* Replaces one component by what the folder says it is called. */
static int spell_one(struct volumes *v, struct volume *vol, char *path,
                     size_t at, size_t end, struct fat_info *info)
{
    char rest[VOLUME_PATH_MAX + 1], prefix[VOLUME_PATH_MAX + 1];
    memcpy(prefix, path, end);
    prefix[end] = 0;
    int result = fat_stat(vol->fat, prefix, info);
    if (result == FAT_NO_FILE)
        return -ENOENT;
    if (result)
        return volume_fat_error(v, vol, result, prefix);
    size_t len = strlen(info->name);
    strcpy(rest, path + end);
    if (at + len + strlen(rest) > VOLUME_PATH_MAX)
        return volume_fail(v, -ENAMETOOLONG, "the path is too long");
    memcpy(path + at, info->name, len);
    strcpy(path + at + len, rest);
    return (int)len;
}

int volume_spell(struct volumes *v, struct place *place, struct fat_info *info)
{
    char *path = place->path;
    memset(info, 0, sizeof *info);
    info->is_dir = true;
    for (size_t at = 1; path[0] && path[at];) {
        size_t end = at + strcspn(path + at, "/");
        bool last = path[end] == 0;
        int len = spell_one(v, place->vol, path, at, end, info);
        if (len == -ENOENT && last)
            return volume_fail(v, -ENOENT, "there is no '/%s%s'",
                               place->vol->name, path);
        if (len == -ENOENT)
            return volume_fail(v, -ENOENT, "there is no folder '/%s%.*s'",
                               place->vol->name, (int)end, path);
        if (len < 0)
            return len;
        at += (size_t)len + !last;
        if (!last && !info->is_dir)
            return volume_fail(v, -ENOTDIR, "'%s' is a file, not a folder",
                               info->name);
    }
    return 0;
}

/* "/~WIPYnn.TMP": a short name, one directory entry. */
void volume_temp_path(int number, char to[32])
{
    strcpy(to, "/~WIPY00.TMP");
    to[6] = (char)('0' + number / 10);
    to[7] = (char)('0' + number % 10);
}

bool volume_is_temp(const char *path)
{
    return strlen(path) == 12 && strncasecmp(path, "/~WIPY", 6) == 0 &&
           path[6] >= '0' && path[6] <= '9' && path[7] >= '0' &&
           path[7] <= '9' && strcasecmp(path + 8, ".TMP") == 0;
}

bool volume_is_within(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncasecmp(path, folder, len) == 0 &&
           (path[len] == 0 || path[len] == '/');
}

int volume_refused(struct volumes *v, const struct place *place)
{
    char path[VOLUME_PATH_MAX + MOUNT_NAME_MAX + 2];
    if (!v->refuse)
        return 0;
    path[0] = '/';
    strcpy(path + 1, place->vol->name);
    strcat(path, place->path);
    const char *why = v->refuse(v->refuse_ctx, path);
    return why ? volume_fail(v, -EPERM, "%s", why) : 0;
}
