/* The border between Python and C: values, and the module `_board`.
 *
 * Upstream calls what it imports "JavaScript": a reference is a number the
 * host gives out. Here reference 2 is the module and those from 16 on are its
 * functions. Everything else of the JavaScript side is refused. */
#include <errno.h>

#include "base/err.h"
#include "firmware/python/native.h"

enum { REF_GLOBAL = 0, REF_MODULE = 2, REF_FUNCTION = 16 };

/* ---- references ---- */

static void put_ref(struct vm *vm, uint32_t out, uint32_t ref)
{
    bool known = ref < VM_REFS && vm->alive[ref];
    if (ref < VM_REFS)
        vm->alive[ref] = 1;
    vm_set_u32(vm, out, known ? MP_IN_REF_EXISTING : MP_IN_REF);
    vm_set_u32(vm, out + 4, ref);
}

void proxy_put_module(struct vm *vm, uint32_t out)
{
    put_ref(vm, out, REF_MODULE);
}

void Z_envZ_proxy_js_free_obj(struct Z_env_instance_t *env, u32 ref)
{
    if (ref < VM_REFS)
        vm_of_env(env)->alive[ref] = 0;
}

/* Every object that is passed gets a reference of its own, see take_arg. */
u32 Z_envZ_js_check_existing(struct Z_env_instance_t *env, u32 c_ref)
{
    (void)env;
    (void)c_ref;
    return (u32)-1;
}

u32 Z_envZ_lookup_attr(struct Z_env_instance_t *env, u32 ref, u32 name, u32 out)
{
    struct vm *vm = vm_of_env(env);
    const char *text = vm_cstr(vm, name);
    uint32_t number;
    if (ref == REF_MODULE && native_find(text, &number)) {
        put_ref(vm, out, REF_FUNCTION + number);
        return 1;
    }
    return 0;
}

u32 Z_envZ_has_attr(struct Z_env_instance_t *env, u32 ref, u32 name)
{
    uint32_t number;
    return ref == REF_MODULE &&
           native_find(vm_cstr(vm_of_env(env), name), &number) != NULL;
}

/* ---- arguments ---- */

static uint32_t object_of(struct vm *vm, uint32_t c_ref)
{
    uint32_t list = vm_u32(vm, MP_PROXY_C_REF);
    return vm_u32(vm, vm_u32(vm, list + MP_LIST_ITEMS) + 4 * c_ref);
}

/* The reference the conversion made is dropped at once: the object stays
 * alive through the caller's frame, which the collector sees. */
static struct native_value take_arg(struct vm *vm, uint32_t at)
{
    struct native_value v = {0};
    uint32_t word = vm_u32(vm, at + 4);
    switch ((int32_t)vm_u32(vm, at)) {
    case MP_OUT_BOOL:
        v.kind = NATIVE_BOOL;
        v.number = (int32_t)word;
        break;
    case MP_OUT_INT:
        v.kind = NATIVE_INT;
        v.number = (int32_t)word;
        break;
    case MP_OUT_FLOAT:
        v.kind = NATIVE_FLOAT;
        memcpy(&v.real, vm_at(vm, at + 4), sizeof v.real);
        break;
    case MP_OUT_STR:
        v.kind = NATIVE_STR;
        v.len = word;
        v.text = vm_u32(vm, at + 8);
        if (!vm_range(vm, v.text, v.len))
            wasm_rt_trap(WASM_RT_TRAP_OOB);
        break;
    case MP_OUT_CALLABLE:
    case MP_OUT_GENERATOR:
    case MP_OUT_OBJECT:
        v.kind = NATIVE_OBJECT;
        v.object = object_of(vm, word);
        Z_micropythonZ_proxy_c_free_obj(&vm->wasm, word);
        break;
    default:
        v.kind = NATIVE_NONE;
        break;
    }
    return v;
}

/* ---- calls ---- */

static void check_count(struct native *n, const struct native_entry *entry,
                        uint32_t count)
{
    if (count < (uint32_t)entry->min || count > (uint32_t)entry->max)
        native_raise(n, NATIVE_TYPE_ERROR, 0, "wrong number of arguments");
}

/* `at` is the first of `count` values of MP_VALUE bytes. */
static void call(struct vm *vm, uint32_t ref, uint32_t count,
                 const uint32_t *at, uint32_t out)
{
    struct native n = {
        .vm = vm, .services = vm->config->services, .result = out};
    const struct native_entry *entry =
        ref >= REF_FUNCTION ? native_at(ref - REF_FUNCTION) : NULL;
    if (!entry)
        mpi_mp_raise_OSError(&vm->wasm, EINVAL);
    check_count(&n, entry, count);
    n.count = (int)count;
    for (uint32_t i = 0; i < count; i++)
        n.args[i] = take_arg(vm, at[i]);
    native_return_none(&n);
    entry->call(&n);
}

void Z_envZ_call0(struct Z_env_instance_t *env, u32 ref, u32 out)
{
    call(vm_of_env(env), ref, 0, NULL, out);
}

u32 Z_envZ_call1(struct Z_env_instance_t *env, u32 ref, u32 via_call, u32 a,
                 u32 out)
{
    (void)via_call;
    call(vm_of_env(env), ref, 1, &a, out);
    return 0;
}

u32 Z_envZ_call2(struct Z_env_instance_t *env, u32 ref, u32 via_call, u32 a,
                 u32 b, u32 out)
{
    (void)via_call;
    uint32_t at[] = {a, b};
    call(vm_of_env(env), ref, 2, at, out);
    return 0;
}

u32 Z_envZ_calln(struct Z_env_instance_t *env, u32 ref, u32 via_call, u32 count,
                 u32 args, u32 out)
{
    (void)via_call;
    uint32_t at[NATIVE_ARGS] = {0};
    for (uint32_t i = 0; i < count && i < NATIVE_ARGS; i++)
        at[i] = args + MP_VALUE * i;
    call(vm_of_env(env), ref, count, at, out);
    return 0;
}
