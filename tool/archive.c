#include "archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file.h"
#include "outcome.h"

enum { READ_STEP = 64 * 1024 };

void package_free(struct package *p)
{
    for (unsigned i = 0; i < p->count; i++)
        free(p->member[i].data);
    p->count = 0;
}

const struct archive_member *package_find(const struct package *p,
                                          const char *name)
{
    for (unsigned i = 0; i < p->count; i++)
        if (strcmp(p->member[i].name, name) == 0)
            return &p->member[i];
    return NULL;
}

int package_add(struct package *p, const char *name, const void *data,
                size_t len)
{
    uint8_t *copy = malloc(len + 1);
    if (!copy || p->count == ARCHIVE_MEMBERS_MAX) {
        free(copy);
        complain("wipy: no room for %s in the package\n", name);
        return EXIT_FAILED;
    }
    if (len)
        memcpy(copy, data, len);
    copy[len] = 0;
    struct archive_member *m = &p->member[p->count++];
    snprintf(m->name, sizeof m->name, "%s", name);
    m->data = copy;
    m->len = len;
    return 0;
}

static int refuse(char why[ARCHIVE_WHY_MAX], const char *name,
                  const char *fault)
{
    snprintf(why, ARCHIVE_WHY_MAX, "member '%.80s' %s; nothing was written",
             name, fault);
    return EXIT_REFUSED;
}

/* What a member's name and kind may be. */
static const char *name_fault(const struct package *p,
                              struct archive_entry *entry, const char *name)
{
    if (archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) || archive_entry_symlink(entry))
        return "is no regular file";
    if (name[0] == 0 || strlen(name) >= ARCHIVE_NAME_MAX)
        return "has no name, or one that is too long";
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '/' || *c == '\\' || *c == ':')
            return "has a path or odd characters in its name";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "has a path for a name";
    if (package_find(p, name))
        return "is there twice";
    return NULL;
}

/* The header's size is only a promise: what comes is what counts. */
static const char *read_data(struct archive *a, struct archive_member *m,
                             size_t *total)
{
    size_t size = 0;
    for (;;) {
        if (size - m->len < READ_STEP) {
            size = size ? 2 * size : 4 * READ_STEP;
            uint8_t *more = realloc(m->data, size + 1);
            if (!more)
                return "does not fit the memory";
            m->data = more;
        }
        la_ssize_t got = archive_read_data(a, m->data + m->len, READ_STEP);
        if (got < 0)
            return "is damaged";
        m->len += (size_t)got;
        *total += (size_t)got;
        m->data[m->len] = 0;
        if (m->len > ARCHIVE_MEMBER_MAX)
            return "is larger than any chip";
        if (*total > ARCHIVE_TOTAL_MAX)
            return "makes the package larger than 48 MiB";
        if (got == 0)
            return NULL;
    }
}

static int read_member(struct package *p, struct archive *a,
                       struct archive_entry *entry, size_t *total, char *why)
{
    const char *name = archive_entry_pathname(entry);
    if (!name)
        name = "";
    if (strcmp(name, "./") == 0 && archive_entry_filetype(entry) == AE_IFDIR)
        return 0; /* what "tar c ." puts first */
    if (strncmp(name, "./", 2) == 0)
        name += 2;
    const char *fault = name_fault(p, entry, name);
    if (!fault && p->count == ARCHIVE_MEMBERS_MAX)
        fault = "is one too many";
    if (fault)
        return refuse(why, name, fault);
    struct archive_member *m = &p->member[p->count++];
    *m = (struct archive_member){0};
    memcpy(m->name, name, strlen(name));
    fault = read_data(a, m, total);
    return fault ? refuse(why, m->name, fault) : 0;
}

static int read_all(struct package *p, struct archive *a, char *why)
{
    struct archive_entry *entry;
    size_t total = 0;
    int code = 0, status = ARCHIVE_OK;
    while (!code) {
        status = archive_read_next_header(a, &entry);
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            break;
        code = read_member(p, a, entry, &total, why);
    }
    if (code)
        return code;
    const char *fault = archive_error_string(a);
    if (status != ARCHIVE_EOF)
        snprintf(why, ARCHIVE_WHY_MAX,
                 "is no whole .tar.gz (%.120s): copy it again",
                 fault ? fault : "damaged");
    else if (p->count == 0)
        snprintf(why, ARCHIVE_WHY_MAX, "is empty: no package");
    return status == ARCHIVE_EOF && p->count ? 0 : EXIT_FILE;
}

int package_parse(struct package *p, const void *data, size_t len,
                  char why[ARCHIVE_WHY_MAX])
{
    struct archive *a = archive_read_new();
    int code = EXIT_FAILED;
    p->count = 0;
    snprintf(why, ARCHIVE_WHY_MAX, "does not fit the memory");
    if (!a)
        return code;
    archive_read_support_format_tar(a);
    archive_read_support_filter_gzip(a);
    if (archive_read_open_memory(a, data, len) == ARCHIVE_OK) {
        code = read_all(p, a, why);
    } else {
        const char *fault = archive_error_string(a);
        snprintf(why, ARCHIVE_WHY_MAX, "is no .tar.gz (%.120s)",
                 fault ? fault : "damaged");
        code = EXIT_FILE;
    }
    archive_read_free(a);
    if (code)
        package_free(p);
    return code;
}

int package_read(struct package *p, const char *path)
{
    char why[ARCHIVE_WHY_MAX];
    struct file_data file;
    p->count = 0;
    int code = file_read(path, ARCHIVE_TOTAL_MAX, &file);
    if (code)
        return code;
    code = package_parse(p, file.data, file.len, why);
    if (code)
        complain("wipy: %s: %s\n", path, why);
    free(file.data);
    return code;
}

/* ---- writing ---- */

static bool write_member(struct archive *a, const struct archive_member *m)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return false;
    archive_entry_set_pathname(entry, m->name);
    archive_entry_set_size(entry, (la_int64_t)m->len);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, 0, 0);
    bool fine = archive_write_header(a, entry) == ARCHIVE_OK &&
                archive_write_data(a, m->data, m->len) == (la_ssize_t)m->len;
    archive_entry_free(entry);
    return fine;
}

/* All members and what tar and gzip put around them. */
static size_t room_for(const struct package *p)
{
    size_t room = 65536;
    for (unsigned i = 0; i < p->count; i++)
        room += p->member[i].len + p->member[i].len / 64 + 2048;
    return room;
}

int package_write(const struct package *p, const char *path)
{
    struct archive *a = archive_write_new();
    size_t room = room_for(p), len = 0;
    uint8_t *bytes = malloc(room);
    bool fine = a && bytes;
    if (fine) {
        archive_write_set_format_ustar(a);
        archive_write_add_filter_gzip(a);
        archive_write_set_options(a,
                                  "gzip:compression-level=9,gzip:!timestamp");
        fine = archive_write_open_memory(a, bytes, room, &len) == ARCHIVE_OK;
    }
    for (unsigned i = 0; fine && i < p->count; i++)
        fine = write_member(a, &p->member[i]);
    fine = fine && archive_write_close(a) == ARCHIVE_OK;
    const char *why = a ? archive_error_string(a) : NULL;
    int code = EXIT_FAILED;
    if (fine)
        code = file_write(path, bytes, len, 0644);
    else
        complain("wipy: %s: %s\n", path, why ? why : "out of memory");
    archive_write_free(a);
    free(bytes);
    return code;
}
