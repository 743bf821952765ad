#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#else
#error "the system call filter does not know this machine"
#endif

/* ---- Landlock (linux/landlock.h, Documentation/userspace-api/landlock) ----
 */

/* The whole of the structure, whatever the installed header knows. */
struct landlock_rules {
    uint64_t files, net, scopes;
};

/* Rights over files that each version of the kernel's Landlock knows. */
static uint64_t landlock_files(int version)
{
    static const unsigned rights[] = {13, 14, 15, 15, 16};
    int known = (int)(sizeof rights / sizeof rights[0]);
    return (UINT64_C(1) << rights[(version < known ? version : known) - 1]) - 1;
}

static void prepare_landlock(struct confine *confine)
{
    confine->ruleset = -1;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    if (version < 1)
        return;
    struct landlock_rules rules = {.files = landlock_files((int)version)};
    size_t size = sizeof rules.files;
    if (version >= 6) {
        rules.scopes = 3; /* abstract sockets, signals */
        size = sizeof rules;
    }
    confine->ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (confine->ruleset >= 0)
        confine->landlock = (int)version;
}

/* ---- seccomp ---- */

/* Calls that are allowed whatever their arguments. */
static const uint16_t allowed[] = {
    /* descriptors it has */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_close,
    SYS_lseek,
    SYS_fstat,
    SYS_ftruncate,
    SYS_dup,
    SYS_dup3,
    SYS_eventfd2,
    SYS_memfd_create,
    SYS_pipe2,
#ifdef SYS_poll
    SYS_poll,
    SYS_dup2,
    SYS_epoll_wait,
    SYS_pause,
#endif
    SYS_ppoll,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    /* sockets; which kinds may be made is looked at below */
    SYS_bind,
    SYS_listen,
    SYS_accept4,
    SYS_accept,
    SYS_connect,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_shutdown,
    /* memory */
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    SYS_membarrier,
    /* threads and signals; clone is looked at below */
    SYS_futex,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_gettid,
    SYS_getpid,
    SYS_tgkill,
    SYS_tkill,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigsuspend,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
#ifdef SYS_arch_prctl
    SYS_arch_prctl,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
    /* time, chance, oneself */
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_setitimer,
    SYS_getitimer,
    SYS_timer_create,
    SYS_timer_settime,
    SYS_timer_delete,
    SYS_getrandom,
    SYS_uname,
    SYS_sysinfo,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrusage,
    /* more walls, and the hand-over */
    SYS_seccomp,
    SYS_execveat,
};

/* Opening by name: answered as by an empty machine. */
static const uint16_t no_access[] = {
#ifdef SYS_open
    SYS_open,   SYS_stat,       SYS_lstat,     SYS_access,     SYS_readlink,
#endif
    SYS_openat, SYS_newfstatat, SYS_faccessat, SYS_readlinkat, SYS_statx,
};

static void put(struct confine *c, uint16_t code, uint32_t k, uint8_t yes,
                uint8_t no)
{
    c->filter[c->length++] =
        (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
}

static void load(struct confine *c, size_t offset)
{
    put(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void give(struct confine *c, uint32_t action)
{
    put(c, BPF_RET | BPF_K, action, 0, 0);
}

/* "If the call is `nr` then `action`." The number stays loaded. */
static void rule(struct confine *c, uint32_t nr, uint32_t action)
{
    put(c, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
    give(c, action);
}

static size_t argument(unsigned n)
{
    return offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);
}

/* clone: threads only. All marks of a thread must be there, none of those
 * that make a new name space. */
static void rule_for_clone(struct confine *c)
{
    const uint32_t thread =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const uint32_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                            CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                            CLONE_NEWNET;
    put(c, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 6);
    load(c, argument(0));
    put(c, BPF_JMP | BPF_JSET | BPF_K, spaces, 3, 0);
    put(c, BPF_ALU | BPF_AND | BPF_K, thread, 0, 0);
    put(c, BPF_JMP | BPF_JEQ | BPF_K, thread, 0, 1);
    give(c, SECCOMP_RET_ALLOW);
    give(c, SECCOMP_RET_ERRNO | EPERM);
}

/* socket: streams and datagrams of the internet. */
static void rule_for_socket(struct confine *c)
{
    put(c, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 9);
    load(c, argument(0));
    put(c, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0);
    put(c, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 5);
    load(c, argument(1));
    put(c, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    put(c, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0);
    put(c, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1);
    give(c, SECCOMP_RET_ALLOW);
    give(c, SECCOMP_RET_ERRNO | EPERM);
}

/* A call allowed for some values of one argument only, else `refusal`. */
static void rule_for_values(struct confine *c, uint32_t nr, unsigned arg,
                            const uint32_t *values, uint8_t count, int refusal)
{
    put(c, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, (uint8_t)(count + 3));
    load(c, argument(arg));
    for (uint8_t i = 0; i < count; i++)
        put(c, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - i), 0);
    give(c, SECCOMP_RET_ERRNO | (uint32_t)refusal);
    give(c, SECCOMP_RET_ALLOW);
}

/* Names, and walls that can only grow. */
static const uint32_t prctls[] = {PR_SET_NAME, PR_SET_NO_NEW_PRIVS,
                                  PR_SET_SECCOMP};
static const uint32_t ioctls[] = {FIONREAD, FIONBIO, TIOCGWINSZ};
/* Not F_SETOWN: it sends signals to others. */
static const uint32_t fcntls[] = {F_DUPFD,     F_GETFD,    F_SETFD,
                                  F_GETFL,     F_SETFL,    F_DUPFD_CLOEXEC,
                                  F_ADD_SEALS, F_GET_SEALS};

static void prepare_filter(struct confine *c)
{
    c->length = 0;
    load(c, offsetof(struct seccomp_data, arch));
    put(c, BPF_JMP | BPF_JEQ | BPF_K, THIS_MACHINE, 1, 0);
    give(c, SECCOMP_RET_KILL_PROCESS);
    load(c, offsetof(struct seccomp_data, nr));
    /* The second ABI of x86-64 has its own numbers for the same calls. */
    put(c, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    give(c, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        rule(c, allowed[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < sizeof no_access / sizeof no_access[0]; i++)
        rule(c, no_access[i], SECCOMP_RET_ERRNO | EACCES);
    /* Its flags are in memory, where a filter cannot look: libraries fall
     * back to clone. */
    rule(c, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    rule_for_clone(c);
    rule_for_socket(c);
    rule_for_values(c, SYS_prctl, 0, prctls, 3, EPERM);
    rule_for_values(c, SYS_ioctl, 1, ioctls, 3, ENOTTY);
    rule_for_values(c, SYS_fcntl, 1, fcntls, 8, EPERM);
    give(c, SECCOMP_RET_ERRNO | EPERM);
}

void confine_prepare(struct confine *confine)
{
    *confine = (struct confine){0};
    prepare_landlock(confine);
    prepare_filter(confine);
}

void confine_release(struct confine *confine)
{
    if (confine->ruleset >= 0)
        close(confine->ruleset);
    confine->ruleset = -1;
}

/* Even root gets nothing back by executing: the bounding set is empty but for
 * ports below 1024. Without privileges there is nothing to drop, and the
 * calls fail. */
static void drop_capabilities(void)
{
    for (int cap = 0; cap < 64; cap++)
        if (cap != CAP_NET_BIND_SERVICE)
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

bool confine_enter(const struct confine *confine)
{
    struct rlimit none = {0, 0};
    struct sock_fprog program = {
        .len = (unsigned short)confine->length,
        .filter = (struct sock_filter *)(uintptr_t)confine->filter};
    setrlimit(RLIMIT_CORE, &none);
    drop_capabilities();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    if (confine->ruleset >= 0 &&
        syscall(SYS_landlock_restrict_self, confine->ruleset, 0) != 0)
        return false;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
