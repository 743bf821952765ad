/* The board's modules, part of the image: importable, in no folder. */
#include "firmware/python/inside.h"

const struct frozen_file *frozen_find(const char *name)
{
    for (const struct frozen_file *f = frozen_files; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

const struct frozen_file *frozen_for(const struct vm *vm, const char *name)
{
    if (vm->config->wipy1 && strcmp(name, "pycom.py") == 0)
        return NULL;
    return frozen_find(name);
}
