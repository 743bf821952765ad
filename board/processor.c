#define _GNU_SOURCE
#include "processor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

enum {
    PROGRAM_FD = BUS_FD_CPU_REGS + BUS_FD_COUNT, /* behind the bus */
    FAR_AWAY = 64,                               /* above every target */
};

void processor_init(struct processor *cpu,
                    void (*ended)(void *ctx, struct processor_end end),
                    void *ctx)
{
    *cpu = (struct processor){.end_fd = -1, .ended = ended, .ctx = ctx};
    confine_prepare(&cpu->walls);
}

void processor_release(struct processor *cpu)
{
    processor_stop(cpu);
    confine_release(&cpu->walls);
}

/* ---- in the child, between fork and exec: only calls that are safe there */

/* Moves `from[i]` to descriptor 3 + i. First out of the way of each other. */
static bool place_descriptors(int *from, int count)
{
    for (int i = 0; i < count; i++)
        if ((from[i] = fcntl(from[i], F_DUPFD, FAR_AWAY)) < 0)
            return false;
    for (int i = 0; i < count; i++)
        if (dup2(from[i], BUS_FD_CPU_REGS + i) < 0)
            return false;
    /* The rest, the program included, goes when it is executed. */
    return close_range(PROGRAM_FD, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

static void become_cpu(const struct confine *walls, int *from, int count)
{
    static char *const nothing[] = {NULL};
    static char *const arguments[] = {(char *)(uintptr_t) "cpu", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    setsid(); /* Ctrl-C at the terminal is for the board */
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    /* The walls need the rule set's descriptor, so it is closed after. */
    struct confine inner = *walls;
    if (inner.ruleset >= 0)
        inner.ruleset = fcntl(inner.ruleset, F_DUPFD_CLOEXEC, 2 * FAR_AWAY);
    if (!place_descriptors(from, count))
        return;
    if (confine_enter(&inner))
        syscall(SYS_execveat, PROGRAM_FD, "", arguments, nothing,
                AT_EMPTY_PATH);
}

/* ---- in the board */

static struct processor_end reap(struct processor *cpu)
{
    int status = 0;
    while (waitpid(cpu->pid, &status, 0) < 0 && errno == EINTR)
        ;
    cpu->pid = 0;
    bool by_signal = WIFSIGNALED(status);
    return (struct processor_end){.by_signal = by_signal,
                                  .code = by_signal ? WTERMSIG(status)
                                                    : WEXITSTATUS(status)};
}

static void unwatch(struct processor *cpu)
{
    watch_close(cpu->watch);
    cpu->watch = NULL;
    if (cpu->end_fd >= 0)
        close(cpu->end_fd);
    cpu->end_fd = -1;
}

static void on_end(void *ctx, int events)
{
    (void)events;
    struct processor *cpu = ctx;
    struct processor_end end = reap(cpu);
    unwatch(cpu);
    cpu->ended(cpu->ctx, end);
}

static int watch_end(struct processor *cpu, uv_loop_t *loop)
{
    cpu->end_fd = (int)syscall(SYS_pidfd_open, cpu->pid, 0);
    if (cpu->end_fd < 0)
        return WIPY_EIO;
    cpu->watch = watch_open(loop, cpu->end_fd, UV_READABLE, on_end, cpu);
    return cpu->watch ? 0 : WIPY_EIO;
}

int processor_start(struct processor *cpu, uv_loop_t *loop, int program,
                    const struct wires *wires, int chip_fd,
                    struct problem *problem)
{
    int from[] = {
        wires->cpu_fd,   wires->board_fd, chip_fd,          wires->far_command,
        wires->far_line, wires->bell_up,  wires->bell_down, wires->card->fd,
        program,
    };
    pid_t board = getpid();
    cpu->pid = fork();
    if (cpu->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == board) /* else it died before we asked */
            become_cpu(&cpu->walls, from, (int)(sizeof from / sizeof from[0]));
        _exit(126);
    }
    if (cpu->pid < 0) {
        cpu->pid = 0;
        return problem_set(problem, WIPY_EIO, "the CPU cannot be started: %s",
                           strerror(errno));
    }
    if (watch_end(cpu, loop) == 0)
        return 0;
    int err = problem_set(problem, WIPY_EIO, "the CPU cannot be watched: %s",
                          strerror(errno));
    processor_stop(cpu);
    return err;
}

void processor_stop(struct processor *cpu)
{
    if (cpu->pid == 0)
        return;
    kill(cpu->pid, SIGKILL);
    reap(cpu);
    unwatch(cpu);
}
