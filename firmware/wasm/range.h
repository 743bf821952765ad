/* Address ranges whose faults are traps. Private to this room. */
#ifndef WIPY_FIRMWARE_WASM_RANGE_H
#define WIPY_FIRMWARE_WASM_RANGE_H

#include <stdint.h>

#include "wasm-rt.h"

/* Faults in [lo, lo + len) are `trap`. Returns 0 or WIPY_ENOMEM. */
int range_add(uintptr_t lo, uint64_t len, wasm_rt_trap_t trap);
void range_remove(uintptr_t lo);

/* The trap of `address`, WASM_RT_TRAP_NONE when it is nobody's. Safe in a
 * signal handler. */
wasm_rt_trap_t range_find(uintptr_t address);

#endif
