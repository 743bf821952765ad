/* The partition table as text. */
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "table.h"

enum { FIELDS = 6, FIELD_LEN = 24, APP_ALIGN = 0x10000, DATA_ALIGN = 0x1000 };

struct name {
    uint8_t type, value;
    const char *name;
};

static const struct name subtypes[] = {
    {PART_APP, PART_FACTORY, "factory"}, {PART_APP, PART_TEST, "test"},
    {PART_DATA, PART_OTADATA, "ota"},    {PART_DATA, PART_PHY, "phy"},
    {PART_DATA, PART_NVS, "nvs"},        {PART_DATA, 3, "coredump"},
    {PART_DATA, 4, "nvs_keys"},          {PART_DATA, PART_KEYS, "keys"},
    {PART_DATA, PART_DIARY, "diary"},    {PART_DATA, PART_TABLE2, "table2"},
};

struct line {
    char field[FIELDS][FIELD_LEN];
    unsigned count;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* "0x1000", "4096", "4K", "1M" (and, for others, "512k"). */
static bool parse_number(const char *s, uint32_t *to)
{
    uint64_t v = 0;
    unsigned base = 10;
    if (s[0] == '0' && (s[1] | 32) == 'x') {
        base = 16;
        s += 2;
    }
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned d = 99;
        char c = (char)(*s | 32);
        if (*s >= '0' && *s <= '9')
            d = (unsigned)(*s - '0');
        else if (c >= 'a' && c <= 'f')
            d = (unsigned)(c - 'a') + 10;
        if (d >= base)
            break;
        v = v * base + d;
        if (v > UINT32_MAX)
            return false;
    }
    if ((*s | 32) == 'k' && !s[1])
        v <<= 10, s++;
    else if ((*s | 32) == 'm' && !s[1])
        v <<= 20, s++;
    *to = (uint32_t)v;
    return !*s && v <= UINT32_MAX;
}

/* Splits one line at commas and trims; false when a field is too long or
 * there are too many. */
static bool split(struct line *l, const char *text, size_t len)
{
    memset(l, 0, sizeof *l);
    size_t pos = 0;
    for (;;) {
        size_t end = pos;
        while (end < len && text[end] != ',')
            end++;
        size_t from = pos, to = end;
        while (from < to && is_space(text[from]))
            from++;
        while (to > from && is_space(text[to - 1]))
            to--;
        if (to > from || end < len || l->count) {
            if (l->count == FIELDS)
                return to == from && end == len; /* a trailing comma */
            if (to - from >= FIELD_LEN)
                return false;
            memcpy(l->field[l->count++], text + from, to - from);
        }
        if (end == len)
            return true;
        pos = end + 1;
    }
}

static bool parse_type(const char *s, uint8_t *type)
{
    uint32_t v;
    if (strcmp(s, "app") == 0)
        *type = PART_APP;
    else if (strcmp(s, "data") == 0)
        *type = PART_DATA;
    else if (parse_number(s, &v) && v < 256)
        *type = (uint8_t)v;
    else
        return false;
    return true;
}

static bool parse_subtype(const char *s, uint8_t type, uint8_t *subtype)
{
    uint32_t v;
    for (size_t i = 0; i < sizeof subtypes / sizeof subtypes[0]; i++) {
        if (subtypes[i].type == type && strcmp(subtypes[i].name, s) == 0) {
            *subtype = subtypes[i].value;
            return true;
        }
    }
    if (type == PART_APP && strncmp(s, "ota_", 4) == 0 &&
        parse_number(s + 4, &v) && v < 16)
        *subtype = (uint8_t)(PART_OTA_0 + v);
    else if (parse_number(s, &v) && v < 256)
        *subtype = (uint8_t)v;
    else
        return false;
    return true;
}

static const char *parse_row(struct partition *p, const struct line *l,
                             uint32_t next)
{
    *p = (struct partition){0};
    if (l->count < 5)
        return "needs name, type, subtype, offset, size";
    if (strlen(l->field[0]) > 16)
        return "name is longer than 16 characters";
    memcpy(p->label, l->field[0], sizeof p->label - 1);
    if (!parse_type(l->field[1], &p->type))
        return "type is neither app, data nor a number below 256";
    if (!parse_subtype(l->field[2], p->type, &p->subtype))
        return "subtype is not known for this type";
    uint32_t align = p->type == PART_APP ? APP_ALIGN : DATA_ALIGN;
    p->off = (next + align - 1) & ~(align - 1);
    if (l->field[3][0] && !parse_number(l->field[3], &p->off))
        return "offset is not a number";
    if (!parse_number(l->field[4], &p->size))
        return "size is not a number";
    if (strcmp(l->field[5], "encrypted") == 0)
        p->flags = PART_ENCRYPTED;
    else if (l->field[5][0] && !parse_number(l->field[5], &p->flags))
        return "flags are neither empty, a number nor 'encrypted'";
    return NULL;
}

static int refuse(struct table_fault *fault, unsigned row, const char *reason)
{
    if (fault)
        *fault = (struct table_fault){.row = row, .reason = reason};
    return WIPY_ECORRUPT;
}

/* Lines of the text, so that a fault found on the whole names a line too. */
static int parse_lines(struct table *t, const char *text, size_t len,
                       struct table_fault *fault,
                       uint16_t line_of[TABLE_ROWS_MAX])
{
    unsigned number = 0;
    uint32_t next = TABLE_FIRST_OFF;
    for (size_t pos = 0; pos < len;) {
        const char *end = memchr(text + pos, '\n', len - pos);
        size_t line_len = end ? (size_t)(end - text) - pos : len - pos;
        const char *hash = memchr(text + pos, '#', line_len);
        struct line l;
        number++;
        if (!split(&l, text + pos,
                   hash ? (size_t)(hash - text) - pos : line_len))
            return refuse(fault, number, "too many or too long fields");
        pos += line_len + 1;
        if (l.count == 0)
            continue;
        if (t->count == TABLE_ROWS_MAX)
            return refuse(fault, number, "more than 95 rows");
        struct partition *p = &t->row[t->count];
        const char *reason = parse_row(p, &l, next);
        if (reason)
            return refuse(fault, number, reason);
        if (p->size > UINT32_MAX - p->off)
            return refuse(fault, number, "goes past the end of the chip");
        next = p->off + p->size;
        line_of[t->count++] = (uint16_t)number;
    }
    return 0;
}

int table_from_csv(struct table *t, const char *text, size_t len,
                   uint32_t chip_size, struct table_fault *fault)
{
    uint16_t line_of[TABLE_ROWS_MAX];
    struct table_fault found = {0};
    t->count = 0;
    t->has_md5 = true;
    int err = parse_lines(t, text, len, &found, line_of);
    if (!err) {
        err = table_check(t, chip_size, &found);
        if (err && found.row)
            found.row = line_of[found.row - 1];
    }
    if (fault)
        *fault = found;
    return err;
}

/* ---- writing ---- */

const char *part_type_name(uint8_t type)
{
    static const char *const names[] = {"app", "data"};
    return type <= PART_DATA ? names[type] : "other";
}

void part_subtype_name(uint8_t type, uint8_t subtype, char to[12])
{
    struct text t = text_of(to, 12);
    for (size_t i = 0; i < sizeof subtypes / sizeof subtypes[0]; i++) {
        if (subtypes[i].type == type && subtypes[i].value == subtype) {
            text_put(&t, subtypes[i].name);
            return;
        }
    }
    if (type == PART_APP && subtype >= PART_OTA_0 && subtype < PART_TEST) {
        text_put(&t, "ota_");
        text_put_decimal(&t, subtype - PART_OTA_0);
        return;
    }
    text_put_hex(&t, subtype, 2);
}

int table_to_csv(const struct table *t, char *to, size_t size)
{
    struct text out = text_of(to, size);
    text_put(&out, "# name, type, subtype, offset, size, flags\n");
    for (unsigned i = 0; i < t->count && i < TABLE_ROWS_MAX; i++) {
        const struct partition *p = &t->row[i];
        char subtype[12];
        part_subtype_name(p->type, p->subtype, subtype);
        text_put(&out, p->label);
        text_put(&out, ", ");
        if (p->type <= PART_DATA)
            text_put(&out, part_type_name(p->type));
        else
            text_put_hex(&out, p->type, 2);
        text_put(&out, ", ");
        text_put(&out, subtype);
        text_put(&out, ", ");
        text_put_hex(&out, p->off, 6);
        text_put(&out, ", ");
        text_put_hex(&out, p->size, 6);
        text_put(&out, p->flags == PART_ENCRYPTED ? ", encrypted\n" : ",\n");
    }
    return out.len < size ? (int)out.len : WIPY_ENOMEM;
}
