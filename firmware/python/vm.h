/* The board's Python: MicroPython as a guest of the firmware.
 *
 * vm_run() is the body of the vm thread: it runs boot.py and main.py, serves
 * the prompt, starts afresh after a soft reset or when the runtime crashes,
 * and never returns. Everything Python reaches goes through what is given
 * here: the console, the volumes (every call is handed to the storage
 * thread), the bus, and the table of services for what lives in other rooms.
 *
 * The thread: create it with a stack of VM_STACK bytes
 * (pthread_attr_setstacksize) and a guard of VM_STACK_GUARD bytes. It takes
 * SIGUSR1 for itself (installed without SA_RESTART): nobody else may use it.
 * It needs the system calls mmap, munmap, mprotect, sigaltstack,
 * rt_sigaction, rt_sigprocmask, rt_sigreturn, ppoll, futex, clock_gettime,
 * clock_nanosleep, eventfd2, tkill/tgkill, getrandom.
 *
 * Spec sections 5.1 (5..10), 5.2 (4..9), 6.3, 6.4, 10. */
#ifndef WIPY_FIRMWARE_PYTHON_VM_H
#define WIPY_FIRMWARE_PYTHON_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/cpu.h"
#include "firmware/console.h"
#include "firmware/storage/storage.h"
#include "firmware/volume/volume.h"

enum {
    VM_STACK = 2 << 20,     /* bytes of the thread's stack */
    VM_STACK_GUARD = 65536, /* bytes below it that fault */
    VM_HEAP_START = 256 << 10,
    VM_HEAP_MAX = 2560 << 10, /* as on a WiPy 3 */
};

/* What network.WLAN shows. Addresses are in network order. */
struct vm_wlan {
    unsigned mode; /* 1 STA, 2 AP, 3 both */
    char ssid[33];
    char key[65];
    unsigned auth;    /* 0 open, 1 WEP, 2 WPA, 3 WPA2 */
    unsigned channel; /* 1..14 */
    unsigned antenna; /* 0 internal, 1 external */
    uint8_t mac[6];
    uint32_t addr, mask, gateway, dns;
    unsigned stations; /* joined, or 1 when the station is connected */
};

/* The manual's access point, named after the board's address. */
struct vm_wlan vm_wlan_default(const struct bus_cpu *bus);

/* The executing image and the slots, for pycom.bootmgr(). */
struct vm_boot {
    unsigned slot;   /* executing: 0 factory, 1 ota_0, 2 ota_1 */
    unsigned next;   /* started at the next reset */
    bool safe_boot;  /* this start skipped the scripts */
    bool trial;      /* executing image is not confirmed yet */
    char status[16]; /* "Ready", "Check", ... */
};

/* One value of the key-value store. */
struct vm_value {
    bool is_int;
    int32_t number;
    uint8_t bytes[1984];
    size_t len;
};

/* What other rooms do for Python. Called on the vm thread; a call may block
 * (it then hands a job to the storage thread). Functions that return int give
 * 0 or a negative enum wipy_err, of which Python makes an OSError with the
 * sentence of reason(). Any entry may be NULL: the Python call then raises
 * OSError(EOPNOTSUPP), or does what the comment says. */
struct vm_services {
    void *ctx;

    /* Why the last call failed, for the user; NULL or "" = wipy_strerror. */
    const char *(*reason)(void *ctx);

    /* ---- light (spec section 9) ---- */
    bool (*heartbeat)(void *ctx);
    void (*set_heartbeat)(void *ctx, bool on); /* also at each soft reset */
    /* NULL: true. Unreadable: `on` is left as it is. */
    int (*heartbeat_on_boot)(void *ctx, bool *on);
    int (*set_heartbeat_on_boot)(void *ctx, bool on);
    uint32_t (*rgb)(void *ctx);
    void (*set_rgb)(void *ctx, uint32_t rgb); /* only while the beat is off */
    void (*script_error)(void *ctx);          /* 1200 ms of error signal */

    /* ---- telnet and FTP ---- */
    /* Starts both when stopped. NULL strings keep the login, timeout 0 keeps
     * the time-out. */
    int (*servers_init)(void *ctx, const char *user, const char *password,
                        unsigned timeout_s);
    void (*servers_deinit)(void *ctx);
    bool (*servers_running)(void *ctx);
    unsigned (*servers_timeout)(void *ctx);
    int (*set_servers_timeout)(void *ctx, unsigned timeout_s);

    /* ---- radio ---- */
    int (*wlan)(void *ctx, struct vm_wlan *out); /* NULL: the manual's AP */
    int (*set_wlan)(void *ctx, const struct vm_wlan *in);
    /* Persistent settings of pycom.wifi_* and wdt_*: one string per name
     * ("on_boot", "mode_on_boot", "ssid_sta", "pwd_sta", "ssid_ap", "pwd_ap",
     * "wdt_on_boot", "wdt_on_boot_timeout"). get returns the length; set
     * refuses what the board cannot act on at its next start. */
    int (*get_setting)(void *ctx, const char *name, char *to, size_t size);
    int (*set_setting)(void *ctx, const char *name, const char *value);

    /* ---- power ---- */
    /* Does not return. NULL: sync, then bus_reset(). */
    void (*reset)(void *ctx);
    /* Resets into safe boot (Ctrl-F, pycom.bootmgr). Does not return. */
    void (*safe_boot)(void *ctx);
    /* NULL: BUS_SLEEP. `ms` of board time, 0 = until a pin wakes it. */
    int (*deep_sleep)(void *ctx, uint32_t ms);
    int (*wdt_arm)(void *ctx, uint32_t ms); /* NULL: BUS_WDT_ARM */
    void (*wdt_feed)(void *ctx);            /* NULL: regs->wdt_feed++ */

    /* ---- clock: microseconds since 1970; NULL: the bus's, not settable --- */
    int64_t (*now_us)(void *ctx);
    int (*set_now_us)(void *ctx, int64_t us);

    /* ---- update (spec 3.5) ---- */
    int (*ota_start)(void *ctx);
    int (*ota_write)(void *ctx, const void *data, size_t len);
    /* Writes one sentence about the result to `text`, also when it fails. */
    int (*ota_finish)(void *ctx, char *text, size_t size);
    int (*ota_verify)(void *ctx, unsigned slot); /* 0 = the image is good */
    int (*ota_slot)(void *ctx, uint32_t *off);   /* where the next one goes */
    int (*boot)(void *ctx, struct vm_boot *out);
    int (*ota_confirm)(void *ctx);
    int (*ota_rollback)(void *ctx); /* takes effect at next reset */
    int (*ota_select)(void *ctx, unsigned slot);
    int (*ota_prepare)(void *ctx); /* erases the spare slot ahead */
    /* The diary as lines of text; returns the length, cut to `size`. */
    int (*boot_log)(void *ctx, char *to, size_t size);
    /* The running log (logins, refusals, crashes), the oldest first. */
    int (*log_text)(void *ctx, char *to, size_t size);

    /* ---- key-value store (namespace of the user) ---- */
    int (*nvs_get)(void *ctx, const char *key, struct vm_value *out);
    int (*nvs_set)(void *ctx, const char *key, const struct vm_value *in);
    int (*nvs_erase)(void *ctx, const char *key);
    int (*nvs_erase_all)(void *ctx);

    /* ---- what the vm tells ---- */
    /* The prompt or a script is ready to run after a start or soft reset. */
    void (*started)(void *ctx, bool soft);
    /* One line for the log, e.g. that the runtime crashed and why. */
    void (*log)(void *ctx, const char *line);
};

/* healthy() of /flash/healthy.py, which has the last word on an image that is
 * on trial: the loop asks, the vm thread calls it in the middle of whatever
 * Python does. It has 5 s of board time; then it is interrupted, which is a
 * no, and Python goes on where it was. */
enum vm_health_state {
    VM_HEALTH_IDLE = 0,
    VM_HEALTH_ASKED, /* Python has not come to a safe point yet */
    VM_HEALTH_RUNNING,
    VM_HEALTH_YES,
    VM_HEALTH_NO, /* `reason` says why */
};

enum { VM_HEALTH_LIMIT_MS = 5000, VM_HEALTH_REASON = 80 };

struct vm;
struct vm_health {
    _Atomic int state;             /* enum vm_health_state */
    char reason[VM_HEALTH_REASON]; /* "said no", "raised ValueError: x" */
    struct vm *_Atomic vm;         /* private */
};

/* Asks, and goes on asking: to be called every 200 ms or so until the answer
 * is YES or NO. Loop thread. */
enum vm_health_state vm_health_ask(struct vm_health *h);

struct vm_config {
    struct console *console;
    struct storage *storage; /* running */
    struct volumes *volumes; /* used on the storage thread only */
    struct bus_cpu *bus;
    const struct vm_services *services;
    struct vm_health *health; /* NULL: the image is not on trial */
    bool safe_boot;      /* skip boot.py and main.py, also after soft resets */
    bool wipy1;          /* manners of the first generation */
    const char *version; /* firmware version: os.uname().release, "1.2.0" */
    const char *build;   /* os.uname().version: "v1.27 on 2026-11-21" */
    uint32_t heap_max;   /* bytes; 0 = VM_HEAP_MAX */
    uint32_t gc_every;   /* tests: collect every N bytes; 0 = when needed */
    const char *script;  /* tests: run this text instead of the scripts and
                          * the prompt, then call `exit`; or NULL */
    size_t script_len;
    const char *script_name;  /* shown in tracebacks */
    void (*exit)(int status); /* tests: see script */
};

/* The body of the vm thread. `config` and what it points to stay valid for
 * ever. */
_Noreturn void vm_run(const struct vm_config *config);

#endif
