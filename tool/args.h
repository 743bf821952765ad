/* The arguments of a sub-command. Options may be written with - or _, with
 * one or two hyphens, and as --name=value, in any order among other words. */
#ifndef WIPY_TOOL_ARGS_H
#define WIPY_TOOL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One walk over argv. */
struct args {
    const char *command; /* for messages: "wipy flash" */
    const char *usage;   /* what --help prints */
    int argc;
    char **argv;
    int at;            /* the next to look at */
    const char *value; /* after =, or NULL */
    char name[64];     /* of the option, without --, hyphens only */
};

/* argv[0] is the command's own name. */
struct args args_of(const char *command, const char *usage, int argc,
                    char **argv);

/* The next word: 0 at the end, 1 an option (name set, "p" for -p), 2 a plain
 * word (`*word`). --help and -h print the usage and end the program. */
int args_next(struct args *a, const char **word);

bool args_is(const struct args *a, const char *name);

/* True when the option is one of `names`. */
bool args_among(const struct args *a, const char *const *names, size_t count);

/* An option with its short or old name ("" = none): a switch that turns `on`
 * on, or one whose value becomes `text`. The other of the two is NULL. */
struct args_option {
    const char *name, *other;
    bool *on;
    const char **text;
};

/* The option args_next found, if it is one of these: 1 taken, 0 not known,
 * negative EXIT_USAGE after a message. */
int args_take(struct args *a, const struct args_option *options, size_t count);

/* A whole command line of such options and at most `*words` plain words; then
 * `*words` is how many there are. 0, or EXIT_USAGE after a message. */
int args_read(struct args *a, const struct args_option *options, size_t count,
              const char **word, unsigned *words);

/* The option's value; NULL after a message when there is none. */
const char *args_value(struct args *a);

/* Unknown option or superfluous word: prints and returns EXIT_USAGE. */
int args_unknown(const struct args *a, const char *word);

/* What is wrong or missing, in a sentence, and how it is called. Returns
 * EXIT_USAGE. */
int args_wrong(const struct args *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A number in C's notation, or with K or M behind. False when it is none. */
bool parse_number(const char *text, uint32_t *value);

#endif
