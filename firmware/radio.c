#include "firmware/radio.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { MODE_AP = 2, AUTH_NONE = 0, AUTH_WEP = 1, KEY_MIN = 8, KEY_MAX = 63 };

static int refuse(char *why, size_t size, int err, const char *text)
{
    snprintf(why, size, "%s", text);
    return err;
}

static int check_key(const char *key, char *why, size_t size)
{
    size_t len = strlen(key);
    if (len >= KEY_MIN && len <= KEY_MAX)
        return 0;
    return refuse(why, size, WIPY_EINVAL, "a WPA key has 8 to 63 characters");
}

static const char only_ap[] =
    "the radio of this board is an access point: there is no network to join";

int radio_set(struct radio *r, const struct vm_wlan *wanted, char *why,
              size_t size)
{
    if (wanted->mode == 0)
        return refuse(why, size, WIPY_ENOTSUP,
                      "the radio of this board is always on");
    if (wanted->mode != MODE_AP)
        return refuse(why, size, WIPY_ENOTSUP, only_ap);
    if (!wanted->ssid[0])
        return refuse(why, size, WIPY_EINVAL, "a network needs a name");
    if (wanted->auth > AUTH_WEP) {
        int err = check_key(wanted->key, why, size);
        if (err)
            return err;
    }
    r->wlan = *wanted;
    return 0;
}

/* ---- settings ---- */

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

int radio_check_setting(const char *name, const char *value, char *why,
                        size_t size)
{
    if (is(name, "on_boot") && !is(value, "1"))
        return refuse(why, size, WIPY_ENOTSUP,
                      "the radio of this board is always on");
    if (is(name, "mode_on_boot") && !is(value, "2"))
        return refuse(why, size, WIPY_ENOTSUP, only_ap);
    if ((is(name, "ssid_sta") || is(name, "pwd_sta")) && *value)
        return refuse(why, size, WIPY_ENOTSUP, only_ap);
    if (is(name, "ssid_ap") && strlen(value) > 32)
        return refuse(why, size, WIPY_EINVAL, "a ssid has 1 to 32 bytes");
    if (is(name, "pwd_ap") && *value)
        return check_key(value, why, size);
    return 0;
}

/* Never set leaves the default. */
static int take(struct settings *s, const char *name, char *to, size_t size)
{
    char text[80], why[8];
    int len = settings_get(s, name, text, sizeof text);
    if (len == WIPY_ENOENT)
        return 0;
    if (len < 0)
        return len;
    if ((size_t)len >= size || radio_check_setting(name, text, why, sizeof why))
        return WIPY_ECORRUPT;
    memcpy(to, text, (size_t)len + 1);
    return 0;
}

int radio_init(struct radio *r, struct vm_wlan manual, struct settings *s)
{
    r->wlan = manual;
    int err = take(s, "ssid_ap", r->wlan.ssid, sizeof r->wlan.ssid);
    int err2 = take(s, "pwd_ap", r->wlan.key, sizeof r->wlan.key);
    return err ? err : err2;
}
