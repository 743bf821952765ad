/* Power, reset, start, fault, sleep: what happens to the board as a whole. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "board/board.h"
#include "board/boot_rom.h"
#include "led/led.h"

enum { LATE_MS = 10000, LATE_MIN_MS = 5000 };

bool board_is_on(const struct board *b)
{
    return b->state != BOARD_OFF;
}

const char *board_state_name(const struct board *b)
{
    static const char *const names[] = {"off",     "held in reset", "running",
                                        "stopped", "serial loader", "sleeping"};
    return names[b->state];
}

/* ---- what is seen ---- */

static bool cpu_runs(const struct board *b)
{
    return b->state == BOARD_RUNNING;
}

/* The board lights the LED itself where no CPU can: after a hard fault and
 * with nothing to start. */
static uint32_t led_colour(const struct board *b)
{
    if (b->state == BOARD_STOPPED || (b->state == BOARD_LOADER && b->blank))
        return LED_RED;
    return cpu_runs(b) ? atomic_load(&b->wires.cpu->led) & 0xffffff : LED_DARK;
}

uint32_t board_led_seen(const struct board *b, uint32_t rgb)
{
    return rgb && b->options.kind == BUS_BOARD_WIPY1 ? 0xffffff : rgb;
}

const char *board_led_pattern(const struct board *b)
{
    if (b->state == BOARD_STOPPED || (b->state == BOARD_LOADER && b->blank))
        return "fatal";
    return board_is_on(b) ? led_pattern(&b->led, clock_ms(&b->clock)) : "dark";
}

static void look_at_led(struct board *b)
{
    uint32_t rgb = led_colour(b);
    uint64_t now = clock_ms(&b->clock);
    char text[8];
    if (!led_show(&b->led, rgb, now))
        return;
    snprintf(text, sizeof text, "%06x", board_led_seen(b, rgb));
    board_event(b, "led",
                json_pack("{s:s, s:I}", "rgb", text, "ms", (json_int_t)now));
}

static void look_at_pins(struct board *b)
{
    struct bus_cpu_regs *cpu = b->wires.cpu;
    struct pins_cpu ours = {.lit = b->led.rgb != 0};
    if (cpu_runs(b)) {
        ours.out = atomic_load(&cpu->pin_out);
        ours.dir = atomic_load(&cpu->pin_dir);
        ours.up = atomic_load(&cpu->pin_up);
        ours.down = atomic_load(&cpu->pin_down);
    }
    uint32_t level = pins_level(&b->pins, &ours);
    if (atomic_exchange(&b->wires.board->pin_level, level) != level)
        wires_ring_down(&b->wires);
}

static void services_answer(struct board *b)
{
    radio_heard(&b->radio.telnet, atomic_load(&b->wires.cpu->telnet_port));
    radio_heard(&b->radio.ftp, atomic_load(&b->wires.cpu->ftp_port));
    if (b->announced)
        return;
    b->announced = true;
    uv_timer_stop(&b->late);
    board_announce(b);
}

static void look_at_state(struct board *b)
{
    if (!cpu_runs(b))
        return;
    uint32_t state = atomic_load(&b->wires.cpu->state);
    if (state == BUS_CPU_FATAL) {
        struct bus_fault fault = b->wires.cpu->fault;
        if (fault.kind == BUS_FAULT_NONE)
            fault.kind = BUS_FAULT_FATAL;
        board_fault(b, &fault);
    } else if (state == BUS_CPU_SERVICES) {
        services_answer(b);
    }
}

void board_look(struct board *b)
{
    look_at_state(b);
    look_at_led(b);
    look_at_pins(b);
    terminal_refresh(&b->terminal);
}

/* ---- stopping ---- */

/* Nothing runs after this: no CPU, no loader, no timers of theirs. */
static void stop(struct board *b)
{
    processor_stop(&b->cpu);
    watchdog_disarm(&b->watchdog);
    loader_port_stop(&b->loader);
    bus_port_stop(&b->bus);
    serial_line_stop(&b->line);
    wires_stop(&b->wires);
    uv_timer_stop(&b->wake);
    uv_timer_stop(&b->late);
    chip_unlock_all(&b->chip);
    b->announced = false;
    b->blank = false;
}

static void set_state(struct board *b, enum board_state state)
{
    b->state = state;
    board_look(b);
}

/* ---- starting ---- */

static uint16_t next_port(struct board *b, const struct radio_port *port)
{
    uint16_t number = radio_next(&b->radio, port);
    if (port->last && number != port->last)
        board_say(b, "%s port %u was taken by another program: any free one",
                  port->service, port->last);
    return number;
}

static void fill_registers(struct board *b)
{
    struct bus_board_regs *r = b->wires.board;
    r->board = b->options.kind;
    r->flash_size = b->chip.size;
    memcpy(r->mac, b->efuse.mac, sizeof r->mac);
    r->revision = b->efuse.revision;
    r->reset_cause = b->cause;
    r->starts = b->starts;
    r->last_fault = b->last_fault;
    r->zero_ns = b->clock.zero_ns;
    r->speed = b->clock.speed;
    r->bind_addr = b->radio.address;
    r->telnet_port = next_port(b, &b->radio.telnet);
    r->ftp_port = next_port(b, &b->radio.ftp);
    r->ftp_data_port = b->radio.ftp_data.number;
    r->link = 1;
}

static void print_banner(struct board *b)
{
    char text[ROM_BANNER_MAX];
    size_t len = rom_banner(text, ROM_BOOT_FLASH, b->cause);
    serial_line_put(&b->line, (const uint8_t *)text, len);
}

static void enter_loader(struct board *b)
{
    b->state = BOARD_LOADER;
    loader_port_start(&b->loader, !b->blank);
    board_event(b, "loader", NULL);
    board_say(b, b->blank ? "nothing valid at 0x1000: the serial loader waits"
                          : "the serial loader waits");
    board_look(b);
}

/* The ROM found nothing to start. */
static void stay_blank(struct board *b, enum image_fault fault)
{
    char text[160];
    snprintf(text, sizeof text,
             "no bootloader at 0x1000: %s\r\n"
             "flash one over the serial line\r\n",
             image_fault_text(fault));
    serial_line_print(&b->line, text);
    b->blank = true;
    enter_loader(b);
}

/* Without a terminal nobody sees what the CPU prints: say why it waits. */
static void on_late(uv_timer_t *timer)
{
    struct board *b = timer->data;
    char line[200];
    serial_line_last_line(&b->line, line, sizeof line);
    board_say(b, "the services do not answer yet; the CPU's last words: %s",
              *line ? line : "none");
}

/* Longer than the safe-boot windows, and no less than a slow host needs. */
static void expect_services(struct board *b)
{
    uint64_t ms = clock_real_ms(&b->clock, LATE_MS);
    uv_update_time(&b->loop);
    uv_timer_start(&b->late, on_late, ms < LATE_MIN_MS ? LATE_MIN_MS : ms, 0);
}

static void start_program(struct board *b, int program)
{
    struct problem problem;
    int err = wires_start(&b->wires, b->cause != BUS_RESET_POWER_ON, &problem);
    if (!err) {
        fill_registers(b);
        err = processor_start(&b->cpu, &b->loop, program, &b->wires,
                              b->file.reading_fd, &problem);
    }
    if (err) {
        board_say(b, "%s", problem.text);
        board_power_off(b);
        return;
    }
    wires_handed_over(&b->wires);
    bus_port_start(&b->bus, b->wires.command, b->wires.card);
    serial_line_start(&b->line, b->wires.line);
    expect_services(b);
    set_state(b, BOARD_RUNNING);
}

static void start_from_flash(struct board *b)
{
    print_banner(b);
    struct boot_rom_result rom = boot_rom_load(&b->chip);
    if (rom.fault != IMAGE_FINE) {
        stay_blank(b, rom.fault);
        return;
    }
    if (rom.program < 0) {
        board_say(b, "the host gives no memory for the bootloader");
        board_power_off(b);
        return;
    }
    start_program(b, rom.program);
    close(rom.program);
}

static bool is_strapped(const struct board *b)
{
    return pins_strapped(&b->pins) || serial_port_strapped(&b->serial);
}

/* From reset to the first instruction. */
static void start(struct board *b, enum bus_reset_cause cause, bool loader)
{
    stop(b);
    b->cause = cause;
    b->starts++;
    b->last_fault = b->fault;
    b->fault = (struct bus_fault){0};
    bool strapped = is_strapped(b);
    atomic_store(&b->wires.board->strap, strapped ? BUS_STRAP_LOADER : 0);
    if (loader)
        enter_loader(b);
    else
        start_from_flash(b);
}

/* ---- the switches ---- */

void board_power_on(struct board *b)
{
    if (board_is_on(b))
        return;
    chip_power_on(&b->chip);
    clock_start(&b->clock, b->options.speed);
    led_init(&b->led);
    b->wires.board->rtc_start = time(NULL);
    b->starts = 0;
    b->fault = (struct bus_fault){0};
    board_event(b, "power", json_pack("{s:b}", "on", 1));
    start(b, BUS_RESET_POWER_ON, is_strapped(b));
}

void board_power_off(struct board *b)
{
    if (!board_is_on(b))
        return;
    stop(b);
    memset(b->wires.cpu, 0, sizeof *b->wires.cpu);
    b->fault = b->last_fault = (struct bus_fault){0};
    set_state(b, BOARD_OFF);
    board_event(b, "power", json_pack("{s:b}", "on", 0));
}

void board_power_failed(struct board *b)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)b->chip.commands);
    board_say(b, "power cut at chip command %s (%s): 'wipy power on' goes on",
              text, chip_tear_name(b->chip.tear));
    board_event(b, "cut",
                json_pack("{s:I}", "command", (json_int_t)b->chip.commands));
    board_power_off(b);
}

void board_reset(struct board *b, enum bus_reset_cause cause, bool into_loader)
{
    static const char *const names[] = {"power on",   "hard", "watchdog",
                                        "deep sleep", "soft", "brown-out"};
    if (!board_is_on(b))
        return;
    board_event(b, "reset", json_pack("{s:s}", "cause", names[cause]));
    start(b, cause, into_loader || is_strapped(b));
}

void board_boot_flash(struct board *b)
{
    start(b, BUS_RESET_HARD, false);
}

void board_hold(struct board *b)
{
    if (!board_is_on(b))
        return;
    stop(b);
    set_state(b, BOARD_HELD);
}

/* ---- deep sleep ---- */

static void on_wake(uv_timer_t *timer)
{
    struct board *b = timer->data;
    board_reset(b, BUS_RESET_DEEP_SLEEP, false);
}

void board_sleep(struct board *b, uint32_t ms)
{
    stop(b);
    set_state(b, BOARD_SLEEPING);
    board_event(b, "sleep", json_pack("{s:I}", "ms", (json_int_t)ms));
    uv_update_time(&b->loop);
    if (ms)
        uv_timer_start(&b->wake, on_wake, clock_real_ms(&b->clock, ms), 0);
}

/* ---- pins ---- */

static void on_release(uv_timer_t *timer)
{
    struct board *b = timer->data;
    int gp = b->held_pin;
    b->held_pin = -1;
    if (gp >= 0)
        board_drive(b, (unsigned)gp, PIN_FREE, 0);
}

void board_drive(struct board *b, unsigned gp, enum pin_drive drive,
                 uint64_t for_ms)
{
    pins_drive(&b->pins, gp, drive);
    if (b->held_pin == (int)gp || for_ms) {
        uv_timer_stop(&b->release);
        b->held_pin = -1;
    }
    if (for_ms) {
        b->held_pin = (int)gp;
        uv_update_time(&b->loop);
        uv_timer_start(&b->release, on_release,
                       clock_real_ms(&b->clock, for_ms), 0);
    }
    board_event(
        b, "pin",
        json_pack("{s:i, s:s}", "gp", (int)gp, "drive", pin_drive_name(drive)));
    board_look(b);
    if (b->state == BOARD_SLEEPING)
        board_reset(b, BUS_RESET_DEEP_SLEEP, false);
}

/* ---- the card ---- */

void board_card_changed(struct board *b)
{
    struct bus_board_regs *r = b->wires.board;
    r->sd_readonly = b->card.readonly;
    r->sd_sectors = b->card.sectors;
    atomic_store(&r->sd_present, b->card.fd >= 0 ? b->card.insertions : 0);
    wires_ring_down(&b->wires);
}

/* ---- faults ---- */

void board_fault_text(const struct bus_fault *fault, char *text, size_t size)
{
    char reason[sizeof fault->text];
    memcpy(reason, fault->text, sizeof reason);
    reason[sizeof reason - 1] = 0;
    for (char *p = reason; *p; p++) /* the CPU wrote it: no escapes */
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    const char *kind = fault->kind == BUS_FAULT_FATAL ? "fatal" : "hard fault";
    int n = snprintf(text, size, "%s: %s", kind, reason);
    if (n < 0 || (size_t)n >= size || fault->kind == BUS_FAULT_FATAL)
        return;
    size_t left = size - (size_t)n;
    if (fault->kind == BUS_FAULT_EXIT)
        snprintf(text + n, left, " (exit status %u)", fault->code);
    else if (fault->pc == 0) /* it died before it could tell where */
        snprintf(text + n, left, " (signal %u)", fault->code);
    else
        snprintf(text + n, left, " (signal %u, address 0x%llx, pc 0x%llx)",
                 fault->code, (unsigned long long)fault->address,
                 (unsigned long long)fault->pc);
}

/* LED solid until the reset switch is pressed or an armed watchdog bites: it
 * is no longer fed, so it keeps running. */
void board_fault(struct board *b, const struct bus_fault *fault)
{
    char text[256];
    if (b->state != BOARD_RUNNING)
        return;
    b->fault = *fault;
    b->fault.text[sizeof b->fault.text - 1] = 0;
    board_fault_text(&b->fault, text, sizeof text);
    b->announced = false;
    bool told = b->wires.cpu->fault.kind != BUS_FAULT_NONE;
    set_state(b, BOARD_STOPPED);
    if (!told) { /* the CPU had no time to */
        serial_line_print(&b->line, "\r\n");
        serial_line_print(&b->line, text);
        serial_line_print(&b->line,
                          "\r\nthe LED stays on until the board is reset\r\n");
    }
    if (!terminal_is_open(&b->terminal)) /* it shows the serial line */
        board_say(b, "%s", text);
    board_event(b, "fault", json_pack("{s:s}", "text", text));
}
