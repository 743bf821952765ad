/* wipy keys: the public keys that firmware must be signed with. Only through
 * the serial loader, or on the chip file of a board that is off: a running
 * board has them locked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "board/chip_file.h"
#include "boot/boot.h"
#include "commands.h"
#include "image_parts.h"
#include "loader_args.h"
#include "loader_flash.h"
#include "outcome.h"

static const char usage[] =
    "usage: wipy keys show  (--flash FILE | --port PORT)\n"
    "       wipy keys set KEY... (--flash FILE | --port PORT) [--force]\n"
    "       wipy keys clear (--flash FILE | --port PORT)\n"
    "KEY is a public key made by 'wipy image keygen'; at most 4. While keys\n"
    "are set, nothing unsigned is accepted or started. --flash needs the "
    "board\n"
    "to be off; --port writes through its serial loader. --json: the result\n"
    "as JSON.\n";

struct keys_job {
    struct serial_args serial;
    bool by_file, force;
    const char *action;
    struct image_keys keys; /* from the command line */

    /* The chip: a file, or what was read over the line. */
    struct chip_file file;
    struct loader *loader;
    uint8_t *chip;
    uint32_t chip_size;
    struct table table;
};

static int parse(struct keys_job *job, int argc, char **argv)
{
    struct args a = args_of("wipy keys", usage, argc, argv);
    const char *word;
    serial_args_init(&job->serial);
    for (int kind; (kind = args_next(&a, &word)) != 0;) {
        int taken = 0;
        if (kind == 1 && args_is(&a, "force"))
            taken = job->force = true;
        else if (kind == 1)
            taken = serial_args_take(&job->serial, &a);
        if (taken < 0)
            return -taken;
        if (kind == 1 && !taken)
            return args_unknown(&a, word);
        if (kind == 1)
            continue;
        int code = EXIT_OK;
        if (job->action)
            code = key_read_public(word, &job->keys);
        else
            job->action = word;
        if (code)
            return code;
    }
    job->by_file = job->serial.o.flash && !job->serial.o.port;
    if (!job->action)
        return args_wrong(&a, "show, set or clear?");
    bool set = strcmp(job->action, "set") == 0;
    if (!set && strcmp(job->action, "show") && strcmp(job->action, "clear"))
        return args_wrong(&a, "there is no '%s'", job->action);
    if (set && !job->keys.count)
        return args_wrong(&a, "set which key? name a public key's file");
    if (!set && job->keys.count)
        return args_wrong(&a, "%s takes no key", job->action);
    return EXIT_OK;
}

/* ---- the chip ---- */

static int open_file(struct keys_job *job)
{
    struct problem problem;
    const char *path = job->serial.o.flash;
    if (access(path, F_OK) != 0) {
        complain("wipy: %s: there is no such chip file\n", path);
        return EXIT_FILE;
    }
    if (chip_file_open(&job->file, path, 0, &problem) != 0) {
        complain("wipy: %s\n", problem.text);
        return EXIT_BUSY;
    }
    job->chip = job->file.cells;
    job->chip_size = job->file.size;
    return EXIT_OK;
}

/* Tables, keys and the factory slot are all that is looked at. */
static int read_part(struct keys_job *job, const char *what, uint32_t off,
                     uint32_t len)
{
    int err = loader_read(job->loader, what, off, job->chip + off, len);
    return err ? serial_failed(job->loader, err) : EXIT_OK;
}

static int open_port(struct keys_job *job)
{
    job->loader = loader_new(&job->serial.o);
    int code = serial_connect(job->loader, &job->serial);
    if (code)
        return code;
    job->chip_size = job->loader->chip.flash_size;
    job->chip = malloc(job->chip_size);
    if (!job->chip)
        return out_of_memory();
    memset(job->chip, 0xff, job->chip_size);
    const struct table *usual = table_default(job->chip_size);
    const struct partition *p =
        usual ? table_find(usual, PART_DATA, PART_TABLE2) : NULL;
    code = read_part(job, "partition table", TABLE_OFF, TABLE_SECTOR);
    if (!code && p)
        code = read_part(job, "second partition table", p->off, p->size);
    return code;
}

static int open_chip(struct keys_job *job)
{
    int code = job->by_file ? open_file(job) : open_port(job);
    if (code)
        return code;
    struct table_source source;
    if (table_load(&job->table, job->chip, job->chip_size, &source) != 0) {
        complain(
            "wipy keys: the chip has no partition table; flash one first\n");
        return EXIT_VERIFY;
    }
    const struct partition *keys =
        table_find(&job->table, PART_DATA, PART_KEYS);
    if (!keys || keys->size < FLASH_SECTOR) {
        complain("wipy keys: the partition table has no place for keys\n");
        return EXIT_REFUSED;
    }
    return job->by_file ? EXIT_OK
                        : read_part(job, "keys", keys->off, FLASH_SECTOR);
}

static void close_chip(struct keys_job *job)
{
    if (job->by_file) {
        if (job->file.cells)
            chip_file_close(&job->file);
        return;
    }
    free(job->chip);
    if (job->loader) {
        loader_disconnect(job->loader);
        loader_free(job->loader);
    }
}

static int write_keys(struct keys_job *job)
{
    const struct partition *p = table_find(&job->table, PART_DATA, PART_KEYS);
    uint8_t sector[FLASH_SECTOR];
    if (job->keys.count)
        keys_write(&job->keys, sector);
    else
        memset(sector, 0xff, sizeof sector);
    if (job->by_file) {
        memcpy(job->chip + p->off, sector, sizeof sector);
        return chip_file_sync(&job->file) == 0 ? EXIT_OK : EXIT_FILE;
    }
    struct write_options options = {.plain = false};
    struct write_result result;
    int err = loader_write(job->loader, "keys", p->off, sector, sizeof sector,
                           &options, &result);
    return err ? serial_failed(job->loader, err) : EXIT_OK;
}

/* ---- actions ---- */

/* A board whose factory image does not start any more has lost its last way
 * back: only on purpose. */
static int check_factory(struct keys_job *job)
{
    const struct partition *p = table_find(&job->table, PART_APP, PART_FACTORY);
    struct image im;
    uint8_t digest[SHA256_LEN];
    int code = EXIT_OK;
    if (!p)
        return EXIT_OK;
    if (!job->by_file)
        code = read_part(job, "factory", p->off, p->size);
    if (code)
        return code;
    uint16_t machine =
        job->by_file ? IMAGE_MACHINE_HERE : job->loader->chip.machine;
    enum image_fault fault = image_check(&im, job->chip + p->off, p->size,
                                         machine, &job->keys, digest);
    if (fault == IMAGE_FINE)
        return EXIT_OK;
    complain("wipy keys: the factory image would not start any more: %s.\n"
             "Sign it ('wipy image sign') and flash it first%s\n",
             image_fault_text(fault),
             job->force ? "; done nevertheless." : ", or say --force.");
    return job->force ? EXIT_OK : EXIT_REFUSED;
}

static void show_key(const uint8_t key[P256_KEY_LEN], json_t *list)
{
    uint8_t id[IMAGE_KEY_ID_LEN];
    char name[2 * IMAGE_KEY_ID_LEN + 1] = "", hex[2 * P256_KEY_LEN + 1] = "";
    image_key_id(key, id);
    hex_encode(name, id, sizeof id);
    hex_encode(hex, key, P256_KEY_LEN);
    if (list)
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "id", name, "key", hex));
    else
        printf("%s  %s\n", name, hex);
}

static int show_keys(struct keys_job *job)
{
    struct image_keys keys;
    enum keys_state state = keys_load(
        &keys, job->chip, table_find(&job->table, PART_DATA, PART_KEYS));
    json_t *list = job->serial.json ? json_array() : NULL;
    for (unsigned i = 0; i < keys.count; i++)
        show_key(keys.key[i], list);
    if (list)
        print_json(json_pack("{s:b, s:o}", "ok", 1, "keys", list));
    else if (keys.count == 0 && state != KEYS_LOST)
        puts("no keys are set: signatures are not asked for");
    if (state < KEYS_ONE_BAD)
        return EXIT_OK;
    complain("wipy keys: %s damaged; set or clear them again\n",
             state == KEYS_LOST ? "both copies of the keys are"
                                : "a copy of the keys is");
    return EXIT_VERIFY;
}

static int act(struct keys_job *job)
{
    if (strcmp(job->action, "show") == 0)
        return show_keys(job);
    int code = job->keys.count ? check_factory(job) : EXIT_OK;
    if (!code)
        code = write_keys(job);
    if (code || job->serial.json)
        return code;
    if (job->keys.count)
        printf("%u key%s set: only images signed with %s are accepted and "
               "started\n",
               job->keys.count, job->keys.count == 1 ? "" : "s",
               job->keys.count == 1 ? "it" : "one of them");
    else
        puts("keys cleared: signatures are not asked for");
    return EXIT_OK;
}

int cmd_keys(int argc, char **argv)
{
    static struct keys_job job;
    int code = parse(&job, argc, argv);
    if (code)
        return code;
    code = open_chip(&job);
    if (!code)
        code = act(&job);
    close_chip(&job);
    return code;
}
