/* The schematic: which devices there are and how they are connected. */
#define _GNU_SOURCE
#include "board/board.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* ---- wires between the devices ---- */

static void on_bus_reset(void *ctx, bool into_loader)
{
    board_reset(ctx, BUS_RESET_HARD, into_loader);
}

static int on_arm_watchdog(void *ctx, uint32_t ms)
{
    struct board *b = ctx;
    return watchdog_arm(&b->watchdog, ms);
}

static void on_sleep(void *ctx, uint32_t ms)
{
    board_sleep(ctx, ms);
}

static void on_power_failed(void *ctx)
{
    board_power_failed(ctx);
}

static void on_watchdog(void *ctx)
{
    struct board *b = ctx;
    board_say(b, "watchdog: not fed for %u ms, reset", b->watchdog.timeout_ms);
    board_reset(b, BUS_RESET_WATCHDOG, false);
}

static void on_loader_leaves(void *ctx)
{
    board_boot_flash(ctx);
}

static void on_bell(void *ctx, int events)
{
    (void)events;
    struct board *b = ctx;
    wires_bell_rang(&b->wires);
    board_look(b);
}

static void on_cpu_end(void *ctx, struct processor_end end)
{
    struct board *b = ctx;
    struct bus_fault fault = b->wires.cpu->fault;
    if (fault.kind == BUS_FAULT_NONE) {
        fault = (struct bus_fault){.kind = end.by_signal ? BUS_FAULT_SIGNAL
                                                         : BUS_FAULT_EXIT,
                                   .code = (uint32_t)end.code};
        snprintf(fault.text, sizeof fault.text, "%s",
                 end.by_signal ? strsignal(end.code) : "the program ended");
    }
    serial_line_stop(&b->line); /* its last words first */
    board_fault(b, &fault);
}

static void on_lines(void *ctx, enum lines_event event)
{
    struct board *b = ctx;
    if (event == LINES_HELD)
        board_hold(b);
    else
        board_reset(b, BUS_RESET_HARD, event == LINES_DOWNLOAD);
}

/* A client without modem lines cannot reset the board into its loader; that
 * it connects to one that waits there is taken for a reset. */
static void on_plain_client(void *ctx)
{
    struct board *b = ctx;
    if (b->state == BOARD_LOADER)
        loader_port_start(&b->loader, !b->blank);
}

static void on_purge(void *ctx)
{
    struct board *b = ctx;
    loader_port_purge(&b->loader);
}

static json_t *on_request(void *ctx, struct control_client *client,
                          const char *line, size_t len)
{
    return board_request(ctx, client, line, len);
}

/* ---- the user at the terminal ---- */

static void hold_safe_boot(struct board *b)
{
    bool held = pins_driven(&b->pins, PIN_SAFE_BOOT) != PIN_FREE;
    board_drive(b, PIN_SAFE_BOOT, held ? PIN_FREE : PIN_HIGH, 0);
}

static void on_key(void *ctx, char key)
{
    struct board *b = ctx;
    switch (key) {
    case 'q':
        board_quit(b);
        break;
    case 'r':
        board_reset(b, BUS_RESET_HARD, false);
        break;
    case 'p':
        if (board_is_on(b))
            board_power_off(b);
        else
            board_power_on(b);
        break;
    case 'h':
        hold_safe_boot(b);
        break;
    default:
        break;
    }
}

static void services_line(const struct board *b, char *to, size_t size)
{
    char host[INET_ADDRSTRLEN], note[128];
    const struct bus_cpu_regs *r = b->wires.cpu;
    inet_ntop(AF_INET, &b->radio.address, host, sizeof host);
    board_image_note(b, note, sizeof note);
    snprintf(to, size,
             "%s%stelnet %s %u | ftp %u | login micro / python | keys: "
             "Ctrl-] ?",
             note, *note ? " | " : "", host, atomic_load(&r->telnet_port),
             atomic_load(&r->ftp_port));
}

/* What is special comes first: a narrow terminal cuts the end off. */
static void on_status(void *ctx, struct screen_status *status)
{
    struct board *b = ctx;
    char *to = status->text;
    size_t size = sizeof status->text;
    status->rgb = board_led_seen(b, b->led.rgb);
    if (pins_driven(&b->pins, PIN_SAFE_BOOT) != PIN_FREE) {
        int n = snprintf(to, size, "GP28 held | ");
        to += n;
        size -= (size_t)n;
    }
    if (b->announced)
        services_line(b, to, size);
    else if (b->state == BOARD_STOPPED)
        snprintf(to, size, "hard fault: %.60s | reset: Ctrl-] r",
                 b->fault.text);
    else
        snprintf(to, size, "%s | keys: Ctrl-] ?",
                 b->state == BOARD_RUNNING ? "starting" : board_state_name(b));
}

static void on_signal(uv_signal_t *handle, int sig)
{
    (void)sig;
    board_quit(handle->data);
}

void board_quit(struct board *b)
{
    b->quitting = true;
    uv_stop(&b->loop);
}

/* ---- opening and closing ---- */

static int open_chip(struct board *b, struct problem *problem)
{
    const struct board_options *o = &b->options;
    int err = chip_file_open(&b->file, o->flash, o->flash_size, problem);
    if (err)
        return err;
    chip_init(&b->chip, b->file.cells, b->file.size, o->seed);
    chip_cut(&b->chip, o->cut, o->cut_tear);
    return efuse_open(&b->efuse, o->flash, o->seeded, o->seed, problem);
}

static int open_cpu(struct board *b, struct problem *problem)
{
    int err = wires_open(&b->wires, problem);
    if (err)
        return err;
    processor_init(&b->cpu, on_cpu_end, b);
    watchdog_init(&b->watchdog, &b->loop, &b->clock, &b->wires.cpu->wdt_feed,
                  on_watchdog, b);
    b->bell = watch_open(&b->loop, b->wires.bell_up, UV_READABLE, on_bell, b);
    struct bus_port_events ev = {.ctx = b,
                                 .reset = on_bus_reset,
                                 .arm_watchdog = on_arm_watchdog,
                                 .sleep = on_sleep,
                                 .power_failed = on_power_failed};
    err = bus_port_init(&b->bus, &b->loop, &b->chip, &b->file, &b->card,
                        &b->clock, ev);
    b->bus.timing = b->options.chip_timing;
    return err ? problem_set(problem, err, "the host gives no timer") : 0;
}

static int open_line(struct board *b, struct problem *problem)
{
    const struct radio_wish *wish = &b->options.radio;
    bool any = wish->serial == RADIO_DEFAULT;
    struct serial_port_events ev = {.ctx = b,
                                    .lines = on_lines,
                                    .plain_client = on_plain_client,
                                    .purge = on_purge};
    struct loader_port_events loader_ev = {
        .ctx = b, .leave = on_loader_leaves, .power_failed = on_power_failed};
    serial_line_init(&b->line, &b->loop, loader_port_end(&b->loader));
    b->line.pace.real = b->options.baud_real;
    int err = loader_port_init(&b->loader, &b->loop, &b->chip, b->efuse.words,
                               &b->clock, &b->line, loader_ev);
    if (err)
        return problem_set(problem, err, "no memory");
    b->loader.timing = b->options.chip_timing;
    err = serial_port_open(
        &b->serial, &b->loop, &b->line, b->radio.serial_address,
        any ? SERIAL_PORT : (uint16_t)wish->serial, any, ev, problem);
    return err ? err : pty_open(&b->pty, &b->loop, &b->line, problem);
}

static int open_card(struct board *b, struct problem *problem)
{
    sdcard_init(&b->card);
    if (!b->options.sd)
        return 0;
    int err = sdcard_insert(&b->card, b->options.sd, problem);
    if (!err)
        board_card_changed(b);
    return err;
}

static int open_control(struct board *b, struct problem *problem)
{
    const char *path = b->options.control;
    if (!path) {
        snprintf(b->control_path, sizeof b->control_path, "%s.ctl",
                 b->options.flash);
        path = b->control_path;
    }
    return control_open(&b->control, &b->loop, path, on_request, b, problem);
}

static void open_user(struct board *b)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&b->loop, &b->signals[i]);
        b->signals[i].data = b;
        uv_signal_start(&b->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&b->loop, &b->wake);
    uv_timer_init(&b->loop, &b->late);
    uv_timer_init(&b->loop, &b->release);
    b->wake.data = b->late.data = b->release.data = b;
    b->held_pin = -1;
    if (!b->options.headless && !b->options.json)
        terminal_open(&b->terminal, &b->loop, &b->line,
                      (struct terminal_events){b, on_key, on_status});
}

static int open_all(struct board *b, struct problem *problem)
{
    led_init(&b->led);
    int err = open_chip(b, problem);
    if (!err)
        err = radio_settle(&b->radio, &b->options.radio, problem);
    if (!err)
        err = open_control(b, problem);
    if (!err)
        err = open_cpu(b, problem);
    if (!err)
        err = open_line(b, problem);
    if (!err)
        err = open_card(b, problem);
    if (!err)
        open_user(b);
    return err;
}

static void close_handle(uv_handle_t *handle, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_all(struct board *b)
{
    terminal_close(&b->terminal);
    control_close(&b->control);
    serial_port_close(&b->serial);
    pty_close(&b->pty);
    processor_release(&b->cpu);
    bus_port_release(&b->bus);
    watch_close(b->bell);
    wires_close(&b->wires);
    uv_walk(&b->loop, close_handle, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT); /* also ends work on other threads */
    uv_loop_close(&b->loop);
    loader_port_release(&b->loader);
    sdcard_remove(&b->card);
    chip_file_close(&b->file);
}

/* Everything closed: what closing may look at before it was opened. */
static void set_closed(struct board *b)
{
    b->terminal.in = b->terminal.out = -1;
    b->serial.client = b->serial.listening = -1;
    b->pty.master = b->pty.slave = b->pty.watcher = -1;
    b->cpu.walls.ruleset = b->cpu.end_fd = -1;
    b->bus.socket = b->bus.timer_fd = -1;
    b->wires = (struct wires){.cpu_fd = -1,
                              .board_fd = -1,
                              .command = -1,
                              .far_command = -1,
                              .line = -1,
                              .far_line = -1,
                              .bell_up = -1,
                              .bell_down = -1};
    b->card.fd = b->file.fd = b->file.reading_fd = -1;
}

static void say_walls(struct board *b)
{
    static const char text[] = "this kernel has no Landlock: the CPU is "
                               "confined by seccomp alone";
    if (b->cpu.walls.landlock)
        return;
    board_say(b, "%s", text);
    if (!terminal_is_open(&b->terminal))
        serial_line_print(&b->line, text);
}

int board_run(const struct board_options *options, struct problem *problem)
{
    struct board *b = calloc(1, sizeof *b);
    if (!b)
        return problem_set(problem, WIPY_ENOMEM, "no memory for a board");
    b->options = *options;
    set_closed(b);
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&b->loop);
    int err = open_all(b, problem);
    if (!err) {
        say_walls(b);
        board_power_on(b);
        if (!b->quitting)
            uv_run(&b->loop, UV_RUN_DEFAULT);
        board_power_off(b);
        chip_file_sync(&b->file);
    }
    close_all(b);
    free(b);
    return err;
}
