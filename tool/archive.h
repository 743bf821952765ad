/* Firmware packages: a flat .tar.gz of regular files, read with suspicion.
 * Nothing is ever unpacked to the disk. */
#ifndef WIPY_TOOL_ARCHIVE_H
#define WIPY_TOOL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ARCHIVE_MEMBERS_MAX = 64,
    ARCHIVE_NAME_MAX = 64,
    ARCHIVE_MEMBER_MAX = 16 << 20, /* bytes: no chip is larger */
    ARCHIVE_TOTAL_MAX = 48 << 20,  /* of all members, and of the .tar.gz */
    ARCHIVE_WHY_MAX = 256,
};

struct archive_member {
    char name[ARCHIVE_NAME_MAX];
    uint8_t *data; /* malloc; one spare NUL behind the end */
    size_t len;
};

struct package {
    struct archive_member member[ARCHIVE_MEMBERS_MAX];
    unsigned count;
};

/* Reads all members from the bytes of a .tar.gz. Returns an enum exit_code
 * with a sentence in `why` that names the member; then there are none. */
int package_parse(struct package *p, const void *data, size_t len,
                  char why[ARCHIVE_WHY_MAX]);

/* The same from a file. Folders in names, links, devices, doubles, too many or
 * too large members are refused. Returns an enum exit_code after a message
 * that names the file and the member. */
int package_read(struct package *p, const char *path);

/* Adds a member; `data` is copied. An enum exit_code. */
int package_add(struct package *p, const char *name, const void *data,
                size_t len);

/* Writes all members in their order; the same members give the same bytes. An
 * enum exit_code after a message. */
int package_write(const struct package *p, const char *path);

const struct archive_member *package_find(const struct package *p,
                                          const char *name);
void package_free(struct package *p);

#endif
