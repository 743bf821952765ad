/* The board as others see it: status, events, the ready line. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/board.h"

static const char *cause_name(enum bus_reset_cause cause)
{
    static const char *const names[] = {"power on",   "hard", "watchdog",
                                        "deep sleep", "soft", "brown-out"};
    return names[cause];
}

static const char *cpu_state_name(const struct board *b)
{
    static const char *const names[] = {"reset", "bootloader", "firmware",
                                        "services", "fatal"};
    uint32_t state = atomic_load(&b->wires.cpu->state);
    if (b->state != BOARD_RUNNING && b->state != BOARD_STOPPED)
        return "stopped";
    return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

/* Text of the CPU's registers: bounded, and nothing a terminal obeys. */
struct cpu_text {
    char text[65];
};

static struct cpu_text cpu_text(const char *from, size_t size)
{
    struct cpu_text t;
    size_t len = strnlen(from, size < sizeof t.text ? size : sizeof t.text - 1);
    memcpy(t.text, from, len);
    t.text[len] = 0;
    for (size_t i = 0; i < len; i++)
        if (t.text[i] < ' ' || t.text[i] > '~')
            t.text[i] = '?';
    return t;
}

struct image {
    const char *slot;
    struct cpu_text version, note;
};

static struct image image(const struct board *b)
{
    static const char *const slots[] = {"factory", "ota_0", "ota_1"};
    const struct bus_cpu_regs *r = b->wires.cpu;
    uint32_t slot = atomic_load(&r->slot);
    /* Until the bootloader has chosen, the registers are zero; where no CPU
     * is at work they are of the run before. */
    bool old = b->state == BOARD_OFF || b->state == BOARD_HELD ||
               b->state == BOARD_LOADER;
    bool chosen =
        !old && r->image_version[0] && slot < sizeof slots / sizeof slots[0];
    return (struct image){
        .slot = chosen ? slots[slot] : "unknown",
        .version =
            cpu_text(r->image_version, old ? 0 : sizeof r->image_version),
        .note = cpu_text(r->image_note, old ? 0 : sizeof r->image_note)};
}

static json_t *image_status(const struct board *b)
{
    struct image i = image(b);
    return json_pack("{s:s, s:s, s:s}", "slot", i.slot, "version",
                     i.version.text, "note", i.note.text);
}

void board_image_note(const struct board *b, char *text, size_t size)
{
    struct image i = image(b);
    snprintf(text, size, "%s: %s %s", i.note.text, i.slot, i.version.text);
    if (!*i.note.text)
        *text = 0;
}

static json_t *address(uint32_t ip, uint32_t port)
{
    char host[INET_ADDRSTRLEN], text[INET_ADDRSTRLEN + 8];
    inet_ntop(AF_INET, &ip, host, sizeof host);
    snprintf(text, sizeof text, "%s:%u", host, port & 0xffff);
    return port ? json_string(text) : json_null();
}

static json_t *addresses(const struct board *b)
{
    const struct bus_cpu_regs *r = b->wires.cpu;
    bool up = b->state == BOARD_RUNNING;
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:s}", "telnet",
        address(b->radio.address, up ? atomic_load(&r->telnet_port) : 0), "ftp",
        address(b->radio.address, up ? atomic_load(&r->ftp_port) : 0), "serial",
        address(b->radio.serial_address, b->serial.port), "pty", b->pty.path,
        "control", b->control.path);
}

json_t *board_led_status(const struct board *b)
{
    char rgb[8];
    snprintf(rgb, sizeof rgb, "%06x", board_led_seen(b, b->led.rgb));
    return json_pack("{s:s, s:b, s:s}", "rgb", rgb, "on", b->led.rgb != 0,
                     "pattern", board_led_pattern(b));
}

static json_t *fault_status(const struct bus_fault *fault)
{
    char text[256];
    if (fault->kind == BUS_FAULT_NONE)
        return json_null();
    board_fault_text(fault, text, sizeof text);
    return json_pack("{s:s, s:i, s:I, s:I}", "text", text, "code",
                     (int)fault->code, "address", (json_int_t)fault->address,
                     "pc", (json_int_t)fault->pc);
}

static json_t *watchdog_status(const struct board *b)
{
    if (b->watchdog.timeout_ms == 0)
        return json_null();
    return json_pack("{s:I}", "timeout_ms", (json_int_t)b->watchdog.timeout_ms);
}

static json_t *card_status(const struct board *b)
{
    if (b->card.fd < 0)
        return json_null();
    return json_pack("{s:s, s:I, s:b}", "file", b->card.path, "sectors",
                     (json_int_t)b->card.sectors, "readonly", b->card.readonly);
}

static json_t *chip_status(const struct board *b)
{
    const struct chip *c = &b->chip;
    json_t *cut = json_null();
    if (c->cut_at > c->commands)
        cut =
            json_pack("{s:I, s:s}", "in", (json_int_t)(c->cut_at - c->commands),
                      "tear", chip_tear_name(c->tear));
    return json_pack("{s:s, s:I, s:I, s:b, s:o}", "file", b->options.flash,
                     "size", (json_int_t)c->size, "commands",
                     (json_int_t)c->commands, "timing", b->bus.timing, "cut",
                     cut);
}

/* Why the board is in download mode, and what leads out of it. */
static json_t *loader_status(const struct board *b)
{
    if (b->state != BOARD_LOADER)
        return json_null();
    if (b->blank)
        return json_string("no bootloader at 0x1000; 'wipy flash --all-images "
                           "FOLDER' writes one");
    if (pins_strapped(&b->pins))
        return json_string("P2 is pulled to ground; 'wipy pin P2 free', then "
                           "'wipy reset' starts the program");
    if (serial_port_strapped(&b->serial))
        return json_string("the serial line's client holds DTR; when it lets "
                           "go, 'wipy reset' starts the program");
    return json_string("the ROM's loader waits for a flasher; 'wipy reset' "
                       "starts the program");
}

static json_t *walls_status(const struct board *b)
{
    return json_pack("{s:b, s:i}", "seccomp", 1, "landlock",
                     b->cpu.walls.landlock);
}

json_t *board_status(const struct board *b)
{
    char mac[18];
    bool on = board_is_on(b);
    efuse_mac_text(&b->efuse, mac);
    json_t *s =
        json_pack("{s:s, s:s, s:s, s:o, s:s, s:i, s:I, s:f}", "power",
                  on ? "on" : "off", "state", board_state_name(b), "cpu",
                  cpu_state_name(b), "led", board_led_status(b), "reset_cause",
                  on ? cause_name(b->cause) : "none", "starts", (int)b->starts,
                  "uptime_ms", (json_int_t)(on ? clock_ms(&b->clock) : 0),
                  "speed", (double)b->options.speed / CLOCK_REAL_TIME);
    json_object_set_new(s, "ready", json_boolean(b->announced));
    json_object_set_new(s, "image", image_status(b));
    json_object_set_new(s, "loader", loader_status(b));
    json_object_set_new(s, "addresses", addresses(b));
    json_object_set_new(s, "fault", fault_status(&b->fault));
    json_object_set_new(s, "last_fault", fault_status(&b->last_fault));
    json_object_set_new(s, "watchdog", watchdog_status(b));
    json_object_set_new(s, "mac", json_string(mac));
    json_object_set_new(
        s, "board",
        json_string(b->options.kind == BUS_BOARD_WIPY1 ? "WIPY1" : "WIPY"));
    json_object_set_new(s, "sd", card_status(b));
    json_object_set_new(s, "chip", chip_status(b));
    json_object_set_new(s, "walls", walls_status(b));
    return s;
}

/* ---- events ---- */

/* A request with "wait" is answered when the start it caused has settled. */
static bool settles(const char *name)
{
    return strcmp(name, "ready") == 0 || strcmp(name, "fault") == 0 ||
           strcmp(name, "loader") == 0 || strcmp(name, "sleep") == 0;
}

static void answer_waiting(struct board *b)
{
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct control_client *client = &b->control.clients[i];
        if (!client->waiting)
            continue;
        json_t *answer =
            json_pack("{s:b, s:o}", "ok", 1, "result", board_status(b));
        if (client->waiting_id)
            json_object_set_new(answer, "id", client->waiting_id);
        client->waiting_id = NULL;
        client->waiting = false;
        control_send(client, answer);
    }
}

void board_event(struct board *b, const char *name, json_t *more)
{
    json_t *event = json_pack("{s:s}", "event", name);
    if (more)
        json_object_update(event, more);
    json_decref(more);
    control_publish(&b->control, event);
    if (b->options.json && strcmp(name, "led") != 0) {
        json_dumpf(event, stdout, JSON_COMPACT);
        fputc('\n', stdout);
        fflush(stdout);
    }
    json_decref(event);
    bool off = strcmp(name, "power") == 0 && !board_is_on(b);
    if (settles(name) || off)
        answer_waiting(b);
}

void board_say(struct board *b, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (terminal_is_open(&b->terminal))
        terminal_say(&b->terminal, text);
    else if (!b->options.json)
        fprintf(stderr, "wipy: %s\n", text);
    board_event(b, "say", json_pack("{s:s}", "text", text));
}

void board_announce(struct board *b)
{
    json_t *where = addresses(b);
    char line[1500];
    const char *telnet = json_string_value(json_object_get(where, "telnet"));
    const char *ftp = json_string_value(json_object_get(where, "ftp"));
    const char *serial = json_string_value(json_object_get(where, "serial"));
    snprintf(line, sizeof line,
             "ready telnet=%s ftp=%s pty=%s serial=%s control=%s",
             telnet ? telnet : "none", ftp ? ftp : "none", b->pty.path,
             serial ? serial : "none", b->control.path);
    if (terminal_is_open(&b->terminal)) {
        terminal_say(&b->terminal, line);
    } else if (!b->options.json) {
        puts(line);
        fflush(stdout);
    }
    board_event(b, "ready", where);
    board_image_note(b, line, sizeof line);
    if (*line && !terminal_is_open(&b->terminal)) /* its line shows it */
        board_say(b, "%s", line);
}
