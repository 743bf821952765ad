/* The servers and the radio. */
#include <stdio.h>

#include "firmware/python/native.h"

enum { CREDENTIAL_MAX = 32 };

/* ---- telnet and FTP ---- */

/* server_init(user or None, password or None, timeout or 0) */
static void server_init(struct native *n)
{
    const struct vm_services *s = n->services;
    char user[CREDENTIAL_MAX + 1], password[CREDENTIAL_MAX + 1];
    bool login = native_has(n, 0);
    if (login) {
        native_text(n, 0, user, sizeof user);
        native_text(n, 1, password, sizeof password);
    }
    uint32_t timeout = native_uint(n, 2, 1000000);
    if (!s->servers_init)
        native_unsupported(n, "Server");
    native_check(n, s->servers_init(s->ctx, login ? user : NULL,
                                    login ? password : NULL, timeout));
}

static void server_deinit(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->servers_deinit)
        native_unsupported(n, "Server");
    out_flush(n->vm);
    s->servers_deinit(s->ctx);
}

static void server_running(struct native *n)
{
    const struct vm_services *s = n->services;
    native_return_bool(n, s->servers_running && s->servers_running(s->ctx));
}

/* server_timeout() gets, server_timeout(s) sets */
static void server_timeout(struct native *n)
{
    const struct vm_services *s = n->services;
    if (!s->servers_timeout || !s->set_servers_timeout)
        native_unsupported(n, "Server.timeout");
    if (n->count)
        native_check(
            n, s->set_servers_timeout(s->ctx, native_uint(n, 0, 1000000)));
    else
        native_return_int(n, s->servers_timeout(s->ctx));
}

/* ---- radio ---- */

/* The manual's access point. */
struct vm_wlan vm_wlan_default(const struct bus_cpu *bus)
{
    struct vm_wlan w = {.mode = 2, .auth = 3, .channel = 5};
    const uint8_t *mac = bus->board->mac;
    memcpy(w.mac, mac, 6);
    snprintf(w.ssid, sizeof w.ssid, "wipy-wlan-%02x%02x", mac[4], mac[5]);
    strcpy(w.key, "www.wipy.io");
    const uint8_t addr[] = {192, 168, 1, 1}, mask[] = {255, 255, 255, 0};
    memcpy(&w.addr, addr, 4);
    memcpy(&w.mask, mask, 4);
    w.gateway = w.dns = w.addr;
    return w;
}

static struct vm_wlan get_wlan(struct native *n)
{
    const struct vm_services *s = n->services;
    struct vm_wlan w = vm_wlan_default(n->vm->config->bus);
    if (s->wlan)
        native_check(n, s->wlan(s->ctx, &w));
    return w;
}

/* wlan_number(which) of: mode auth channel antenna stations */
static void wlan_number(struct native *n)
{
    struct vm_wlan w = get_wlan(n);
    unsigned values[] = {w.mode, w.auth, w.channel, w.antenna, w.stations};
    native_return_int(n, values[native_uint(n, 0, 4)]);
}

/* wlan_text(which) of: ssid key */
static void wlan_text(struct native *n)
{
    struct vm_wlan w = get_wlan(n);
    const char *text = native_uint(n, 0, 1) ? w.key : w.ssid;
    native_return_str(n, text, strlen(text));
}

/* wlan_bytes(): mac, address, mask, gateway, dns: 22 bytes */
static void wlan_bytes(struct native *n)
{
    struct vm_wlan w = get_wlan(n);
    uint8_t out[22];
    memcpy(out, w.mac, 6);
    memcpy(out + 6, &w.addr, 4);
    memcpy(out + 10, &w.mask, 4);
    memcpy(out + 14, &w.gateway, 4);
    memcpy(out + 18, &w.dns, 4);
    native_return_bytes(n, out, sizeof out);
}

/* set_wlan(mode, ssid, auth, key, channel, antenna); None keeps */
static void set_wlan(struct native *n)
{
    const struct vm_services *s = n->services;
    struct vm_wlan w = get_wlan(n);
    if (!s->set_wlan)
        native_unsupported(n, "changing the WLAN");
    if (native_has(n, 0))
        w.mode = native_uint(n, 0, 3);
    if (native_has(n, 1))
        native_text(n, 1, w.ssid, sizeof w.ssid);
    if (native_has(n, 2))
        w.auth = native_uint(n, 2, 3);
    if (native_has(n, 3))
        native_text(n, 3, w.key, sizeof w.key);
    if (native_has(n, 4))
        w.channel = native_uint(n, 4, 14);
    if (native_has(n, 5))
        w.antenna = native_uint(n, 5, 1);
    native_check_update(n, s->set_wlan(s->ctx, &w));
}

const struct native_entry native_network[] = {
    {"server_init", 3, 3, server_init},
    {"server_deinit", 0, 0, server_deinit},
    {"server_running", 0, 0, server_running},
    {"server_timeout", 0, 1, server_timeout},
    {"wlan_number", 1, 1, wlan_number},
    {"wlan_text", 1, 1, wlan_text},
    {"wlan_bytes", 0, 0, wlan_bytes},
    {"set_wlan", 6, 6, set_wlan},
    {0},
};
