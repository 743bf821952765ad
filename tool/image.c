/* wipy image: build, show, check and sign firmware images. */
#include <getopt.h>
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
#include "version.h"

enum { IMAGE_FILE_MAX = 16 << 20 };

static const char usage[] =
    "usage: wipy image build --elf FILE --out FILE [--appimg FILE]\n"
    "                        [--bootloader] [--version V] [--git TEXT]\n"
    "                        [--date D] [--time T] [--project P]\n"
    "                        [--limit BYTES]\n"
    "       wipy image table --out FILE [--csv FILE] [--flash-size 4|8]\n"
    "       wipy image csv FILE [--flash-size 4|8]     table to text\n"
    "       wipy image info FILE [--json]\n"
    "       wipy image verify FILE [--key FILE]... [--json]\n"
    "       wipy image sign FILE --key PRIVATE [--out FILE]\n"
    "       wipy image keygen PRIVATE PUBLIC\n";

static int usage_error(void)
{
    fputs(usage, stderr);
    return EXIT_USAGE;
}

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
};

static int parse_build(int argc, char **argv, struct build_options *o)
{
    static const struct option options[] = {
        {"elf", required_argument, NULL, 'e'},
        {"out", required_argument, NULL, 'o'},
        {"appimg", required_argument, NULL, 'a'},
        {"bootloader", no_argument, NULL, 'b'},
        {"version", required_argument, NULL, 'v'},
        {"git", required_argument, NULL, 'g'},
        {"date", required_argument, NULL, 'd'},
        {"time", required_argument, NULL, 't'},
        {"project", required_argument, NULL, 'p'},
        {"limit", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    *o = (struct build_options){
        .plan = {.project = "wipy",
                 .version = WIPY_VERSION,
                 .git = WIPY_GIT,
                 .date = WIPY_DATE,
                 .time = WIPY_TIME,
                 .flash_size = 0x800000},
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'e':
            o->elf = optarg;
            break;
        case 'o':
            o->out = optarg;
            break;
        case 'a':
            o->appimg = optarg;
            break;
        case 'b':
            o->plan.kind = IMAGE_BOOTLOADER;
            break;
        case 'v':
            o->plan.version = optarg;
            break;
        case 'g':
            o->plan.git = optarg;
            break;
        case 'd':
            o->plan.date = optarg;
            break;
        case 't':
            o->plan.time = optarg;
            break;
        case 'p':
            o->plan.project = optarg;
            break;
        case 'l':
            o->limit = strtoull(optarg, NULL, 0);
            break;
        default:
            return usage_error();
        }
    }
    return o->elf && o->out && optind == argc ? EXIT_OK : usage_error();
}

/* Says where the image goes and how much room is left; fails over the
 * limit. A firmware must leave 5 % of its slot for the day a fix is needed. */
static int check_room(const struct build_options *o, size_t len)
{
    bool boot = o->plan.kind == IMAGE_BOOTLOADER;
    const struct partition *p =
        table_find(table_default(0x800000), PART_APP, PART_FACTORY);
    uint64_t place = boot ? BOOTLOADER_MAX : p->size;
    uint64_t limit = o->limit ? o->limit : boot ? place : place / 100 * 95;
    char a[32], b[32], c[32];
    printf("%-14s 0x%06x  %s of %s bytes, %s free\n",
           boot ? "bootloader.bin" : "wipy.bin",
           boot ? (unsigned)BOOTLOADER_OFF : p->off, with_commas(len, a),
           with_commas(place, b),
           with_commas(place > len ? place - len : 0, c));
    if (len <= limit)
        return EXIT_OK;
    fprintf(stderr, "wipy: %s: %s bytes are over the limit of %s\n", o->out,
            with_commas(len, a), with_commas(limit, b));
    return EXIT_FAILED;
}

static int build_from(const struct build_options *o, struct file_data *elf)
{
    size_t size = image_build_len(elf->len) + IMAGE_TAIL_LEN, len;
    uint8_t *image = malloc(size);
    if (!image) {
        fputs("wipy: not enough memory\n", stderr);
        return EXIT_FAILED;
    }
    struct image_plan plan = o->plan;
    plan.elf = elf->data;
    plan.elf_len = elf->len;
    int err = image_build(image, size, &plan, &len);
    int code = EXIT_OK;
    if (err) {
        fprintf(stderr, "wipy: %s: %s\n", o->elf, wipy_strerror(err));
        code = EXIT_FILE;
    } else {
        code = check_room(o, len);
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

static int image_build_command(int argc, char **argv)
{
    struct build_options o;
    int code = parse_build(argc, argv, &o);
    if (code)
        return code;
    struct file_data elf;
    code = file_read(o.elf, IMAGE_FILE_MAX, &elf);
    if (code)
        return code;
    const char *wrong = elf_trim(elf.data, &elf.len);
    if (wrong) {
        fprintf(stderr, "wipy: %s: %s\n", o.elf, wrong);
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
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(j);
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

static int image_check_command(int argc, char **argv, bool verify)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"key", required_argument, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    bool json = false;
    struct image_keys keys = {0};
    int c, code;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'j')
            json = true;
        else if (c != 'k')
            return usage_error();
        else if ((code = key_read_public(optarg, &keys)) != EXIT_OK)
            return code;
    }
    if (optind + 1 != argc)
        return usage_error();
    struct file_data file;
    code = file_read(argv[optind], IMAGE_FILE_MAX, &file);
    if (code)
        return code;
    struct image im;
    enum image_fault fault = image_parse(&im, file.data, file.len);
    if (!fault)
        fault = check_any(&im, &keys);
    code = report(argv[optind], &file, &im, fault, verify, json);
    free(file.data);
    return code;
}

int cmd_image(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } actions[] = {
        {"build", image_build_command},   {"table", image_table_command},
        {"csv", image_csv_command},       {"sign", image_sign_command},
        {"keygen", image_keygen_command},
    };
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    if (argc < 2)
        return usage_error();
    if (strcmp(argv[1], "info") == 0)
        return image_check_command(argc - 1, argv + 1, false);
    if (strcmp(argv[1], "verify") == 0)
        return image_check_command(argc - 1, argv + 1, true);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(argv[1], actions[i].name) == 0)
            return actions[i].run(argc - 1, argv + 1);
    return usage_error();
}
