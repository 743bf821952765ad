/* A program for the board's CPU that does what it is told over the serial
 * line, one letter a command, to try the hardware itself: no bootloader, no
 * firmware. Answers are lines that begin with '='. See hardware_test.py. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/cpu.h"

static struct bus_cpu bus;
static uint8_t data[65536];

static char *put_number(char *to, unsigned long long n, unsigned base)
{
    char digits[24];
    int count = 0;
    do
        digits[count++] = "0123456789abcdef"[n % base];
    while (n /= base);
    while (count)
        *to++ = digits[--count];
    return to;
}

/* %s %c %d %u %x only: printf would not fit beside the rest. */
static void say(const char *format, ...)
{
    char line[400] = "=", *to = line + 1;
    va_list args;
    va_start(args, format);
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            *to++ = *f;
            continue;
        }
        switch (*++f) {
        case 's':
            for (const char *s = va_arg(args, const char *); *s;)
                *to++ = *s++;
            break;
        case 'c':
            *to++ = (char)va_arg(args, int);
            break;
        case 'd': {
            int n = va_arg(args, int);
            if (n < 0)
                *to++ = '-';
            to = put_number(to, (unsigned)abs(n), 10);
            break;
        }
        default:
            to = put_number(to, va_arg(args, unsigned), *f == 'x' ? 16 : 10);
        }
    }
    va_end(args);
    memcpy(to, "\r\n", 3);
    bus_uart_print(&bus, line);
}

/* ---- the walls ---- */

static long try_open(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static long try_create(void)
{
    return open("/tmp/escaped", O_WRONLY | O_CREAT, 0600);
}

static long try_proc(void)
{
    return open("/proc/self/fd/4", O_RDWR);
}

static long try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid;
}

static long try_vfork(void)
{
    return syscall(SYS_clone, SIGCHLD | CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
}

static long try_clone3(void)
{
    uint64_t arguments[8] = {0, 0, 0, 0, SIGCHLD};
    long pid = syscall(SYS_clone3, arguments, sizeof arguments);
    if (pid == 0)
        _exit(0);
    return pid;
}

static long try_exec(void)
{
    char *const none[] = {NULL};
    return execve("/bin/true", none, none);
}

static long try_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_raw_socket(void)
{
    return socket(AF_INET, SOCK_RAW, 1);
}

static long try_netlink(void)
{
    return socket(AF_NETLINK, SOCK_DGRAM, 0);
}

static long try_kill_board(void)
{
    return syscall(SYS_kill, getppid(), SIGKILL);
}

static pid_t board_pid;

static long try_tkill_board(void)
{
    return board_pid ? syscall(SYS_tkill, board_pid, SIGTERM) : -1;
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, 0, 0);
}

static long try_read_board(void)
{
    struct iovec here = {data, 16}, there = {(void *)0x400000, 16};
    return process_vm_readv(board_pid, &here, 1, &there, 1, 0);
}

static long try_outlive(void)
{
    return prctl(PR_SET_PDEATHSIG, 0);
}

static long try_namespace(void)
{
    return unshare(CLONE_NEWUSER);
}

static long try_owner(void)
{
    return fcntl(BUS_FD_UART, F_SETOWN, board_pid);
}

static long try_board_page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                      BUS_FD_BOARD_REGS, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long try_protect_page(void)
{
    return mprotect((void *)(uintptr_t)bus.board, 4096,
                    PROT_READ | PROT_WRITE);
}

static long try_write_page(void)
{
    return pwrite(BUS_FD_BOARD_REGS, "xxxx", 4, 0);
}

static long try_shrink_page(void)
{
    return ftruncate(BUS_FD_CPU_REGS, 0);
}

static long try_chip_page(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, BUS_FD_CHIP, 0);
    return page == MAP_FAILED ? -1 : 0;
}

static long try_write_chip(void)
{
    return pwrite(BUS_FD_CHIP, "xxxx", 4, 0x100000);
}

static long try_shrink_chip(void)
{
    return ftruncate(BUS_FD_CHIP, 0);
}

static long try_shrink_card(void)
{
    return ftruncate(BUS_FD_CARD, 0);
}

static long try_core(void)
{
    return chmod("/", 0777);
}

static const struct {
    const char *name;
    long (*run)(void);
} attempts[] = {
    {"open", try_open},
    {"create", try_create},
    {"proc", try_proc},
    {"fork", try_fork},
    {"vfork", try_vfork},
    {"clone3", try_clone3},
    {"exec", try_exec},
    {"unix socket", try_unix_socket},
    {"raw socket", try_raw_socket},
    {"netlink", try_netlink},
    {"kill board", try_kill_board},
    {"tkill board", try_tkill_board},
    {"ptrace", try_ptrace},
    {"read board", try_read_board},
    {"outlive", try_outlive},
    {"namespace", try_namespace},
    {"owner", try_owner},
    {"board page", try_board_page},
    {"protect page", try_protect_page},
    {"write page", try_write_page},
    {"shrink page", try_shrink_page},
    {"chip page", try_chip_page},
    {"write chip", try_write_chip},
    {"shrink chip", try_shrink_chip},
    {"shrink card memory", try_shrink_card},
    {"chmod", try_core},
};

static void try_walls(void)
{
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        if (attempts[i].run() >= 0)
            say("escaped: %s", attempts[i].name);
    /* nothing but the bus was given */
    for (int fd = BUS_FD_CPU_REGS + BUS_FD_COUNT; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            say("escaped: descriptor %d", fd);
    say("walls tried");
}

/* ---- what must work inside ---- */

static void *thread(void *arg)
{
    *(int *)arg = 42;
    return NULL;
}

static void try_freedom(void)
{
    int value = 0, fd;
    pthread_t id;
    if (pthread_create(&id, NULL, thread, &value) || pthread_join(id, NULL) ||
        value != 42)
        say("no threads");
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || listen(fd, 1))
        say("no sockets");
    void *room = mmap(NULL, (size_t)8 << 30, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED || mprotect(room, 1 << 20, PROT_READ | PROT_WRITE))
        say("no memory");
    say("freedom tried");
}

/* ---- the flash ---- */

static void try_flash(void)
{
    struct flash flash = bus_flash(&bus);
    memset(data, 0xa5, sizeof data);
    say("erase %d", flash_erase(&flash, 0x200000, 0x11000));
    say("program %d", flash_program(&flash, 0x200010, data, 65536));
    say("same %d", memcmp(bus.chip + 0x200010, data, 65536) == 0);
    say("before %x", bus.chip[0x20000f]);
    say("lock %d", bus_lock(&bus, 0x200000, 0x1000));
    say("locked %d", flash_erase(&flash, 0x200000, 0x1000));
    say("beside %d", flash_erase(&flash, 0x201000, 0x1000));
    say("past %d", flash_erase(&flash, flash.size, 0x1000));
    say("sync %d", flash_sync(&flash));
}

static void time_flash(void)
{
    struct flash flash = bus_flash(&bus);
    uint64_t t0 = bus_now_us(&bus);
    flash_erase(&flash, 0x210000, 0x1000);
    uint64_t t1 = bus_now_us(&bus);
    flash_program(&flash, 0x210000, data, 2560);
    uint64_t t2 = bus_now_us(&bus);
    say("sector %u us, ten pages %u us", (unsigned)(t1 - t0),
        (unsigned)(t2 - t1));
}

static int move(enum bus_op op, uint32_t sector, uint32_t count, uint32_t at)
{
    struct bus_card_part parts[2] = {{sector, count, at}, {sector, 1, at}};
    return bus_call(&bus, op, 1, sizeof parts, parts, NULL);
}

/* The last word of the card's memory goes to the card and back. */
static void try_card_memory(uint32_t end)
{
    const uint32_t last = BUS_CARD_MEMORY - 512;
    uint8_t *memory = mmap(NULL, BUS_CARD_MEMORY, PROT_READ | PROT_WRITE,
                           MAP_SHARED, BUS_FD_CARD, 0);
    memset(memory + last, 0x77, 512);
    say("store %d", move(BUS_CARD_WRITE, 9, 1, last));
    say("load %d", move(BUS_CARD_READ, 9, 1, 4096));
    say("got %x%x", memory[4096], memory[4096 + 511]);
    say("beyond %d %d", move(BUS_CARD_READ, 9, 2, last),
        move(BUS_CARD_WRITE, end, 1, 0));
    const uint32_t in = bus.board->sd_present;
    say("meant %d, for another %d", move(BUS_CARD_WRITE, in, 0, 0),
        move(BUS_CARD_WRITE, in + 1, 0, 0));
}

static void try_card(void)
{
    say("card %u, %u sectors, readonly %u", bus.board->sd_present,
        (unsigned)bus.board->sd_sectors, bus.board->sd_readonly);
    memset(data, 0x3c, 1024);
    say("write %d", bus_call(&bus, BUS_SD_WRITE, 5, 1024, data, NULL));
    memset(data, 0, 1024);
    say("read %d", bus_call(&bus, BUS_SD_READ, 5, 1024, NULL, data));
    say("got %x%x", data[0], data[1023]);
    say("sync %d", bus_call(&bus, BUS_SD_SYNC, 0, 0, NULL, NULL));
    uint32_t end = (uint32_t)bus.board->sd_sectors;
    say("past %d", bus_call(&bus, BUS_SD_READ, end, 512, NULL, data));
    try_card_memory(end);
}

/* ---- a hostile CPU ---- */

static void be_hostile(void)
{
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        size_t len = (seed = seed * 1103515245 + 12345) >> 8 & 0x3ff;
        for (size_t j = 0; j < len; j++)
            data[j] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        if (len > 8)
            data[4] = (uint8_t)(13 + (data[4] & 0x7f)); /* no real op */
        send(BUS_FD_COMMAND, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        recv(BUS_FD_COMMAND, data, sizeof data, MSG_DONTWAIT);
        bus_ring(&bus);
    }
    memset((void *)bus.regs->image_version, 0x1b, 32);
    memset((void *)bus.regs->image_note, 0xff, 64);
    memset((void *)bus.regs->fault.text, 0x1b, 64);
    bus.regs->slot = 77;
    bus.regs->state = 0xdeadbeef;
    bus.regs->led = 0xffffffff;
    bus_ring(&bus);
}

/* ---- the prompt ---- */

static void show_start(void)
{
    say("cause %u starts %u retained %u fault %u %s", bus.board->reset_cause,
        bus.board->starts, bus.regs->retained[3],
        bus.board->last_fault.kind, bus.board->last_fault.text);
    bus.regs->retained[3] = 1234;
}

static void show_pins(void)
{
    say("gp28 %d gp4 %d strap %u", bus_pin_level(&bus, 28),
        bus_pin_level(&bus, 4), bus.board->strap);
}

static void show_image(void)
{
    strcpy(bus.regs->image_version, "1.2.0");
    strcpy(bus.regs->image_note, "on trial");
    bus.regs->slot = 1;
    bus_ring(&bus);
}

static void obey(char c)
{
    switch (c) {
    case 'w': try_walls(); break;
    case 'W': try_freedom(); break;
    case 'f': try_flash(); break;
    case 't': time_flash(); break;
    case 'c': try_card(); break;
    case 'h': be_hostile(); break;
    case 's': show_start(); break;
    case 'p': show_pins(); break;
    case 'o': bus.regs->pin_out = bus.regs->pin_dir = 1 << 4; bus_ring(&bus); break;
    case 'l': bus_set_led(&bus, 0x2c1200); break;
    case 'd': bus_set_led(&bus, 0); break;
    case 'i': show_image(); break;
    case 'a': say("arm %d", bus_call(&bus, BUS_WDT_ARM, 0, 1000, NULL, NULL)); break;
    case '.': bus.regs->wdt_feed++; break;
    case 'n': bus.regs->retained[5] = 7; bus_reset(&bus, false);
    case 'r': bus_reset(&bus, false);
    case 'L': bus_reset(&bus, true);
    case 'z': bus_call(&bus, BUS_SLEEP, 0, 500, NULL, NULL); break;
    case 'b': bus_sleep_ms(&bus, 600000); break;
    case 'S': *(volatile int *)8 = 1; break;
    case 'A': abort();
    case 'e': _exit(9);
    case 'F': bus_fatal(&bus, "on purpose");
    case '!': for (int i = 0; i < 40000; i++) bus_uart_print(&bus, "flood "); break;
    default: say("what is '%c'?", c);
    }
}

int main(void)
{
    if (bus_open(&bus))
        return 3;
    board_pid = (pid_t)0; /* unknown: another process's number is no secret */
    bus.regs->telnet_port = 1;
    bus.regs->ftp_port = 2;
    /* As a firmware whose services do not come up. */
    bool late = bus.regs->retained[5] == 7;
    bus_set_state(&bus, late ? BUS_CPU_FIRMWARE : BUS_CPU_SERVICES);
    bus_uart_print(&bus, "=probe\r\n");
    for (char c; read(BUS_FD_UART, &c, 1) == 1;)
        if (c >= '0' && c <= '9')
            board_pid = board_pid * 10 + c - '0';
        else
            obey(c);
    return 0;
}
