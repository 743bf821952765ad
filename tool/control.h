/* The tool's end of a board's control socket (docs/CONTROL.md), and what the
 * sub-commands that use it have in common. */
#ifndef WIPY_TOOL_CONTROL_H
#define WIPY_TOOL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "args.h"

/* Which board: its chip file, or its control socket itself. */
struct control_target {
    const char *flash;   /* default wipy.flash */
    const char *control; /* NULL = the chip file + ".ctl" */
    bool json;           /* the user wants JSON */
};

enum { CONTROL_OWN_MAX = 8 };

/* args_read() with the options that choose it, and at most CONTROL_OWN_MAX of
 * the command's own. */
int control_args(struct control_target *target, struct args *a,
                 const struct args_option *own, size_t count, const char **word,
                 unsigned *words);

/* Sends `request` (taken over) and waits for its answer. On success returns
 * EXIT_OK and gives the result, the caller's to free. Else prints why and
 * returns the exit code: EXIT_BOARD when no board answers. */
int control_call(const struct control_target *target, json_t *request,
                 json_t **result);

/* Like control_call, then hands every event that follows to `on` until it
 * returns false or the board is gone (which is EXIT_OK). */
int control_watch(const struct control_target *target,
                  bool (*on)(void *ctx, const json_t *event), void *ctx);

/* A call whose result `show` prints, or JSON as it is. */
int control_show(const struct control_target *target, json_t *request,
                 void (*show)(const json_t *result));

/* A call whose result is of no interest but, with --json, printed. */
int control_do(const struct control_target *target, json_t *request);

/* A string of an answer, "none" when there is none. */
const char *control_text(const json_t *from, const char *name);

/* "4s", "500ms", "2m", "1.5s"; a bare number is seconds. False when it is
 * none of these or more than a day. */
bool control_duration(const char *text, uint32_t *ms);

#endif
