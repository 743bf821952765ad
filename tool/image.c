/* wipy image: build, show, check and sign firmware images. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "commands.h"
#include "elf.h"
#include "file.h"
#include "image/image.h"
#include "image/table.h"
#include "image_parts.h"
#include "loader_args.h"
#include "outcome.h"
#include "version.h"

enum { IMAGE_FILE_MAX = 16 << 20 };

static const char usage[] =
    "usage: wipy image build --elf FILE --out FILE [--appimg FILE]\n"
    "                        [--bootloader] [--version V] [--git TEXT]\n"
    "                        [--date D] [--time T] [--project P]\n"
    "                        [--limit BYTES]\n"
    "       wipy image table --out FILE [--csv FILE] [--flash-size 4M|8M]\n"
    "       wipy image csv FILE [--flash-size 4M|8M]     table to text\n"
    "       wipy image info FILE\n"
    "       wipy image verify FILE [--key FILE]...\n"
    "       wipy image sign FILE --key PRIVATE [--out FILE]\n"
    "       wipy image keygen PRIVATE PUBLIC\n"
    "Each with --json: what is said is said as one JSON object.\n";

/* 812345 as 812,345. */
const char *with_commas(uint64_t v, char to[32])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    char *out = to;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = 0;
    return to;
}

/* ---- build ---- */

struct build_options {
    const char *elf, *out, *appimg;
    struct image_plan plan;
    uint64_t limit;
    bool json;
};

static int parse_build(struct args *a, struct build_options *o)
{
    bool bootloader = false;
    const char *limit = NULL;
    uint32_t most = 0;
    *o = (struct build_options){
        .plan = {.project = "wipy",
                 .version = WIPY_VERSION,
                 .git = WIPY_GIT,
                 .date = WIPY_DATE,
                 .time = WIPY_TIME,
                 .flash_size = 0x800000},
    };
    const struct args_option options[] = {
        {"elf", "", NULL, &o->elf},
        {"out", "", NULL, &o->out},
        {"appimg", "", NULL, &o->appimg},
        {"bootloader", "", &bootloader, NULL},
        {"version", "", NULL, &o->plan.version},
        {"git", "", NULL, &o->plan.git},
        {"date", "", NULL, &o->plan.date},
        {"time", "", NULL, &o->plan.time},
        {"project", "", NULL, &o->plan.project},
        {"limit", "", NULL, &limit},
        {"json", "", &o->json, NULL},
    };
    int code =
        args_read(a, options, sizeof options / sizeof options[0], NULL, NULL);
    if (code)
        return code;
    if (bootloader)
        o->plan.kind = IMAGE_BOOTLOADER;
    if (!o->elf || !o->out)
        return args_wrong(a, "want --elf FILE and --out FILE");
    if (limit && !parse_number(limit, &most))
        return args_wrong(a, "--limit %s: want a number of bytes", limit);
    o->limit = most;
    return EXIT_OK;
}

/* Where the image goes and how much of its place it takes. A firmware must
 * leave 5 % of its slot for the day a fix is needed. */
struct room {
    uint32_t off;
    uint64_t len, place, limit;
};

static struct room room_of(const struct build_options *o, size_t len)
{
    const struct partition *p =
        table_find(table_default(0x800000), PART_APP, PART_FACTORY);
    struct room r = {p->off, len, p->size, p->size / 100 * 95};
    if (o->plan.kind == IMAGE_BOOTLOADER)
        r = (struct room){BOOTLOADER_OFF, len, BOOTLOADER_MAX, BOOTLOADER_MAX};
    if (o->limit)
        r.limit = o->limit;
    return r;
}

static void print_room(const struct build_options *o, const struct room *r)
{
    char a[32], b[32], c[32];
    printf("%-14s 0x%06x  %s of %s bytes, %s free\n",
           o->plan.kind == IMAGE_BOOTLOADER ? "bootloader.bin" : "wipy.bin",
           r->off, with_commas(r->len, a), with_commas(r->place, b),
           with_commas(r->place > r->len ? r->place - r->len : 0, c));
}

static json_t *room_json(const struct build_options *o, const struct room *r,
                         const uint8_t *data)
{
    struct image im;
    json_t *j = image_json(&im, image_parse(&im, data, r->len));
    json_object_set_new(j, "file", json_string(o->out));
    json_object_set_new(j, "appimg",
                        o->appimg ? json_string(o->appimg) : json_null());
    json_object_set_new(j, "offset", json_integer(r->off));
    json_object_set_new(j, "place", json_integer((json_int_t)r->place));
    json_object_set_new(j, "free",
                        json_integer((json_int_t)(r->place - r->len)));
    return j;
}

/* Says it, and fails over the limit. */
static int check_room(const struct build_options *o, const uint8_t *data,
                      size_t len)
{
    struct room r = room_of(o, len);
    char a[32], b[32];
    if (!o->json)
        print_room(o, &r);
    if (len > r.limit) {
        complain("wipy: %s: %s bytes are over the limit of %s\n", o->out,
                 with_commas(len, a), with_commas(r.limit, b));
        return EXIT_FAILED;
    }
    if (o->json)
        print_json(room_json(o, &r, data));
    return EXIT_OK;
}

static int build_from(const struct build_options *o, struct file_data *elf)
{
    size_t size = image_build_len(elf->len) + IMAGE_TAIL_LEN, len;
    uint8_t *image = malloc(size);
    if (!image)
        return out_of_memory();
    struct image_plan plan = o->plan;
    plan.elf = elf->data;
    plan.elf_len = elf->len;
    int err = image_build(image, size, &plan, &len);
    int code = EXIT_OK;
    if (err) {
        complain("wipy: %s: %s\n", o->elf, wipy_strerror(err));
        code = EXIT_FILE;
    } else {
        code = check_room(o, image, len);
    }
    if (!code)
        code = file_write(o->out, image, len, 0644);
    if (!code && o->appimg) {
        (void)image_add_tail(image, size, &len);
        code = file_write(o->appimg, image, len, 0644);
    }
    free(image);
    return code;
}

static int image_build_command(struct args *a)
{
    struct build_options o;
    int code = parse_build(a, &o);
    if (code)
        return code;
    struct file_data elf;
    code = file_read(o.elf, IMAGE_FILE_MAX, &elf);
    if (code)
        return code;
    const char *wrong = elf_trim(elf.data, &elf.len);
    if (wrong) {
        complain("wipy: %s: %s\n", o.elf, wrong);
        code = EXIT_FILE;
    } else {
        code = build_from(&o, &elf);
    }
    free(elf.data);
    return code;
}

/* ---- info, verify ---- */

const char *machine_name(unsigned machine)
{
    switch (machine) {
    case IMAGE_MACHINE_X86_64:
        return "x86-64 (virtual board)";
    case IMAGE_MACHINE_AARCH64:
        return "aarch64 (virtual board)";
    case IMAGE_MACHINE_XTENSA:
        return "Xtensa (real ESP32)";
    default:
        return "unknown";
    }
}

json_t *image_json(const struct image *im, enum image_fault fault)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1] = "";
    if (im->hashed_len && im->hashed_len <= im->size) {
        image_digest(im, digest);
        hex_encode(hex, digest, SHA256_LEN);
    }
    json_t *segments = json_array();
    for (unsigned i = 0; i < im->segments && i < IMAGE_SEGMENTS_MAX; i++)
        json_array_append_new(
            segments,
            json_pack("{s:I,s:I,s:I}", "load", (json_int_t)im->segment[i].load,
                      "offset", (json_int_t)im->segment[i].off, "length",
                      (json_int_t)im->segment[i].len));
    return json_pack(
        "{s:b,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:b,s:b,s:b,s:o}",
        "good", fault == IMAGE_FINE, "fault", image_fault_text(fault),
        "project", im->project, "version", im->version, "git", im->git, "date",
        im->date, "time", im->time, "machine", machine_name(im->machine),
        "kind", im->kind == IMAGE_BOOTLOADER ? "bootloader" : "firmware",
        "length", (json_int_t)im->len, "full_length", (json_int_t)im->full_len,
        "sha256", hex, "has_sha256", im->has_digest, "signed", im->has_sign,
        "md5_tail", im->has_tail, "segments", segments);
}

static void print_image(const struct image *im)
{
    static const char *const modes[] = {"qio", "qout", "dio", "dout"};
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1] = "", a[32];
    image_digest(im, digest);
    hex_encode(hex, digest, SHA256_LEN);
    if (im->has_desc)
        printf("%s %s (%s) %s %s\n", im->project, im->version,
               im->git[0] ? im->git : "no git description", im->date, im->time);
    printf("machine    %s\n", machine_name(im->machine));
    printf("flash      %s, %u MB\n",
           im->flash_mode < 4 ? modes[im->flash_mode] : "?",
           1u << (im->flash_size_freq >> 4 & 7));
    for (unsigned i = 0; i < im->segments; i++)
        printf("segment %-2u 0x%08x  %s bytes\n", i, im->segment[i].load,
               with_commas(im->segment[i].len, a));
    printf("length     %s bytes", with_commas(im->len, a));
    if (im->full_len != im->len)
        printf(", %s with%s%s", with_commas(im->full_len, a),
               im->has_sign ? " signature" : "",
               im->has_tail ? " MD5 tail" : "");
    printf("\nsha256     %s%s\n", hex, im->has_digest ? "" : " (not appended)");
}

/* Checks that do not depend on which board it is for. */
static enum image_fault check_any(const struct image *im,
                                  const struct image_keys *keys)
{
    if (!image_checksum_ok(im))
        return IMAGE_BAD_CHECKSUM;
    if (im->has_digest && !image_digest_ok(im))
        return IMAGE_BAD_DIGEST;
    if (im->has_tail && !image_tail_ok(im))
        return IMAGE_BAD_TAIL;
    if (!im->has_digest && !im->has_tail)
        return IMAGE_NO_DIGEST;
    if (im->machine != IMAGE_MACHINE_XTENSA && !im->elf)
        return IMAGE_NO_CODE;
    struct image_sign sign;
    uint8_t digest[SHA256_LEN];
    if (!keys->count)
        return IMAGE_FINE;
    if (!im->has_sign)
        return IMAGE_UNSIGNED;
    image_digest(im, digest);
    (void)image_sign_read(im->data + im->len, &sign);
    return image_sign_check(&sign, keys, digest);
}

static int report(const char *path, const struct file_data *file,
                  const struct image *im, enum image_fault fault, bool verify,
                  bool json)
{
    if (json) {
        json_t *j = image_json(im, fault);
        json_object_set_new(j, "file", json_string(path));
        print_json(j);
    } else if (!verify && im->hashed_len && im->hashed_len <= im->size) {
        print_image(im);
        printf("checks     %s\n", image_fault_text(fault));
    } else if (!fault) {
        printf("%s: good\n", path);
    }
    if (!fault)
        return EXIT_OK;
    image_refuse(path, file, fault);
    return EXIT_VERIFY;
}

static int check_command(struct args *a, bool verify)
{
    bool json = false;
    struct image_keys keys = {0};
    const struct args_option options[] = {{"json", "", &json, NULL}};
    const char *word, *path = NULL;
    for (int kind; (kind = args_next(a, &word)) != 0;) {
        if (kind == 1 && args_is(a, "key")) {
            const char *key = args_value(a);
            int code = key ? key_read_public(key, &keys) : EXIT_USAGE;
            if (code)
                return code;
        } else if (kind == 2 && !path) {
            path = word;
        } else {
            int taken = kind == 1 ? args_take(a, options, 1) : 0;
            if (taken <= 0)
                return taken ? -taken : args_unknown(a, word);
        }
    }
    if (!path)
        return args_wrong(a, "which file?");
    struct file_data file;
    int code = file_read(path, IMAGE_FILE_MAX, &file);
    if (code)
        return code;
    struct image im;
    enum image_fault fault = image_parse(&im, file.data, file.len);
    if (!fault)
        fault = check_any(&im, &keys);
    code = report(path, &file, &im, fault, verify, json);
    free(file.data);
    return code;
}

static int info_command(struct args *a)
{
    return check_command(a, false);
}

static int verify_command(struct args *a)
{
    return check_command(a, true);
}

int cmd_image(int argc, char **argv)
{
    static const struct {
        const char *name, *command;
        int (*run)(struct args *a);
    } actions[] = {
        {"build", "wipy image build", image_build_command},
        {"table", "wipy image table", image_table_command},
        {"csv", "wipy image csv", image_csv_command},
        {"info", "wipy image info", info_command},
        {"verify", "wipy image verify", verify_command},
        {"sign", "wipy image sign", image_sign_command},
        {"keygen", "wipy image keygen", image_keygen_command},
    };
    struct args a = args_of("wipy image", usage, argc, argv);
    const char *word;
    int kind = args_next(&a, &word);
    if (kind != 2)
        return kind ? args_unknown(&a, word)
                    : args_wrong(&a, "build, table, csv, info, verify, sign "
                                     "or keygen?");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(word, actions[i].name) == 0) {
            a.command = actions[i].command;
            return actions[i].run(&a);
        }
    return args_unknown(&a, word);
}
