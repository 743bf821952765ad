/* core/telnet/screen: what MicroPython's line editor prints, seen through it
 * on a terminal of some width, always looks like the line folded at that
 * width, with the cursor in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "telnet/screen.h"

enum { ROWS = 40, COLUMNS = 64, LINE = 150 };

/* ---- a VT100: wraps with the character after the last column ---- */

static struct {
    char cell[ROWS][COLUMNS];
    int width, row, column;
    bool full; /* the last column was written */
} vt;

static void vt_clear(int row, int column)
{
    for (int i = column; i < vt.width; i++)
        vt.cell[row][i] = ' ';
}

static void vt_scroll(void)
{
    if (++vt.row < ROWS)
        return;
    memmove(vt.cell[0], vt.cell[1], sizeof vt.cell - sizeof vt.cell[0]);
    vt.row = ROWS - 1;
    vt_clear(vt.row, 0);
}

static void vt_print(char c)
{
    if (vt.full) {
        vt.column = 0;
        vt_scroll();
    }
    vt.cell[vt.row][vt.column] = c;
    vt.full = vt.column == vt.width - 1;
    vt.column += !vt.full;
}

static void vt_control(char final, int n)
{
    int count = n ? n : 1;
    vt.full = vt.full && (final == 'K' || final == 'J');
    if (final == 'A')
        vt.row = vt.row > count ? vt.row - count : 0;
    else if (final == 'B')
        vt.row = vt.row + count < ROWS ? vt.row + count : ROWS - 1;
    else if (final == 'C')
        vt.column =
            vt.column + count < vt.width ? vt.column + count : vt.width - 1;
    else if (final == 'D')
        vt.column = vt.column > count ? vt.column - count : 0;
    else if (final == 'K' || final == 'J')
        vt_clear(vt.row, vt.column);
    else
        fail_msg("ESC [ %d %c", n, final);
    for (int row = vt.row + 1; final == 'J' && row < ROWS; row++)
        vt_clear(row, 0);
}

static void vt_feed(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\x1b') {
            char *end;
            int n = (int)strtol(text + i + 2, &end, 10);
            i = (size_t)(end - text);
            vt_control(*end, n);
        } else if (c == '\r') {
            vt.column = 0, vt.full = false;
        } else if (c == '\n') {
            vt_scroll();
            vt.full = false;
        } else if (c == '\b') {
            vt.column -= vt.column > 0;
            vt.full = false;
        } else {
            vt_print(c);
        }
    }
}

/* ---- MicroPython's line editor, as far as it prints ---- */

static struct screen screen;
static char line[LINE + 1];
static int line_len, cursor;

static void print(const char *text)
{
    for (size_t at = 0, len = strlen(text); at < len;) {
        uint8_t out[SCREEN_OUT + 1];
        const uint8_t *p = (const uint8_t *)text + at;
        size_t n = screen_plain(&screen, p, len - at);
        if (n) {
            vt_feed(text + at, n);
            at += n;
            continue;
        }
        n = screen_byte(&screen, *p, out);
        assert_true(n <= SCREEN_OUT);
        out[n] = 0;
        vt_feed((char *)out, n);
        at++;
    }
}

static void back(int n)
{
    char text[16] = "\b\b\b\b";
    if (n > 4)
        snprintf(text, sizeof text, "\x1b[%dD", n);
    else
        text[n] = '\0';
    print(text);
}

static void prompt(void)
{
    print("\r\n>>> ");
    line_len = cursor = 0;
    line[0] = '\0';
}

static void insert(char c)
{
    if (line_len == LINE)
        return;
    memmove(line + cursor + 1, line + cursor, (size_t)(line_len - cursor + 1));
    line[cursor] = c;
    line_len++;
    print(line + cursor);
    cursor++;
    back(line_len - cursor);
}

static void delete (int from, int count)
{
    back(cursor - from);
    cursor = from;
    memmove(line + from, line + from + count,
            (size_t)(line_len - from - count + 1));
    line_len -= count;
    print("\x1b[K");
    print(line + cursor);
    back(line_len - cursor);
}

static void go_to(int where)
{
    if (where < cursor)
        back(cursor - where);
    for (; cursor < where; cursor++)
        print((char[2]){line[cursor]});
    cursor = where;
}

static void recall(const char *text)
{
    back(cursor);
    print("\x1b[K");
    line_len = cursor = (int)strlen(text);
    memcpy(line, text, (size_t)line_len + 1);
    print(line);
}

/* ---- what is seen ---- */

static void check(unsigned seed, int step)
{
    char whole[LINE + 8];
    int len = snprintf(whole, sizeof whole, ">>> %s", line);
    int at = cursor + 4, row = at / vt.width, column = at % vt.width;
    if (vt.full) { /* the same place, seen from the row before */
        row--;
        column = vt.width - 1;
        assert_int_equal(at % vt.width, 0);
    }
    int top = vt.row - row;
    for (int i = 0; i < (ROWS - top) * vt.width; i++) {
        char want = i < len ? whole[i] : ' ';
        char got = vt.cell[top + i / vt.width][i % vt.width];
        if (got != want)
            fail_msg("width %d, seed %u, step %d: '%c' at %d, not '%c' of %s",
                     vt.width, seed, step, got, i, want, whole);
    }
    if (vt.column != column)
        fail_msg("width %d, seed %u, step %d: column %d, not %d", vt.width,
                 seed, step, vt.column, column);
}

static void start(int width)
{
    memset(&vt, 0, sizeof vt);
    vt.width = width;
    for (int row = 0; row < ROWS; row++)
        vt_clear(row, 0);
    screen = (struct screen){0};
    screen_set(&screen, (uint16_t)width, false);
    prompt();
}

static void lines_look_right_at_any_width(void **state)
{
    (void)state;
    static const char old[] =
        "print('a line of the history that is long', 1234567890, 'enough')";
    for (unsigned seed = 1; seed < 400; seed++) {
        int width = 1 + (int)(seed % 61);
        if (width < 5)
            continue; /* the prompt alone is longer; more rows than there are */
        srand(seed);
        start(width);
        for (int step = 0; step < 300; step++) {
            int some = rand() % (line_len + 1);
            switch (rand() % 12) {
            case 0:
                go_to(some);
                break;
            case 1:
                go_to(0);
                break;
            case 2:
                go_to(line_len);
                break;
            case 3:
                if (cursor)
                    delete (cursor - 1, 1);
                break;
            case 4:
                if (cursor < line_len)
                    delete (cursor, 1);
                break;
            case 5:
                if (rand() % 4 == 0) /* Ctrl-K */
                    delete (cursor, line_len - cursor);
                break;
            case 6:
                if (rand() % 4 == 0)
                    recall(rand() % 2 ? old : "x = 1");
                break;
            case 7:
                if (rand() % 8 == 0)
                    prompt();
                break;
            default:
                for (int i = rand() % 12; i >= 0; i--)
                    insert((char)('a' + rand() % 26));
            }
            check(seed, step);
        }
    }
}

/* Colours move nothing; a program that places the cursor is let alone until
 * it returns to the left. */
static void programs_are_left_alone(void **state)
{
    (void)state;
    static const char alone[] = "\x1b[2J\x1b[5;7Hxxxxxxxxxxxxxxx\b\b\b\b\b\b"
                                "\x1b[9D\x1b[K\x1b]0;title\a";
    uint8_t out[SCREEN_OUT];
    screen = (struct screen){0};
    screen_set(&screen, 10, false);
    print("\r");
    for (size_t i = 0; i < sizeof alone - 1; i++) {
        uint8_t byte = (uint8_t)alone[i];
        size_t n = screen_byte(&screen, byte, out), all = n;
        while (n == 0) { /* a sequence is sent when it is whole */
            n = screen_byte(&screen, (uint8_t)alone[++i], out);
            all += n;
        }
        assert_memory_equal(out, alone + i + 1 - n, n);
    }
    assert_true(screen.lost);
    start(10);
    assert_int_equal(screen_byte(&screen, 27, out), 0);
    for (const char *p = "[1;31m"; *p; p++)
        screen_byte(&screen, (uint8_t)*p, out);
    assert_false(screen.lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_look_right_at_any_width),
        cmocka_unit_test(programs_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
