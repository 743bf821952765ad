/* The firmware: wires its parts and starts its three threads.
 *
 *   loop (this thread)   sockets, sessions, light, watchdog      firmware/net
 *   storage              volumes, nvs, updater               firmware/storage
 *   vm                   Python                               firmware/python
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "firmware/card.h"
#include "firmware/confine.h"
#include "firmware/fault.h"
#include "firmware/firmware.h"
#include "image/table.h"
#include "led/led.h"
#include "version.h"

enum { WDT_ON_BOOT_MS = 5000 }; /* at least, and when not said */

static struct firmware firmware;

/* ---- storage ---- */

static int64_t clock_now(void *ctx)
{
    const struct bus_cpu *bus = ctx;
    return bus->board->rtc_start + (int64_t)(bus_now_ms(bus) / 1000);
}

uint32_t firmware_rtc(const struct firmware *fw)
{
    return (uint32_t)clock_now((void *)(uintptr_t)&fw->bus);
}

static bool is_wipy1(const struct firmware *fw)
{
    return fw->bus.board->board == BUS_BOARD_WIPY1;
}

struct mount_job {
    struct storage_job job;
    struct firmware *fw;
    int err;
};

/* A damaged /flash is left as it is: the user decides. */
static void note_volume(struct firmware *fw)
{
    struct volume_status s;
    if (volume_status(fw->volumes, "/flash", &s) || s.state == VOLUME_MOUNTED)
        return;
    snprintf(fw->volumes_note, sizeof fw->volumes_note,
             "/flash %s at this start: %s. Nothing was changed; "
             "os.mkfs('/flash') makes it anew, empty",
             s.state == VOLUME_READONLY ? "could only be read"
                                        : "could not be mounted",
             s.reason);
    firmware_log(fw, fw->volumes_note);
}

static int volumes_and_files(struct firmware *fw, const struct partition *fs)
{
    struct volume_config config = {
        .flash = bus_flash(&fw->bus),
        .fs_off = fs ? fs->off : 0,
        .fs_size = fs ? fs->size : 0,
        .card = card_of(&fw->bus),
        .now = clock_now,
        .now_ctx = &fw->bus,
    };
    fw->transfer_memory = card_spare_memory(&config.card, NET_TRANSFER_MEMORY);
    int err = volumes_start(&fw->volumes, &config);
    if (err)
        return err;
    struct volume_status status;
    fw->volumes_ok = volume_populate(fw->volumes) == 0 &&
                     volume_status(fw->volumes, "/flash", &status) == 0 &&
                     status.state == VOLUME_MOUNTED;
    if (!fw->volumes_ok)
        note_volume(fw);
    return 0;
}

static void say_settings(struct firmware *fw, const char *what, const char *why)
{
    char line[LOG_LINE_LEN];
    snprintf(line, sizeof line, "%s%s", what, why);
    firmware_log(fw, line);
    bus_uart_print(&fw->bus, line);
    bus_uart_print(&fw->bus, "\r\n");
}

static void open_settings(struct firmware *fw, const struct flash *flash,
                          const struct partition *nvs)
{
    if (is_wipy1(fw)) {
        settings_forget(&fw->settings);
        return;
    }
    int err = settings_open(&fw->settings, &fw->storage, flash, nvs);
    if (err)
        say_settings(fw, "login and settings are not kept over a reset: ",
                     wipy_strerror(err));
    else if (fw->settings.damaged)
        say_settings(fw, "stored settings are damaged, some may be lost: ",
                     "check login, light, watchdog and nvs values");
}

static void mount_volumes(struct storage_job *job)
{
    struct mount_job *mount = (struct mount_job *)job;
    struct firmware *fw = mount->fw;
    struct flash flash = bus_flash(&fw->bus);
    struct table table = {.count = 0};
    struct table_source source;

    mount->err = fault_thread(); /* the first job of this thread */
    if (mount->err)
        return;
    (void)table_load(&table, fw->bus.chip, flash.size, &source);
    struct partition fs;
    bool place = table_fs(&table, flash.size, &fs);
    mount->err = volumes_and_files(fw, place ? &fs : NULL);
    open_settings(fw, &flash, table_find(&table, PART_DATA, PART_NVS));
    (void)life_open(&fw->life, firmware_rtc(fw));
}

static int storage_and_volumes_start(struct firmware *fw)
{
    int err = storage_start(&fw->storage);
    if (err)
        return err;
    struct mount_job mount = {.job.run = mount_volumes, .fw = fw};
    storage_call(&fw->storage, &mount.job);
    return mount.err;
}

/* ---- what runs, for the user ---- */

static void shape_light(struct firmware *fw)
{
    switch (fw->life.handover.why) {
    case WHY_SAFE_LATEST:
    case WHY_SAFE_SOFTWARE:
        light_beat_shape(&fw->light, 1, LED_ORANGE);
        break;
    case WHY_SAFE_PREVIOUS:
        light_beat_shape(&fw->light, 2, LED_ORANGE);
        break;
    case WHY_SAFE_FACTORY:
        light_beat_shape(&fw->light, 3, LED_ORANGE);
        break;
    case WHY_FALLBACK:
    case WHY_KEYS_LOST:
        light_beat_shape(&fw->light, 1, LED_RED);
        break;
    default:
        light_beat_shape(
            &fw->light, life_on_trial(&fw->life) ? 2 : 1,
            fw->life.handover.flags & HANDOVER_KEYS_LOST ? LED_RED : LED_BLUE);
    }
}

static void write_banner(struct firmware *fw)
{
    char notice[NOTICE_LEN];
    size_t len = life_notice(&fw->life, notice, sizeof notice);
    snprintf(fw->banner, sizeof fw->banner,
             "MicroPython %s; WiPy with %s%s%s%s%s", fw->build,
             is_wipy1(fw) ? "CC3200" : "ESP32", len ? "\r\n" : "", notice,
             fw->volumes_note[0] ? "\r\n" : "", fw->volumes_note);
}

void firmware_show_image(struct firmware *fw)
{
    struct bus_cpu_regs *regs = fw->bus.regs;
    shape_light(fw);
    write_banner(fw);
    regs->slot = fw->life.handover.slot;
    snprintf(regs->image_version, sizeof regs->image_version, "%s",
             fw->version);
    life_note(&fw->life, regs->image_note, sizeof regs->image_note);
    bus_ring(&fw->bus);
}

/* Sessions get it with the banner; the serial line sees the start only. */
static void tell_serial(struct firmware *fw)
{
    char notice[NOTICE_LEN];
    if (life_notice(&fw->life, notice, sizeof notice)) {
        bus_uart_print(&fw->bus, notice);
        bus_uart_print(&fw->bus, "\r\n");
    }
    if (fw->volumes_note[0]) {
        bus_uart_print(&fw->bus, fw->volumes_note);
        bus_uart_print(&fw->bus, "\r\n");
    }
}

/* ---- loop ---- */

/* Board milliseconds until the next call as real ones, rounded up: too early
 * would spin. */
static int real_wait(const struct firmware *fw, uint32_t ms)
{
    return ms == UINT32_MAX ? -1
                            : (int)(bus_real_ns(&fw->bus, ms) / 1000000u) + 1;
}

static int tick(void *ctx, uint64_t real_ms)
{
    struct firmware *fw = ctx;
    (void)real_ms; /* light and trial keep board time */
    uint64_t now_ms = bus_now_ms(&fw->bus);
    if (net_is_up(fw->net) && fw->bus.regs->state == BUS_CPU_FIRMWARE)
        bus_set_state(&fw->bus, BUS_CPU_SERVICES);
    fw->life.retained->run_s = (uint32_t)((now_ms - fw->start_ms) / 1000);
    struct led_view light = light_tick(&fw->light, now_ms);
    bus_set_led(&fw->bus, light.rgb);
    uint32_t trial = trial_tick(&fw->trial.trial, now_ms);
    return real_wait(fw, light.next_ms < trial ? light.next_ms : trial);
}

void firmware_log(struct firmware *fw, const char *line)
{
    log_add(&fw->log, firmware_rtc(fw), line);
}

static void log_line(void *ctx, const char *line)
{
    firmware_log(ctx, line);
}

static void safe_boot(void *ctx)
{
    struct firmware *fw = ctx;
    fw->life.retained->request_safe = RETAINED_SAFE;
    bus_reset(&fw->bus, false);
}

/* Storage thread. */
static void update_done(void *ctx)
{
    struct firmware *fw = ctx;
    life_note_change(&fw->life, firmware_rtc(fw));
}

static int64_t loop_clock(void *ctx)
{
    struct firmware *fw = ctx;
    return clock_now(&fw->bus);
}

static int net_start(struct firmware *fw)
{
    fw->console = console_new();
    if (!fw->console)
        return WIPY_ENOMEM;
    struct net_config config = {
        .listen = net_listen_of(&fw->bus),
        .wipy1 = is_wipy1(fw),
        .bus = &fw->bus,
        .uart = BUS_FD_UART,
        .bell = BUS_FD_BELL_DOWN,
        .storage = &fw->storage,
        .volumes = fw->volumes,
        .update = fw->life.open_err ? NULL : &fw->life.update,
        .update_done = update_done,
        .transfer_memory = fw->transfer_memory,
        .console = fw->console,
        .store = settings_login_store(&fw->settings),
        .ctx = fw,
        .banner = fw->banner,
        .tick = tick,
        .safe_boot = safe_boot,
        .clock = loop_clock,
        .log = log_line,
    };
    fw->net = net_new(&config);
    return fw->net ? 0 : WIPY_ENOMEM;
}

/* ---- what the user stored for every start ---- */

/* Never set leaves the value. */
static int stored_number(struct firmware *fw, const char *name, long *value)
{
    char text[16];
    int len = settings_get(&fw->settings, name, text, sizeof text);
    if (len >= 0)
        *value = strtol(text, NULL, 10);
    return len < 0 && len != WIPY_ENOENT ? len : 0;
}

/* Not in a safe boot: that is the way out when no script feeds it. */
static int arm_watchdog(struct firmware *fw)
{
    long on = 0, ms = WDT_ON_BOOT_MS;
    if (fw->life.handover.flags & HANDOVER_SAFE_BOOT)
        return 0;
    int err = stored_number(fw, "wdt_on_boot", &on);
    if (!err && on)
        err = stored_number(fw, "wdt_on_boot_timeout", &ms);
    if (err || !on)
        return err;
    if (ms < WDT_ON_BOOT_MS || ms > INT32_MAX)
        return WIPY_ECORRUPT;
    fw->script_watchdog = true;
    return bus_call(&fw->bus, BUS_WDT_ARM, 0, (uint32_t)ms, NULL, NULL);
}

static void say_unread(struct firmware *fw, const char *what, int err)
{
    char line[LOG_LINE_LEN];
    snprintf(line, sizeof line, "%s as stored: %s", what, wipy_strerror(err));
    firmware_log(fw, line);
}

static void obey_settings(struct firmware *fw)
{
    int err = radio_init(&fw->radio, vm_wlan_default(&fw->bus), &fw->settings);
    if (err)
        say_unread(fw, "the access point is not named", err);
    err = arm_watchdog(fw);
    if (err)
        say_unread(fw, "the watchdog is not armed", err);
}

/* ---- vm ---- */

static void *vm_thread(void *arg)
{
    struct firmware *fw = arg;
    if (fault_thread())
        bus_fatal(&fw->bus, "no memory for the stacks");
    vm_run(&fw->vm);
}

static int vm_start(struct firmware *fw)
{
    services_init(fw);
    fw->vm = (struct vm_config){
        .console = fw->console,
        .storage = &fw->storage,
        .volumes = fw->volumes,
        .bus = &fw->bus,
        .services = &fw->services,
        .health = life_on_trial(&fw->life) ? &fw->trial.health : NULL,
        .safe_boot = fw->life.handover.flags & HANDOVER_SAFE_BOOT,
        .wipy1 = is_wipy1(fw),
        .version = fw->version,
        .build = fw->build,
    };
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, VM_STACK);
    pthread_attr_setguardsize(&attr, VM_STACK_GUARD);
    int failed = pthread_create(&thread, &attr, vm_thread, fw);
    pthread_attr_destroy(&attr);
    return failed ? WIPY_ENOMEM : 0;
}

/* The version is the image's own, as written into its descriptor. */
static void name_versions(struct firmware *fw)
{
    const char *recorded = fw->life.handover.version;
    snprintf(fw->version, sizeof fw->version, "%s",
             recorded[0] ? recorded : WIPY_VERSION);
    snprintf(fw->build, sizeof fw->build, "v%s on %s", fw->version, WIPY_DATE);
}

int main(void)
{
    struct firmware *fw = &firmware;
    if (confine_no_exec() || bus_open(&fw->bus))
        return 1; /* not on a board */
    fault_install(&fw->bus);
    if (fault_thread())
        bus_fatal(&fw->bus, "no memory for the stacks");
    bus_set_state(&fw->bus, BUS_CPU_FIRMWARE);
    fw->start_ms = bus_now_ms(&fw->bus);
    log_init(&fw->log);
    life_init(&fw->life, &fw->bus);
    name_versions(fw);
    light_init(&fw->light, fw->start_ms);

    if (storage_and_volumes_start(fw))
        bus_fatal(&fw->bus, "the file volumes cannot start");
    trial_wires_init(&fw->trial, fw);
    firmware_show_image(fw);
    tell_serial(fw);
    obey_settings(fw);
    if (net_start(fw) || vm_start(fw))
        bus_fatal(&fw->bus, "not enough memory for the services");
    net_run(fw->net);
    bus_fatal(&fw->bus, "the services ended");
}
