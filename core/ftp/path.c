#include <string.h>

#include "base/err.h"
#include "internal.h"

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void path_cut(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == path)
        slash++; /* the root stays */
    if (slash)
        *slash = '\0';
}

/* A backslash separates for FAT's own code but not for us, so it could hide
 * a ".." from the code below: no name has one. */
static bool is_forbidden(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f || c == '\\';
}

static int append(char *to, const char *name, size_t len)
{
    size_t at = strlen(to);
    size_t slash = at > 1; /* "/" ends with one already */
    if (at + slash + len > FTP_PATH_MAX)
        return WIPY_ERANGE;
    if (slash)
        to[at++] = '/';
    memcpy(to + at, name, len);
    to[at + len] = '\0';
    return 0;
}

static int step(char *to, const char *name, size_t len)
{
    if (len == 0 || (len == 1 && name[0] == '.'))
        return 0;
    if (len == 2 && name[0] == '.' && name[1] == '.') {
        path_cut(to);
        return 0;
    }
    return append(to, name, len);
}

int path_resolve(char *to, const char *cwd, const char *arg)
{
    for (const char *p = arg; *p; p++)
        if (is_forbidden(*p))
            return WIPY_EINVAL;
    strcpy(to, arg[0] == '/' ? "/" : cwd);
    for (const char *p = arg; *p;) {
        size_t len = strcspn(p, "/");
        int err = step(to, p, len);
        if (err)
            return err;
        p += len;
        p += *p == '/';
    }
    return 0;
}
