/* What went wrong, in words for the user.
 *
 * Functions of the board that can fail for a reason the user must act on take
 * a struct problem: `err` says which kind (the exit code follows from it),
 * `text` names the thing, what was wrong with it and what to do. */
#ifndef WIPY_BOARD_PROBLEM_H
#define WIPY_BOARD_PROBLEM_H

struct problem {
    int err; /* negative enum wipy_err */
    char text[512];
};

/* Fills `p` and returns `err`, so that a caller can `return problem_set(...)`.
 */
int problem_set(struct problem *p, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
