/* The prompt: bytes in, a request for a soft reset out.
 *
 * MicroPython's own event-driven prompt does the work. Done here is what its
 * WebAssembly build cannot: input(), which would read zeros for ever, and
 * raw-paste mode (Ctrl-E 'A' Ctrl-A in raw mode), for the same reason. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "firmware/python/inside.h"

enum { CTRL_A = 1, CTRL_B = 2, CTRL_C = 3, CTRL_D = 4, CTRL_E = 5 };

/* PASTE_END: refused, what the client still sends is dropped. */
enum paste_state {
    PASTE_NONE,
    PASTE_CTRL_E,
    PASTE_A,
    PASTE_DATA,
    PASTE_END,
};

enum {
    PASTE_WINDOW = 128, /* bytes the client may send ahead */
    PASTE_MAX = 1 << 20,
};

void prompt_reset(struct vm *vm)
{
    vm->paste_state = PASTE_NONE;
    free(vm->paste);
    vm->paste = NULL;
    vm->paste_len = vm->paste_size = 0;
    vm->out_swallow = 0;
}

static bool process_one(struct vm *vm, uint8_t byte)
{
    if (byte == '\r' || byte == CTRL_D)
        gc_set_aside(vm);
    wait_begin(vm); /* also while it compiles: 9**9**9 is folded there */
    uint32_t r = Z_micropythonZ_mp_js_repl_process_char(&vm->wasm, byte);
    wait_end(vm);
    return (r & MP_FORCED_EXIT) != 0;
}

/* An interrupt that came too late for the program goes to the prompt. */
static bool process(struct vm *vm, uint8_t byte)
{
    bool reset = process_one(vm, byte);
    if (!reset && atomic_exchange(&vm->interrupted, false))
        reset = process_one(vm, CTRL_C);
    return reset;
}

/* ---- raw-paste mode ---- */

static bool paste_keep(struct vm *vm, uint8_t byte)
{
    if (vm->paste_len == vm->paste_size) {
        size_t size = vm->paste_size ? vm->paste_size * 2 : 4096;
        uint8_t *more = size <= PASTE_MAX ? realloc(vm->paste, size) : NULL;
        if (!more)
            return false;
        vm->paste = more;
        vm->paste_size = size;
    }
    vm->paste[vm->paste_len++] = byte;
    return true;
}

static bool type(struct vm *vm, const uint8_t *text, size_t len)
{
    bool reset = false;
    for (size_t i = 0; i < len && !reset; i++)
        reset = process(vm, text[i]);
    return reset;
}

static bool has_controls(const uint8_t *text, size_t len)
{
    return memchr(text, CTRL_A, len) || memchr(text, CTRL_B, len) ||
           memchr(text, CTRL_E, len);
}

/* To raw mode such a byte of a program is a key. */
static bool type_quoted(struct vm *vm, const uint8_t *text, size_t len)
{
    bool reset = type(vm, (const uint8_t *)"exec(b'", 7);
    for (size_t i = 0; i < len && !reset; i++) {
        char hex[5];
        bool plain = text[i] >= 32 && text[i] < 127 && text[i] != '\'' &&
                     text[i] != '\\';
        int n = snprintf(hex, sizeof hex, plain ? "%c" : "\\x%02x", text[i]);
        reset = type(vm, (const uint8_t *)hex, (size_t)n);
    }
    return reset || type(vm, (const uint8_t *)"')", 2);
}

/* The text goes through raw mode, whose "OK" the client does not expect. */
static bool paste_run(struct vm *vm)
{
    size_t len = vm->paste_len;
    uint8_t *text = vm->paste;
    vm->paste = NULL;
    vm->paste_len = vm->paste_size = 0;
    vm->paste_state = PASTE_NONE;
    out_write(vm, (const uint8_t *)"\x04", 1);
    bool reset = process(vm, CTRL_C); /* an empty line to start with */
    vm->out_swallow = 0;
    if (!reset && len)
        reset = has_controls(text, len) ? type_quoted(vm, text, len)
                                        : type(vm, text, len);
    free(text);
    if (len == 0)
        reset = reset || process(vm, '\n');
    vm->out_swallow = 2;
    reset = reset || process(vm, CTRL_D);
    vm->out_swallow = 0;
    return reset;
}

static void paste_cancel(struct vm *vm)
{
    prompt_reset(vm);
    out_write(vm, (const uint8_t *)"\x04\x04\x04>", 4);
}

static bool paste_data(struct vm *vm, uint8_t byte)
{
    if (byte == CTRL_D)
        return paste_run(vm);
    if (byte == CTRL_C) {
        paste_cancel(vm);
        return false;
    }
    if (!paste_keep(vm, byte)) {
        prompt_reset(vm);
        out_write(vm, (const uint8_t *)"\x04", 1);
        vm->paste_state = PASTE_END;
        return false;
    }
    if (vm->paste_len % PASTE_WINDOW == 0)
        out_write(vm, (const uint8_t *)"\x01", 1);
    return false;
}

static void paste_refused(struct vm *vm)
{
    prompt_reset(vm);
    out_print(vm, "\x04MemoryError: the text is longer than the board "
                  "takes\r\n\x04>");
}

static bool paste_feed(struct vm *vm, uint8_t byte, bool *reset)
{
    static const uint8_t accepted[] = {'R', 1, PASTE_WINDOW, 0, 1};
    switch ((enum paste_state)vm->paste_state) {
    case PASTE_NONE:
        if (byte != CTRL_E)
            return false;
        vm->paste_state = PASTE_CTRL_E;
        return true;
    case PASTE_CTRL_E:
        vm->paste_state = byte == 'A' ? PASTE_A : PASTE_NONE;
        if (byte != 'A')
            *reset = process(vm, CTRL_E) || process(vm, byte);
        return true;
    case PASTE_A:
        vm->paste_state = byte == CTRL_A ? PASTE_DATA : PASTE_NONE;
        if (byte == CTRL_A)
            out_write(vm, accepted, sizeof accepted);
        return true;
    case PASTE_DATA:
        *reset = paste_data(vm, byte);
        return true;
    case PASTE_END:
        if (byte == CTRL_C || byte == CTRL_D)
            paste_refused(vm);
        return true;
    }
    return false;
}

bool prompt_feed(struct vm *vm, uint8_t byte)
{
    bool reset = false;
    bool raw = vm_u32(vm, MP_REPL_MODE) == 1;
    if (!raw || !paste_feed(vm, byte, &reset))
        reset = process(vm, byte);
    out_flush(vm);
    return reset;
}

/* ---- input() ---- */

uint32_t host_readline(Z_micropython_instance_t *in, uint32_t line,
                       uint32_t prompt)
{
    struct vm *vm = vm_of(in);
    if (health_is_running(vm))
        return CTRL_D; /* EOFError: the keys are the program's */
    mpi_readline_init(in, line, prompt);
    for (;;) {
        uint8_t byte;
        out_flush(vm);
        int n = console_read(vm->config->console, &byte, 1, -1);
        if (n == -EINTR || n == 0) {
            if (health_is_wanted(vm))
                health_serve(vm);
            if (!vm_u32(vm, MP_PENDING_EXCEPTION))
                continue;
            vm_set_u32(vm, MP_PENDING_EXCEPTION, 0);
            byte = CTRL_C;
        }
        int32_t result = (int32_t)mpi_readline_process_char(in, byte);
        if (result >= 0)
            return (uint32_t)result;
    }
}
