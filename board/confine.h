/* The walls around the CPU: no file system, no processes, no privileges; only
 * its descriptors and internet sockets.
 *
 * - seccomp: an allow-list of system calls. Others fail with EPERM (opening
 *   files with EACCES), they do not kill, so that a C library's harmless
 *   probing stays harmless.
 * - Landlock, where the kernel has it: every access to a file by name is
 *   refused a second time, signals and abstract sockets do not leave. Signals
 *   are kept in from its version 6 on (Linux 6.12); before that the CPU could
 *   end processes of the same user.
 * - No capability but binding low ports, no core dumps, no new privileges.
 *
 * A static executable in a memory file can still be executed, because the
 * bootloader hands over that way; the firmware then gives that up itself. */
#ifndef WIPY_BOARD_CONFINE_H
#define WIPY_BOARD_CONFINE_H

#include <linux/filter.h>
#include <stdbool.h>

enum { CONFINE_FILTER_MAX = 256 };

struct confine {
    int ruleset;  /* Landlock, -1 where the kernel has none */
    int landlock; /* its version, 0 = none */
    unsigned length;
    struct sock_filter filter[CONFINE_FILTER_MAX];
};

/* Prepares both; done once, in the board. */
void confine_prepare(struct confine *confine);
void confine_release(struct confine *confine);

/* Applies them to the calling process; only calls that are safe between fork
 * and exec. False when any of it could not be applied (then do not exec). */
bool confine_enter(const struct confine *confine);

#endif
