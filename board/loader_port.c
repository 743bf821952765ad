#include "loader_port.h"

#include <stdlib.h>

#include "base/err.h"

/* ---- the chip, with its times ---- */

static bool is_busy(void *ctx)
{
    struct loader_port *port = ctx;
    return clock_us(port->clock) < port->busy_until_us;
}

static void add_busy(struct loader_port *port, uint32_t us)
{
    uint64_t now = clock_us(port->clock);
    if (!port->timing)
        return;
    if (port->busy_until_us < now)
        port->busy_until_us = now;
    port->busy_until_us += us;
}

static int flash_read_cells(void *ctx, flash_off off, void *to, size_t len)
{
    struct loader_port *port = ctx;
    struct flash flash = chip_flash(port->chip);
    return flash_read(&flash, off, to, len);
}

static int flash_program_cells(void *ctx, flash_off off, const void *from,
                               size_t len)
{
    struct loader_port *port = ctx;
    int err = chip_program(port->chip, off, from, len);
    if (!err)
        add_busy(port, chip_program_us(off, len));
    return err;
}

static int flash_erase_cells(void *ctx, flash_off off, size_t len)
{
    struct loader_port *port = ctx;
    if (len > port->chip->size)
        return WIPY_ERANGE;
    int err = chip_erase(port->chip, off, (uint32_t)len);
    if (!err)
        add_busy(port, chip_erase_us(off, (uint32_t)len));
    return err;
}

/* ---- bytes and time ---- */

static void on_tick(uv_timer_t *timer);

/* Carries what the loader has to say and asks when it wants to be called. */
static void pump(struct loader_port *port)
{
    const uint8_t *at;
    size_t len, taken;
    if (port->pumping || !port->running)
        return;
    port->pumping = true;
    int again_ms = rom_tick(port->rom, clock_ms(port->clock));
    while ((len = rom_output(port->rom, &at)) &&
           (taken = serial_line_put_client(port->line, at, len)))
        rom_output_drop(port->rom, taken);
    port->pumping = false;
    if (port->chip->dead) {
        port->ev.power_failed(port->ev.ctx);
        return;
    }
    if (again_ms >= 0)
        uv_timer_start(&port->tick, on_tick,
                       clock_real_ms(port->clock, (uint64_t)again_ms), 0);
    else
        uv_timer_stop(&port->tick);
}

static void on_tick(uv_timer_t *timer)
{
    struct loader_port *port = timer->data;
    pump(port);
    serial_line_resume(port->line);
}

static size_t feed(void *ctx, const uint8_t *data, size_t len)
{
    struct loader_port *port = ctx;
    size_t taken = rom_feed(port->rom, data, len);
    pump(port);
    return taken;
}

static void room(void *ctx)
{
    struct loader_port *port = ctx;
    pump(port);
    serial_line_resume(port->line);
}

static void on_leaving(uv_timer_t *timer)
{
    struct loader_port *port = timer->data;
    if (port->running)
        port->ev.leave(port->ev.ctx);
}

/* Called from inside the loader: the boot comes when it has returned. */
static void on_leave(void *ctx)
{
    struct loader_port *port = ctx;
    uv_timer_start(&port->leaving, on_leaving, 0, 0);
}

/* A client that sets no speed itself follows the board's. */
static void on_baud(void *ctx, uint32_t baud)
{
    struct loader_port *port = ctx;
    pace_set(&port->line->pace, baud);
}

/* ---- life ---- */

int loader_port_init(struct loader_port *port, uv_loop_t *loop,
                     struct chip *chip, const uint32_t *efuse,
                     const struct clock *clock, struct serial_line *line,
                     struct loader_port_events ev)
{
    *port = (struct loader_port){
        .chip = chip, .clock = clock, .line = line, .ev = ev};
    port->flash = (struct flash){.ctx = port,
                                 .size = chip->size,
                                 .read = flash_read_cells,
                                 .program = flash_program_cells,
                                 .erase = flash_erase_cells,
                                 .map = chip->cells};
    port->rom = malloc(sizeof *port->rom);
    if (!port->rom)
        return WIPY_ENOMEM;
    uv_timer_init(loop, &port->tick);
    uv_timer_init(loop, &port->leaving);
    port->tick.data = port->leaving.data = port;
    struct rom_config config = {.flash = &port->flash,
                                .efuse = efuse,
                                .ctx = port,
                                .baud = on_baud,
                                .leave = on_leave,
                                .busy = is_busy};
    rom_init(port->rom, &config);
    return 0;
}

void loader_port_release(struct loader_port *port)
{
    free(port->rom);
    port->rom = NULL;
}

void loader_port_start(struct loader_port *port, bool strapped)
{
    port->running = true;
    serial_line_set_loading(port->line, true);
    rom_start(port->rom, strapped);
    pump(port);
}

void loader_port_stop(struct loader_port *port)
{
    if (!port->running)
        return;
    port->running = false;
    rom_stop(port->rom);
    uv_timer_stop(&port->tick);
    uv_timer_stop(&port->leaving);
    serial_line_set_loading(port->line, false);
}

void loader_port_purge(struct loader_port *port)
{
    if (port->running)
        rom_output_purge(port->rom);
}

struct serial_line_loader loader_port_end(struct loader_port *port)
{
    return (struct serial_line_loader){.ctx = port, .feed = feed, .room = room};
}
