/* The firmware's network side as a program of the host: the loop with its
 * sessions over a folder, and a prompt that echoes. For client tests and
 * benches of telnet and FTP alone; the whole board is `wipy run`.
 *
 *   net_host FOLDER [TELNET-PORT FTP-PORT DATA-PORT [BIND]]
 *
 * prints "ready telnet=H:P ftp=H:P" and serves until SIGTERM. The prompt
 * knows `flood` (prints until Ctrl-C), `spin` (reads nothing until Ctrl-C),
 * `tick`
 * (prints a line twice a second), `timeout N` (idle seconds of the sessions
 * that come). */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "firmware/net/net.h"
#include "firmware/net/private.h" /* the ports that were bound */
#include "nethost.h"

static struct console *console;
static struct net *net;
static struct storage storage;
static struct update updater;
static _Atomic bool interrupted;
static bool said_ready;

static void on_interrupt(void *ctx)
{
    (void)ctx;
    interrupted = true;
    console_wake(console);
}

static void print(const char *text)
{
    console_write(console, text, strlen(text));
}

static void command(const char *line)
{
    interrupted = false;
    if (!strcmp(line, "flood"))
        for (unsigned i = 0; !interrupted; i++) {
            char text[80];
            snprintf(text, sizeof text, "line %u of the flood\r\n", i);
            print(text);
        }
    else if (!strcmp(line, "tick"))
        while (!interrupted) {
            print("tick\r\n");
            nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
        }
    else if (!strcmp(line, "spin"))
        while (!interrupted)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    else if (!strncmp(line, "timeout ", 8))
        net_server_init(net, NULL, NULL, (unsigned)atoi(line + 8));
    else if (line[0]) {
        print(line);
        print("\r\n");
    }
    if (interrupted)
        print("KeyboardInterrupt\r\n");
}

static void *prompt(void *arg)
{
    char line[256];
    size_t len = 0;
    (void)arg;
    for (;;) {
        uint8_t byte;
        int n = console_read(console, &byte, 1, -1);
        if (n < 0) {
            len = 0;
            print("\r\n>>> ");
        } else if (n && byte == '\r') {
            line[len] = '\0';
            print("\r\n");
            command(line);
            print(">>> ");
            len = 0;
        } else if (n && (byte == 8 || byte == 127)) {
            if (len) {
                len--;
                print("\b \b");
            }
        } else if (n && len < sizeof line - 1) {
            line[len++] = (char)byte;
            console_write(console, &byte, 1);
        }
    }
    return NULL;
}

static void log_line(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

static int tick(void *ctx, uint64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
    if (net_is_up(net) && !said_ready) {
        char host[16];
        address_text(host, net->config.listen.addr);
        printf("ready telnet=%s:%u ftp=%s:%u\n", host,
               net->telnet_listener.port, host, net->ftp_listener.port);
        fflush(stdout);
        said_ready = true;
    }
    return -1;
}

static void safe_boot(void *ctx)
{
    (void)ctx;
    printf("safe boot\n");
    fflush(stdout);
    net_stop(net);
}

static void on_term(int number)
{
    (void)number;
    net_stop(net);
}

static uint16_t port(int argc, char **argv, int i)
{
    return argc > i ? (uint16_t)atoi(argv[i]) : 0;
}

int main(int argc, char **argv)
{
    char flash[300];
    if (argc < 2)
        return 2;
    snprintf(flash, sizeof flash, "%s/flash", argv[1]);
    mkdir(flash, 0755);
    snprintf(flash, sizeof flash, "%s/flash/sys", argv[1]);
    mkdir(flash, 0755);
    console = console_new();
    storage_start(&storage);
    struct net_config config = {
        .listen = {.addr = inet_addr(argc > 5 ? argv[5] : "127.0.0.1"),
                   .telnet_port = port(argc, argv, 2),
                   .ftp_port = port(argc, argv, 3),
                   .ftp_data_port = port(argc, argv, 4)},
        .uart = -1,
        .bell = -1,
        .storage = &storage,
        .volumes = volumes_over_folder(argv[1]),
        .update = &updater,
        .console = console,
        .banner = "MicroPython 1.27 on 2026-11-21; WiPy with ESP32",
        .tick = tick,
        .safe_boot = safe_boot,
        .log = log_line,
    };
    net = net_new(&config);
    if (!console || !net)
        return 1;
    console_on_interrupt(console, on_interrupt, NULL);
    signal(SIGTERM, on_term);
    pthread_t vm;
    pthread_create(&vm, NULL, prompt, NULL);
    net_run(net);
    return 0; /* the threads end with the process */
}
