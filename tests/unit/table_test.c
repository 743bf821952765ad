#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bearssl_hash.h>

#include "base/hex.h"
#include "bootmodel.h"

/* Tables of field boards with the MD5 of their rows and the SHA-1 of the
 * whole file: spec 1.3. */
static const struct vector {
    const char *name;
    uint32_t chip_size;
    const char *rows[10];
    const char *md5, *sha1;
} vectors[] = {
    {"F/4MB",
     0x400000,
     {"aa50010200900000007000006e76730000000000000000000000000000000000",
      "aa5000000000010000e01a00666163746f727900000000000000000001000000",
      "aa50010000e01b00001000006f74616461746100000000000000000001000000",
      "aa50001000001c0000e01a006f74615f30000000000000000000000001000000",
      "aa50010700e036000000010064756d6d79000000000000000000000000000000",
      "aa5001050000380000f007006673000000000000000000000000000001000000",
      "aa50010600f03f0000100000636f6e6669670000000000000000000000000000"},
     "229b9d0d41b6cfeaba95cfe3bea38f14",
     "d1d8a1be97919efa9292390ac69cdc453e4f899c"},
    {"F/8MB",
     0x800000,
     {"aa50010200900000007000006e76730000000000000000000000000000000000",
      "aa5000000000010000f01e00666163746f727900000000000000000001000000",
      "aa50010000f01f00001000006f74616461746100000000000000000001000000",
      "aa5000100000210000f01e006f74615f30000000000000000000000001000000",
      "aa50010600f03f0000100000636f6e6669670000000000000000000000000000"},
     "c0fff3d54a0b1392fc1f0d4232e3093f",
     "1cc2767e7a0a50e3095efb8d29258d1ab66064d7"},
    {"B/4MB",
     0x400000,
     {"aa50010200900000006000006e76730000000000000000000000000000000000",
      "aa50010100f00000001000007068795f696e6974000000000000000000000000",
      "aa5000000000010000001000666163746f727900000000000000000000000000",
      "aa50001000001100000010006f74615f30000000000000000000000000000000",
      "aa50001100002100000010006f74615f31000000000000000000000000000000",
      "aa500107000031000000010064756d6d79000000000000000000000000000000",
      "aa5001000000320000100000626f6f74696e666f000000000000000000000000",
      "aa5001050000380000f007006673000000000000000000000000000000000000",
      "aa50010600f03f0000100000636f6e6669670000000000000000000000000000"},
     "a84edd731b553bd58da3e7ee9ca20701",
     "6103ebf055d3c5d6746b14ec1f19aaac32e90867"},
};

static void bytes_of(const struct vector *v, uint8_t to[TABLE_LEN])
{
    unsigned n = 0;
    memset(to, 0xff, TABLE_LEN);
    for (; v->rows[n]; n++)
        assert_true(hex_decode(to + 32 * n, v->rows[n], 32));
    to[32 * n] = to[32 * n + 1] = 0xeb;
    assert_true(hex_decode(to + 32 * n + 16, v->md5, 16));
}

static void field_tables_are_read_and_written_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t bytes[TABLE_LEN], back[TABLE_LEN], sha[20], want[20];
        struct table t;
        struct table_fault fault;
        bytes_of(&vectors[i], bytes);
        assert_int_equal(
            table_parse(&t, bytes, sizeof bytes, vectors[i].chip_size, &fault),
            0);
        assert_true(t.has_md5);
        assert_int_equal(table_write(&t, back), 0);
        assert_memory_equal(bytes, back, TABLE_LEN);
        br_sha1_context sha1;
        br_sha1_init(&sha1);
        br_sha1_update(&sha1, back, TABLE_LEN);
        br_sha1_out(&sha1, sha);
        assert_true(hex_decode(want, vectors[i].sha1, 20));
        assert_memory_equal(sha, want, 20);
        assert_non_null(table_find(&t, PART_APP, PART_FACTORY));
        assert_non_null(table_find(&t, PART_APP, PART_OTA_0));
    }
}

static void every_flip_in_a_table_is_noticed(void **state)
{
    (void)state;
    uint8_t bytes[TABLE_LEN];
    struct table t;
    (void)table_write(table_default(0x800000), bytes);
    unsigned rows = table_default(0x800000)->count;
    for (unsigned bit = 0; bit < (rows * 32 + 32) * 8; bit++) {
        unsigned at = bit / 8;
        if (at >= rows * 32 + 2 && at < rows * 32 + 16)
            continue; /* the filler of the MD5 row means nothing */
        bytes[at] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(
            table_parse(&t, bytes, sizeof bytes, 0x800000, NULL), 0);
        bytes[at] ^= (uint8_t)(1 << bit % 8);
    }
}

static void files_have_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *rows;
        uint32_t chip, off, size; /* 0: none */
    } tests[] = {
        {"fs,data,5,0x380000,0x7f000", 0x400000, 0x380000, 0x7f000},
        {"factory,app,factory,0x10000,1M", 0x400000, 0, 0},
        /* A vendor's table of 8 MiB. */
        {"config,data,6,0x3ff000,0x1000", 0x800000, 0x400000, 0x400000},
        {"fs,data,5,0x700000,1M", 0x800000, 0x700000, 0x100000},
        {"mine,data,7,0x3ff000,0x2000", 0x800000, 0, 0},
        {"config,data,6,0x3ff000,0x1000", 0x1000000, 0, 0},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct table t;
        struct partition fs = {0};
        assert_int_equal(table_from_csv(&t, tests[i].rows,
                                        strlen(tests[i].rows), tests[i].chip,
                                        NULL),
                         0);
        assert_int_equal(table_fs(&t, tests[i].chip, &fs), tests[i].off != 0);
        if (tests[i].off) {
            assert_int_equal(fs.off, tests[i].off);
            assert_int_equal(fs.size, tests[i].size);
        }
    }
}

/* What a name does to a terminal is not its sender's choice. */
static void names_are_printable(void **state)
{
    (void)state;
    static const char evil[] = "\033[2Jfs\n\377\1";
    uint8_t bytes[TABLE_LEN];
    struct table t = *table_default(0x800000);
    memcpy(t.row[9].label, evil, sizeof evil);
    (void)table_write(&t, bytes);
    assert_int_equal(table_parse(&t, bytes, sizeof bytes, 0x800000, NULL), 0);
    assert_string_equal(t.row[9].label, "?[2Jfs???");
}

static void default_maps_are_sound(void **state)
{
    (void)state;
    struct table_fault fault;
    assert_int_equal(table_check(table_default(0x800000), 0x800000, &fault), 0);
    assert_int_equal(table_check(table_default(0x400000), 0x400000, &fault), 0);
    assert_null(table_default(12345));
    const struct partition *p =
        table_find_label(table_default(0x800000), "ota_1");
    assert_int_equal(p->off, 0x290000);
    assert_int_equal(p->size, 0x140000);
}

static void csv_is_a_round_trip(void **state)
{
    (void)state;
    char text[4096], again[4096];
    struct table t;
    struct table_fault fault;
    int len = table_to_csv(table_default(0x800000), text, sizeof text);
    assert_true(len > 0);
    assert_int_equal(table_from_csv(&t, text, (size_t)len, 0x800000, &fault),
                     0);
    assert_int_equal(table_to_csv(&t, again, sizeof again), len);
    assert_string_equal(text, again);
    assert_int_equal(table_to_csv(&t, again, 20), WIPY_ENOMEM);
}

static void csv_as_users_write_it(void **state)
{
    (void)state;
    static const char text[] =
        "# Name, Type, SubType, Offset, Size, Flags\r\n"
        "\r\n"
        "nvs,      data, nvs,     0x9000,  28K\r\n"
        "factory,  app,  factory, ,        1M,\n"
        "ota_0,    app,  ota_0,   ,        1M, encrypted\n"
        "otadata,  data, ota,     ,        8k # two\n"
        "mine,     0x40, 0x7,     ,        4096";
    struct table t;
    struct table_fault fault;
    assert_int_equal(
        table_from_csv(&t, text, sizeof text - 1, 0x400000, &fault), 0);
    assert_int_equal(t.count, 5);
    assert_int_equal(t.row[1].off, 0x10000);
    assert_int_equal(t.row[2].off, 0x110000);
    assert_int_equal(t.row[2].flags, PART_ENCRYPTED);
    assert_int_equal(t.row[3].off, 0x210000);
    assert_int_equal(t.row[4].off, 0x212000);
    assert_int_equal(t.row[4].type, 0x40);
}

static void bad_csv_names_line_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned row;
        const char *reason;
    } rows[] = {
        {"", 0, "empty"},
        {"a,app", 1, "needs name, type, subtype, offset, size"},
        {"a,app,factory,0x10000,bananas", 1, "size is not a number"},
        {"a,app,factory,x,1M", 1, "offset is not a number"},
        {"a,app,nonsense,0x10000,1M", 1, "subtype is not known for this type"},
        {"a,tape,factory,0x10000,1M", 1,
         "type is neither app, data nor a number below 256"},
        {"\na,app,factory,0x10000,1M,blue", 2,
         "flags are neither empty, a number nor 'encrypted'"},
        {"a,app,factory,0x10000,1M\nb,app,ota_0,0x100000,1M", 2,
         "overlaps another row"},
        {"a,app,factory,0x10000,1M\n#\nb,app,factory,0x110000,1M", 3,
         "a second app of the same subtype"},
        {"a,app,factory,0x11000,1M", 1,
         "app does not begin at a multiple of 0x10000"},
        {"a,app,factory,0x10000,8M", 1, "goes past the end of the chip"},
        {"a,app,factory,0xfffffff0,0xffffffff", 1,
         "goes past the end of the chip"},
        {"a,app,factory,0,1M", 1,
         "overlaps bootloader or partition table (below 0x9000)"},
        {"a,data,nvs,0x9000,0", 1, "size is 0"},
        {"abcdefghijklmnopq,data,nvs,0x9000,1", 1,
         "name is longer than 16 characters"},
        {"a,b,c,d,e,f,g,h", 1, "too many or too long fields"},
        {"a,2,factory,0x10000,1M", 1, "subtype is not known for this type"},
        {"a,2,2,0x10000,1M", 1, "type is neither app nor data"},
        {"a,data,nvs,0x9100,1M", 1, "does not begin at a multiple of 0x1000"},
        {"a,app,factory,0x10000,100", 1,
         "size of an app is not a multiple of 0x1000"},
        {"a,data,nvs,0x9000,4K\na,data,phy,,4K", 2,
         "a second partition of the same name"},
        {"a,data,nvs,0x,4K", 1, "offset is not a number"},
        {"a,data,nvs,0x123456789,4K", 1, "offset is not a number"},
        {"a,data,nvs,0x9000,4G", 1, "size is not a number"},
        {"a,app,ota_16,0x10000,1M", 1, "subtype is not known for this type"},
        {"a,data,256,0x10000,1M", 1, "subtype is not known for this type"},
        {"a,256,nvs,0x10000,1M", 1,
         "type is neither app, data nor a number below 256"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct table t;
        struct table_fault fault;
        assert_int_equal(table_from_csv(&t, rows[i].text, strlen(rows[i].text),
                                        0x400000, &fault),
                         WIPY_ECORRUPT);
        assert_string_equal(fault.reason, rows[i].reason);
        assert_int_equal(fault.row, rows[i].row);
    }
}

/* 95 rows and the MD5 row fill the 3072 bytes. */
static void rows_are_counted(void **state)
{
    (void)state;
    struct table t = {.count = TABLE_ROWS_MAX}, back;
    struct table_fault fault;
    uint8_t bytes[TABLE_LEN];
    char text[96 * 32];
    size_t len = 0;
    for (unsigned i = 0; i < TABLE_ROWS_MAX; i++)
        t.row[i] = (struct partition){.type = PART_DATA,
                                      .subtype = 9,
                                      .off = 0x9000 + i * 0x1000,
                                      .size = 0x1000};
    assert_int_equal(table_write(&t, bytes), 0);
    assert_int_equal(table_parse(&back, bytes, TABLE_LEN, 0x400000, &fault), 0);
    assert_int_equal(back.count, TABLE_ROWS_MAX);
    assert_int_equal(table_parse(&back, bytes, TABLE_LEN - 1, 0x400000, &fault),
                     WIPY_ECORRUPT);
    memcpy(bytes + TABLE_LEN - TABLE_ROW_LEN, bytes, TABLE_ROW_LEN);
    assert_int_equal(table_parse(&back, bytes, TABLE_LEN, 0x400000, &fault),
                     WIPY_ECORRUPT);
    assert_string_equal(fault.reason, "more than 95 rows");
    assert_int_equal(fault.row, 96);
    for (unsigned i = 0; i < 96; i++)
        len += (size_t)sprintf(text + len, "r%u,data,9,,4K\n", i);
    assert_int_equal(table_from_csv(&back, text, len, 0x400000, &fault),
                     WIPY_ECORRUPT);
    assert_string_equal(fault.reason, "more than 95 rows");
    assert_int_equal(fault.row, 96);
    t.count = 96;
    assert_int_equal(table_write(&t, bytes), WIPY_ENOSPC);
    assert_int_equal(table_check(&t, 0x400000, &fault), WIPY_ECORRUPT);
}

/* The second copy's place is not there; the first one counts. */
static void a_chip_may_be_small(void **state)
{
    (void)state;
    struct model m;
    struct table t;
    struct table_source source;
    model_init(&m, 0x200000);
    assert_int_equal(table_load(&t, m.cells, m.size, &source), WIPY_ECORRUPT);
    assert_true(source.first_bad);
    t = (struct table){
        .count = 1, .row = {{PART_DATA, PART_NVS, "nvs", 0x9000, 0x7000, 0}}};
    put_table(&m, &t);
    model_fill(&m, TABLE_OFF + TABLE_ROW_LEN, 0xff, TABLE_ROW_LEN);
    assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
    assert_int_equal(t.count, 1);
    model_free(&m);
}

static void second_copy_takes_over(void **state)
{
    (void)state;
    struct model m;
    struct table t;
    struct table_source source;
    model_init(&m, 0x800000);
    put_table(&m, table_default(0x800000));
    assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
    assert_false(source.first_bad || source.second_bad);
    m.cells[TABLE_OFF + 70] ^= 4;
    assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
    assert_true(source.first_bad);
    assert_int_equal(t.count, 10);
    m.cells[0x3d5000 + 70] ^= 8;
    assert_int_equal(table_load(&t, m.cells, m.size, &source), WIPY_ECORRUPT);
    m.cells[TABLE_OFF + 70] ^= 4;
    assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
    assert_true(source.second_bad);
    model_free(&m);
}

/* Power lost while a serial tool wrote the first copy: its first page (eight
 * rows) is there, the rest is erased. Without an MD5 row it reads as a shorter
 * table; that the second copy goes on where it ends says better. */
static void a_first_copy_cut_short_is_damaged(void **state)
{
    (void)state;
    struct model m;
    struct table t;
    struct table_source source;
    model_init(&m, 0x800000);
    for (unsigned rows = 1; rows <= 10; rows++) {
        put_table(&m, table_default(0x800000));
        uint32_t end = rows * TABLE_ROW_LEN;
        model_fill(&m, TABLE_OFF + end, 0xff, TABLE_LEN - end);
        assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
        assert_int_equal(t.count, 10);
        assert_true(source.first_bad);
        assert_int_equal(source.fault.row, rows + 1);
        assert_string_equal(source.fault.reason,
                            "ends early: rows of the second copy are missing");
    }
    /* One of a field board, from before MD5 rows, is its owner's wish. */
    model_fill(&m, TABLE_OFF + 12, 'x', 1);
    assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
    assert_false(source.first_bad);
    assert_true(source.second_bad);
    /* And without a sound second copy there is nothing better. */
    put_table(&m, table_default(0x800000));
    model_fill(&m, TABLE_OFF + 256, 0xff, TABLE_LEN - 256);
    m.cells[0x3d5000 + 300] ^= 8;
    assert_int_equal(table_load(&t, m.cells, m.size, &source), 0);
    assert_int_equal(t.count, 8);
    assert_false(source.first_bad);
    assert_true(source.second_bad);
    model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_tables_are_read_and_written_back),
        cmocka_unit_test(every_flip_in_a_table_is_noticed),
        cmocka_unit_test(files_have_their_place),
        cmocka_unit_test(names_are_printable),
        cmocka_unit_test(default_maps_are_sound),
        cmocka_unit_test(csv_is_a_round_trip),
        cmocka_unit_test(csv_as_users_write_it),
        cmocka_unit_test(bad_csv_names_line_and_reason),
        cmocka_unit_test(rows_are_counted),
        cmocka_unit_test(a_chip_may_be_small),
        cmocka_unit_test(second_copy_takes_over),
        cmocka_unit_test(a_first_copy_cut_short_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
