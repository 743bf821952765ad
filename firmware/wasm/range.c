#include "firmware/wasm/range.h"

#include <stdatomic.h>

#include "base/err.h"

enum { RANGE_MAX = 32 };

/* An entry counts once `len` is set; the handler may look at any time, so
 * `len` is written last when adding and first when removing. */
static struct {
    atomic_flag taken;
    _Atomic uintptr_t lo;
    _Atomic uint64_t len;
    _Atomic int trap;
} ranges[RANGE_MAX];

int range_add(uintptr_t lo, uint64_t len, wasm_rt_trap_t trap)
{
    for (int i = 0; i < RANGE_MAX; i++) {
        if (atomic_flag_test_and_set(&ranges[i].taken))
            continue;
        ranges[i].lo = lo;
        ranges[i].trap = (int)trap;
        ranges[i].len = len;
        return 0;
    }
    return WIPY_ENOMEM;
}

void range_remove(uintptr_t lo)
{
    for (int i = 0; i < RANGE_MAX; i++)
        if (ranges[i].len && ranges[i].lo == lo) {
            ranges[i].len = 0;
            atomic_flag_clear(&ranges[i].taken);
            return;
        }
}

wasm_rt_trap_t range_find(uintptr_t address)
{
    for (int i = 0; i < RANGE_MAX; i++)
        if (address - ranges[i].lo < ranges[i].len)
            return (wasm_rt_trap_t)ranges[i].trap;
    return WASM_RT_TRAP_NONE;
}
