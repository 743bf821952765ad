#define _GNU_SOURCE
#include "firmware/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/err.h"

#define LOAD(field)                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQUAL(value, yes, no)                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ANY_BIT(value, yes, no)                                                \
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, value, yes, no)
#define GIVE(action) BPF_STMT(BPF_RET | BPF_K, action)

int confine_no_exec(void)
{
    /* Jump offsets count the instructions skipped. The protection flags are
     * the low word of the third argument. */
    struct sock_filter program[] = {
        LOAD(nr),
        EQUAL(SYS_execve, 6, 0),
        EQUAL(SYS_execveat, 5, 0),
        EQUAL(SYS_mmap, 1, 0),
        EQUAL(SYS_mprotect, 0, 2),
        LOAD(args[2]),
        ANY_BIT(PROT_EXEC, 1, 0),
        GIVE(SECCOMP_RET_ALLOW),
        GIVE(SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0],
                                .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        return WIPY_EIO;
    return 0;
}
