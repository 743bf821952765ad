/* What wasm2c's C needs at run time, and the fence around it.
 *
 * Two modules are turned into C by wasm2c (wabt 1.0.32): MicroPython and
 * FatFs. This room implements the wasm_rt_* functions their code calls and
 * turns a trap - an access outside linear memory, a division by zero, an
 * `unreachable` - into a value the host can handle.
 *
 * Threads: each thread has its own innermost guard, so a trap always ends the
 * guarded call of the thread that trapped. Different threads may be inside
 * different instances at the same time; one instance belongs to one thread.
 *
 * The two ways to check bounds:
 *
 * - Guard pages (WASM_RT_MEMCHECK_SIGNAL_HANDLER=1, MicroPython):
 *   wasm_rt_allocate_memory() reserves WASM_RESERVATION bytes of address
 *   space, more than any 32-bit address plus 32-bit offset can reach; pages
 *   outside the memory's size fault. The handler claims a fault only when its
 *   address lies in such a reservation, or in the guard of a stack that was
 *   registered, and a guard is active on the faulting thread. Every other
 *   SIGSEGV or SIGBUS goes to the action that was installed before
 *   wasm_rt_init(): the firmware's hard-fault handler.
 *
 * - Explicit checks (WASM_RT_MEMCHECK_SIGNAL_HANDLER=0, FatFs): link
 *   `wasm_checked`, which sets the options. The module imports its memory, so
 *   the host fills in a wasm_rt_memory_t over any buffer of its own: data,
 *   pages, max_pages, size. Traps come through wasm_rt_trap() only; no signal
 *   is involved.
 *
 * A trap unwinds with longjmp: host functions between the trap and the guard
 * never return. They must hold no lock and own no descriptor at the time. */
#ifndef WIPY_FIRMWARE_WASM_GUARD_H
#define WIPY_FIRMWARE_WASM_GUARD_H

#include <stddef.h>
#include <stdint.h>

#include "wasm-rt.h"

/* Address space of one guarded memory: 4 GiB of index, 4 GiB of offset and
 * room for the widest access behind them. */
#define WASM_RESERVATION (((uint64_t)8 << 30) + 65536)

/* Calls `call(arg)`. Returns WASM_RT_TRAP_NONE (0) when it returned, else the
 * trap that ended it (wasm_rt_strerror() is its sentence). May be nested. The
 * instance that trapped is in an unknown state: free it or, where its memory
 * is all its state, restore that. Calls wasm_rt_init() if nobody did. */
wasm_rt_trap_t wasm_guard_run(void (*call)(void *arg), void *arg);

/* Gives the calling thread an alternate signal stack, which guard pages need:
 * once per thread, before its first guarded call of such a module. Returns 0
 * or WIPY_ENOMEM. */
int wasm_guard_thread(void);

/* Registers the `len` bytes from `lo` as the guard below a native stack: a
 * fault there is WASM_RT_TRAP_EXHAUSTION. At most a few per process; given
 * back with wasm_guard_stack_end(). Returns 0 or WIPY_ENOMEM. */
int wasm_guard_stack(void *lo, size_t len);
void wasm_guard_stack_end(void *lo);

/* True when `address` lies in a reservation or a registered stack guard. */
int wasm_guard_owns(const void *address);

#endif
