/* Where things lie inside the linear memory of the pinned MicroPython.
 *
 * Addresses are those of one module only, whose digest the build checks;
 * instance.c compares the texts it replaces before it trusts them. */
#ifndef WIPY_FIRMWARE_PYTHON_LAYOUT_H
#define WIPY_FIRMWARE_PYTHON_LAYOUT_H

#include <stdint.h>

enum {
    MP_STACK_TOP = 65536, /* of the linker's C stack, grows down */

    MP_STATE = 185108, /* mp_state_ctx */
    MP_CSTACK_TOP = MP_STATE + 0,
    MP_CSTACK_LIMIT = MP_STATE + 4,
    MP_GC_LOCK = MP_STATE + 20, /* u16: not 0 while it must not collect */
    MP_DICT_LOCALS = MP_STATE + 24,
    MP_DICT_GLOBALS = MP_STATE + 28,
    MP_NLR_TOP = MP_STATE + 32, /* innermost handler; its first word: next */
    MP_PENDING_EXCEPTION = MP_STATE + 40,
    MP_KEYBOARD_INTERRUPT = MP_STATE + 68, /* the exception object */
    MP_PROXY_C_REF = MP_STATE + 176,  /* list of what C holds a reference to */
    MP_VFS_CURRENT = MP_STATE + 224,  /* part of the current directory */
    MP_SCHED_STATE = MP_STATE + 252,  /* i16: 1 idle, 0 pending, < 0 locked */
    MP_GC_AREA = MP_STATE + 384,      /* first heap area */
    MP_GC_THRESHOLD = MP_STATE + 940, /* blocks allocated until a collection */

    MP_INTERRUPT_CHAR = 178872,
    MP_REPL_MODE = 186084, /* 0 friendly, 1 raw */

    /* heap area */
    MP_AREA_NEXT = 0,
    MP_AREA_TABLE = 4, /* two bits a block: free, head, tail, mark */
    MP_AREA_POOL_START = 16,
    MP_AREA_POOL_END = 20,
    MP_BLOCK = 16, /* bytes */

    /* mp_obj_list_t */
    MP_LIST_ITEMS = 12,

    /* open files: the type, then the descriptor */
    MP_TYPE_FILE_BYTES = 159296,
    MP_TYPE_FILE_TEXT = 159328,
    MP_FILE_FD = 4,

    /* mp_obj_type_t: slot numbers are bytes, the slots follow */
    MP_TYPE_SLOT_CALL = 10,
    MP_TYPE_SLOT_BUFFER = 16,
    MP_TYPE_SLOTS = 16, /* + 4 * number */

    /* mp_obj_str_t: type, hash, length, text */
    MP_STR_LEN = 8,
    MP_STR_DATA = 12,

    /* texts that name the machine */
    MP_TEXT_VERSION = 83583,  /* "MicroPython v...", start of the banner */
    MP_TEXT_MACHINE = 74005,  /* "; JS with Emscripten", end of the banner */
    MP_STR_MACHINE = 102260,  /* sys.implementation._machine */
    MP_STR_PLATFORM = 102224, /* sys.platform */
};

#define MP_TEXT_VERSION_WAS  "MicroPython v1.27.0 on 2025-12-10"
#define MP_TEXT_MACHINE_WAS  "; JS with Emscripten"
#define MP_TEXT_PLATFORM_WAS "webassembly"

/* Values cross the border as three words (proxy_c.c, proxy_js.c). */
enum {
    MP_VALUE = 12, /* bytes */

    /* Python to host */
    MP_OUT_EXCEPTION = -1,
    MP_OUT_NULL = 0,
    MP_OUT_NONE = 1,
    MP_OUT_BOOL = 2,
    MP_OUT_INT = 3, /* cut to 32 bits */
    MP_OUT_FLOAT = 4,
    MP_OUT_STR = 5,
    MP_OUT_CALLABLE = 6, /* this and the next two: a reference to free */
    MP_OUT_GENERATOR = 7,
    MP_OUT_OBJECT = 8,
    MP_OUT_JSPROXY = 9,

    /* host to Python */
    MP_IN_UNDEFINED = 0,
    MP_IN_NONE = 1,
    MP_IN_BOOL = 2,
    MP_IN_INT = 3,
    MP_IN_FLOAT = 4,
    MP_IN_STR = 5,          /* malloc'ed text, freed by Python */
    MP_IN_REF_EXISTING = 6, /* a reference whose proxy is alive */
    MP_IN_REF = 7,
    MP_IN_OBJECT = 8, /* index into the list at MP_PROXY_C_REF */
};

enum { MP_FORCED_EXIT = 0x100 }; /* sys.exit(), Ctrl-D at an empty prompt */

/* The system calls hand their numbers to OSError unchanged, so they are
 * Linux's. One is compared inside, and must be emscripten's: an interrupted
 * call is repeated after the pending exception was looked at. */
enum { MP_EINTR = 27 };

#endif
