/* What the board remembers over power-off besides its files: the login, the
 * light's and the radio's settings, and the user's own values
 * (pycom.nvs_*). One nvs store in the partition `nvs`, storage thread only;
 * the functions below may be called from the vm thread, and before the loop
 * runs from any. */
#ifndef WIPY_FIRMWARE_SETTINGS_H
#define WIPY_FIRMWARE_SETTINGS_H

#include "firmware/net/login.h"
#include "firmware/python/vm.h"
#include "firmware/storage/storage.h"
#include "flash/nvs.h"
#include "image/table.h"

struct settings {
    struct storage *storage;
    struct flash flash;
    struct nvs nvs;
    int open_err; /* of settings_open(); then nothing is remembered */
    bool damaged; /* some were lost to damage; the others hold */
};

/* Storage thread. `part` is the partition nvs, or NULL when there is none.
 * Returns 0 or the error every later call will give. */
int settings_open(struct settings *s, struct storage *storage,
                  const struct flash *flash, const struct partition *part);

/* The first generation's manners: nothing was ever set, a login is for this
 * run. */
void settings_forget(struct settings *s);

/* The login's record, for net_config. */
struct login_store settings_login_store(struct settings *s);

/* A setting of the board by its name (vm_services.get_setting): a string.
 * Get returns its length, WIPY_ENOENT when it was never set. An empty value
 * erases it. */
int settings_get(struct settings *s, const char *name, char *to, size_t size);
int settings_set(struct settings *s, const char *name, const char *value);

/* A switch. 0 also when it was never set; then, and on an error, `on` is left
 * as it is. */
int settings_flag(struct settings *s, const char *name, bool *on);
int settings_set_flag(struct settings *s, const char *name, bool on);

/* The user's values. */
int settings_user_get(struct settings *s, const char *key,
                      struct vm_value *out);
int settings_user_set(struct settings *s, const char *key,
                      const struct vm_value *in);
int settings_user_erase(struct settings *s, const char *key);
int settings_user_erase_all(struct settings *s);

#endif
