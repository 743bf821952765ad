#include "chip_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "commands.h"

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

static int complain(const char *path, const struct chip_view *v)
{
    const struct table_fault *f = &v->boot.table_source.fault;
    if (v->open_err == WIPY_ENOENT)
        fprintf(stderr, "wipy: %s: the partition table has no factory slot\n",
                path);
    else if (f->row)
        fprintf(stderr,
                "wipy: %s: no partition table: row %u %s; write one with "
                "'wipy flash'\n",
                path, f->row, f->reason);
    else
        fprintf(stderr,
                "wipy: %s: no partition table (%s); write one with 'wipy "
                "flash'\n",
                path, f->reason ? f->reason : "damaged");
    return EXIT_VERIFY;
}

int chip_view_open(struct chip_view *v, const char *path)
{
    memset(v, 0, sizeof *v);
    path = path ? path : "wipy.flash";
    int code = file_read(path, CHIP_MAX, &v->file);
    if (code)
        return code;
    if (v->file.len < CHIP_MIN || v->file.len % FLASH_SECTOR) {
        fprintf(stderr, "wipy: %s: %zu bytes are no chip (4 or 8 MiB)\n", path,
                v->file.len);
        chip_view_close(v);
        return EXIT_FILE;
    }
    v->flash = (struct flash){.ctx = v,
                              .size = (uint32_t)v->file.len,
                              .read = view_read,
                              .program = view_program,
                              .erase = view_erase,
                              .map = v->file.data};
    v->open_err = boot_open(&v->boot, &v->flash);
    if (v->open_err) {
        code = complain(path, v);
        chip_view_close(v);
    }
    return code;
}

void chip_view_close(struct chip_view *v)
{
    free(v->file.data);
    v->file.data = NULL;
}
