/* Light, updates, settings, key-value store. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "firmware/python/native.h"

/* ---- light ---- */

/* heartbeat() gets, heartbeat(on) sets */
static void heartbeat(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->heartbeat || !s->set_heartbeat)
        native_unsupported(n, "heartbeat");
    if (n->count)
        s->set_heartbeat(s->ctx, native_bool(n, 0));
    else
        native_return_bool(n, s->heartbeat(s->ctx));
}

static void heartbeat_on_boot(struct native *n)
{
    const struct vm_services *s = n->services;
    if (n->count) {
        if (!s->set_heartbeat_on_boot)
            native_unsupported(n, "heartbeat_on_boot");
        native_check(n, s->set_heartbeat_on_boot(s->ctx, native_bool(n, 0)));
    } else {
        bool on = true;
        if (s->heartbeat_on_boot)
            native_check(n, s->heartbeat_on_boot(s->ctx, &on));
        native_return_bool(n, on);
    }
}

/* rgb() gets, rgb(0xRRGGBB) sets */
static void rgb(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->rgb || !s->set_rgb)
        native_unsupported(n, "rgbled");
    if (!n->count) {
        native_return_int(n, s->rgb(s->ctx));
        return;
    }
    uint32_t colour = native_uint(n, 0, 0xffffff);
    if (s->heartbeat && s->heartbeat(s->ctx))
        native_os_error(n, EPERM,
                        "the heart-beat owns the LED: call "
                        "pycom.heartbeat(False) first");
    s->set_rgb(s->ctx, colour);
}

/* ---- update ---- */

static void ota_start(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->ota_start)
        native_unsupported(n, "ota_start");
    native_check_update(n, s->ota_start(s->ctx));
}

static void ota_write(struct native *n)
{
    const struct vm_services *s = n->services;
    size_t len;
    uint8_t *data = native_buffer(n, 0, &len, false);
    if (!s->ota_write)
        native_unsupported(n, "ota_write");
    native_check_update(n, s->ota_write(s->ctx, data, len));
}

/* The sentence of the verdict. */
static void ota_finish(struct native *n)
{
    const struct vm_services *s = n->services;
    char text[256] = "";
    if (!s->ota_finish)
        native_unsupported(n, "ota_finish");
    int err = s->ota_finish(s->ctx, text, sizeof text);
    if (err < 0)
        native_os_error(n, native_errno(err), text);
    native_return_str(n, text, strlen(text));
}

static void ota_verify(struct native *n)
{
    const struct vm_services *s = n->services;
    uint32_t slot = native_uint(n, 0, 16);
    if (!s->ota_verify)
        native_unsupported(n, "ota_verify");
    native_return_bool(n, s->ota_verify(s->ctx, slot) == 0);
}

static struct vm_boot get_boot(struct native *n)
{
    struct vm_boot boot = {0};
    if (!n->services->boot)
        native_unsupported(n, "the boot record");
    native_check(n, n->services->boot(n->services->ctx, &boot));
    return boot;
}

/* boot_number(which) of: slot next safe_boot trial */
static void boot_number(struct native *n)
{
    struct vm_boot b = get_boot(n);
    unsigned values[] = {b.slot, b.next, b.safe_boot, b.trial};
    native_return_int(n, values[native_uint(n, 0, 3)]);
}

/* ota_slot() -> where on the flash the next update goes */
static void ota_slot(struct native *n)
{
    const struct vm_services *s = n->services;
    uint32_t off = 0;
    if (!s->ota_slot)
        native_unsupported(n, "ota_slot");
    native_check_update(n, s->ota_slot(s->ctx, &off));
    native_return_int(n, off);
}

static void boot_status(struct native *n)
{
    struct vm_boot b = get_boot(n);
    native_return_str(n, b.status, strlen(b.status));
}

static void ota_confirm(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->ota_confirm)
        native_unsupported(n, "ota_confirm");
    native_check_update(n, s->ota_confirm(s->ctx));
}

static void ota_rollback(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->ota_rollback)
        native_unsupported(n, "ota_rollback");
    native_check_update(n, s->ota_rollback(s->ctx));
}

static void ota_select(struct native *n)
{
    const struct vm_services *s = n->services;
    uint32_t slot = native_uint(n, 0, 16);
    if (!s->ota_select)
        native_unsupported(n, "ota_select");
    native_check_update(n, s->ota_select(s->ctx, slot));
}

static void ota_prepare(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->ota_prepare)
        native_unsupported(n, "ota_prepare");
    native_check_update(n, s->ota_prepare(s->ctx));
}

static void safe_boot(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->safe_boot)
        native_unsupported(n, "safe boot");
    files_sync(n->vm);
    out_flush(n->vm);
    s->safe_boot(s->ctx);
}

/* ---- settings: text by name ---- */

enum { SETTING_NAME = 24, SETTING_VALUE = 128 };

static void setting(struct native *n)
{
    const struct vm_services *s = n->services;
    char name[SETTING_NAME], value[SETTING_VALUE];
    native_text(n, 0, name, sizeof name);
    if (n->count == 2) {
        native_text(n, 1, value, sizeof value);
        if (!s->set_setting)
            native_unsupported(n, name);
        native_check_update(n, s->set_setting(s->ctx, name, value));
        return;
    }
    int len = s->get_setting ? s->get_setting(s->ctx, name, value, sizeof value)
                             : WIPY_ENOENT;
    if (len == WIPY_ENOENT)
        return; /* None */
    native_check(n, len);
    native_return_str(n, value, (size_t)len);
}

/* ---- key-value store ---- */

enum { KEY_SIZE = 16, VALUE_MAX = sizeof((struct vm_value *)0)->bytes };

static void nvs_key(struct native *n, char key[KEY_SIZE])
{
    size_t len;
    native_str(n, 0, &len);
    if (len == 0 || len >= KEY_SIZE)
        native_value_error(n, "a key has 1 to 15 characters");
    native_text(n, 0, key, KEY_SIZE);
}

static void nvs_get(struct native *n)
{
    const struct vm_services *s = n->services;
    char key[KEY_SIZE];
    struct vm_value v;
    nvs_key(n, key);
    if (!s->nvs_get)
        native_unsupported(n, "nvs_get");
    int err = s->nvs_get(s->ctx, key, &v);
    if (err == WIPY_ENOENT)
        return; /* None */
    native_check(n, err);
    if (v.is_int)
        native_return_int(n, v.number);
    else
        native_return_bytes(n, v.bytes, v.len);
}

static void nvs_set(struct native *n)
{
    const struct vm_services *s = n->services;
    char key[KEY_SIZE];
    struct vm_value v = {.is_int = n->args[1].kind == NATIVE_INT};
    nvs_key(n, key);
    if (v.is_int) {
        v.number = native_int(n, 1);
    } else {
        const uint8_t *data = native_buffer(n, 1, &v.len, false);
        if (v.len > VALUE_MAX)
            native_value_error(n, "a value has at most 1984 bytes");
        memcpy(v.bytes, data, v.len);
    }
    if (!s->nvs_set)
        native_unsupported(n, "nvs_set");
    native_check(n, s->nvs_set(s->ctx, key, &v));
}

static void nvs_erase(struct native *n)
{
    const struct vm_services *s = n->services;
    char key[KEY_SIZE];
    nvs_key(n, key);
    if (!s->nvs_erase)
        native_unsupported(n, "nvs_erase");
    int err = s->nvs_erase(s->ctx, key);
    if (err == WIPY_ENOENT)
        native_raise(n, NATIVE_KEY_ERROR, 0, key);
    native_check(n, err);
}

static void nvs_erase_all(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->nvs_erase_all)
        native_unsupported(n, "nvs_erase_all");
    native_check(n, s->nvs_erase_all(s->ctx));
}

const struct native_entry native_pycom[] = {
    {"heartbeat", 0, 1, heartbeat},
    {"heartbeat_on_boot", 0, 1, heartbeat_on_boot},
    {"rgb", 0, 1, rgb},
    {"ota_start", 0, 0, ota_start},
    {"ota_write", 1, 1, ota_write},
    {"ota_finish", 0, 0, ota_finish},
    {"ota_verify", 1, 1, ota_verify},
    {"boot_number", 1, 1, boot_number},
    {"boot_status", 0, 0, boot_status},
    {"ota_slot", 0, 0, ota_slot},
    {"ota_confirm", 0, 0, ota_confirm},
    {"ota_rollback", 0, 0, ota_rollback},
    {"ota_select", 1, 1, ota_select},
    {"ota_prepare", 0, 0, ota_prepare},
    {"safe_boot", 0, 0, safe_boot},
    {"setting", 1, 2, setting},
    {"nvs_get", 1, 1, nvs_get},
    {"nvs_set", 2, 2, nvs_set},
    {"nvs_erase", 1, 1, nvs_erase},
    {"nvs_erase_all", 0, 0, nvs_erase_all},
    {0},
};
