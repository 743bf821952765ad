/* Functions in C for the board's Python.
 *
 * They are the attributes of one module, `_board`, which only the modules in
 * firmware/modules import: those are what users see, and where keyword
 * arguments, classes and defaults belong. To add a topic: write
 * native_<topic>.c with one table, name the table in native.c.
 *
 *     static void rgb(struct native *n)
 *     {
 *         uint32_t colour = native_uint(n, 0, 0xffffff);
 *         ...
 *         native_return_none(n);
 *     }
 *     const struct native_entry native_light[] = {{"rgb", 1, 1, rgb}, {0}};
 *
 * The number of arguments is checked before the call. An accessor whose
 * argument has another type or is out of range raises TypeError or
 * ValueError and does not return, and so do the raising functions below:
 * own nothing (lock, descriptor, heap memory) when you call them. Nothing
 * returned: the result is None.
 *
 * Pointers into Python's memory (strings, buffers) are valid until the native
 * returns or calls Python, and must not be given to another thread. */
#ifndef WIPY_FIRMWARE_PYTHON_NATIVE_H
#define WIPY_FIRMWARE_PYTHON_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/python/inside.h"

enum { NATIVE_ARGS = 8 };

enum native_kind {
    NATIVE_NONE,
    NATIVE_BOOL,
    NATIVE_INT, /* of 32 bits; a larger one arrives cut */
    NATIVE_FLOAT,
    NATIVE_STR,
    NATIVE_OBJECT, /* anything else: bytes, list, function, ... */
};

struct native_value {
    enum native_kind kind;
    int32_t number; /* BOOL, INT */
    double real;    /* FLOAT */
    uint32_t text;  /* STR: address, not NUL-terminated */
    uint32_t len;
    uint32_t object; /* OBJECT: mp_obj_t */
};

struct native {
    struct vm *vm;
    const struct vm_services *services;
    int count;
    struct native_value args[NATIVE_ARGS];
    uint32_t result; /* where the result goes; private */
};

struct native_entry {
    const char *name;
    int min, max; /* number of arguments */
    void (*call)(struct native *n);
};

/* ---- arguments: index from 0 ---- */
bool native_has(const struct native *n, int i); /* given, and not None */
int32_t native_int(struct native *n, int i);
/* From 0 to `most`, else ValueError. */
uint32_t native_uint(struct native *n, int i, uint32_t most);
bool native_bool(struct native *n, int i); /* truth of a bool or int */
double native_float(struct native *n, int i);
/* Text in place; not NUL-terminated. */
const char *native_str(struct native *n, int i, size_t *len);
/* Text as a C string of at most size-1 bytes, without NUL inside. */
void native_text(struct native *n, int i, char *to, size_t size);
/* bytes, bytearray, memoryview, array, str: in place. */
uint8_t *native_buffer(struct native *n, int i, size_t *len, bool writable);
/* A function, for native_call(); keep it only where gc.c marks it. */
uint32_t native_callable(struct native *n, int i);

/* ---- result ---- */
void native_return_none(struct native *n);
void native_return_bool(struct native *n, bool v);
/* Beyond 32 bits it becomes a float (exact up to 2^53). */
void native_return_int(struct native *n, int64_t v);
void native_return_float(struct native *n, double v);
void native_return_str(struct native *n, const char *text, size_t len);
void native_return_bytes(struct native *n, const void *data, size_t len);

/* ---- raising ---- */
enum native_exception {
    NATIVE_OS_ERROR,
    NATIVE_VALUE_ERROR,
    NATIVE_TYPE_ERROR,
    NATIVE_KEY_ERROR,
    NATIVE_NOT_IMPLEMENTED,
    NATIVE_RUNTIME_ERROR,
};
/* `number` is given as first argument to OSError; others ignore it. `text`
 * may be NULL. */
_Noreturn void native_raise(struct native *n, enum native_exception type,
                            int number, const char *text);
_Noreturn void native_value_error(struct native *n, const char *text);
_Noreturn void native_os_error(struct native *n, int number, const char *text);
/* Of a service's result: nothing when `err` >= 0, else OSError with its
 * sentence; the second takes the update engine's reason if there is one. */
void native_check(struct native *n, int err);
void native_check_update(struct native *n, int err);
/* OSError(EOPNOTSUPP, "NAME is not offered by this firmware"). */
_Noreturn void native_unsupported(struct native *n, const char *name);

/* errno of Linux for an enum wipy_err. */
int native_errno(int err);

/* ---- private to proxy.c and native.c ---- */
const struct native_entry *native_find(const char *name, uint32_t *number);
const struct native_entry *native_at(uint32_t number);

#endif
