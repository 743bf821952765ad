/* One runtime from its start to its end; a soft reset is a new one. */
#include "firmware/python/inside.h"

const char *vm_cstr(struct vm *vm, uint32_t addr)
{
    if (addr >= vm->wasm.w2c_memory.size ||
        !memchr(vm_at(vm, addr), 0, vm->wasm.w2c_memory.size - addr))
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    return (const char *)vm_at(vm, addr);
}

/* A bigger linear stack than the linker's 64 KiB, which holds 150 levels. */
static void give_stack(struct vm *vm)
{
    uint32_t block = Z_micropythonZ_malloc(&vm->wasm, VM_C_STACK + 16);
    vm->c_stack_top = (block + VM_C_STACK) & ~15u;
    vm->wasm.w2c_g0 = vm->c_stack_top;
}

/* The texts must be what they are in the pinned module. */
static void check_text(struct vm *vm, uint32_t addr, const char *was)
{
    if (strcmp(vm_cstr(vm, addr), was) != 0)
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

static void set_str(struct vm *vm, uint32_t object, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    uint32_t copy = Z_micropythonZ_malloc(&vm->wasm, len + 1);
    memcpy(vm_at(vm, copy), text, len + 1);
    vm_set_u32(vm, object + MP_STR_LEN, len);
    vm_set_u32(vm, object + MP_STR_DATA, copy);
}

/* sys.platform, sys.implementation and the banner name this board. */
static void name_machine(struct vm *vm)
{
    check_text(vm, MP_TEXT_VERSION, MP_TEXT_VERSION_WAS);
    check_text(vm, MP_TEXT_MACHINE, MP_TEXT_MACHINE_WAS);
    check_text(vm, vm_u32(vm, MP_STR_PLATFORM + MP_STR_DATA),
               MP_TEXT_PLATFORM_WAS);
    const char *machine =
        vm->config->wipy1 ? "; WiPy with CC3200" : "; WiPy with ESP32";
    _Static_assert(sizeof "; WiPy with CC3200" <= sizeof MP_TEXT_MACHINE_WAS,
                   "replaced in place");
    memcpy(vm_at(vm, MP_TEXT_MACHINE), machine, strlen(machine) + 1);
    set_str(vm, MP_STR_MACHINE, machine + 2);
    set_str(vm, MP_STR_PLATFORM, "WiPy");
}

static void register_native(struct vm *vm)
{
    static const char name[] = "_board";
    uint32_t at = Z_micropythonZ_malloc(&vm->wasm, MP_VALUE + sizeof name);
    memcpy(vm_at(vm, at + MP_VALUE), name, sizeof name);
    proxy_put_module(vm, at);
    Z_micropythonZ_mp_js_register_js_module(&vm->wasm, at + MP_VALUE, at);
    Z_micropythonZ_free(&vm->wasm, at);
}

void instance_start(struct vm *vm)
{
    memset(vm->alive, 0, sizeof vm->alive);
    memset(vm->exceptions, 0, sizeof vm->exceptions);
    vm->alarm_callback = 0;
    vm->set_aside = 0;
    wait_set_alarm(vm, 0);
    health_reset(vm);
    memset(&vm->wasm, 0, sizeof vm->wasm);
    Z_micropython_instantiate(&vm->wasm, (struct Z_env_instance_t *)(void *)vm,
                              (void *)vm);
    vm->invoke.top = NULL;
    vm->invoke.stack_pointer = &vm->wasm.w2c_g0;
    vm->invoke.table = &vm->wasm.w2c___indirect_function_table;

    Z_micropythonZ_emscripten_stack_init(&vm->wasm);
    Z_micropythonZ___wasm_call_ctors(&vm->wasm);
    give_stack(vm);
    Z_micropythonZ_mp_js_init(&vm->wasm, VM_PYSTACK_WORDS, VM_HEAP_START);
    mpi_mp_cstack_init_with_sp_here(&vm->wasm, VM_C_STACK - 8192);
    Z_micropythonZ_proxy_c_init(&vm->wasm);

    /* Collect when the heap is full; upstream's 16 KiB is far too often. */
    uint32_t every = vm->config->gc_every;
    vm_set_u32(vm, MP_GC_THRESHOLD, every ? every / MP_BLOCK : UINT32_MAX);
    host_mp_hal_set_interrupt_char(&vm->wasm, (uint32_t)-1);
    name_machine(vm);
    register_native(vm);
}

void instance_end(struct vm *vm)
{
    atomic_store(&vm->executing, false);
    pins_release(vm);
    Z_micropython_free(&vm->wasm);
}

/* ---- running a text ---- */

/* The first frame is the text that runs the script, which nobody asked for.
 */
static void print_exception(struct vm *vm, const char *text, size_t len)
{
    static const char head[] = "Traceback (most recent call last):\n";
    static const char frame[] = "  File \"<stdin>\", line 1, in <module>\n";
    size_t skip = sizeof head - 1;
    out_flush(vm);
    if (len > skip + sizeof frame - 1 && memcmp(text, head, skip) == 0 &&
        memcmp(text + skip, frame, sizeof frame - 1) == 0) {
        size_t rest = skip + sizeof frame - 1;
        /* A SyntaxError has no frame of its own after it: then all stays. */
        out_write(vm, (const uint8_t *)text, skip);
        out_write(vm, (const uint8_t *)text + rest, len - rest);
    } else {
        out_write(vm, (const uint8_t *)text, len);
    }
    out_flush(vm);
}

static enum exec_result judge(struct vm *vm, uint32_t out)
{
    if ((int32_t)vm_u32(vm, out) != MP_OUT_EXCEPTION)
        return EXEC_OK;
    uint32_t len = vm_u32(vm, out + 4), at = vm_u32(vm, out + 8);
    if (!vm_range(vm, at, len))
        return EXEC_RAISED;
    const char *text = (const char *)vm_at(vm, at);
    const char *mark = memchr(text, 4, len);
    size_t type = mark ? (size_t)(mark - text) : 0;
    enum exec_result result = EXEC_RAISED;
    if (type == strlen("SystemExit") && memcmp(text, "SystemExit", type) == 0)
        result = EXEC_EXIT;
    else if (type == strlen("KeyboardInterrupt") &&
             memcmp(text, "KeyboardInterrupt", type) == 0)
        result = EXEC_INTERRUPTED;
    if (result != EXEC_EXIT && mark)
        print_exception(vm, mark + 1, len - type - 1);
    Z_micropythonZ_free(&vm->wasm, at);
    return result;
}

enum exec_result instance_exec(struct vm *vm, const char *source, size_t len,
                               bool interruptible)
{
    uint32_t text = Z_micropythonZ_malloc(&vm->wasm, (uint32_t)len + 1);
    uint32_t out = Z_micropythonZ_malloc(&vm->wasm, MP_VALUE);
    if (!text || !out)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    memcpy(vm_at(vm, text), source, len);
    *vm_at(vm, text + (uint32_t)len) = 0;
    gc_set_aside(vm);
    if (interruptible)
        wait_begin(vm);
    Z_micropythonZ_mp_js_do_exec(&vm->wasm, text, (uint32_t)len, out);
    if (interruptible)
        wait_end(vm);
    enum exec_result result = judge(vm, out);
    Z_micropythonZ_free(&vm->wasm, text);
    Z_micropythonZ_free(&vm->wasm, out);
    return result;
}
