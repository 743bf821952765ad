/* Updates, boot record and diary for Python: jobs of the storage thread. */
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "firmware/firmware.h"
#include "firmware/services.h"

/* The sentence belongs to the update engine; it is copied on the storage
 * thread so that the vm never reads it while another source writes it. */
static int keep_text(struct firmware *fw, int err)
{
    snprintf(fw->update_text, sizeof fw->update_text, "%s",
             update_text(&fw->life.update));
    return err;
}

/* Without a table and a record there is no slot to write to. */
static int updates_closed(struct firmware *fw)
{
    int err = fw->life.open_err;
    snprintf(fw->update_text, sizeof fw->update_text,
             "updates are not possible: %s", wipy_strerror(err));
    return err;
}

static int do_ota_start(struct firmware *fw, void *arg)
{
    (void)arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    return keep_text(fw,
                     update_begin(&fw->life.update, UPDATE_SIZE_UNKNOWN, 0));
}

static int ota_start(void *ctx)
{
    return services_on_storage(ctx, do_ota_start, NULL);
}

struct bytes {
    const void *data;
    size_t len;
};

static int do_ota_write(struct firmware *fw, void *arg)
{
    const struct bytes *bytes = arg;
    const uint8_t *at = bytes->data;
    int err = 0;
    for (size_t left = bytes->len; left && err == 0;) {
        size_t part = left < FLASH_BLOCK ? left : FLASH_BLOCK;
        err = update_write(&fw->life.update, at, part);
        at += part;
        left -= part;
    }
    return keep_text(fw, err);
}

static int ota_write(void *ctx, const void *data, size_t len)
{
    struct bytes bytes = {data, len};
    return services_on_storage(ctx, do_ota_write, &bytes);
}

static int do_ota_finish(struct firmware *fw, void *arg)
{
    (void)arg;
    int err = update_finish(&fw->life.update);
    if (err == 0)
        life_note_change(&fw->life, firmware_rtc(fw));
    return keep_text(fw, err);
}

static int ota_finish(void *ctx, char *text, size_t size)
{
    struct firmware *fw = ctx;
    int err = services_on_storage(fw, do_ota_finish, NULL);
    snprintf(text, size, "%s", fw->update_text);
    return err;
}

static int do_ota_verify(struct firmware *fw, void *arg)
{
    const unsigned *slot = arg;
    struct image image;
    uint8_t digest[SHA256_LEN];
    if (fw->life.open_err)
        return updates_closed(fw);
    enum image_fault fault =
        boot_slot_check(&fw->life.boot, *slot, &image, digest);
    snprintf(fw->update_text, sizeof fw->update_text, "%s: %s",
             slot_name(*slot), image_fault_text(fault));
    return fault == IMAGE_FINE ? 0 : WIPY_ECORRUPT;
}

static int ota_verify(void *ctx, unsigned slot)
{
    return slot < SLOTS ? services_on_storage(ctx, do_ota_verify, &slot)
                        : WIPY_EINVAL;
}

static int do_ota_slot(struct firmware *fw, void *arg)
{
    uint32_t *off = arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    int slot = update_next_slot(&fw->life.update);
    if (slot < 0)
        return keep_text(fw, slot);
    *off = fw->life.boot.slot[slot].off;
    return 0;
}

static int ota_slot(void *ctx, uint32_t *off)
{
    return services_on_storage(ctx, do_ota_slot, off);
}

static int do_boot(struct firmware *fw, void *arg)
{
    struct vm_boot *out = arg;
    const struct life *life = &fw->life;
    const struct boot_record *record = &life->boot.record;
    *out = (struct vm_boot){
        .slot = life->handover.slot,
        .next = life->open_err ? SLOT_FACTORY : record->active,
        .safe_boot = life->handover.flags & HANDOVER_SAFE_BOOT,
        .trial = life_on_trial(life),
    };
    bool check = life->open_err == 0 && record->status == RECORD_CHECK;
    snprintf(out->status, sizeof out->status, check ? "Check" : "Ready");
    return 0;
}

static int boot(void *ctx, struct vm_boot *out)
{
    return services_on_storage(ctx, do_boot, out);
}

static int do_ota_confirm(struct firmware *fw, void *arg)
{
    (void)arg;
    return life_confirm(&fw->life, REASON_USER_CONFIRM, firmware_rtc(fw));
}

static int ota_confirm(void *ctx)
{
    struct firmware *fw = ctx;
    snprintf(fw->update_text, sizeof fw->update_text,
             "the running image is not on trial");
    int err = services_on_storage(fw, do_ota_confirm, NULL);
    net_wake(fw->net);
    return err;
}

static int do_ota_rollback(struct firmware *fw, void *arg)
{
    (void)arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    snprintf(fw->update_text, sizeof fw->update_text,
             "there is no other good image to go back to");
    int err = boot_rollback(&fw->life.boot, REASON_USER_ROLLBACK);
    if (err == 0)
        life_note_change(&fw->life, firmware_rtc(fw));
    return err;
}

static int ota_rollback(void *ctx)
{
    return services_on_storage(ctx, do_ota_rollback, NULL);
}

static int do_ota_select(struct firmware *fw, void *arg)
{
    const unsigned *slot = arg;
    enum image_fault fault = IMAGE_FINE;
    if (fw->life.open_err)
        return updates_closed(fw);
    int err = boot_select(&fw->life.boot, *slot, &fault);
    if (err == 0)
        life_note_change(&fw->life, firmware_rtc(fw));
    snprintf(fw->update_text, sizeof fw->update_text, "%s: %s",
             *slot < SLOTS ? slot_name(*slot) : "slot",
             fault ? image_fault_text(fault) : wipy_strerror(err));
    return err;
}

static int ota_select(void *ctx, unsigned slot)
{
    return services_on_storage(ctx, do_ota_select, &slot);
}

static int do_ota_prepare(struct firmware *fw, void *arg)
{
    (void)arg;
    if (fw->life.open_err)
        return updates_closed(fw);
    return keep_text(fw, update_prepare(&fw->life.update));
}

/* A block a job, so that files are served in between. */
static int ota_prepare(void *ctx)
{
    int err;
    do
        err = services_on_storage(ctx, do_ota_prepare, NULL);
    while (err > 0);
    return err;
}

struct text {
    char *to;
    size_t size;
};

static int do_boot_log(struct firmware *fw, void *arg)
{
    const struct text *text = arg;
    return (int)life_log(&fw->life, text->to, text->size);
}

static int boot_log(void *ctx, char *to, size_t size)
{
    struct text text = {to, size};
    return services_on_storage(ctx, do_boot_log, &text);
}

void services_update_init(struct vm_services *s)
{
    s->ota_start = ota_start;
    s->ota_write = ota_write;
    s->ota_finish = ota_finish;
    s->ota_verify = ota_verify;
    s->ota_slot = ota_slot;
    s->boot = boot;
    s->ota_confirm = ota_confirm;
    s->ota_rollback = ota_rollback;
    s->ota_select = ota_select;
    s->ota_prepare = ota_prepare;
    s->boot_log = boot_log;
}
