/* A chip whose record, keys and diary hold anything: a good image starts, the
 * record is sound afterwards, and the diary goes on. The input is laid over
 * the sectors of otadata, keys and diary, after a byte that says where. */
#include "bootmodel.h"
#include "words/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct model m;
static struct start s;

static void board(void)
{
    static uint8_t image[4096];
    const struct table *t = table_default(0x800000);
    model_init(&m, 0x800000);
    put_table(&m, t);
    static const uint32_t place[] = {0x10000, 0x150000, 0x290000};
    static const char *const version[] = {"f", "a", "b"};
    for (int i = 0; i < 3; i++) {
        size_t n = make_image(image, version[i], 900, true);
        model_put(&m, place[i], image, n);
    }
    (void)model_start(&m, &s, NULL);
    model_keep(&m);
}

static void check_diary(void)
{
    struct diary d;
    struct diary_entry e;
    char text[DIARY_TEXT_LEN];
    diary_open(&d, &s.boot);
    for (unsigned n = 0; diary_get(&d, n, &e); n++)
        (void)diary_text(&e, text, sizeof text);
    if (diary_note_start(&d, &s.choice.handover, &model_retained, 1, 2, 3))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct {
        uint32_t off, len;
    } areas[] = {{0x3d0000, 0x5000}, {0x3d1800, 0x100}, {0x3d3000, 0x2000}};
    if (!m.cells)
        board();
    if (len < 1)
        return 0;
    model_restore(&m);
    unsigned area = data[0] % 3;
    size_t n = len - 1 < areas[area].len ? len - 1 : areas[area].len;
    if (n)
        model_put(&m, areas[area].off, data + 1, n);
    /* The retained words are the CPU's: they too may hold anything. */
    memcpy(&model_retained, data,
           len < sizeof model_retained ? len : sizeof model_retained);
    if (len & 1)
        model_retained.magic = RETAINED_MAGIC;
    struct boot_cause cause = {
        .reset = data[0] & 7, .fault = data[0] & 8, .window = data[0] >> 4 & 3};
    if (model_start(&m, &s, &cause) != 0)
        abort();
    /* A key nobody has signed with is a reason not to start. */
    if (!s.choice.run && s.boot.keys.count == 0)
        abort();
    if (s.choice.run)
        check_diary();
    struct boot again;
    if (boot_open(&again, &m.flash) != 0 || again.record.active >= SLOTS ||
        again.record.prev >= SLOTS)
        abort();
    return 0;
}
