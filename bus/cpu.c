#define _GNU_SOURCE
#include "bus/cpu.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

enum { FATAL_COLOUR = 0x500000, UART_PATIENCE_MS = 50 };

int bus_open(struct bus_cpu *bus)
{
    *bus = (struct bus_cpu){.next_id = 1};
    void *regs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                      BUS_FD_CPU_REGS, 0);
    void *board =
        mmap(NULL, 4096, PROT_READ, MAP_SHARED, BUS_FD_BOARD_REGS, 0);
    if (regs == MAP_FAILED || board == MAP_FAILED)
        return WIPY_EIO;
    bus->regs = regs;
    bus->board = board;
    if (bus->board->version != BUS_VERSION)
        return WIPY_EIO;
    void *chip = mmap(NULL, bus->board->flash_size, PROT_READ, MAP_SHARED,
                      BUS_FD_CHIP, 0);
    if (chip == MAP_FAILED)
        return WIPY_EIO;
    bus->chip = chip;
    bus->regs->version = BUS_VERSION;
    return 0;
}

/* A lock without a queue: commands are short and callers few. */
static void lock_take(struct bus_cpu *bus)
{
    int free = 0;
    while (!atomic_compare_exchange_strong(&bus->lock, &free, 1)) {
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        free = 0;
    }
}

static int exchange(const struct bus_command *command, const void *in,
                    void *out)
{
    struct iovec send[2] = {
        {.iov_base = (void *)(uintptr_t)command, .iov_len = sizeof *command},
        {.iov_base = (void *)(uintptr_t)in, .iov_len = in ? command->len : 0},
    };
    struct msghdr message = {.msg_iov = send, .msg_iovlen = in ? 2 : 1};
    ssize_t n;
    do
        n = sendmsg(BUS_FD_COMMAND, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return WIPY_EIO;

    struct bus_answer answer;
    struct iovec receive[2] = {
        {.iov_base = &answer, .iov_len = sizeof answer},
        {.iov_base = out, .iov_len = out ? command->len : 0},
    };
    message = (struct msghdr){.msg_iov = receive, .msg_iovlen = out ? 2 : 1};
    do
        n = recvmsg(BUS_FD_COMMAND, &message, 0);
    while (n < 0 && errno == EINTR);
    if (n < (ssize_t)sizeof answer || answer.id != command->id)
        return WIPY_EIO;
    bool short_read = out && (size_t)n != sizeof answer + command->len;
    return answer.status == 0 && short_read ? WIPY_EIO : answer.status;
}

int bus_call(struct bus_cpu *bus, enum bus_op op, uint32_t addr, uint32_t len,
             const void *in, void *out)
{
    if ((in || out) && len > BUS_PAYLOAD_MAX)
        return WIPY_EINVAL;
    lock_take(bus);
    struct bus_command command = {
        .id = bus->next_id++, .op = op, .addr = addr, .len = len};
    int err = exchange(&command, in, out);
    atomic_store(&bus->lock, 0);
    return err;
}

static int chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    struct bus_cpu *bus = ctx;
    uint32_t size = bus->board->flash_size;
    if (off > size || len > size - off)
        return WIPY_ERANGE;
    memcpy(to, bus->chip + off, len);
    return 0;
}

static int chip_program(void *ctx, flash_off off, const void *from, size_t len)
{
    return len > FLASH_PROGRAM_MAX
               ? WIPY_EINVAL
               : bus_call(ctx, BUS_PROGRAM, off, (uint32_t)len, from, NULL);
}

static int chip_erase(void *ctx, flash_off off, size_t len)
{
    return bus_call(ctx, BUS_ERASE, off, (uint32_t)len, NULL, NULL);
}

static int chip_sync(void *ctx)
{
    return bus_call(ctx, BUS_SYNC, 0, 0, NULL, NULL);
}

struct flash bus_flash(struct bus_cpu *bus)
{
    return (struct flash){
        .ctx = bus,
        .size = bus->board->flash_size,
        .read = chip_read,
        .program = chip_program,
        .erase = chip_erase,
        .sync = chip_sync,
        .map = bus->chip,
    };
}

int bus_lock(struct bus_cpu *bus, uint32_t addr, uint32_t len)
{
    return bus_call(bus, BUS_LOCK, addr, len, NULL, NULL);
}

_Noreturn void bus_reset(struct bus_cpu *bus, bool into_loader)
{
    (void)bus_call(bus, BUS_RESET, into_loader, 0, NULL, NULL);
    for (;;)
        pause(); /* the board is killing us */
}

uint64_t bus_now_us(const struct bus_cpu *bus)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    uint64_t us = (ns - bus->board->zero_ns) / 1000;
    uint32_t speed = bus->board->speed;
    /* Split so that years of uptime at high speed do not overflow. */
    return (us >> 16) * speed + ((us & 0xffff) * speed >> 16);
}

uint64_t bus_now_ms(const struct bus_cpu *bus)
{
    return bus_now_us(bus) / 1000;
}

uint64_t bus_real_ns(const struct bus_cpu *bus, uint64_t ms)
{
    uint32_t speed = bus->board->speed;
    uint64_t scaled = ms * 65536u;
    return scaled / speed * 1000000u + scaled % speed * 1000000u / speed;
}

void bus_sleep_ms(const struct bus_cpu *bus, uint32_t ms)
{
    uint64_t ns = bus_real_ns(bus, ms);
    struct timespec left = {.tv_sec = (time_t)(ns / 1000000000u),
                            .tv_nsec = (long)(ns % 1000000000u)};
    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

void bus_ring(struct bus_cpu *bus)
{
    (void)bus;
    uint64_t one = 1;
    ssize_t n = write(BUS_FD_BELL_UP, &one, sizeof one);
    (void)n; /* a full counter has rung already */
}

void bus_set_led(struct bus_cpu *bus, uint32_t rgb)
{
    if (atomic_exchange(&bus->regs->led, rgb) != rgb)
        bus_ring(bus);
}

void bus_set_state(struct bus_cpu *bus, enum bus_cpu_state state)
{
    bus->regs->state = state;
    bus_ring(bus);
}

bool bus_pin_level(const struct bus_cpu *bus, unsigned gp)
{
    return bus->board->pin_level >> gp & 1;
}

void bus_uart_write(struct bus_cpu *bus, const void *data, size_t len)
{
    (void)bus;
    const char *p = data;
    while (len) {
        ssize_t n =
            send(BUS_FD_UART, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        struct pollfd line = {.fd = BUS_FD_UART, .events = POLLOUT};
        if (errno != EAGAIN || poll(&line, 1, UART_PATIENCE_MS) <= 0)
            return;
    }
}

void bus_uart_print(struct bus_cpu *bus, const char *text)
{
    bus_uart_write(bus, text, strlen(text));
}

_Noreturn void bus_fatal(struct bus_cpu *bus, const char *why)
{
    struct bus_fault *fault = &bus->regs->fault;
    fault->kind = BUS_FAULT_FATAL;
    strncpy(fault->text, why, sizeof fault->text - 1);
    bus_set_led(bus, FATAL_COLOUR);
    bus_set_state(bus, BUS_CPU_FATAL);
    bus_uart_print(bus, "\r\nfatal: ");
    bus_uart_print(bus, why);
    bus_uart_print(bus, "\r\npress reset, or use the serial loader\r\n");
    for (;;)
        pause();
}
