/* Whole files in memory, with messages that name the file. */
#ifndef WIPY_TOOL_FILE_H
#define WIPY_TOOL_FILE_H

#include <stddef.h>
#include <stdint.h>

struct file_data {
    uint8_t *data; /* malloc; one spare NUL behind the end */
    size_t len;
};

/* Reads at most `max` bytes. On failure says on stderr what was wrong with
 * which file and returns an enum exit_code, 0 otherwise. "-" is stdin. */
int file_read(const char *path, size_t max, struct file_data *to);

/* Writes beside the file and renames over it, so that a reader never sees
 * half; a link stays one, a device is written into. `mode` as for open(2).
 * Returns an enum exit_code, after a message. */
int file_write(const char *path, const void *data, size_t len, unsigned mode);

/* Without its folders. */
const char *file_base_name(const char *path);

#endif
