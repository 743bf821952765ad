/* setjmp and longjmp of the guest, emscripten's way.
 *
 * A function of the guest that contains setjmp calls everything through
 * invoke_*(index, args...): call the table's function; if it ends in
 * _emscripten_throw_longjmp, put the linear stack back, tell the guest with
 * setThrew(1, 0) and return 0. The guest itself decides whether this frame is
 * the target and throws again if not, so the host needs no identity of a
 * jump, only the chain of invoke frames.
 *
 * These are by far the hottest imports: nine for one iteration of a loop. On
 * x86-64 one assembly trampoline serves all eleven signatures (integers
 * only, at most five); elsewhere the compiler's setjmp does. */
#include "firmware/python/inside.h"

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

_Static_assert(offsetof(struct vm, invoke) == 0, "assembly");
_Static_assert(offsetof(struct invoke, top) == 0, "assembly");
_Static_assert(offsetof(struct invoke, stack_pointer) == 8, "assembly");
_Static_assert(offsetof(struct invoke, table) == 16, "assembly");
_Static_assert(offsetof(wasm_rt_funcref_table_t, size) == 12, "assembly");
_Static_assert(sizeof(wasm_rt_funcref_t) == 24, "assembly");

#if defined(__x86_64__) && !defined(WIPY_PORTABLE_INVOKE)

_Noreturn void invoke_throw(struct vm *vm);
_Noreturn void invoke_bad_index(void);

_Noreturn void invoke_bad_index(void)
{
    wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
}

/* In: rdi = env (struct vm), esi = table index, edx ecx r8d r9d [stack] = up
 * to five arguments. A frame is: callee-saved registers, linear stack
 * pointer, outer frame, vm. The callee takes its instance and the arguments
 * one register to the left. */
/* clang-format off */
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".type invoke_any,@function\n"
    "invoke_any:\n"
    "    push %rbp\n"
    "    push %rbx\n"
    "    push %r12\n"
    "    push %r13\n"
    "    push %r14\n"
    "    push %r15\n"
    "    mov 8(%rdi), %rax\n"         /* invoke.stack_pointer */
    "    mov (%rax), %eax\n"
    "    push %rax\n"
    "    push 0(%rdi)\n"              /* invoke.top */
    "    push %rdi\n"
    "    mov %rsp, 0(%rdi)\n"
    "    mov 16(%rdi), %rax\n"        /* invoke.table */
    "    mov %esi, %esi\n"
    "    cmp 12(%rax), %esi\n"
    "    jae 1f\n"
    "    mov (%rax), %r10\n"
    "    lea (%rsi,%rsi,2), %rsi\n"
    "    lea (%r10,%rsi,8), %r10\n"
    "    mov 8(%r10), %r11\n"         /* function */
    "    test %r11, %r11\n"
    "    jz 1f\n"
    "    mov 16(%r10), %rdi\n"        /* its instance */
    "    mov %edx, %esi\n"
    "    mov %ecx, %edx\n"
    "    mov %r8d, %ecx\n"
    "    mov %r9d, %r8d\n"
    "    mov 80(%rsp), %r9d\n"
    "    call *%r11\n"
    "    pop %rdi\n"
    "    pop 0(%rdi)\n"
    "    add $8, %rsp\n"
    "2:  pop %r15\n"
    "    pop %r14\n"
    "    pop %r13\n"
    "    pop %r12\n"
    "    pop %rbx\n"
    "    pop %rbp\n"
    "    ret\n"
    "1:  call invoke_bad_index\n"
    ".size invoke_any,.-invoke_any\n"
    ".globl invoke_throw\n"
    ".type invoke_throw,@function\n"
    "invoke_throw:\n"
    "    mov 0(%rdi), %rsp\n"
    "    pop %rdi\n"
    "    pop 0(%rdi)\n"
    "    pop %rax\n"
    "    mov 8(%rdi), %rdx\n"
    "    mov %eax, (%rdx)\n"
    "    xor %eax, %eax\n"
    "    jmp 2b\n"
    ".size invoke_throw,.-invoke_throw\n"
#define INVOKE(name) ".globl Z_envZ_" #name "\n.set Z_envZ_" #name ", invoke_any\n"
    INVOKE(invoke_i) INVOKE(invoke_ii) INVOKE(invoke_iii) INVOKE(invoke_iiii)
    INVOKE(invoke_iiiii) INVOKE(invoke_iiiiii) INVOKE(invoke_v)
    INVOKE(invoke_vi) INVOKE(invoke_vii) INVOKE(invoke_viii)
    INVOKE(invoke_viiii)
);
/* clang-format on */

static _Noreturn void throw(struct vm * vm)
{
    invoke_throw(vm);
}

#else

struct frame {
    void *back[5]; /* of __builtin_setjmp */
    struct frame *outer;
    uint32_t stack_pointer;
};

static const wasm_rt_funcref_t *lookup(struct vm *vm, uint32_t index)
{
    const wasm_rt_funcref_table_t *table = vm->invoke.table;
    if (index >= table->size || !table->data[index].func)
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
    return &table->data[index];
}

static void landed(struct vm *vm)
{
    struct frame *frame = vm->invoke.top;
    *vm->invoke.stack_pointer = frame->stack_pointer;
    vm->invoke.top = frame->outer;
}

/* Each is a function of its own that the compiler must not inline: it returns
 * twice. */
#define INVOKE(result, name, types, params, call_types, args, keep)            \
    __attribute__((noinline)) result Z_envZ_##name params                      \
    {                                                                          \
        struct vm *vm = vm_of_env(env);                                        \
        const wasm_rt_funcref_t *f = lookup(vm, index);                        \
        struct frame frame = {.outer = vm->invoke.top,                         \
                              .stack_pointer = *vm->invoke.stack_pointer};     \
        volatile uint32_t value = 0;                                           \
        if (__builtin_setjmp(frame.back) == 0) {                               \
            vm->invoke.top = &frame;                                           \
            keep((result(*) call_types)(void (*)(void))f->func) args;          \
            vm->invoke.top = frame.outer;                                      \
        } else {                                                               \
            landed(vm);                                                        \
        }                                                                      \
        (void)value;                                                           \
        types;                                                                 \
    }
#define ENV struct Z_env_instance_t *env, u32 index
#define IN  f->module_instance
#define RETURNS(name, params, call_types, args)                                \
    INVOKE(u32, name, return value, params, call_types, args, value =)
#define NOTHING(name, params, call_types, args)                                \
    INVOKE(void, name, return, params, call_types, args, (void))

RETURNS(invoke_i, (ENV), (void *), (IN))
RETURNS(invoke_ii, (ENV, u32 a), (void *, u32), (IN, a))
RETURNS(invoke_iii, (ENV, u32 a, u32 b), (void *, u32, u32), (IN, a, b))
RETURNS(invoke_iiii, (ENV, u32 a, u32 b, u32 c), (void *, u32, u32, u32),
        (IN, a, b, c))
RETURNS(invoke_iiiii, (ENV, u32 a, u32 b, u32 c, u32 d),
        (void *, u32, u32, u32, u32), (IN, a, b, c, d))
RETURNS(invoke_iiiiii, (ENV, u32 a, u32 b, u32 c, u32 d, u32 e),
        (void *, u32, u32, u32, u32, u32), (IN, a, b, c, d, e))
NOTHING(invoke_v, (ENV), (void *), (IN))
NOTHING(invoke_vi, (ENV, u32 a), (void *, u32), (IN, a))
NOTHING(invoke_vii, (ENV, u32 a, u32 b), (void *, u32, u32), (IN, a, b))
NOTHING(invoke_viii, (ENV, u32 a, u32 b, u32 c), (void *, u32, u32, u32),
        (IN, a, b, c))
NOTHING(invoke_viiii, (ENV, u32 a, u32 b, u32 c, u32 d),
        (void *, u32, u32, u32, u32), (IN, a, b, c, d))

static _Noreturn void throw(struct vm * vm)
{
    __builtin_longjmp(((struct frame *)vm->invoke.top)->back, 1);
}

#endif

/* AddressSanitizer must forget the frames that are left. */
static void leave_frames(void)
{
#if defined(__SANITIZE_ADDRESS__)
    __asan_handle_no_return();
#endif
}

void Z_envZ__emscripten_throw_longjmp(struct Z_env_instance_t *env)
{
    struct vm *vm = vm_of_env(env);
    /* Nothing to land on: the guest is broken. */
    if (!vm->invoke.top)
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
    Z_micropythonZ_setThrew(&vm->wasm, 1, 0);
    leave_frames();
    throw(vm);
}

void Z_envZ__abort_js(struct Z_env_instance_t *env)
{
    (void)env;
    wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}
