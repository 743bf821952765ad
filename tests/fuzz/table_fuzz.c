/* The partition table, binary and as text: what is accepted survives a round
 * trip through both. */
#include <stdlib.h>
#include <string.h>

#include "image/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What the rest of the board relies on, said another way. */
static void must_be_sound(const struct table *t, uint64_t chip_size)
{
    for (unsigned i = 0; i < t->count; i++) {
        const struct partition *a = &t->row[i];
        uint64_t end = (uint64_t)a->off + a->size;
        if (a->off < TABLE_FIRST_OFF || a->off >= end || end > chip_size)
            abort();
        for (unsigned k = 0; k < i; k++) {
            const struct partition *b = &t->row[k];
            if (a->off < (uint64_t)b->off + b->size && b->off < end)
                abort();
        }
        for (const char *c = a->label; *c; c++)
            if (*c == 27)
                abort();
    }
}

static void round_trip(const struct table *t, uint32_t chip_size)
{
    static char text[TABLE_ROWS_MAX * 96];
    uint8_t bytes[TABLE_LEN];
    struct table back;
    if (table_write(t, bytes) != 0)
        return; /* 95 rows leave no place for the MD5 row */
    if (table_parse(&back, bytes, sizeof bytes, chip_size, NULL) != 0 ||
        back.count != t->count)
        abort();
    (void)table_to_csv(t, text, sizeof text);
    for (unsigned i = 0; i < t->count; i++)
        (void)table_find_label(t, t->row[i].label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint32_t sizes[] = {0x400000, 0x800000, 0x10000};
    struct table t;
    struct table_fault fault;
    for (size_t i = 0; i < 3; i++) {
        if (table_parse(&t, data, len, sizes[i], &fault) == 0) {
            must_be_sound(&t, sizes[i]);
            round_trip(&t, sizes[i]);
        } else if (!fault.reason)
            abort();
        if (table_from_csv(&t, (const char *)data, len, sizes[i], &fault) == 0)
            round_trip(&t, sizes[i]);
        else if (!fault.reason)
            abort();
    }
    return 0;
}
