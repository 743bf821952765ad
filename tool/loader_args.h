/* Arguments all serial commands share, with the public tool's names too.
 * Long options may be written with - or _, and as --name=value. */
#ifndef WIPY_TOOL_LOADER_ARGS_H
#define WIPY_TOOL_LOADER_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "loader.h"

/* One walk over argv. */
struct args {
    const char *command; /* for messages: "wipy flash" */
    int argc;
    char **argv;
    int at;            /* the next to look at */
    const char *value; /* after =, or NULL */
    char name[64];     /* of the option, without --, hyphens only */
};

struct args args_of(const char *command, int argc, char **argv);

/* The next word: 0 at the end, 1 an option (name set, "p" for -p), 2 a plain
 * word (`*word`). */
int args_next(struct args *a, const char **word);

bool args_is(const struct args *a, const char *name);

/* True when the option is one of `names`. */
bool args_among(const struct args *a, const char *const *names, size_t count);

/* A switch with its short or old name ("" = none). */
struct args_switch {
    const char *name, *other;
    bool *on;
};

/* Turns the switch on that the option names; false when it is none. */
bool args_turn_on(const struct args *a, const struct args_switch *switches,
                  size_t count);

/* The option's value; NULL after a message when there is none. */
const char *args_value(struct args *a);

/* Unknown option or superfluous word: prints and returns EXIT_USAGE. */
int args_unknown(const struct args *a, const char *word);

/* A number in C's notation, or with K or M behind. False when it is none. */
bool parse_number(const char *text, uint32_t *value);

/* What the serial commands have in common. */
struct serial_args {
    struct loader_options o;
    bool json;
};

void serial_args_init(struct serial_args *s);

/* Takes the option args_next found, if it is one of these. 1 taken, 0 not
 * known, negative EXIT_USAGE after a message. */
int serial_args_take(struct serial_args *s, struct args *a);

/* The help text of these options. */
extern const char serial_args_help[];

/* Ends a command: prints l->error (as JSON too) and gives the exit code. */
int serial_failed(const struct loader *l, const struct serial_args *s, int err);

/* Connects and says to what. 0 or an exit code after a message. */
int serial_connect(struct loader *l, const struct serial_args *s);

json_t *serial_chip_json(const struct loader *l);

/* Prints `json` on standard output and frees it. */
void print_json(json_t *json);

#endif
