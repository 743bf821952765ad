/* What Python prints: cooked (\n becomes \r\n) and gathered.
 *
 * print() writes every fragment by itself. A line goes out with its end; a
 * piece without one waits a few milliseconds for more, then a timer asks for
 * it (wait.c), so that a progress bar moves while the program computes. */
#include "firmware/python/inside.h"

void out_flush(struct vm *vm)
{
    if (vm->out_len == 0)
        return;
    size_t len = vm->out_len;
    vm->out_len = 0;
    console_write(vm->config->console, vm->out, len);
}

static void put(struct vm *vm, uint8_t byte)
{
    if (vm->out_len == sizeof vm->out)
        out_flush(vm);
    vm->out[vm->out_len++] = byte;
}

void out_write(struct vm *vm, const uint8_t *from, size_t len)
{
    bool line = false;
    if (health_is_running(vm)) {
        health_print(vm, from, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t c = from[i];
        if (vm->out_swallow) {
            vm->out_swallow--;
            continue;
        }
        if (c == '\n' && vm->out_last != '\r')
            put(vm, '\r');
        put(vm, c);
        vm->out_last = c;
        line = line || c == '\n';
    }
    if (line)
        out_flush(vm);
    else if (vm->out_len)
        wait_arm_flush(vm);
}

void out_banner(struct vm *vm, uint32_t len)
{
    const char *build = vm->config->build;
    if (!build || len != sizeof MP_TEXT_VERSION_WAS - 1) {
        out_write(vm, vm_at(vm, MP_TEXT_VERSION), len);
        return;
    }
    out_write(vm, (const uint8_t *)"MicroPython ", 12);
    out_write(vm, (const uint8_t *)build, strlen(build));
}

void out_print(struct vm *vm, const char *text)
{
    out_write(vm, (const uint8_t *)text, strlen(text));
    out_flush(vm);
}
