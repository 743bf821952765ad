/* The chip as bootloader, firmware and tool see it: tables, slots, record,
 * keys; and everything that may change which image runs.
 *
 * boot_open() only reads. In the firmware all writing calls are made on the
 * storage thread. Functions return 0 or a negative enum wipy_err unless said
 * otherwise. ARCHITECTURE section 5; spec sections 3 and 4. */
#ifndef WIPY_BOOT_BOOT_H
#define WIPY_BOOT_BOOT_H

#include "boot/handover.h"
#include "boot/record.h"
#include "flash/flash.h"
#include "image/image.h"
#include "image/table.h"

enum {
    /* The bootloader arms this for a trial; the firmware feeds it. */
    BOOT_TRIAL_WATCHDOG_MS = 10000,
    /* So long all must have been well before a trial is confirmed. */
    BOOT_CONFIRM_MS = 10000,
};

struct boot_slot {
    uint32_t off, size; /* size 0: the table has no such slot */
};

/* Two copies of the keys: what they say together. */
enum keys_state {
    KEYS_NONE,    /* none set, all erased (but for a flipped bit) */
    KEYS_KNOWN,   /* also when they say that none is set */
    KEYS_ONE_BAD, /* known from one copy, the other is damaged */
    KEYS_LOST,    /* no copy is good, and not all is erased: then only factory
                     and what the record calls accepted are started, as long
                     as one of them verifies, and updates are refused */
};

struct boot {
    struct boot_record record;
    struct record_store store;
    const struct flash *flash;
    uint16_t machine; /* code that may run here, enum image_machine */
    bool have_record;
    uint8_t keys_state; /* enum keys_state */
    struct boot_slot slot[SLOTS];
    struct image_keys keys;

    /* Where images are brought before they are checked, so that what was
     * verified is what starts; boot_slot_max() bytes, set after boot_open().
     * NULL: they are looked at on the chip. */
    uint8_t *memory;

    struct table_source table_source;
    struct table table;
};

/* Reads tables, keys and record. `flash` must be mapped and stay valid.
 * WIPY_ECORRUPT when neither table is good, WIPY_ENOENT when the table has no
 * factory slot; `b` is filled as far as it went. A table without otadata runs
 * its factory image and cannot be updated. Code of this machine may run. */
int boot_open(struct boot *b, const struct flash *flash);

/* The same for code of another machine. */
int boot_open_for(struct boot *b, const struct flash *flash, uint16_t machine);

/* Bytes of the largest slot. */
uint32_t boot_slot_max(const struct boot *b);

/* "factory", "ota_0", "ota_1". */
const char *slot_name(unsigned slot);

/* What is known of a slot without reading its image: enum slot_state, with
 * TRIAL told apart from PENDING. */
enum slot_state boot_slot_state(const struct boot *b, unsigned slot);

/* Reads and checks the image in a slot (< SLOTS). `im` and `digest` are filled
 * as far as it is good; `im` is of the chip or of b->memory, until the next
 * check. About 10 ms a MiB. */
enum image_fault boot_slot_check(const struct boot *b, unsigned slot,
                                 struct image *im, uint8_t digest[SHA256_LEN]);

/* True while the active image waits for confirmation and was started. */
bool boot_on_trial(const struct boot *b);

/* ---- firmware: the life of an image ---- */

/* The executing image is good: READY. Does nothing when it is not the one on
 * trial (safe boot of another image, already confirmed): WIPY_EPERM. `reason`
 * is REASON_SELF_TEST or REASON_USER_CONFIRM. */
int boot_confirm(struct boot *b, unsigned executing, enum boot_reason reason);

/* Gives the active image up for the previous one (or factory), from the next
 * start on; the caller resets. WIPY_EPERM when factory is active or nothing
 * else verifies. */
int boot_rollback(struct boot *b, enum boot_reason reason);

/* Selects a slot for the next and later starts (pycom.bootmgr). It must
 * verify: WIPY_ECORRUPT; WIPY_EPERM during a trial; WIPY_ENOENT when the
 * board has no such slot; WIPY_EEXIST when it is active already; WIPY_EBUSY
 * when an upload to it has begun and not ended; WIPY_ESIGN when the keys are
 * lost and it was not accepted before. An image that was confirmed before
 * needs no trial. `fault` (may be NULL) says what is wrong with it. */
int boot_select(struct boot *b, unsigned slot, enum image_fault *fault);

/* The next start is a safe boot of the active image (Ctrl-F), also after a
 * power cut. When the board is reset at once, retained.request_safe does the
 * same without writing to the flash. */
int boot_request_safe(struct boot *b);

/* boot_record_save() and boot_record_append() of b->record; when that fails it
 * is read again, so that what is in memory is what is on the chip. */
int boot_save(struct boot *b);
int boot_append(struct boot *b);

/* ---- bootloader: the decision ---- */

/* Values of enum bus_reset_cause this room needs; the bus is above it. */
enum { BOOT_RESET_WATCHDOG = 2 };

/* What happened before, from registers and retained words. */
struct boot_cause {
    uint8_t reset;   /* enum bus_reset_cause */
    bool fault;      /* the CPU faulted (bus_board_regs.last_fault) */
    uint32_t now_ms; /* board time */
    uint8_t window;  /* safe-boot window the pin was released in, 0 none */
};

/* A decision whose zero means refuse. */
struct boot_choice {
    bool run; /* false: nothing bootable, signal fatal */
    struct boot_handover handover;
    struct image image; /* of handover.slot */
};

/* Chooses and verifies the image to start, writes the record where it must
 * change (adoption, rollback, attempt used), updates the retained words. May
 * be cut at any flash command and run again. */
void boot_decide(struct boot *b, const struct boot_cause *cause,
                 struct boot_retained *retained, struct boot_choice *choice);

/* Calls `lock` for every range that must not change until reset: bootloader,
 * tables, keys, factory and the executing slot. Returns the first error. */
int boot_lock(const struct boot *b, unsigned executing,
              int (*lock)(void *ctx, uint32_t off, uint32_t len), void *ctx);

/* ---- keys partition ---- */

/* Two copies in one sector, away from its ends. Empty: count 0. */
enum { KEYS_COPY_OFF = 0x400, KEYS_COPY_STEP = 0x600, KEYS_LEN = 288 };
enum keys_state keys_load(struct image_keys *keys, const uint8_t *chip,
                          const struct partition *p);
/* The 4096 bytes of the sector, for tools. */
void keys_write(const struct image_keys *keys, uint8_t to[FLASH_SECTOR]);

#endif
