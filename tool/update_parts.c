#include "update_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base64.h"
#include "commands.h"
#include "file.h"

static void mac_text(const struct loader *l, char to[13])
{
    const uint8_t *mac = l->chip.mac;
    snprintf(to, 13, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}

/* ---- writing ---- */

int update_run_plan(struct loader *l, const struct update_args *u,
                    struct plan *p)
{
    struct mirror m = {0};
    int err = mirror_open(&m, l);
    int code = err ? 0 : plan_resolve(p, &m);
    if (!code && !err)
        code = plan_guard(p, &l->chip, u->force);
    if (!code && !err)
        err = flash_job_run(l, &u->job, p, &m);
    mirror_close(&m);
    plan_free(p);
    return err < 0 ? serial_failed(l, err) : code;
}

/* The vendor's text back-ups are base64. */
static int add_text(struct plan *p, const char *target, const char *path)
{
    struct file_data file;
    size_t len;
    int code = file_read(path, PLAN_FILE_MAX, &file);
    if (code)
        return code;
    uint8_t *data = base64_decode((const char *)file.data, file.len, &len);
    free(file.data);
    if (data)
        return plan_add(p, target, path, data, len);
    complain("wipy: %s: no back-up: want base64 text, as -b writes it\n", path);
    return EXIT_FILE;
}

/* ---- back-up and restore ---- */

/* A part of the chip and the file its back-up is in. */
struct part {
    const char *target;
    bool text;
    char name[64]; /* of the file when none was named */
};

static int read_part(struct loader *l, const struct part *part,
                     const char *file, uint32_t off, uint32_t size)
{
    uint8_t *data = malloc(size);
    if (!data)
        return out_of_memory();
    int code = 0, err = loader_read(l, part->target, off, data, size);
    char *text = !err && part->text ? base64_encode(data, size) : NULL;
    if (err < 0)
        code = serial_failed(l, err);
    else if (part->text && !text)
        code = out_of_memory();
    else
        code = file_write(file, text ? text : (char *)data,
                          text ? strlen(text) : size, 0644);
    free(text);
    free(data);
    return code;
}

static int back_up(struct loader *l, const struct update_args *u,
                   const struct part *part, const char *file)
{
    static struct plan p;
    uint32_t off, size;
    int code = plan_of_board(&p, l);
    if (!code)
        code = plan_locate(&p, part->target, &off, &size, l->chip.flash_size);
    if (!code)
        code = read_part(l, part, file, off, size);
    if (!code && !u->job.serial.o.quiet)
        printf("%s: %u bytes of %s\n", file, (unsigned)size, part->target);
    if (!code && u->job.serial.json)
        print_json(json_pack("{s:b, s:s, s:I}", "ok", 1, "file", file, "bytes",
                             (json_int_t)size));
    return code;
}

static int run_part(struct loader *l, struct update_args *u, struct part *part)
{
    static struct plan p;
    int code = serial_connect(l, &u->job.serial);
    if (code)
        return code;
    char mac[13];
    mac_text(l, mac);
    snprintf(part->name, sizeof part->name,
             part->text ? "%s.%.32s" : "%s-%.32s.bin", mac,
             part->text ? u->verb : u->partition);
    const char *file = u->file ? u->file : part->name;
    if (!u->restore)
        return back_up(l, u, part, file);
    u->job.keep_ota = true; /* what was selected is not part of it */
    code = part->text ? add_text(&p, part->target, file)
                      : plan_add_file(&p, part->target, file);
    return code ? code : update_run_plan(l, u, &p);
}

int update_copy(struct loader *l, struct update_args *u)
{
    struct part part = {.target = u->partition};
    return run_part(l, u, &part);
}

int update_copy_text(struct loader *l, struct update_args *u)
{
    struct part part = {.target = u->verb, .text = true};
    if (strcmp(u->verb, "cb") == 0)
        part.target = "config";
    return run_part(l, u, &part);
}

/* ---- raw bytes ---- */

/* Into the sectors around them, which are read first. */
static int splice(struct loader *l, uint32_t off, const uint8_t *data,
                  size_t len)
{
    struct write_options options = {0};
    struct write_result result;
    uint32_t begin = off / FLASH_SECTOR * FLASH_SECTOR;
    size_t size =
        (off - begin + len + FLASH_SECTOR - 1) / FLASH_SECTOR * FLASH_SECTOR;
    uint8_t *sectors = malloc(size);
    if (!sectors)
        return loader_fail(l, WIPY_ENOMEM, "out of memory");
    int err = loader_read(l, "sectors", begin, sectors, size);
    memcpy(sectors + (off - begin), data, len);
    if (!err)
        err = loader_write(l, "contents", begin, sectors, size, &options,
                           &result);
    free(sectors);
    return err;
}

int update_write(struct loader *l, struct update_args *u)
{
    uint32_t off;
    size_t len;
    uint8_t *data = base64_decode(u->contents, strlen(u->contents), &len);
    if (!data || !parse_number(u->address, &off)) {
        complain("wipy update: write: %s\n",
                 data ? "the address (-a) is no number"
                      : "the contents are no base64");
        free(data);
        return EXIT_USAGE;
    }
    int code = serial_connect(l, &u->job.serial);
    int err = code ? 0 : loader_check_range(l, u->address, off, len, false);
    if (!code && !err)
        err = splice(l, off, data, len);
    free(data);
    if (err < 0)
        return serial_failed(l, err);
    if (!code && !u->job.serial.o.quiet)
        printf("%zu bytes written at 0x%x\n", len, (unsigned)off);
    return code;
}

/* ---- the small commands ---- */

int update_erase(struct loader *l, struct update_args *u)
{
    static struct plan p;
    bool all = strcmp(u->verb + strlen("erase_"), "all") == 0;
    uint32_t off = 0, size = 0;
    int code = serial_connect(l, &u->job.serial);
    if (!code && !all)
        code = plan_of_board(&p, l);
    if (!code && !all)
        code = plan_locate(&p, "fs", &off, &size, l->chip.flash_size);
    if (code)
        return code;
    int err = loader_erase(l, off, all ? l->chip.flash_size : size);
    if (err < 0)
        return serial_failed(l, err);
    if (!u->job.serial.o.quiet)
        printf(all ? "The chip is erased; only the serial loader works now\n"
                   : "The file system is erased\n");
    return 0;
}

int update_identify(struct loader *l, struct update_args *u)
{
    char mac[13], text[160];
    int code = serial_connect(l, &u->job.serial);
    if (code)
        return code;
    if (u->job.serial.json) {
        print_json(serial_chip_json(l));
        return 0;
    }
    mac_text(l, mac);
    loader_describe(l, text);
    puts(strcmp(u->verb, "wmac") == 0 ? mac : text);
    return 0;
}

int update_list(struct loader *l, struct update_args *u)
{
    (void)l;
    char name[PORT_NAME_MAX], how[1024];
    int err = port_find(u->job.serial.o.flash, name, how);
    if (u->job.serial.json)
        print_json(json_pack("{s:b, s:s?, s:s}", "ok", 1, "port",
                             err ? NULL : name, "text", how));
    else if (err == 0)
        printf("%s (%s)\n", name, how);
    else
        puts(how);
    return EXIT_OK;
}

/* Connecting and letting go starts the program. */
int update_exit(struct loader *l, struct update_args *u)
{
    return serial_connect(l, &u->job.serial);
}

const char *update_not_here(const char *verb)
{
    static const char *const others[][2] = {
        {"smac", "a WiPy has no LoRa or Sigfox radio; 'wmac' is its address"},
        {"lpwan", "a WiPy has no LoRa radio"},
        {"sigfox", "a WiPy has no Sigfox radio"},
        {"pybytes", "our firmware does not use that cloud service"},
        {"wifi", "set the network at the prompt: pycom.wifi_ssid_sta(NAME), "
                 "pycom.wifi_pwd_sta(KEY)"},
        {"pycom", "the file system has one type; 'erase_fs' empties it"},
        {"boot_part", "'wipy slots --port PORT' shows which image runs, 'wipy "
                      "flash' and 'wipy update' select one"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(verb, others[i][0]) == 0)
            return others[i][1];
    return NULL;
}
