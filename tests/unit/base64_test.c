/* The vendor's text back-ups: RFC 4648's vectors, white space, junk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/base64.h"

static void vectors(void **state)
{
    (void)state;
    static const char *const both[][2] = {
        {"f", "Zg==\n"},
        {"fo", "Zm8=\n"},
        {"foo", "Zm9v\n"},
        {"foob", "Zm9vYg==\n"},
        {"fooba", "Zm9vYmE=\n"},
        {"foobar", "Zm9vYmFy\n"},
        {"\xff\xfe\xfb", "//77\n"},
    };
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        size_t len, plain = strlen(both[i][0]);
        char *text = base64_encode((const uint8_t *)both[i][0], plain);
        assert_string_equal(text, both[i][1]);
        uint8_t *data = base64_decode(text, strlen(text), &len);
        assert_int_equal(len, plain);
        assert_memory_equal(data, both[i][0], plain);
        free(data);
        free(text);
    }
}

static void white_space(void **state)
{
    (void)state;
    static const char text[] = " Zm9\r\nv\tYg =\n= ";
    size_t len;
    uint8_t *data = base64_decode(text, strlen(text), &len);
    assert_int_equal(len, 4);
    assert_memory_equal(data, "foob", 4);
    free(data);
}

static void junk(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      " \n",       "Z",        "Zg",       "Zg=",     "Zg===",
        "====",  "Z===",      "Zg==Zg==", "Zm9v!",    "Zm\x80v", "Zg=A",
        "Zm9v=", "Zm9vZm9v=", "-_-_",     "Zm9v====", "=Zm9",    "Z\x01==",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t len = 7;
        assert_null(base64_decode(bad[i], strlen(bad[i]), &len));
        assert_int_equal(len, 0);
    }
    size_t len;
    assert_null(base64_decode("Zm9v\0\0\0\0", 8, &len)); /* NUL is no digit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(white_space),
        cmocka_unit_test(junk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
