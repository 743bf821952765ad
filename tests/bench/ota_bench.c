/* What an update costs, against what it must cost.
 *
 *   ota_bench [APPIMG [BOOTLOADER]]
 *
 * Chip time is counted with the data sheet's typical times, and compared with
 * the floor: the cheapest erases that cover the image and its pages. Speed is
 * the engine's on memory, beside MD5 and SHA-256 over the same bytes. */
#include <time.h>

#include "bootmodel.h"

enum { SMALL = 182000 };

static struct model m;
static struct start s;
static struct update u;
static int missed;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void line(const char *what, double value, const char *unit, double limit,
                 bool at_most)
{
    bool ok = limit == 0 || (at_most ? value <= limit : value >= limit);
    missed += !ok;
    printf("%-52s %10.3f %-5s", what, value, unit);
    if (limit)
        printf(" (%s %.2f: %s)", at_most ? "at most" : "at least", limit,
               ok ? "ok" : "MISSED");
    putchar('\n');
}

static uint64_t program_us(size_t len)
{
    return (len + 255) / 256 * 400;
}

/* The cheapest erase of so many bytes: blocks, and sectors for the rest. */
static uint64_t erase_us(size_t len)
{
    uint64_t blocks = len / 65536, rest = (len % 65536 + 4095) / 4096 * 45000;
    return blocks * 150000 + (rest < 150000 ? rest : 150000);
}

static void must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "ota_bench: %s: %s (%s)\n", what, wipy_strerror(err),
                update_text(&u));
        exit(1);
    }
}

/* A board whose slots hold something else, so that all must be erased. */
static void board(const uint8_t *factory, size_t len)
{
    memset(m.cells, 0xff, m.size);
    model_forget();
    model_power_on(&m);
    put_table(&m, table_default(0x800000));
    model_put(&m, 0x10000, factory, len);
    memset(m.cells + 0x150000, 0x5a, 0x280000);
    must(model_start(&m, &s, NULL), "start");
    update_init(&u, &s.boot, s.choice.handover.slot);
}

/* As FTP does it: pieces of 16 KiB. */
static uint64_t upload_us(const uint8_t *data, size_t len)
{
    uint64_t before = m.busy_us;
    must(update_begin(&u, UPDATE_SIZE_UNKNOWN, 0), "begin");
    for (size_t at = 0; at < len; at += 16384)
        must(update_write(&u, data + at, len - at < 16384 ? len - at : 16384),
             "write");
    must(update_finish(&u), "finish");
    return m.busy_us - before;
}

static void chip_time(const char *name, const uint8_t *data, size_t len)
{
    char what[80];
    board(data, len);
    double floor = (double)(erase_us(len) + program_us(len));
    double took = (double)upload_us(data, len);
    snprintf(what, sizeof what, "%s: chip time", name);
    line(what, took / 1e6, "s", 0, true);
    snprintf(what, sizeof what, "%s: against the floor of %.3f s", name,
             floor / 1e6);
    line(what, took / floor, "x", 1.15, true);
    board(data, len);
    int more;
    while ((more = update_prepare(&u)) == 1)
        ;
    must(more, "prepare");
    took = (double)upload_us(data, len);
    snprintf(what, sizeof what, "%s, prepared: against programming %.3f s",
             name, (double)program_us(len) / 1e6);
    line(what, took / (double)program_us(len), "x", 1.1, true);
}

/* ---- speed on memory ---- */

static int fast_program(void *ctx, flash_off off, const void *from, size_t len)
{
    memcpy(((struct model *)ctx)->cells + off, from, len);
    return 0;
}

static int fast_erase(void *ctx, flash_off off, size_t len)
{
    memset(((struct model *)ctx)->cells + off, 0xff, len);
    return 0;
}

static double best(double a, double b)
{
    return a > b ? a : b;
}

static double digests_mb_s(const uint8_t *data, size_t len)
{
    double speed = 0;
    for (int i = 0; i < 10; i++) {
        uint8_t out[SHA256_LEN];
        double begin = now_s();
        md5_of(data, len, out);
        sha256_of(data, len, out);
        speed = best(speed, (double)len / 1e6 / (now_s() - begin));
    }
    return speed;
}

static double engine_mb_s(const uint8_t *data, size_t len)
{
    double speed = 0;
    for (int i = 0; i < 10; i++) {
        board(data, len);
        m.flash.program = fast_program;
        m.flash.erase = fast_erase;
        double begin = now_s();
        (void)upload_us(data, len);
        speed = best(speed, (double)len / 1e6 / (now_s() - begin));
        m.flash.program = model_program;
        m.flash.erase = model_erase;
    }
    return speed;
}

/* As the bootloader does it: the image is brought to memory and checked. */
static double decision_ms(const uint8_t *data, size_t len)
{
    double took = 1e9;
    board(data, len);
    for (int i = 0; i < 10; i++) {
        double begin = now_s();
        must(boot_open(&s.boot, &m.flash), "open");
        s.boot.memory = malloc(boot_slot_max(&s.boot));
        boot_decide(&s.boot, &(struct boot_cause){.reset = 1}, &model_retained,
                    &s.choice);
        must(s.choice.run ? 0 : WIPY_ECORRUPT, "start");
        double ms = (now_s() - begin) * 1e3;
        free(s.boot.memory);
        took = ms < took ? ms : took;
    }
    return took;
}

static size_t load(const char *path, uint8_t *to, size_t size)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    size_t len = f ? fread(to, 1, size, f) : 0;
    if (f)
        fclose(f);
    return len;
}

int main(int argc, char **argv)
{
    static uint8_t small[SMALL + 1024], real[0x140000], loader[0x10000];
    model_init(&m, 0x800000);
    size_t small_len = make_image(small, "1.0", SMALL - 400, true);
    size_t len = load(argc > 1 ? argv[1] : NULL, real, sizeof real);
    const char *name = "the real image";
    if (len == 0) {
        name = "900 kB";
        len = make_image(real, "1.0", 900000, true);
    }
    chip_time("182 kB", small, small_len);
    chip_time(name, real, len);
    double digests = digests_mb_s(real, len), engine = engine_mb_s(real, len);
    line("MD5 and SHA-256 alone", digests, "MB/s", 0, true);
    line("update engine without chip times", engine, "MB/s", 0, true);
    line("engine against digests alone", engine / digests, "x", 0.6, false);
    line("boot decision with full verification", decision_ms(real, len), "ms",
         0, true);
    size_t boot = load(argc > 2 ? argv[2] : NULL, loader, sizeof loader);
    if (boot)
        line("bootloader", (double)boot / 1024, "KiB", 28, true);
    model_free(&m);
    return missed > 0;
}
