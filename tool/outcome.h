/* How a command ends: what it says when it fails, and the one JSON value that
 * --json puts on standard output (docs/EXIT-CODES.md). */
#ifndef WIPY_TOOL_OUTCOME_H
#define WIPY_TOOL_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>

/* A sentence on standard error, "wipy: NAME: what is wrong; what to do", with
 * its newline; what a terminal would obey becomes '?'. With --json it is also
 * the "error" of a command that fails. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The result of the command, for --json; taken over, printed when it ends. */
void print_json(json_t *json);

/* A member of it; taken over. */
void outcome_add(const char *name, json_t *value);

/* Complains of the memory. Returns EXIT_FAILED. */
int out_of_memory(void);

/* Commands that go on tell what happens in lines, at once: then only a failure
 * comes in the end, a line too. print_json_line does not take it over. */
void print_json_line(const json_t *json);
void outcome_in_lines(void);

/* Prints the result, with what a failure adds. A command that gave none gets
 * one. */
void outcome_print(int code);

#endif
