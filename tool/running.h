/* What a board that runs on a chip file says about itself, if there is one. */
#ifndef WIPY_TOOL_RUNNING_H
#define WIPY_TOOL_RUNNING_H

#include <jansson.h>

/* Its status (docs/CONTROL.md), the caller's to free; NULL, without a message,
 * when none runs. `flash` NULL: wipy.flash. */
json_t *running_status(const char *flash);

/* A member of its "image" or "addresses", or NULL. */
const char *running_text(const json_t *status, const char *object,
                         const char *name);

#endif
