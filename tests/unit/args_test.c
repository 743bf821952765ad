/* Options and numbers of the tool's command lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tool/args.h"
#include "tool/commands.h"

enum { WORDS_MAX = 3, ARGV_MAX = 8 };

struct parsed {
    bool force;
    const char *out, *flash_mode, *word[WORDS_MAX];
    unsigned words;
};

static int parse(struct parsed *to, const char *const *words)
{
    static const char usage[] = "usage: wipy test [WORD]\n";
    char *argv[ARGV_MAX] = {"test"};
    int argc = 1;
    *to = (struct parsed){.words = WORDS_MAX};
    while (words[argc - 1]) {
        argv[argc] = (char *)words[argc - 1];
        argc++;
    }
    struct args a = args_of("wipy test", usage, argc, argv);
    const struct args_option options[] = {
        {"force", "f", &to->force, NULL},
        {"out", "", NULL, &to->out},
        {"flash-mode", "fm", NULL, &to->flash_mode},
    };
    return args_read(&a, options, 3, to->word, &to->words);
}

static void options_in_all_spellings(void **state)
{
    (void)state;
    static const struct {
        const char *words[ARGV_MAX - 1];
        bool force;
        const char *out, *mode;
        unsigned count;
    } lines[] = {
        {{NULL}, false, NULL, NULL, 0},
        {{"--force"}, true, NULL, NULL, 0},
        {{"-f", "a", "-"}, true, NULL, NULL, 2},
        {{"a", "--out", "x", "b"}, false, "x", NULL, 2},
        {{"--out=x"}, false, "x", NULL, 0},
        {{"--out="}, false, "", NULL, 0},
        {{"--out=a=b"}, false, "a=b", NULL, 0},
        {{"--out", "--force"}, false, "--force", NULL, 0},
        {{"--flash_mode", "dio"}, false, NULL, "dio", 0},
        {{"--flash-mode=dio", "-out", "y"}, false, "y", "dio", 0},
        {{"-fm", "qio", "-fm", "dio"}, false, NULL, "dio", 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct parsed p;
        assert_int_equal(parse(&p, lines[i].words), EXIT_OK);
        assert_int_equal(p.force, lines[i].force);
        assert_int_equal(p.words, lines[i].count);
        assert_int_equal(!p.out, !lines[i].out);
        assert_int_equal(!p.flash_mode, !lines[i].mode);
        if (p.out)
            assert_string_equal(p.out, lines[i].out);
        if (p.flash_mode)
            assert_string_equal(p.flash_mode, lines[i].mode);
    }
}

static void what_is_not_understood(void **state)
{
    (void)state;
    static const char long_name[] =
        "--outoutoutoutoutoutoutoutoutoutoutoutoutoutoutoutoutoutoutoutoutout";
    static const char *const lines[][ARGV_MAX - 1] = {
        {"--nonsense"}, {"--"},      {"--=x"},        {"--forc"},
        {"--forceful"}, {"--out"},   {"a", "--out"},  {"a", "b", "c", "d"},
        {"--o=x"},      {long_name}, {"-flash-mode"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct parsed p;
        assert_int_equal(parse(&p, lines[i]), EXIT_USAGE);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint32_t value;
    } lines[] = {
        {"0", true, 0},           {"0x10000", true, 0x10000},
        {"64k", true, 65536},     {"4MB", true, 4 << 20},
        {"1M", true, 1 << 20},    {"4294967295", true, UINT32_MAX},
        {"4294967296", false, 0}, {"4096M", false, 0},
        {"", false, 0},           {"-1", false, 0},
        {" 1", false, 0},         {"1x", false, 0},
        {"0x", false, 0},         {"1B", false, 0},
        {"k", false, 0},          {"99999999999999999999", false, 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        uint32_t value = 7;
        assert_int_equal(parse_number(lines[i].text, &value), lines[i].good);
        assert_int_equal(value, lines[i].good ? lines[i].value : 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_in_all_spellings),
        cmocka_unit_test(what_is_not_understood),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
