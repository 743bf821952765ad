#include "chip_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"
#include "mirror.h"
#include "outcome.h"

enum { CHIP_MAX = 16 << 20, CHIP_MIN = 4 << 20 };

static int view_read(void *ctx, flash_off off, void *to, size_t len)
{
    struct chip_view *v = ctx;
    if (off > v->file.len || len > v->file.len - off)
        return WIPY_ERANGE;
    memcpy(to, v->file.data + off, len);
    return 0;
}

static int view_program(void *ctx, flash_off off, const void *from, size_t len)
{
    (void)ctx, (void)off, (void)from, (void)len;
    return WIPY_EPERM;
}

static int view_erase(void *ctx, flash_off off, size_t len)
{
    (void)ctx, (void)off, (void)len;
    return WIPY_EPERM;
}

static int say_why(const char *path, const struct chip_view *v)
{
    const struct table_fault *f = &v->boot.table_source.fault;
    if (v->open_err == WIPY_ENOENT)
        complain("wipy: %s: the partition table has no factory slot\n", path);
    else if (f->row)
        complain("wipy: %s: no partition table: row %u %s; write one with "
                 "'wipy flash'\n",
                 path, f->row, f->reason);
    else
        complain("wipy: %s: no partition table (%s); write one with 'wipy "
                 "flash'\n",
                 path, f->reason ? f->reason : "damaged");
    return EXIT_VERIFY;
}

/* Makes the view of the bytes in v->file, which is a chip of that machine. */
static int look(struct chip_view *v, const char *name, uint16_t machine)
{
    v->flash = (struct flash){.ctx = v,
                              .size = (uint32_t)v->file.len,
                              .read = view_read,
                              .program = view_program,
                              .erase = view_erase,
                              .map = v->file.data};
    v->open_err = boot_open_for(&v->boot, &v->flash, machine);
    if (!v->open_err)
        return 0;
    int code = say_why(name, v);
    chip_view_close(v);
    return code;
}

static int open_file(struct chip_view *v, const char *path)
{
    path = path ? path : "wipy.flash";
    int code = file_read(path, CHIP_MAX, &v->file);
    if (code)
        return code;
    if (v->file.len < CHIP_MIN || v->file.len % FLASH_SECTOR) {
        complain("wipy: %s: %zu bytes are no chip (4 or 8 MiB)\n", path,
                 v->file.len);
        chip_view_close(v);
        return EXIT_FILE;
    }
    return look(v, path, IMAGE_MACHINE_HERE);
}

/* Takes the mirror's memory over. */
static int read_serial(struct chip_view *v, struct loader *l)
{
    struct mirror m = {0};
    int err = mirror_open(&m, l);
    if (!err)
        err = mirror_read_slots(&m);
    loader_disconnect(l);
    if (err < 0) {
        mirror_close(&m);
        return serial_failed(l, err);
    }
    v->file = (struct file_data){.data = m.chip, .len = m.flash.size};
    return look(v, l->name, l->chip.machine);
}

static int open_serial(struct chip_view *v, const struct chip_view_args *o)
{
    struct serial_args s;
    serial_args_init(&s);
    s.o.port = o->port;
    s.o.quiet = true;
    struct loader *l = loader_new(&s.o);
    int err = loader_connect(l);
    int code = err < 0 ? serial_failed(l, err) : read_serial(v, l);
    loader_free(l);
    return code;
}

int chip_view_open(struct chip_view *v, const struct chip_view_args *o)
{
    memset(v, 0, sizeof *v);
    return o->port ? open_serial(v, o) : open_file(v, o->flash);
}

int chip_view_args(struct chip_view_args *o, struct args *a,
                   const struct args_option *own)
{
    struct args_option options[] = {{"flash", "", NULL, &o->flash},
                                    {"port", "p", NULL, &o->port},
                                    {"json", "", &o->json, NULL},
                                    {"", "", NULL, NULL}};
    if (own)
        options[3] = *own;
    int code = args_read(a, options, own ? 4 : 3, NULL, NULL);
    if (!code && o->flash && o->port)
        return args_wrong(a, "either --flash or --port");
    return code;
}

void chip_view_close(struct chip_view *v)
{
    free(v->file.data);
    v->file.data = NULL;
}
