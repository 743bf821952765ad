/* Numbers of function signatures, compared at every indirect call. */
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "firmware/wasm/guard.h"

enum { TYPES_MAX = 160, TYPE_LEN = 14 };

/* MicroPython has 52 and FatFs 15, some of them the same. */
static struct func_type {
    uint8_t params, results;
    uint8_t kinds[TYPE_LEN]; /* params, then results: wasm_rt_type_t */
} types[TYPES_MAX];

static uint32_t count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Numbers start at 1: 0 is the type of no function. */
static uint32_t find_or_add(const struct func_type *type)
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(&types[i], type, sizeof *type) == 0)
            return i + 1;
    if (count == TYPES_MAX)
        return 0;
    types[count] = *type;
    return ++count;
}

uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...)
{
    struct func_type type = {0};
    if (params + results > TYPE_LEN)
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
    type.params = (uint8_t)params;
    type.results = (uint8_t)results;
    va_list args;
    va_start(args, results);
    for (uint32_t i = 0; i < params + results; i++)
        type.kinds[i] = (uint8_t)va_arg(args, wasm_rt_type_t);
    va_end(args);

    pthread_mutex_lock(&lock);
    uint32_t number = find_or_add(&type);
    pthread_mutex_unlock(&lock);
    if (number == 0)
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
    return number;
}
