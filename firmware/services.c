/* What the other rooms do for Python: one small function per entry of
 * struct vm_services. All are called on the vm thread. */
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "firmware/firmware.h"
#include "firmware/services.h"

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

static int heartbeat_on_boot(void *ctx, bool *on)
{
    struct firmware *fw = ctx;
    return plain(fw, settings_flag(&fw->settings, HEARTBEAT_KEY, on));
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
    int err = radio_check_setting(name, value, fw->update_text,
                                  sizeof fw->update_text);
    return err ? err : plain(fw, settings_set(&fw->settings, name, value));
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

/* ---- radio ---- */

static int wlan(void *ctx, struct vm_wlan *out)
{
    const struct firmware *fw = ctx;
    *out = fw->radio.wlan;
    return 0;
}

static int set_wlan(void *ctx, const struct vm_wlan *wanted)
{
    struct firmware *fw = ctx;
    return radio_set(&fw->radio, wanted, fw->update_text,
                     sizeof fw->update_text);
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

int services_on_storage(struct firmware *fw,
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
    (void)services_on_storage(fw, sync_volumes, NULL);
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

/* ---- log ---- */

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
        .wlan = wlan,
        .set_wlan = set_wlan,
        .get_setting = get_setting,
        .set_setting = set_setting,
        .nvs_get = nvs_user_get,
        .nvs_set = nvs_user_set,
        .nvs_erase = nvs_user_erase,
        .nvs_erase_all = nvs_user_erase_all,
        .reset = reset,
        .safe_boot = safe_boot,
        .wdt_arm = wdt_arm,
        .log_text = running_log,
        .log = add_to_log,
    };
    services_update_init(&fw->services);
}
