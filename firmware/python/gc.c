/* Collection of garbage, when MicroPython asks for it and not later.
 *
 * The guest's local variables live in native registers and on the native
 * stack, the rest in the linear stack, so both are searched for roots. A word
 * of the native stack may hold an address of the guest (four bytes) or of the
 * host (eight bytes: a pointer the compiler formed).
 *
 * A pointer into the middle of a block keeps the block: the optimiser may
 * keep nothing else of an object alive. Without that, re.sub returned wrong
 * text under collection stress. The price is that more garbage survives. */
#include "firmware/python/inside.h"

static bool table_is(struct vm *vm, uint32_t table, uint32_t block,
                     unsigned state)
{
    unsigned shift = (block & 3) * 2;
    return ((*vm_at(vm, table + block / 4) >> shift) & 3) == state;
}

enum { BLOCK_FREE = 0, BLOCK_HEAD = 1, BLOCK_TAIL = 2 };

static void mark(struct vm *vm, uint32_t pointer)
{
    for (uint32_t area = MP_GC_AREA; area;
         area = vm_u32(vm, area + MP_AREA_NEXT)) {
        uint32_t start = vm_u32(vm, area + MP_AREA_POOL_START);
        uint32_t end = vm_u32(vm, area + MP_AREA_POOL_END);
        if (pointer < start || pointer >= end)
            continue;
        uint32_t block = (pointer - start) / MP_BLOCK;
        uint32_t table = vm_u32(vm, area + MP_AREA_TABLE);
        while (block && table_is(vm, table, block, BLOCK_TAIL))
            block--;
        if (table_is(vm, table, block, BLOCK_HEAD)) {
            *vm_at(vm, table + block / 4) |= (uint8_t)(3 << (block & 3) * 2);
            mpi_gc_mark_subtree(&vm->wasm, area, block);
        }
        return;
    }
}

/* Reads frames of other functions, which AddressSanitizer would object to. */
__attribute__((no_sanitize("address", "undefined"), noinline)) static void
mark_native_stack(struct vm *vm)
{
    /* This function's frame lies below all of its caller's. */
    const char *lo = __builtin_frame_address(0);
    lo -= (uintptr_t)lo & 7;
    uint64_t base = (uint64_t)(uintptr_t)vm->wasm.w2c_memory.data;
    for (const char *p = lo; p < vm->stack_hi; p += 8) {
        uint64_t word;
        __builtin_memcpy(&word, p, 8);
        if (word - base < vm->wasm.w2c_memory.size) {
            mark(vm, (uint32_t)(word - base));
            continue;
        }
        mark(vm, (uint32_t)word);
        mark(vm, (uint32_t)(word >> 32));
    }
}

/* Descriptors of the files in `area` that nothing refers to so far. */
static uint32_t unmarked_files(struct vm *vm, uint32_t area)
{
    uint32_t start = vm_u32(vm, area + MP_AREA_POOL_START);
    uint32_t end = vm_u32(vm, area + MP_AREA_POOL_END);
    uint32_t table = vm_u32(vm, area + MP_AREA_TABLE);
    uint32_t found = 0;
    for (uint32_t at = start; at < end; at += MP_BLOCK) {
        uint32_t type = vm_u32(vm, at), fd = vm_u32(vm, at + MP_FILE_FD);
        if ((type == MP_TYPE_FILE_BYTES || type == MP_TYPE_FILE_TEXT) &&
            fd < VM_FDS &&
            table_is(vm, table, (at - start) / MP_BLOCK, BLOCK_HEAD))
            found |= 1u << fd;
    }
    return found;
}

/* Gives the descriptors of files that only C's stacks may refer to. */
__attribute__((noinline)) static uint32_t collect(struct vm *vm, bool files)
{
    Z_micropython_instance_t *in = &vm->wasm;
    uint32_t lost = 0;
    __builtin_unwind_init(); /* callee-saved registers go to this frame */
    mpi_gc_collect_start(in);
    mark(vm, vm->alarm_callback);
    mark(vm, vm->health.callback);
    mark(vm, vm->set_aside);
    for (size_t i = 0; i < sizeof vm->exceptions / 4; i++)
        mark(vm, vm->exceptions[i]);
    for (uint32_t area = MP_GC_AREA; files && area;
         area = vm_u32(vm, area + MP_AREA_NEXT))
        lost |= unmarked_files(vm, area);
    for (uint32_t a = in->w2c_g0 & ~3u; a < vm->c_stack_top; a += 4)
        mark(vm, vm_u32(vm, a));
    mark_native_stack(vm);
    mpi_gc_collect_end(in);
    return lost;
}

void host_gc_collect(Z_micropython_instance_t *in)
{
    (void)collect(vm_of(in), false);
}

static bool is_locked(struct vm *vm)
{
    uint16_t locked;
    memcpy(&locked, vm_at(vm, MP_GC_LOCK), sizeof locked);
    return locked != 0;
}

/* What runs keeps its files on Python's own stack or in the heap. On those of
 * C an old pointer in a slot nobody wrote since often looks like a reference,
 * most of all when the same call is made again. */
uint32_t gc_lost_files(struct vm *vm)
{
    return is_locked(vm) ? 0 : collect(vm, true);
}

uint32_t gc_room(struct vm *vm)
{
    uint32_t most =
        vm->config->heap_max ? vm->config->heap_max : (uint32_t)VM_HEAP_MAX;
    uint64_t have = 0;
    for (uint32_t area = MP_GC_AREA; area;
         area = vm_u32(vm, area + MP_AREA_NEXT))
        have += vm_u32(vm, area + MP_AREA_POOL_END) -
                vm_u32(vm, area + MP_AREA_POOL_START);
    return have + 4096 < most ? (uint32_t)(most - have) : 0;
}

/* A program that has filled the heap keeps it full: to show its MemoryError
 * takes memory, too, and so does whatever the user types to make room. */
enum { SET_ASIDE = 8 << 10, PLENTY = 64 << 10 };

static bool has_free(struct vm *vm, uint32_t blocks)
{
    for (uint32_t area = MP_GC_AREA; area;
         area = vm_u32(vm, area + MP_AREA_NEXT)) {
        uint32_t count = (vm_u32(vm, area + MP_AREA_POOL_END) -
                          vm_u32(vm, area + MP_AREA_POOL_START)) /
                         MP_BLOCK;
        uint32_t table = vm_u32(vm, area + MP_AREA_TABLE);
        for (uint32_t i = 0; i < count && blocks; i++)
            blocks -= table_is(vm, table, i, BLOCK_FREE);
    }
    return blocks == 0;
}

__attribute__((noinline)) void gc_set_aside(struct vm *vm)
{
    if (vm->set_aside || is_locked(vm))
        return;
    if (gc_room(vm) < PLENTY)
        host_gc_collect(&vm->wasm);
    if (gc_room(vm) >= PLENTY || has_free(vm, PLENTY / MP_BLOCK))
        vm->set_aside = mpi_gc_alloc(&vm->wasm, SET_ASIDE, 0);
}

/* How large a new heap area may be: asked when the heap is full after a
 * collection. 0 ends in MemoryError; the next collection has what was set
 * aside. */
uint32_t host_gc_get_max_new_split(Z_micropython_instance_t *in)
{
    struct vm *vm = vm_of(in);
    uint32_t room = gc_room(vm);
    if (!room)
        vm->set_aside = 0;
    return room;
}

/* The linear memory is as large as it starts: 16.6 MB, of which the heap may
 * take VM_HEAP_MAX. */
uint32_t Z_envZ_emscripten_resize_heap(struct Z_env_instance_t *env,
                                       uint32_t size)
{
    (void)env;
    (void)size;
    return 0;
}

/* Python's recursion uses both stacks, regular expressions only the native
 * one: RuntimeError before either ends. */
void host_mp_cstack_check(Z_micropython_instance_t *in)
{
    struct vm *vm = vm_of(in);
    uint32_t used = vm_u32(vm, MP_CSTACK_TOP) - in->w2c_g0;
    long native = vm->stack_hi - (char *)__builtin_frame_address(0);
    if (used >= vm_u32(vm, MP_CSTACK_LIMIT) || native > vm->stack_limit)
        mpi_mp_raise_recursion_depth(in);
}

/* An exception nobody catches: upstream hangs here. */
void host_nlr_jump_fail(Z_micropython_instance_t *in, uint32_t exception)
{
    (void)in;
    (void)exception;
    wasm_rt_trap(WASM_RT_TRAP_UNCAUGHT_EXCEPTION);
}
