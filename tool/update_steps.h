/* A package's script turned into erases and a plan of writes, with the rules
 * of the vendor's updater (spec 11.4): all erases first, named areas padded
 * with FF, the configuration block spared. */
#ifndef WIPY_TOOL_UPDATE_STEPS_H
#define WIPY_TOOL_UPDATE_STEPS_H

#include "archive.h"
#include "plan.h"
#include "script.h"

enum { ERASES_MAX = 2 * SCRIPT_STEPS_MAX };

struct erase_range {
    uint32_t off, len;
};

struct update_steps {
    struct erase_range erase[ERASES_MAX];
    unsigned erases;
    struct plan plan;
    bool spared; /* the configuration block was left out of something */
};

/* The script of the package for that chip: script_8MB, script_4MB, script2,
 * script. NULL after a message when there is none. */
const struct archive_member *
update_script(const struct package *p, const char *path, uint32_t chip_size);

/* The board a package is for when it is another one, else NULL. `path` is the
 * archive's name. */
const char *update_other_board(const struct package *p, const struct script *s,
                               const char *path, char name[32]);

/* Turns the script into `to`; everything that can be wrong is found here. The
 * configuration block's bytes are read from the board where a write overlaps
 * it. Returns an enum exit_code after a message. */
int update_resolve(struct update_steps *to, struct loader *l,
                   const struct mirror *m, const struct package *p,
                   const struct script *s, bool force);

/* Adds an erase, without the configuration block. */
bool update_add_erase(struct update_steps *to, uint32_t off, uint32_t len);

#endif
