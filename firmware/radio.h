/* The radio as Python sees it: an access point. Hosts reach the board through
 * their own network, so its name and key are only told, and a station would
 * find no network to join: that is refused, not pretended.
 *
 * vm thread, and before that runs the main thread. */
#ifndef WIPY_FIRMWARE_RADIO_H
#define WIPY_FIRMWARE_RADIO_H

#include "firmware/python/vm.h"
#include "firmware/settings.h"

struct radio {
    struct vm_wlan wlan;
};

/* `manual`, the access point of the manual, under the name and key that
 * pycom.wifi_ssid_ap and wifi_pwd_ap left. A negative enum wipy_err when they
 * cannot be read or are no name and key: then the manual's are in force. */
int radio_init(struct radio *r, struct vm_wlan manual, struct settings *s);

/* 0, or a negative enum wipy_err and the sentence for the user in `why`;
 * then nothing changed. */
int radio_set(struct radio *r, const struct vm_wlan *wanted, char *why,
              size_t size);

/* The board's settings of the radio: WIPY_EINVAL or WIPY_ENOTSUP and the
 * sentence when it could not act on this one; other names are fine. */
int radio_check_setting(const char *name, const char *value, char *why,
                        size_t size);

#endif
