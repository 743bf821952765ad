/* The script of a firmware package (JSON, spec 11.3):
 *
 *   legacy := [ step, ... ]
 *   v2     := { "version": "2.1",
 *               "partitions": { name: ["0xOFF", "0xSIZE"], ... },
 *               "script": [ step, ... ] }
 *   step   := ["e", target] | ["e", "0xOFF", "0xSIZE"]
 *           | ["w", target, "file"] | ["o", target, "file"]
 */
#ifndef WIPY_TOOL_SCRIPT_H
#define WIPY_TOOL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCRIPT_STEPS_MAX = 64,
    SCRIPT_PLACES_MAX = 96,
    SCRIPT_LEN_MAX = 65536,
    SCRIPT_NAME_MAX = 24,
    SCRIPT_FILE_MAX = 64,
};

enum script_op { SCRIPT_ERASE, SCRIPT_WRITE, SCRIPT_RAW };

struct script_step {
    enum script_op op;
    char target[SCRIPT_NAME_MAX];
    char file[SCRIPT_FILE_MAX]; /* "" for an erase */
    bool has_size;
    uint32_t size; /* of an erased range */
};

struct script_place {
    char name[SCRIPT_NAME_MAX];
    uint32_t off, size;
};

struct script {
    bool legacy;
    char board[16], machine[16]; /* ours alone; "" in others */
    struct script_step step[SCRIPT_STEPS_MAX];
    unsigned steps;
    struct script_place place[SCRIPT_PLACES_MAX];
    unsigned places;
};

/* Returns 0 or WIPY_EFORMAT with a sentence in `why` that says which step. */
int script_parse(struct script *s, const char *text, size_t len, char why[160]);

/* The JSON text, malloc; NULL when memory is out. */
char *script_text(const struct script *s);

/* NULL when the script's own map has no such name. */
const struct script_place *script_place(const struct script *s,
                                        const char *name);

/* For building; false when full. */
bool script_add_step(struct script *s, enum script_op op, const char *target,
                     const char *file);
bool script_add_place(struct script *s, const char *name, uint32_t off,
                      uint32_t size);

#endif
