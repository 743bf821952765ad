/* Start, system calls and memory copies of x86-64 under Linux. */
#ifndef WIPY_BOOTLOADER_SYSTEM_X86_64_H
#define WIPY_BOOTLOADER_SYSTEM_X86_64_H

#include <stddef.h>
#include <sys/syscall.h>

__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    and $-16, %rsp\n"
        "    call system_start\n");

static inline long system_call(long n, long a, long b, long c, long d, long e,
                               long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long system_set_thread(void *area)
{
    enum { SET_FS = 0x1002 };
    return system_call(SYS_arch_prctl, SET_FS, (long)area, 0, 0, 0, 0);
}

/* The string instructions are the fastest copy for their size. */
static inline void *system_copy(void *to, const void *from, size_t len)
{
    void *result = to;
    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(len)
                     :
                     : "memory");
    return result;
}

static inline void *system_fill(void *to, int value, size_t len)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(value) : "memory");
    return result;
}

#endif
