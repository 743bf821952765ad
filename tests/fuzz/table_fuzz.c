/* The partition table, binary and as text: what is accepted survives a round
 * trip through both. */
#include <stdlib.h>
#include <string.h>

#include "image/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

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
        if (table_parse(&t, data, len, sizes[i], &fault) == 0)
            round_trip(&t, sizes[i]);
        else if (!fault.reason)
            abort();
        if (table_from_csv(&t, (const char *)data, len, sizes[i], &fault) == 0)
            round_trip(&t, sizes[i]);
        else if (!fault.reason)
            abort();
    }
    return 0;
}
