/* The life of the executing image: what the bootloader told, its trial, its
 * confirmation, the diary, updates of the other slots.
 *
 * Everything that reads or writes boot record, diary or update engine runs on
 * the storage thread; the trial is driven by the loop. ARCHITECTURE section 5.
 */
#ifndef WIPY_FIRMWARE_LIFE_H
#define WIPY_FIRMWARE_LIFE_H

#include "boot/boot.h"
#include "boot/diary.h"
#include "boot/handover.h"
#include "bus/cpu.h"
#include "update/update.h"

struct life {
    struct bus_cpu *bus;
    struct boot_handover handover;  /* as the bootloader left it */
    struct boot_retained *retained; /* in the registers */
    int open_err;       /* of boot_open(); then only handover is known */
    _Atomic bool trial; /* waits for its confirmation */
    char doubt[96];     /* why a trial is not confirmed, if known; loop only */

    /* storage thread */
    struct flash flash;
    struct boot boot;
    struct diary diary;
    struct update update;
};

/* Copies the handover; any thread, first thing. A handover that is not there
 * (an image started by hand) reads as factory, active. */
void life_init(struct life *life, struct bus_cpu *bus);

/* Opens record, diary and updater and writes this start into the diary.
 * Storage thread. Without tables or record the board runs, but updates are
 * refused: returns that error. */
int life_open(struct life *life, uint32_t rtc);

/* True while the executing image waits for its confirmation. Any thread. */
bool life_on_trial(const struct life *life);

/* Confirms it. Storage thread. 0 or see boot_confirm(). */
int life_confirm(struct life *life, enum boot_reason reason, uint32_t rtc);

/* The image stays on trial because healthy() did `why` instead of saying yes:
 * for the diary. Storage thread. */
void life_note_unhealthy(struct life *life, const char *why, uint32_t rtc);

/* To be called after each change of the record: writes it into the diary.
 * Storage thread. */
void life_note_change(struct life *life, uint32_t rtc);

/* What happened, for the banner: on trial, safe boot, left image, damage; one
 * line each with CRLF between, empty when all is usual. Loop thread. */
size_t life_notice(const struct life *life, char *to, size_t size);

/* The same in a few words, for the status line: "on trial", "safe boot,
 * latest image"; empty when all is usual. Loop thread. */
void life_note(const struct life *life, char *to, size_t size);

/* Diary as lines, the latest first. Storage thread. Returns the length. */
size_t life_log(const struct life *life, char *to, size_t size);

#endif
