/* The board: every device, wired. `wipy run` is board_run().
 *
 * board.c   the schematic: opens the devices and connects them
 * life.c    power, reset, start, fault, sleep
 * status.c  what it looks like from outside, as JSON
 * requests.c  what the control socket may ask */
#ifndef WIPY_BOARD_BOARD_H
#define WIPY_BOARD_BOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "board/bus_port.h"
#include "board/chip.h"
#include "board/chip_file.h"
#include "board/clock.h"
#include "board/control.h"
#include "board/efuse.h"
#include "board/led.h"
#include "board/loader_port.h"
#include "board/pins.h"
#include "board/processor.h"
#include "board/pty.h"
#include "board/radio.h"
#include "board/sdcard.h"
#include "board/serial_line.h"
#include "board/serial_port.h"
#include "board/terminal.h"
#include "board/watchdog.h"
#include "board/wires.h"

/* How a board is made. Strings stay the caller's. */
struct board_options {
    const char *flash;   /* chip file */
    uint32_t flash_size; /* of a new one; 0 = 8 MiB, any for an old one */
    enum bus_board_kind kind;
    struct radio_wish radio;
    const char *sd;      /* NULL = no card */
    const char *control; /* socket; NULL = the chip file + ".ctl" */
    uint32_t speed;      /* CLOCK_REAL_TIME = 1 */
    bool chip_timing;
    bool baud_real; /* the serial line takes the time its speed asks */
    uint64_t cut;   /* power fails at this chip command; 0 = never */
    enum chip_tear cut_tear;
    bool seeded;
    uint64_t seed; /* of faults and of a new address */
    bool headless, json;
};

enum board_state {
    BOARD_OFF,
    BOARD_HELD,     /* EN is low: reset is held down */
    BOARD_RUNNING,  /* a CPU runs */
    BOARD_STOPPED,  /* hard fault: the CPU is dead or gave up */
    BOARD_LOADER,   /* the ROM's serial loader */
    BOARD_SLEEPING, /* deep sleep */
};

struct board {
    struct board_options options;
    uv_loop_t loop;

    struct clock clock;
    struct efuse efuse;
    struct chip_file file;
    struct chip chip;
    struct wires wires;
    struct processor cpu;
    struct bus_port bus;
    struct sdcard card;
    struct radio radio;
    struct pins pins;
    struct led led;
    struct watchdog watchdog;
    struct loader_port loader;
    struct serial_line line;
    struct pty pty;
    struct serial_port serial;
    struct control control;
    struct terminal terminal;

    struct watch *bell;
    uv_timer_t wake;    /* end of deep sleep */
    uv_timer_t late;    /* services that do not come */
    uv_timer_t release; /* end of a held pin */
    uv_signal_t signals[3];
    int held_pin; /* the one `release` lets go, -1 = none */

    enum board_state state;
    bool blank;     /* in the loader because nothing at 0x1000 is valid */
    bool announced; /* services of this start were */
    enum bus_reset_cause cause;
    uint32_t starts;
    struct bus_fault fault;      /* of this start */
    struct bus_fault last_fault; /* of the run before */
    bool quitting;
    char control_path[1100];
};

/* Runs a board until it is asked to end. Returns 0 after a clean power-off,
 * else a negative enum wipy_err with `problem` filled. */
int board_run(const struct board_options *options, struct problem *problem);

/* ---- life.c ---- */

void board_power_on(struct board *b);
void board_power_off(struct board *b);

/* The reset switch; `into_loader` as if the strap were low. */
void board_reset(struct board *b, enum bus_reset_cause cause, bool into_loader);

/* Boots the flash whatever the strap says: a client of the loader asked. */
void board_boot_flash(struct board *b);

/* EN is pulled low until the next board_reset. */
void board_hold(struct board *b);

void board_sleep(struct board *b, uint32_t ms);

/* The CPU ended by itself or said that it gave up. */
void board_fault(struct board *b, const struct bus_fault *fault);

/* Drives a line from outside and tells the CPU; with `for_ms` of board time
 * lets it go again after that. One line at a time can be let go by time. */
void board_drive(struct board *b, unsigned gp, enum pin_drive drive,
                 uint64_t for_ms);

/* The CPU rang, or something that the LED or the pins depend on changed. */
void board_look(struct board *b);

/* The card slot's registers follow the slot. */
void board_card_changed(struct board *b);

/* Power failed at the planned chip command. */
void board_power_failed(struct board *b);

/* Ends board_run() after a clean power-off. */
void board_quit(struct board *b);

bool board_is_on(const struct board *b);
const char *board_state_name(const struct board *b);

/* The light as it is seen: a WIPY1's one LED has no colours, lit is white. */
uint32_t board_led_seen(const struct board *b, uint32_t rgb);

/* What a watcher would call the LED: led_pattern(), "fatal" after a hard fault
 * and with nothing to boot. */
const char *board_led_pattern(const struct board *b);

/* One line: "hard fault: ... (signal 11, address 0x.., pc 0x..)". */
void board_fault_text(const struct bus_fault *fault, char *text, size_t size);

/* ---- status.c ---- */

/* Everything, as docs/CONTROL.md describes it; the caller's to free. */
json_t *board_status(const struct board *b);

/* The LED as docs/CONTROL.md describes it. */
json_t *board_led_status(const struct board *b);

/* "on trial: ota_0 1.2.0", "safe boot, latest image: ...": what the CPU says
 * of the image it runs; empty when nothing is special about it. */
void board_image_note(const struct board *b, char *text, size_t size);

/* Tells everybody who watches: control clients, standard output with --json.
 * Takes over `more` (may be NULL): further members of the event. */
void board_event(struct board *b, const char *name, json_t *more);

/* A sentence for the user at the terminal, or on standard error. */
void board_say(struct board *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The line that begins with `ready`. */
void board_announce(struct board *b);

/* ---- requests.c ---- */

/* Answers one line of the control socket; see control_handler. */
json_t *board_request(struct board *b, struct control_client *client,
                      const char *line, size_t len);

#endif
