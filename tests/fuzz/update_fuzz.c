/* The update engine fed with anything in any pieces: it never commits what
 * does not verify, never writes outside its slot, and the running image
 * starts afterwards. First byte: how the input is cut; the rest: the stream. */
#include "bootmodel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct model m;
static struct start s;
static struct update u;

static void board(void)
{
    static uint8_t image[4096];
    model_init(&m, 0x800000);
    put_table(&m, table_default(0x800000));
    size_t n = make_image(image, "f", 900, true);
    model_put(&m, 0x10000, image, n);
    (void)model_start(&m, &s, NULL);
    model_keep(&m);
}

static void must_boot(bool committed)
{
    model_power_on(&m);
    model_forget();
    if (model_start(&m, &s, NULL) != 0 || !s.choice.run)
        abort();
    if (!committed && s.choice.handover.slot != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!m.cells)
        board();
    if (len < 1)
        return 0;
    model_restore(&m);
    model_forget();
    (void)model_start(&m, &s, NULL);
    model_lock_all(&m, &s);
    m.locked_hit = false;
    update_init(&u, &s.boot, s.choice.handover.slot);
    size_t step = 1 + data[0] % 97 * 31;
    if (update_begin(&u, UPDATE_SIZE_UNKNOWN, 0) != 0)
        abort();
    for (size_t at = 1; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        (void)update_write(&u, data + at, n);
        if (data[0] & 0x80 && at > len / 2) { /* a break, and on */
            update_abort(&u);
            uint32_t there = update_resume_size(&u);
            if (there > len - 1)
                abort();
            (void)update_begin(&u, UPDATE_SIZE_UNKNOWN, there);
            (void)update_write(&u, data + 1 + there, len - 1 - there);
            break;
        }
    }
    bool committed = update_finish(&u) == 0;
    if (!update_text(&u)[0] || m.locked_hit ||
        (committed != (update_outcome(&u) == UPDATE_FINE)))
        abort();
    if (committed && update_verify(&u) != 0)
        abort();
    must_boot(committed);
    return 0;
}
