/* Firmware packages: the archive, and the script in it.
 *
 * Input: the first byte chooses. Even: an archive, which may be a tar without
 * gzip, so that any bytes reach its headers; odd: a script. What is accepted
 * is within the limits the rest of the tool relies on; a script that is
 * accepted says the same when it is written and read again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tool/archive.h"
#include "tool/script.h"

static void check_name(const char *name)
{
    assert(name[0] && strlen(name) < ARCHIVE_NAME_MAX);
    assert(!strpbrk(name, "/\\: ") && strcmp(name, "..") != 0);
}

static void archive(const uint8_t *data, size_t len)
{
    static struct package p;
    char why[ARCHIVE_WHY_MAX] = "";
    if (package_parse(&p, data, len, why)) {
        assert(p.count == 0 && why[0] && memchr(why, 0, sizeof why));
        return;
    }
    size_t total = 0;
    assert(p.count > 0 && p.count <= ARCHIVE_MEMBERS_MAX);
    for (unsigned i = 0; i < p.count; i++) {
        check_name(p.member[i].name);
        assert(package_find(&p, p.member[i].name) == &p.member[i]);
        assert(p.member[i].len <= ARCHIVE_MEMBER_MAX);
        assert(p.member[i].data[p.member[i].len] == 0);
        total += p.member[i].len;
    }
    assert(total <= ARCHIVE_TOTAL_MAX);
    package_free(&p);
}

static void check_step(const struct script_step *step)
{
    assert(step->op <= SCRIPT_RAW);
    assert(step->target[0] && memchr(step->target, 0, SCRIPT_NAME_MAX));
    assert(memchr(step->file, 0, SCRIPT_FILE_MAX));
    assert((step->op == SCRIPT_ERASE) == (step->file[0] == 0));
    assert(step->op == SCRIPT_ERASE || !step->has_size);
}

static void script(const uint8_t *data, size_t len)
{
    static struct script s, again;
    char why[160] = "";
    if (script_parse(&s, (const char *)data, len, why) < 0) {
        assert(why[0] && memchr(why, 0, sizeof why));
        return;
    }
    assert(s.steps > 0 && s.steps <= SCRIPT_STEPS_MAX);
    assert(s.places <= SCRIPT_PLACES_MAX);
    for (unsigned i = 0; i < s.steps; i++)
        check_step(&s.step[i]);
    for (unsigned i = 0; i < s.places; i++)
        assert(script_place(&s, s.place[i].name));
    char *text = script_text(&s);
    assert(text);
    assert(script_parse(&again, text, strlen(text), why) == 0);
    char *second = script_text(&again);
    assert(second && strcmp(text, second) == 0);
    free(second);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    if (data[0] % 2 == 0)
        archive(data + 1, len - 1);
    else
        script(data + 1, len - 1);
    return 0;
}
