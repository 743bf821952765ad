/* What the other rooms do for Python: one small function per entry of
 * struct vm_services. All are called on the vm thread. */
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "firmware/firmware.h"

/* The sentence for the user belongs to the last call: calls without one of
 * their own clear it, and Python shows the error's usual text. */
static int plain(struct firmware *fw, int err)
{
    fw->update_text[0] = 0;
    return err;
}

/* ---- light ---- */

static bool heartbeat(void *ctx)
{
    struct firmware *fw = ctx;
    return fw->light.beating;
}

static void set_heartbeat(void *ctx, bool on)
{
    struct firmware *fw = ctx;
    light_heartbeat(&fw->light, on);
    net_wake(fw->net);
}

static uint32_t rgb(void *ctx)
{
    struct firmware *fw = ctx;
    return fw->light.rgb;
}

static void set_rgb(void *ctx, uint32_t value)
{
    struct firmware *fw = ctx;
    fw->light.rgb = value;
    net_wake(fw->net);
}

static void script_error(void *ctx)
{
    struct firmware *fw = ctx;
    light_error(&fw->light);
    net_wake(fw->net);
}

#define HEARTBEAT_KEY "heartbeat"

static bool heartbeat_on_boot(void *ctx)
{
    struct firmware *fw = ctx;
    return settings_flag(&fw->settings, HEARTBEAT_KEY, true);
}

static int set_heartbeat_on_boot(void *ctx, bool on)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_set_flag(&fw->settings, HEARTBEAT_KEY, on));
}

/* ---- settings ---- */

static int get_setting(void *ctx, const char *name, char *to, size_t size)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_get(&fw->settings, name, to, size));
}

static int set_setting(void *ctx, const char *name, const char *value)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_set(&fw->settings, name, value));
}

static int nvs_user_get(void *ctx, const char *key, struct vm_value *out)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_user_get(&fw->settings, key, out));
}

static int nvs_user_set(void *ctx, const char *key, const struct vm_value *in)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_user_set(&fw->settings, key, in));
}

static int nvs_user_erase(void *ctx, const char *key)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_user_erase(&fw->settings, key));
}

static int nvs_user_erase_all(void *ctx)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_user_erase_all(&fw->settings));
}

/* ---- telnet and FTP ---- */

static int servers_init(void *ctx, const char *user, const char *password,
                        unsigned timeout_s)
{
    struct firmware *fw = ctx;
    return plain(fw, net_server_init(fw->net, user, password, timeout_s));
}

static void servers_deinit(void *ctx)
{
    struct firmware *fw = ctx;
    net_server_deinit(fw->net);
}

static bool servers_running(void *ctx)
{
    struct firmware *fw = ctx;
    return net_server_isrunning(fw->net);
}

static unsigned servers_timeout(void *ctx)
{
    struct firmware *fw = ctx;
    return net_server_timeout(fw->net);
}

static int set_servers_timeout(void *ctx, unsigned timeout_s)
{
    struct firmware *fw = ctx;
    return plain(fw, net_server_init(fw->net, NULL, NULL, timeout_s));
}

/* ---- jobs for the storage thread ---- */

struct call {
    struct storage_job job;
    struct firmware *fw;
    int (*function)(struct firmware *fw, void *arg);
    void *arg;
    int result;
};

static void call_run(struct storage_job *job)
{
    struct call *call = (struct call *)job;
    call->result = call->function(call->fw, call->arg);
}

static int on_storage(struct firmware *fw,
                      int (*function)(struct firmware *fw, void *arg),
                      void *arg)
{
    struct call call = {
        .job.run = call_run, .fw = fw, .function = function, .arg = arg};
    storage_call(&fw->storage, &call.job);
    return call.result;
}

/* ---- power ---- */

static int sync_volumes(struct firmware *fw, void *arg)
{
    (void)arg;
    return volume_sync_all(fw->volumes);
}

/* A healthy() that resets has not said yes: for ever, if that were free. */
static bool is_orderly(const struct firmware *fw)
{
    return fw->bus.regs->state == BUS_CPU_SERVICES &&
           atomic_load(&fw->trial.health.state) != VM_HEALTH_RUNNING;
}

_Noreturn void firmware_reset(struct firmware *fw, bool safe_boot)
{
    (void)on_storage(fw, sync_volumes, NULL);
    net_close_all(fw->net);
    if (is_orderly(fw))
        fw->life.retained->end = RUN_ORDERLY;
    if (safe_boot)
        fw->life.retained->request_safe = RETAINED_SAFE;
    bus_reset(&fw->bus, false);
}

static void reset(void *ctx)
{
    firmware_reset(ctx, false);
}

static void safe_boot(void *ctx)
{
    firmware_reset(ctx, true);
}

static int wdt_arm(void *ctx, uint32_t ms)
{
    struct firmware *fw = ctx;
    int err = bus_call(&fw->bus, BUS_WDT_ARM, 0, ms, NULL, NULL);
    if (err == 0)
        fw->script_watchdog = true;
    return plain(fw, err);
}

/* ---- update ---- */

/* The sentence belongs to the update engine; it is copied on the storage
 * thread so that the vm never reads it while another source writes it. */
static int keep_text(struct firmware *fw, int err)
{
    snprintf(fw->update_text, sizeof fw->update_text, "%s",
             update_text(&fw->life.update));
    return err;
}

/* Without a table and a record there is no slot to write to. */
static int updates_closed(struct firmware *fw)
{
    int err = fw->life.open_err;
    snprintf(fw->update_text, sizeof fw->update_text,
             "updates are not possible: %s", wipy_strerror(err));
    return err;
}

static int do_ota_start(struct firmware *fw, void *arg)
{
    (void)arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    return keep_text(fw,
                     update_begin(&fw->life.update, UPDATE_SIZE_UNKNOWN, 0));
}

static int ota_start(void *ctx)
{
    return on_storage(ctx, do_ota_start, NULL);
}

struct bytes {
    const void *data;
    size_t len;
};

static int do_ota_write(struct firmware *fw, void *arg)
{
    const struct bytes *bytes = arg;
    const uint8_t *at = bytes->data;
    int err = 0;
    for (size_t left = bytes->len; left && err == 0;) {
        size_t part = left < FLASH_BLOCK ? left : FLASH_BLOCK;
        err = update_write(&fw->life.update, at, part);
        at += part;
        left -= part;
    }
    return keep_text(fw, err);
}

static int ota_write(void *ctx, const void *data, size_t len)
{
    struct bytes bytes = {data, len};
    return on_storage(ctx, do_ota_write, &bytes);
}

static int do_ota_finish(struct firmware *fw, void *arg)
{
    (void)arg;
    int err = update_finish(&fw->life.update);
    if (err == 0)
        life_note_change(&fw->life, firmware_rtc(fw));
    return keep_text(fw, err);
}

static int ota_finish(void *ctx, char *text, size_t size)
{
    struct firmware *fw = ctx;
    int err = on_storage(fw, do_ota_finish, NULL);
    snprintf(text, size, "%s", fw->update_text);
    return err;
}

static int do_ota_verify(struct firmware *fw, void *arg)
{
    const unsigned *slot = arg;
    struct image image;
    uint8_t digest[SHA256_LEN];
    if (fw->life.open_err)
        return updates_closed(fw);
    enum image_fault fault =
        boot_slot_check(&fw->life.boot, *slot, &image, digest);
    snprintf(fw->update_text, sizeof fw->update_text, "%s: %s",
             slot_name(*slot), image_fault_text(fault));
    return fault == IMAGE_FINE ? 0 : WIPY_ECORRUPT;
}

static int ota_verify(void *ctx, unsigned slot)
{
    return slot < SLOTS ? on_storage(ctx, do_ota_verify, &slot) : WIPY_EINVAL;
}

static int do_ota_slot(struct firmware *fw, void *arg)
{
    uint32_t *off = arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    int slot = update_next_slot(&fw->life.update);
    if (slot < 0)
        return keep_text(fw, slot);
    *off = fw->life.boot.slot[slot].off;
    return 0;
}

static int ota_slot(void *ctx, uint32_t *off)
{
    return on_storage(ctx, do_ota_slot, off);
}

static int do_boot(struct firmware *fw, void *arg)
{
    struct vm_boot *out = arg;
    const struct life *life = &fw->life;
    const struct boot_record *record = &life->boot.record;
    *out = (struct vm_boot){
        .slot = life->handover.slot,
        .next = life->open_err ? SLOT_FACTORY : record->active,
        .safe_boot = life->handover.flags & HANDOVER_SAFE_BOOT,
        .trial = life_on_trial(life),
    };
    bool check = life->open_err == 0 && record->status == RECORD_CHECK;
    snprintf(out->status, sizeof out->status, check ? "Check" : "Ready");
    return 0;
}

static int boot(void *ctx, struct vm_boot *out)
{
    return on_storage(ctx, do_boot, out);
}

static int do_ota_confirm(struct firmware *fw, void *arg)
{
    (void)arg;
    return life_confirm(&fw->life, REASON_USER_CONFIRM, firmware_rtc(fw));
}

static int ota_confirm(void *ctx)
{
    struct firmware *fw = ctx;
    snprintf(fw->update_text, sizeof fw->update_text,
             "the running image is not on trial");
    int err = on_storage(fw, do_ota_confirm, NULL);
    net_wake(fw->net);
    return err;
}

static int do_ota_rollback(struct firmware *fw, void *arg)
{
    (void)arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    snprintf(fw->update_text, sizeof fw->update_text,
             "there is no other good image to go back to");
    int err = boot_rollback(&fw->life.boot, REASON_USER_ROLLBACK);
    if (err == 0)
        life_note_change(&fw->life, firmware_rtc(fw));
    return err;
}

static int ota_rollback(void *ctx)
{
    return on_storage(ctx, do_ota_rollback, NULL);
}

static int do_ota_select(struct firmware *fw, void *arg)
{
    const unsigned *slot = arg;
    enum image_fault fault = IMAGE_FINE;
    if (fw->life.open_err)
        return updates_closed(fw);
    int err = boot_select(&fw->life.boot, *slot, &fault);
    if (err == 0)
        life_note_change(&fw->life, firmware_rtc(fw));
    snprintf(fw->update_text, sizeof fw->update_text, "%s: %s",
             *slot < SLOTS ? slot_name(*slot) : "slot",
             fault ? image_fault_text(fault) : wipy_strerror(err));
    return err;
}

static int ota_select(void *ctx, unsigned slot)
{
    return on_storage(ctx, do_ota_select, &slot);
}

static int do_ota_prepare(struct firmware *fw, void *arg)
{
    (void)arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    return keep_text(fw, update_prepare(&fw->life.update));
}

/* A block a job, so that files are served in between. */
static int ota_prepare(void *ctx)
{
    int err;
    do
        err = on_storage(ctx, do_ota_prepare, NULL);
    while (err > 0);
    return err;
}

struct text {
    char *to;
    size_t size;
};

static int do_boot_log(struct firmware *fw, void *arg)
{
    const struct text *text = arg;
    return (int)life_log(&fw->life, text->to, text->size);
}

static int boot_log(void *ctx, char *to, size_t size)
{
    struct text text = {to, size};
    return on_storage(ctx, do_boot_log, &text);
}

/* ---- log, trial ---- */

static void add_to_log(void *ctx, const char *line)
{
    firmware_log(ctx, line);
}

static int running_log(void *ctx, char *to, size_t size)
{
    struct firmware *fw = ctx;
    return plain(fw, (int)log_text(&fw->log, to, size));
}

static const char *reason(void *ctx)
{
    struct firmware *fw = ctx;
    return fw->update_text;
}

void services_init(struct firmware *fw)
{
    fw->services = (struct vm_services){
        .ctx = fw,
        .reason = reason,
        .heartbeat = heartbeat,
        .set_heartbeat = set_heartbeat,
        .heartbeat_on_boot = heartbeat_on_boot,
        .set_heartbeat_on_boot = set_heartbeat_on_boot,
        .rgb = rgb,
        .set_rgb = set_rgb,
        .script_error = script_error,
        .servers_init = servers_init,
        .servers_deinit = servers_deinit,
        .servers_running = servers_running,
        .servers_timeout = servers_timeout,
        .set_servers_timeout = set_servers_timeout,
        .get_setting = get_setting,
        .set_setting = set_setting,
        .nvs_get = nvs_user_get,
        .nvs_set = nvs_user_set,
        .nvs_erase = nvs_user_erase,
        .nvs_erase_all = nvs_user_erase_all,
        .reset = reset,
        .safe_boot = safe_boot,
        .wdt_arm = wdt_arm,
        .ota_start = ota_start,
        .ota_write = ota_write,
        .ota_finish = ota_finish,
        .ota_verify = ota_verify,
        .ota_slot = ota_slot,
        .boot = boot,
        .ota_confirm = ota_confirm,
        .ota_rollback = ota_rollback,
        .ota_select = ota_select,
        .ota_prepare = ota_prepare,
        .boot_log = boot_log,
        .log_text = running_log,
        .log = add_to_log,
    };
}
