/* board/request: the control socket's language. board/commands: the bus's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "board/commands.h"
#include "board/request.h"

static struct request q;
static char why[200];

static int read_line(const char *line)
{
    int err = request_read(&q, line, strlen(line), why, sizeof why);
    json_decref(q.id);
    return err;
}

static void requests_are_understood(void **state)
{
    (void)state;
    assert_int_equal(read_line("{\"op\":\"status\"}"), 0);
    assert_int_equal(q.op, REQUEST_STATUS);
    assert_int_equal(
        read_line("{\"op\":\"reset\",\"hold\":\"GP28\",\"for_ms\":4000}"), 0);
    assert_int_equal(q.op, REQUEST_RESET);
    assert_int_equal(q.pin, 28);
    assert_int_equal(q.drive, PIN_HIGH);
    assert_int_equal(q.for_ms, 4000);
    assert_int_equal(read_line("{\"op\":\"power\",\"on\":true}"), 0);
    assert_true(q.on);
    assert_int_equal(
        read_line("{\"op\":\"pin\",\"pin\":\"P12\",\"drive\":\"low\"}"), 0);
    assert_int_equal(q.pin, 28);
    assert_int_equal(q.drive, PIN_LOW);
    assert_int_equal(read_line("{\"op\":\"fault\",\"do\":\"cut\",\"nth\":3,"
                               "\"tear\":\"half\"}"),
                     0);
    assert_int_equal(q.nth, 3);
    assert_int_equal(q.tear, CHIP_TEAR_HALF);
    assert_int_equal(read_line("{\"op\":\"fault\",\"do\":\"flip\","
                               "\"addr\":65536,\"bit\":7}"),
                     0);
    assert_int_equal(q.addr, 65536);
    assert_int_equal(q.bit, 7);
    assert_int_equal(read_line("{\"op\":\"sd\",\"insert\":\"/a b\"}"), 0);
    assert_string_equal(q.file, "/a b");
}

/* Each is refused with a sentence that names what is wrong. */
static void others_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } table[] = {
        {"", "JSON object"},
        {"[]", "JSON object"},
        {"{\"op\":\"status\"", "JSON object"},
        {"{}", "\"op\""},
        {"{\"op\":7}", "\"op\""},
        {"{\"op\":\"explode\"}", "explode"},
        {"{\"op\":\"reset\",\"hold\":\"GP99\"}", "GP99"},
        {"{\"op\":\"reset\",\"hold\":28}", "no pin"},
        {"{\"op\":\"reset\",\"for_ms\":-1}", "for_ms"},
        {"{\"op\":\"reset\",\"for_ms\":1e3}", "for_ms"},
        {"{\"op\":\"reset\",\"for_ms\":86400001}", "for_ms"},
        {"{\"op\":\"reset\",\"loader\":1}", "loader"},
        {"{\"op\":\"power\"}", "\"on\""},
        {"{\"op\":\"power\",\"on\":\"yes\"}", "\"on\""},
        {"{\"op\":\"pin\",\"drive\":\"high\"}", "\"pin\""},
        {"{\"op\":\"pin\",\"pin\":\"GP1\",\"drive\":\"up\"}", "up"},
        {"{\"op\":\"fault\"}", "\"do\""},
        {"{\"op\":\"fault\",\"do\":\"cut\"}", "nth"},
        {"{\"op\":\"fault\",\"do\":\"cut\",\"nth\":1,\"tear\":\"x\"}", "'x'"},
        {"{\"op\":\"fault\",\"do\":\"flip\"}", "addr"},
        {"{\"op\":\"fault\",\"do\":\"flip\",\"addr\":0,\"bit\":8}", "bit"},
        {"{\"op\":\"fault\",\"do\":\"flips\",\"count\":99999999}", "count"},
        {"{\"op\":\"sd\",\"insert\":\"\"}", "insert"},
        {"{\"op\":\"sd\",\"insert\":3}", "insert"},
        {"{\"op\":\"status\",\"op\":\"quit\"}", "JSON object"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(read_line(table[i].line), WIPY_EINVAL);
        assert_non_null(strstr(why, table[i].says));
    }
}

static void the_id_is_kept_even_of_a_bad_request(void **state)
{
    (void)state;
    const char *line = "{\"op\":\"nonsense\",\"id\":\"abc\"}";
    assert_int_equal(request_read(&q, line, strlen(line), why, sizeof why),
                     WIPY_EINVAL);
    assert_string_equal(json_string_value(q.id), "abc");
    json_decref(q.id);
}

/* ---- the bus ---- */

static uint8_t packet[COMMAND_PACKET_MAX + 1];

static int command(uint32_t op, uint32_t addr, uint32_t len, size_t payload,
                   struct command *c)
{
    struct bus_command head = {.id = 9, .op = op, .addr = addr, .len = len};
    memcpy(packet, &head, sizeof head);
    return command_read(c, packet, sizeof head + payload);
}

static void a_packet_must_agree_with_itself(void **state)
{
    (void)state;
    struct command c;
    static const struct {
        uint32_t op, len;
        size_t payload;
        int err;
    } table[] = {
        {BUS_ERASE, 4096, 0, 0},
        {BUS_ERASE, 4096, 1, WIPY_EINVAL},
        {BUS_PROGRAM, 16, 16, 0},
        {BUS_PROGRAM, 16, 15, WIPY_EINVAL},
        {BUS_PROGRAM, 16, 17, WIPY_EINVAL},
        {BUS_PROGRAM, 65536, 65536, 0},
        {BUS_PROGRAM, 65537, 65537, WIPY_EINVAL},
        {BUS_PROGRAM, UINT32_MAX, 16, WIPY_EINVAL},
        {BUS_SD_READ, 512, 0, 0},
        {BUS_SD_READ, 513, 0, WIPY_EINVAL},
        {BUS_SD_READ, 65536 + 512, 0, WIPY_EINVAL},
        {BUS_SD_WRITE, 512, 512, 0},
        {BUS_SD_WRITE, 100, 100, WIPY_EINVAL},
        {0, 0, 0, WIPY_ENOTSUP},
        {BUS_CARD_READ, 12, 12, 0},
        {BUS_CARD_WRITE, 24, 12, WIPY_EINVAL},
        {BUS_CARD_WRITE + 1, 0, 0, WIPY_ENOTSUP},
        {UINT32_MAX, 0, 0, WIPY_ENOTSUP},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(
            command(table[i].op, 0, table[i].len, table[i].payload, &c),
            table[i].err);
        assert_int_equal(c.id, 9); /* so that it can be answered */
    }
    for (size_t len = 0; len < sizeof(struct bus_command); len++)
        assert_int_equal(command_read(&c, packet, len), WIPY_EPROTO);
}

static void card_parts_stay_inside_the_memory(void **state)
{
    (void)state;
    const uint32_t end = BUS_CARD_MEMORY;
    const struct {
        struct bus_card_part part;
        uint32_t len;
        int count;
    } table[] = {
        {{0, 1, 0}, 12, 1},
        {{UINT32_MAX, end / 512, 0},
         12,
         1}, /* the card itself is asked later */
        {{0, 1, end - 512}, 24, 2},
        {{0, 0, end}, 12, 1},
        {{0, 1, 0}, 0, 0},
        {{0, 1, 0}, 13, WIPY_EINVAL},
        {{0, 1, 0}, 65 * 12, WIPY_EINVAL},
        {{0, 1, end - 511}, 12, WIPY_EINVAL},
        {{0, 1, end + 1}, 12, WIPY_EINVAL},
        {{0, 0x800000, 512}, 12, WIPY_EINVAL}, /* 2^32 bytes */
        {{0, 1, UINT32_MAX}, 12, WIPY_EINVAL},
    };
    struct bus_card_part parts[BUS_CARD_PARTS];
    struct command c;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        memset(packet, 0, sizeof packet);
        memcpy(packet + sizeof(struct bus_command), &table[i].part, 12);
        assert_int_equal(
            command(BUS_CARD_READ, 0, table[i].len, table[i].len, &c), 0);
        assert_int_equal(command_card_parts(&c, parts), table[i].count);
    }
}

static void commands_reach_the_chip(void **state)
{
    (void)state;
    static uint8_t cells[65536];
    struct chip chip;
    struct command c;
    uint32_t busy;
    memset(cells, 0xff, sizeof cells);
    chip_init(&chip, cells, sizeof cells, 0);
    memset(packet + sizeof(struct bus_command), 0x5a, 300);
    assert_int_equal(command(BUS_PROGRAM, 1000, 300, 300, &c), 0);
    assert_true(command_is_for_chip(&c));
    assert_int_equal(command_on_chip(&c, &chip, &busy), 0);
    assert_int_equal(cells[1000], 0x5a);
    assert_int_equal(busy, 3 * CHIP_PAGE_US); /* 24 + 256 + 20 bytes */
    command(BUS_LOCK, 0, 4096, 0, &c);
    assert_int_equal(command_on_chip(&c, &chip, &busy), 0);
    command(BUS_ERASE, 0, 4096, 0, &c);
    assert_int_equal(command_on_chip(&c, &chip, &busy), WIPY_ELOCKED);
    assert_int_equal(busy, 0);
    command(BUS_SYNC, 0, 0, 0, &c);
    assert_false(command_is_for_chip(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_understood),
        cmocka_unit_test(others_are_refused_with_a_reason),
        cmocka_unit_test(the_id_is_kept_even_of_a_bad_request),
        cmocka_unit_test(a_packet_must_agree_with_itself),
        cmocka_unit_test(card_parts_stay_inside_the_memory),
        cmocka_unit_test(commands_reach_the_chip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
