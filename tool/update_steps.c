#include "update_steps.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands.h"
#include "file.h"
#include "loader_args.h"
#include "outcome.h"

/* On every board of the vendor (spec 1.2), also where no table names it. */
enum { CONFIG_OFF = 0x3ff000, CONFIG_LEN = 0x1000 };

/* What the vendor's updater knows when neither script nor board say more. */
static const struct script_place vendor_map[] = {
    {"nvs", 0x9000, 0x7000},       {"factory", 0x10000, 0x180000},
    {"otadata", 0x190000, 0x1000}, {"ota_0", 0x1a0000, 0x180000},
    {"fs", 0x380000, 0x7f000},     {"config", CONFIG_OFF, CONFIG_LEN},
    {"fs1", 0x400000, 0x400000},   {"secureboot", 0, 0x8000},
};

/* ---- which script, which board ---- */

/* The vendor's for boards with flash encryption: other members, unreadable. */
static bool is_encrypted(const struct package *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        const char *name = p->member[i].name;
        size_t len = strlen(name);
        if (len > 4 && strcmp(name + len - 4, "_enc") == 0)
            return true;
    }
    return false;
}

const struct archive_member *update_script(const struct package *p,
                                           const char *path, uint32_t chip_size)
{
    char name[32];
    snprintf(name, sizeof name, "script_%uMB", (unsigned)(chip_size >> 20));
    const struct archive_member *m = package_find(p, name);
    if (!m)
        m = package_find(p, "script2");
    if (!m)
        m = package_find(p, "script");
    if (!m)
        complain("wipy: %s has no script (%s, script2 or script): it is %s; "
                 "nothing was written\n",
                 path, name,
                 is_encrypted(p) ? "an encrypted package, for boards with "
                                   "flash encryption only"
                                 : "no firmware package");
    return m;
}

/* Members and archives are named after the board: LoPy_868-1.7.tar.gz holds
 * lopy.bin. */
static bool names_board(const char *text, const char *board)
{
    size_t len = strlen(board);
    return strncasecmp(text, board, len) == 0 &&
           !isalpha((unsigned char)text[len]);
}

const char *update_other_board(const struct package *p, const struct script *s,
                               const char *path, char name[32])
{
    static const char *const boards[] = {"LoPy4", "LoPy", "SiPy", "GPy", "FiPy",
                                         "L01",   "L04",  "G01",  "W01"};
    if (s->board[0]) {
        snprintf(name, 32, "%.31s", s->board);
        return strcasecmp(s->board, "WIPY") == 0 ? NULL : name;
    }
    for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++) {
        bool named = names_board(file_base_name(path), boards[i]);
        for (unsigned j = 0; j < p->count; j++)
            named = named || names_board(p->member[j].name, boards[i]);
        if (!named)
            continue;
        /* "LoPy_868" says more than "LoPy". */
        const char *file = file_base_name(path);
        size_t len = names_board(file, boards[i]) ? strcspn(file, "-.") : 0;
        snprintf(name, 32, "%.*s", len ? (int)len : 31, len ? file : boards[i]);
        return name;
    }
    return NULL;
}

/* ---- targets ---- */

static bool from_list(const struct script_place *list, size_t count,
                      const char *name, struct script_place *to)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0) {
            *to = list[i];
            return true;
        }
    return false;
}

/* The script's own map, then fixed names and the board's table, then the
 * vendor's. */
static bool by_name(const struct script *s, const struct plan *table,
                    const char *name, uint32_t chip_size,
                    struct script_place *to)
{
    if (from_list(s->place, s->places, name, to))
        return true;
    if (plan_target(table, name, &to->off, &to->size, chip_size))
        return true;
    return from_list(vendor_map, sizeof vendor_map / sizeof vendor_map[0], name,
                     to);
}

static bool find_place(const struct script *s, const struct plan *table,
                       const char *target, uint32_t chip_size,
                       struct script_place *to)
{
    const char *other = plan_other_name(target);
    return by_name(s, table, target, chip_size, to) ||
           (other && by_name(s, table, other, chip_size, to));
}

/* ---- erases ---- */

static bool push_erase(struct update_steps *to, uint32_t off, uint32_t len)
{
    if (len == 0)
        return true;
    if (to->erases == ERASES_MAX)
        return false;
    to->erase[to->erases++] = (struct erase_range){off, len};
    return true;
}

bool update_add_erase(struct update_steps *to, uint32_t off, uint32_t len)
{
    uint32_t end = off + len, after = CONFIG_OFF + CONFIG_LEN;
    if (off >= after || end <= CONFIG_OFF)
        return push_erase(to, off, len);
    to->spared = true;
    return (off >= CONFIG_OFF || push_erase(to, off, CONFIG_OFF - off)) &&
           (end <= after || push_erase(to, after, end - after));
}

static const char *erase_step(struct update_steps *to,
                              const struct script_step *step,
                              const struct script_place *place,
                              uint32_t chip_size)
{
    uint32_t len = step->has_size ? step->size : place->size;
    uint32_t number;
    if (!step->has_size && parse_number(step->target, &number))
        return "erases at an offset without a size";
    if (place->off > chip_size || len > chip_size - place->off)
        return "erases past the end of the chip";
    if (place->off % FLASH_SECTOR || len % FLASH_SECTOR)
        return "erases parts of sectors (want multiples of 0x1000)";
    return update_add_erase(to, place->off, len) ? NULL
                                                 : "is one erase too many";
}

/* ---- writes ---- */

/* The old bytes of the configuration block into data that covers it. */
static int splice_config(struct loader *l, struct plan_item *item)
{
    uint8_t *at = item->data + (CONFIG_OFF - item->off);
    size_t len = item->off + item->len - CONFIG_OFF;
    if (len > CONFIG_LEN)
        len = CONFIG_LEN;
    return loader_read(l, "config", CONFIG_OFF, at, len);
}

static bool covers_config(const struct plan_item *item)
{
    return item->off < CONFIG_OFF + CONFIG_LEN &&
           item->off + item->len > CONFIG_OFF;
}

/* A named area is filled up with FF. */
static const char *pad(struct plan_item *item, uint32_t size)
{
    uint8_t *more = realloc(item->data, size);
    if (!more)
        return "does not fit the memory";
    memset(more + item->len, 0xff, size - item->len);
    item->data = more;
    item->len = size;
    return NULL;
}

static const char *write_step(struct update_steps *to, struct loader *l,
                              const struct package *p,
                              const struct script_step *step,
                              const struct script_place *place)
{
    const struct archive_member *m = package_find(p, step->file);
    uint32_t number, chip_size = l->chip.flash_size;
    bool named = !parse_number(step->target, &number) &&
                 strcmp(step->target, "all") != 0;
    bool inside =
        place->off >= CONFIG_OFF && place->off < CONFIG_OFF + CONFIG_LEN;
    if (!m)
        return "writes a file that is not in the package";
    if (m->len == 0)
        return "writes an empty file";
    if (place->off > chip_size || m->len > chip_size - place->off ||
        (named && m->len > place->size))
        return "writes more than there is room for";
    if (step->op == SCRIPT_WRITE && inside) {
        to->spared = true; /* as the vendor's updater does; but we say it */
        return NULL;
    }
    char target[16];
    uint8_t *data = malloc(m->len);
    if (!data)
        return "does not fit the memory";
    memcpy(data, m->data, m->len);
    snprintf(target, sizeof target, "0x%x", (unsigned)place->off);
    if (plan_add(&to->plan, target, m->name, data, m->len))
        return "is one file too many";
    struct plan_item *item = &to->plan.item[to->plan.count - 1];
    item->off = place->off;
    const char *fault = NULL;
    if (step->op == SCRIPT_WRITE && named &&
        place->size <= chip_size - place->off)
        fault = pad(item, place->size);
    if (!fault && step->op == SCRIPT_WRITE && covers_config(item)) {
        to->spared = true;
        if (splice_config(l, item) < 0)
            fault = "needs the configuration block, which cannot be read";
    }
    return fault;
}

/* ---- all steps ---- */

static int refuse(const struct script_step *step, unsigned number,
                  const char *fault)
{
    complain("wipy: step %u of the script (%s%s%s) %s; nothing was "
             "written\n",
             number, step->target, step->file[0] ? ", " : "", step->file,
             fault);
    return EXIT_REFUSED;
}

int update_resolve(struct update_steps *to, struct loader *l,
                   const struct mirror *m, const struct package *p,
                   const struct script *s, bool force)
{
    static struct plan table; /* the board's names */
    uint32_t chip_size = l->chip.flash_size;
    if (plan_resolve(&table, m))
        table.has_table = false;
    for (unsigned i = 0; i < s->steps; i++) {
        const struct script_step *step = &s->step[i];
        struct script_place place = {0};
        const char *fault;
        if (!find_place(s, &table, step->target, chip_size, &place))
            fault = "names an area that nobody knows";
        else if (step->op == SCRIPT_ERASE)
            fault = erase_step(to, step, &place, chip_size);
        else
            fault = write_step(to, l, p, step, &place);
        if (fault)
            return refuse(step, i + 1, fault);
    }
    int code = plan_resolve(&to->plan, m);
    if (!code)
        code = plan_guard(&to->plan, &l->chip, force);
    return code;
}
