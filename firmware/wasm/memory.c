/* Linear memories with guard pages, and tables. */
#define _GNU_SOURCE /* MAP_NORESERVE */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/err.h"
#include "firmware/wasm/guard.h"
#include "firmware/wasm/range.h"

enum { WASM_PAGE = 65536 };

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages,
                             uint32_t max_pages)
{
    size_t size = (size_t)initial_pages * WASM_PAGE;
    void *at = mmap(NULL, WASM_RESERVATION, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED ||
        range_add((uintptr_t)at, WASM_RESERVATION, WASM_RT_TRAP_OOB))
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    if (mprotect(at, size, PROT_READ | PROT_WRITE))
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    memory->data = at;
    memory->pages = initial_pages;
    memory->max_pages = max_pages < WASM_PAGE ? max_pages : WASM_PAGE - 1;
    memory->size = (uint32_t)size;
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages)
{
    uint32_t old = memory->pages;
    if (pages > memory->max_pages - old)
        return UINT32_MAX;
    size_t size = (size_t)(old + pages) * WASM_PAGE;
    if (mprotect(memory->data, size, PROT_READ | PROT_WRITE))
        return UINT32_MAX;
    memory->pages = old + pages;
    memory->size = (uint32_t)size;
    return old;
}

/* The whole reservation goes back: what stays would add up to the end of the
 * address space after some ten thousand soft resets. */
void wasm_rt_free_memory(wasm_rt_memory_t *memory)
{
    if (!memory->data)
        return;
    range_remove((uintptr_t)memory->data);
    munmap(memory->data, WASM_RESERVATION);
    *memory = (wasm_rt_memory_t){0};
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table,
                                    uint32_t elements, uint32_t max_elements)
{
    table->data = calloc(elements, sizeof(wasm_rt_funcref_t));
    if (!table->data)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    table->size = elements;
    table->max_size = max_elements;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table)
{
    free(table->data);
    *table = (wasm_rt_funcref_table_t){0};
}
