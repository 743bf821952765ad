/* Arguments, results and exceptions of natives; see native.h. */
#include "firmware/python/native.h"

#include <errno.h>

#include "base/err.h"

/* The tables, one per topic. */
extern const struct native_entry native_vm[];
extern const struct native_entry native_os[];
extern const struct native_entry native_machine[];
extern const struct native_entry native_network[];
extern const struct native_entry native_pycom[];

static const struct native_entry *const tables[] = {
    native_vm, native_os, native_machine, native_network, native_pycom,
};

enum { TABLES = sizeof tables / sizeof *tables };

/* A function's number is its place in all tables together. */
const struct native_entry *native_find(const char *name, uint32_t *number)
{
    *number = 0;
    for (int t = 0; t < TABLES; t++)
        for (const struct native_entry *e = tables[t]; e->name; e++) {
            if (strcmp(e->name, name) == 0)
                return e;
            ++*number;
        }
    return NULL;
}

const struct native_entry *native_at(uint32_t number)
{
    for (int t = 0; t < TABLES; t++)
        for (const struct native_entry *e = tables[t]; e->name; e++)
            if (number-- == 0)
                return e;
    return NULL;
}

/* ---- arguments ---- */

bool native_has(const struct native *n, int i)
{
    return i < n->count && n->args[i].kind != NATIVE_NONE;
}

static _Noreturn void wrong_type(struct native *n, const char *text)
{
    native_raise(n, NATIVE_TYPE_ERROR, 0, text);
}

int32_t native_int(struct native *n, int i)
{
    const struct native_value *v = &n->args[i];
    if (i >= n->count || (v->kind != NATIVE_INT && v->kind != NATIVE_BOOL))
        wrong_type(n, "an int is needed");
    return v->number;
}

uint32_t native_uint(struct native *n, int i, uint32_t most)
{
    int32_t v = native_int(n, i);
    if (v < 0 || (uint32_t)v > most)
        native_value_error(n, "number out of range");
    return (uint32_t)v;
}

bool native_bool(struct native *n, int i)
{
    return native_int(n, i) != 0;
}

double native_float(struct native *n, int i)
{
    if (i < n->count && n->args[i].kind == NATIVE_FLOAT)
        return n->args[i].real;
    return native_int(n, i);
}

const char *native_str(struct native *n, int i, size_t *len)
{
    if (i >= n->count || n->args[i].kind != NATIVE_STR)
        wrong_type(n, "a str is needed");
    *len = n->args[i].len;
    return (const char *)vm_at(n->vm, n->args[i].text);
}

void native_text(struct native *n, int i, char *to, size_t size)
{
    size_t len;
    const char *text = native_str(n, i, &len);
    if (len >= size)
        native_value_error(n, "the text is too long");
    if (memchr(text, 0, len))
        native_value_error(n, "the text contains a NUL");
    memcpy(to, text, len);
    to[len] = 0;
}

/* A slot of an object's type, 0 when it has none. */
static uint32_t slot(struct vm *vm, uint32_t object, uint32_t which)
{
    if (!object || (object & 3))
        return 0; /* small int, qstr, immediate */
    uint32_t type = vm_u32(vm, object);
    uint32_t index = *vm_at(vm, type + which);
    return index ? vm_u32(vm, type + MP_TYPE_SLOTS + 4 * index) : 0;
}

static const wasm_rt_funcref_t *function(struct vm *vm, uint32_t index)
{
    const wasm_rt_funcref_table_t *table = vm->invoke.table;
    if (index >= table->size || !table->data[index].func)
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
    return &table->data[index];
}

uint8_t *native_buffer(struct native *n, int i, size_t *len, bool writable)
{
    struct vm *vm = n->vm;
    if (i < n->count && n->args[i].kind == NATIVE_STR && !writable) {
        *len = n->args[i].len;
        return vm_at(vm, n->args[i].text);
    }
    uint32_t object = i < n->count && n->args[i].kind == NATIVE_OBJECT
                          ? n->args[i].object
                          : 0;
    uint32_t get = slot(vm, object, MP_TYPE_SLOT_BUFFER);
    if (!get)
        wrong_type(n, "an object with the buffer protocol is needed");
    uint32_t stack = vm->wasm.w2c_g0, info = stack - 16;
    vm->wasm.w2c_g0 = info;
    const wasm_rt_funcref_t *f = function(vm, get);
    typedef u32 get_buffer(void *, u32, u32, u32);
    u32 failed = ((get_buffer *)f->func)(f->module_instance, object, info,
                                         writable ? 2 : 1);
    uint32_t at = vm_u32(vm, info), size = vm_u32(vm, info + 4);
    vm->wasm.w2c_g0 = stack;
    if (failed || !vm_range(vm, at, size))
        wrong_type(n, "the buffer cannot be written to");
    *len = size;
    return vm_at(vm, at);
}

uint32_t native_callable(struct native *n, int i)
{
    uint32_t object = i < n->count && n->args[i].kind == NATIVE_OBJECT
                          ? n->args[i].object
                          : 0;
    if (!slot(n->vm, object, MP_TYPE_SLOT_CALL))
        wrong_type(n, "a function is needed");
    return object;
}

/* Calls a Python object through its type; what it raises propagates to the
 * Python that called the native. */
static uint32_t call_object(struct vm *vm, uint32_t object, uint32_t count,
                            const uint32_t *args)
{
    uint32_t call = slot(vm, object, MP_TYPE_SLOT_CALL);
    if (!call)
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
    uint32_t stack = vm->wasm.w2c_g0;
    uint32_t at = (stack - 4 * count) & ~15u;
    vm->wasm.w2c_g0 = at;
    for (uint32_t i = 0; i < count; i++)
        vm_set_u32(vm, at + 4 * i, args[i]);
    const wasm_rt_funcref_t *f = function(vm, call);
    typedef u32 call_slot(void *, u32, u32, u32, u32);
    u32 result =
        ((call_slot *)f->func)(f->module_instance, object, count, 0, at);
    vm->wasm.w2c_g0 = stack;
    return result;
}

/* ---- results ---- */

void native_return_none(struct native *n)
{
    vm_set_u32(n->vm, n->result, MP_IN_NONE);
}

void native_return_bool(struct native *n, bool v)
{
    vm_set_u32(n->vm, n->result, MP_IN_BOOL);
    vm_set_u32(n->vm, n->result + 4, v);
}

void native_return_int(struct native *n, int64_t v)
{
    if (v < INT32_MIN || v > INT32_MAX) {
        native_return_float(n, (double)v);
        return;
    }
    vm_set_u32(n->vm, n->result, MP_IN_INT);
    vm_set_u32(n->vm, n->result + 4, (uint32_t)(int32_t)v);
}

void native_return_float(struct native *n, double v)
{
    vm_set_u32(n->vm, n->result, MP_IN_FLOAT);
    memcpy(vm_at(n->vm, n->result + 4), &v, sizeof v);
}

/* `data` in the guest's malloc memory, with a NUL behind it. */
static uint32_t copy_in(struct vm *vm, const void *data, size_t len)
{
    uint32_t at = Z_micropythonZ_malloc(&vm->wasm, (uint32_t)len + 1);
    if (!at)
        mpi_mp_raise_OSError(&vm->wasm, ENOMEM);
    memcpy(vm_at(vm, at), data, len);
    *vm_at(vm, at + (uint32_t)len) = 0;
    return at;
}

void native_return_str(struct native *n, const char *text, size_t len)
{
    vm_set_u32(n->vm, n->result + 8, copy_in(n->vm, text, len));
    vm_set_u32(n->vm, n->result + 4, (uint32_t)len);
    vm_set_u32(n->vm, n->result, MP_IN_STR);
}

/* Item 0 of the list of references is never used by upstream: an object put
 * there is handed over without a reference that somebody has to free. */
static void return_object(struct native *n, uint32_t object)
{
    uint32_t list = vm_u32(n->vm, MP_PROXY_C_REF);
    vm_set_u32(n->vm, vm_u32(n->vm, list + MP_LIST_ITEMS), object);
    vm_set_u32(n->vm, n->result, MP_IN_OBJECT);
    vm_set_u32(n->vm, n->result + 4, 0);
}

/* The malloc'ed copy would leak if the allocation raised MemoryError; it
 * does not outlive the runtime. */
static uint32_t new_bytes(struct vm *vm, const void *data, size_t len)
{
    uint32_t at = copy_in(vm, data, len);
    uint32_t object = mpi_mp_obj_new_bytes(&vm->wasm, at, (uint32_t)len);
    Z_micropythonZ_free(&vm->wasm, at);
    return object;
}

void native_return_bytes(struct native *n, const void *data, size_t len)
{
    return_object(n, new_bytes(n->vm, data, len));
}

/* ---- raising ---- */

/* Python's _start module hands over a function per exception type that takes
 * (number, bytes) and gives the exception. */
void native_raise(struct native *n, enum native_exception type, int number,
                  const char *text)
{
    struct vm *vm = n->vm;
    uint32_t make = vm->exceptions[type];
    if (!make)
        mpi_mp_raise_OSError(&vm->wasm, (uint32_t)(number ? number : EINVAL));
    const char *shown = text ? text : "";
    uint32_t args[] = {(uint32_t)number << 1 | 1,
                       new_bytes(vm, shown, strlen(shown))};
    mpi_nlr_jump(&vm->wasm, call_object(vm, make, 2, args));
}

void native_value_error(struct native *n, const char *text)
{
    native_raise(n, NATIVE_VALUE_ERROR, 0, text);
}

void native_os_error(struct native *n, int number, const char *text)
{
    native_raise(n, NATIVE_OS_ERROR, number, text);
}

int native_errno(int err)
{
    static const struct {
        int err, number;
    } map[] = {
        {WIPY_EINVAL, EINVAL},      {WIPY_ENOENT, ENOENT},
        {WIPY_EEXIST, EEXIST},      {WIPY_ENOSPC, ENOSPC},
        {WIPY_ENOMEM, ENOMEM},      {WIPY_EBUSY, EBUSY},
        {WIPY_ELOCKED, EACCES},     {WIPY_ERANGE, ERANGE},
        {WIPY_ETIMEOUT, ETIMEDOUT}, {WIPY_ECLOSED, ECONNRESET},
        {WIPY_EPERM, EPERM},        {WIPY_ENOTSUP, EOPNOTSUPP},
    };
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].err == err)
            return map[i].number;
    return EIO;
}

void native_check(struct native *n, int err)
{
    if (err < 0)
        native_os_error(n, native_errno(err), wipy_strerror(err));
}

void native_check_update(struct native *n, int err)
{
    const struct vm_services *s = n->services;
    const char *why = err < 0 && s->reason ? s->reason(s->ctx) : NULL;
    if (why && *why)
        native_os_error(n, native_errno(err), why);
    native_check(n, err);
}

void native_unsupported(struct native *n, const char *name)
{
    char text[96];
    size_t len = strlen(name);
    if (len > 40)
        len = 40;
    memcpy(text, name, len);
    strcpy(text + len, " is not offered by this firmware");
    native_os_error(n, EOPNOTSUPP, text);
}
