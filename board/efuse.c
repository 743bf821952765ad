#define _GNU_SOURCE
#include "efuse.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "loader/rom.h"

enum { REVISION = 1 };

void efuse_mac_text(const struct efuse *efuse, char to[18])
{
    const uint8_t *m = efuse->mac;
    snprintf(to, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
             m[4], m[5]);
}

/* Address and revision as the words say them. */
static void take_apart(struct efuse *efuse)
{
    const uint32_t *w = efuse->words;
    efuse->mac[0] = (uint8_t)(w[EFUSE_MAC_HIGH] >> 8);
    efuse->mac[1] = (uint8_t)w[EFUSE_MAC_HIGH];
    for (unsigned i = 0; i < 4; i++)
        efuse->mac[2 + i] = (uint8_t)(w[EFUSE_MAC_LOW] >> (24 - 8 * i));
    efuse->revision = w[EFUSE_PACKAGE] >> 15 & 1;
}

/* Three bytes after the vendor's 24:0a:c4. */
static void make_mac(uint8_t mac[6], bool seeded, uint64_t seed)
{
    static const uint8_t vendor[] = {0x24, 0x0a, 0xc4};
    uint64_t chance = (seed + 1) * 0x9e3779b97f4a7c15u;
    if (!seeded && getrandom(&chance, sizeof chance, 0) != sizeof chance)
        chance = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
    memcpy(mac, vendor, sizeof vendor);
    for (int i = 0; i < 3; i++)
        mac[3 + i] = (uint8_t)(chance >> (40 + 8 * i));
}

static json_t *to_json(const struct efuse *efuse)
{
    char text[18];
    json_t *words = json_array();
    for (int i = 0; i < EFUSE_WORDS; i++) {
        char word[11];
        snprintf(word, sizeof word, "0x%08x", efuse->words[i]);
        json_array_append_new(words, json_string(word));
    }
    efuse_mac_text(efuse, text);
    return json_pack("{s:s, s:s, s:o}", "about",
                     "eFuses of a virtual WiPy; words[] counts", "mac", text,
                     "words", words);
}

static int make(struct efuse *efuse, const char *path, bool seeded,
                uint64_t seed, struct problem *problem)
{
    uint8_t mac[6];
    char temp[4200];
    make_mac(mac, seeded, seed);
    rom_efuse_make(efuse->words, mac, REVISION);
    take_apart(efuse);
    json_t *json = to_json(efuse);
    snprintf(temp, sizeof temp, "%s.new", path);
    bool ok = json_dump_file(json, temp, JSON_INDENT(1)) == 0 &&
              rename(temp, path) == 0;
    json_decref(json);
    if (ok)
        return 0;
    return problem_set(problem, WIPY_EPERM,
                       "eFuse file %s: %s. Its folder "
                       "must be writable",
                       path, strerror(errno));
}

static bool word_from(const json_t *json, uint32_t *word)
{
    const char *text = json_string_value(json);
    unsigned value;
    int end = 0;
    if (!text || sscanf(text, "0x%8x%n", &value, &end) != 1 || text[end])
        return false;
    *word = value;
    return true;
}

static int load(struct efuse *efuse, const char *path, struct problem *problem)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *words = json_object_get(json, "words");
    bool ok = json_array_size(words) == EFUSE_WORDS;
    for (size_t i = 0; ok && i < EFUSE_WORDS; i++)
        ok = word_from(json_array_get(words, i), &efuse->words[i]);
    json_decref(json);
    take_apart(efuse);
    if (ok)
        return 0;
    return problem_set(problem, WIPY_EFORMAT,
                       "eFuse file %s cannot be understood: not touched. "
                       "Move it away to get a board with a new address",
                       path);
}

int efuse_open(struct efuse *efuse, const char *chip, bool seeded,
               uint64_t seed, struct problem *problem)
{
    char path[4100];
    int len = snprintf(path, sizeof path, "%s.efuse", chip);
    if (len < 0 || (size_t)len >= sizeof path)
        return problem_set(problem, WIPY_EINVAL,
                           "the chip file's name is too long");
    return access(path, F_OK) == 0 ? load(efuse, path, problem)
                                   : make(efuse, path, seeded, seed, problem);
}
