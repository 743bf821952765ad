/* The board's Python without a board: vm thread, console on stdin and stdout,
 * /flash in memory. For the language tests and for work at the prompt.
 *
 *   pyhost [--gc N] [--heap KIB] [--speed X] [--wipy1] [--safe] [FILE.py]
 *
 * With a file: runs it as a script and exits 1 if it raised. Without: boot,
 * prompt; end of input ends it. --gc collects every N bytes of allocation. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "firmware/python/vm.h"

enum { FLASH_SIZE = 4 << 20 };

static struct bus_cpu_regs cpu_regs;
static struct bus_board_regs board_regs;
static struct bus_cpu bus = {.regs = &cpu_regs, .board = &board_regs};
static struct storage storage;
static struct vm_services services;
static struct vm_config config;

/* ---- a flash in memory ---- */

static uint8_t *chip;

static int chip_read(void *ctx, flash_off off, void *to, size_t len)
{
    (void)ctx;
    memcpy(to, chip + off, len);
    return 0;
}

static int chip_program(void *ctx, flash_off off, const void *from, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        chip[off + i] &= ((const uint8_t *)from)[i];
    return 0;
}

static int chip_erase(void *ctx, flash_off off, size_t len)
{
    (void)ctx;
    memset(chip + off, 0xff, len);
    return 0;
}

static struct flash ram_flash(void)
{
    chip = malloc(FLASH_SIZE);
    memset(chip, 0xff, FLASH_SIZE);
    return (struct flash){.size = FLASH_SIZE,
                          .read = chip_read,
                          .program = chip_program,
                          .erase = chip_erase,
                          .map = chip};
}

static struct volumes *volumes;

static void start_volumes(struct storage_job *job)
{
    (void)job;
    struct volume_config c = {.flash = ram_flash(), .fs_size = FLASH_SIZE};
    if (volumes_start(&volumes, &c))
        abort();
    volume_populate(volumes);
}

/* ---- services ---- */

static bool beating = true;
static uint32_t colour;

static bool heartbeat(void *ctx)
{
    (void)ctx;
    return beating;
}

static void set_heartbeat(void *ctx, bool on)
{
    (void)ctx;
    beating = on;
}

static uint32_t rgb(void *ctx)
{
    (void)ctx;
    return colour;
}

static void set_rgb(void *ctx, uint32_t value)
{
    (void)ctx;
    colour = value;
}

static void reset(void *ctx)
{
    (void)ctx;
    _exit(42);
}

static void script_error(void *ctx)
{
    (void)ctx;
    fprintf(stderr, "[script error]\n");
}

/* ---- console ---- */

static void *feed(void *arg)
{
    struct console *c = arg;
    uint8_t buffer[256];
    ssize_t n;
    while ((n = read(0, buffer, sizeof buffer)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            /* A program that does not read loses what does not fit. */
            for (int ms = 0; ms < 100 && !console_room(c); ms++)
                usleep(1000);
            console_feed(c, buffer + i, 1);
        }
    /* Let what was read be worked on; a prompt has no end. */
    for (int ms = 0; ms < 5000 && console_has_input(c); ms++)
        usleep(1000);
    usleep(300000);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void put_all(const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = write(1, data, len);
        if (n < 0)
            _exit(3);
        data += n;
        len -= (size_t)n;
    }
}

static pthread_mutex_t drain_lock = PTHREAD_MUTEX_INITIALIZER;

static void drain_now(struct console *c)
{
    uint8_t buffer[4096];
    size_t n;
    pthread_mutex_lock(&drain_lock);
    while ((n = console_take(c, buffer, sizeof buffer)) > 0)
        put_all(buffer, n);
    pthread_mutex_unlock(&drain_lock);
}

static void *drain(void *arg)
{
    struct console *c = arg;
    struct pollfd fd = {.fd = console_bell(c), .events = POLLIN};
    for (;;) {
        poll(&fd, 1, -1);
        drain_now(c);
    }
    return NULL;
}

static void done(int status)
{
    drain_now(config.console);
    _exit(status);
}

static void ended(int sig)
{
    (void)sig;
    _exit(0);
}

/* ---- main ---- */

static char *read_file(const char *name, size_t *len)
{
    FILE *f = fopen(name, "rb");
    if (!f) {
        perror(name);
        exit(2);
    }
    char *text = malloc(1 << 20);
    *len = fread(text, 1, 1 << 20, f);
    fclose(f);
    return text;
}

static void options(int argc, char **argv)
{
    double speed = 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--gc"))
            config.gc_every = (uint32_t)atoi(argv[++i]);
        else if (!strcmp(argv[i], "--heap"))
            config.heap_max = (uint32_t)atoi(argv[++i]) << 10;
        else if (!strcmp(argv[i], "--speed"))
            speed = atof(argv[++i]);
        else if (!strcmp(argv[i], "--wipy1"))
            config.wipy1 = true;
        else if (!strcmp(argv[i], "--safe"))
            config.safe_boot = true;
        else
            config.script = read_file(argv[i], &config.script_len);
    }
    board_regs.speed = (uint32_t)(speed * 65536);
}

static void *vm_thread(void *arg)
{
    (void)arg;
    vm_run(&config);
}

static void fake_board(void)
{
    struct timespec t;
    for (int fd = 3; fd <= BUS_FD_BELL_DOWN; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            dup2(open("/dev/null", O_RDWR), fd);
    clock_gettime(CLOCK_MONOTONIC, &t);
    board_regs.version = BUS_VERSION;
    board_regs.zero_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    board_regs.rtc_start = time(NULL);
    memcpy(board_regs.mac, "\x24\x0a\xc4\x12\x34\x56", 6);
}

int main(int argc, char **argv)
{
    signal(SIGTERM, ended);
    fake_board();
    options(argc, argv);
    services = (struct vm_services){.heartbeat = heartbeat,
                                    .set_heartbeat = set_heartbeat,
                                    .rgb = rgb,
                                    .set_rgb = set_rgb,
                                    .reset = reset,
                                    .script_error = script_error};
    config.console = console_new();
    config.storage = &storage;
    config.bus = &bus;
    config.services = &services;
    config.version = "1.0.0";
    config.build = "v1.0.0 on 2026-11-21";
    config.exit = done;
    struct storage_job job = {.run = start_volumes};
    if (!config.console || storage_start(&storage))
        return 2;
    storage_call(&storage, &job);
    config.volumes = volumes;

    pthread_attr_t attr;
    pthread_t vm, in, out;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, VM_STACK);
    pthread_attr_setguardsize(&attr, VM_STACK_GUARD);
    pthread_create(&out, NULL, drain, config.console);
    if (!config.script)
        pthread_create(&in, NULL, feed, config.console);
    pthread_create(&vm, &attr, vm_thread, NULL);
    pthread_join(vm, NULL);
}
