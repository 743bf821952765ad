#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

int problem_set(struct problem *p, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    p->err = err;
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    return err;
}
