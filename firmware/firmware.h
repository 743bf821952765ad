/* The firmware's parts and who owns them, as main.c wires them. */
#ifndef WIPY_FIRMWARE_FIRMWARE_H
#define WIPY_FIRMWARE_FIRMWARE_H

#include <stdatomic.h>

#include "bus/cpu.h"
#include "firmware/life.h"
#include "firmware/light.h"
#include "firmware/log.h"
#include "firmware/net/net.h"
#include "firmware/python/vm.h"
#include "firmware/radio.h"
#include "firmware/settings.h"
#include "firmware/storage/storage.h"
#include "firmware/trial_board.h"
#include "firmware/volume/volume.h"

enum { NOTICE_LEN = 512 };

struct firmware {
    struct bus_cpu bus;
    uint64_t start_ms; /* board time of this start */
    struct life life;
    struct storage storage;
    struct settings settings;
    struct radio radio;            /* vm */
    struct volumes *volumes;       /* storage thread only */
    uint8_t *transfer_memory;      /* for FTP, of the card; or NULL */
    bool volumes_ok;               /* /flash is mounted and writable */
    char volumes_note[NOTICE_LEN]; /* else why, for the user */
    struct console *console;
    struct net *net;
    struct light light;
    struct log log;
    struct trial_wires trial; /* loop */
    struct vm_services services;
    struct vm_config vm;
    _Atomic bool script_watchdog; /* machine.WDT feeds, the loop does not */
    char version[32];             /* of the executing image */
    char build[64];
    char banner[96 + 2 * NOTICE_LEN]; /* written and read by the loop only */
    char update_text[200];            /* of the last Python update call */
};

/* main.c: seconds since 1970 by the board's clock. */
uint32_t firmware_rtc(const struct firmware *fw);

/* main.c: light, banner and status say what runs. Loop thread. */
void firmware_show_image(struct firmware *fw);

/* main.c: one line for the running log. Any thread. */
void firmware_log(struct firmware *fw, const char *line);

/* services.c: the table through which Python reaches the other rooms. */
void services_init(struct firmware *fw);

/* services.c: files synced, clients told, then the reset. Not from the loop.
 */
_Noreturn void firmware_reset(struct firmware *fw, bool safe_boot);

#endif
