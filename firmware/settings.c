#include "firmware/settings.h"

#include <string.h>

#include "base/err.h"

int settings_open(struct settings *s, struct storage *storage,
                  const struct flash *flash, const struct partition *part)
{
    *s = (struct settings){.storage = storage, .flash = *flash};
    s->open_err = part ? nvs_open(&s->nvs, &s->flash, part->off, part->size)
                       : WIPY_ENOTSUP;
    s->damaged = s->open_err == 0 && nvs_is_damaged(&s->nvs);
    return s->open_err;
}

void settings_forget(struct settings *s)
{
    *s = (struct settings){.open_err = WIPY_ENOENT};
}

/* ---- jobs ---- */

struct setting {
    struct storage_job job;
    struct settings *s;
    enum nvs_space space;
    const char *key;
    const void *in;
    void *out;
    size_t len;
    int32_t number;
    int result;
};

static struct setting *setting_of(struct storage_job *job)
{
    return (struct setting *)job;
}

static int run(struct settings *s, struct setting *job,
               void (*function)(struct storage_job *job))
{
    if (s->open_err)
        return s->open_err;
    job->s = s;
    job->job.run = function;
    storage_call(s->storage, &job->job);
    return job->result;
}

static void get_bytes(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = nvs_get_bytes(&j->s->nvs, j->space, j->key, j->out, j->len);
}

static void set_bytes(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = nvs_set_bytes(&j->s->nvs, j->space, j->key, j->in, j->len);
}

static void get_int(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = nvs_get_int(&j->s->nvs, j->space, j->key, &j->number);
}

static void set_int(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = nvs_set_int(&j->s->nvs, j->space, j->key, j->number);
}

static void type_of(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = (int)nvs_type_of(&j->s->nvs, j->space, j->key);
}

static void erase(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = nvs_erase(&j->s->nvs, j->space, j->key);
}

static void erase_all(struct storage_job *job)
{
    struct setting *j = setting_of(job);
    j->result = nvs_erase_all(&j->s->nvs, j->space);
}

/* ---- the board's own ---- */

/* The store's keys are short; the end of a long name tells it apart. */
static const char *key_of(const char *name)
{
    size_t len = strlen(name);
    return len > NVS_KEY_MAX ? name + len - NVS_KEY_MAX : name;
}

int settings_get(struct settings *s, const char *name, char *to, size_t size)
{
    struct setting j = {
        .space = NVS_BOARD, .key = key_of(name), .out = to, .len = size - 1};
    int len = run(s, &j, get_bytes);
    to[len > 0 ? len : 0] = 0;
    return len;
}

int settings_set(struct settings *s, const char *name, const char *value)
{
    struct setting j = {.space = NVS_BOARD,
                        .key = key_of(name),
                        .in = value,
                        .len = strlen(value)};
    if (j.len)
        return run(s, &j, set_bytes);
    int err = run(s, &j, erase);
    return err == WIPY_ENOENT ? 0 : err;
}

int settings_flag(struct settings *s, const char *name, bool *on)
{
    struct setting j = {.space = NVS_BOARD, .key = key_of(name)};
    int err = run(s, &j, get_int);
    if (err == 0)
        *on = j.number != 0;
    return err == WIPY_ENOENT ? 0 : err;
}

int settings_set_flag(struct settings *s, const char *name, bool on)
{
    struct setting j = {.space = NVS_BOARD, .key = key_of(name), .number = on};
    return run(s, &j, set_int);
}

/* ---- the login ---- */

#define LOGIN_KEY "login"

static int login_load(void *ctx, uint8_t record[LOGIN_RECORD])
{
    struct setting j = {.space = NVS_BOARD,
                        .key = LOGIN_KEY,
                        .out = record,
                        .len = LOGIN_RECORD};
    int len = run(ctx, &j, get_bytes);
    return len == LOGIN_RECORD ? 0 : len < 0 ? len : WIPY_ECORRUPT;
}

static int login_save(void *ctx, const uint8_t record[LOGIN_RECORD])
{
    struct setting j = {.space = NVS_BOARD,
                        .key = LOGIN_KEY,
                        .in = record,
                        .len = LOGIN_RECORD};
    return run(ctx, &j, set_bytes);
}

struct login_store settings_login_store(struct settings *s)
{
    bool forgets = s->open_err == WIPY_ENOENT;
    return (struct login_store){
        .ctx = s, .load = login_load, .save = forgets ? NULL : login_save};
}

/* ---- the user's ---- */

int settings_user_get(struct settings *s, const char *key, struct vm_value *out)
{
    struct setting j = {.space = NVS_PYTHON,
                        .key = key,
                        .out = out->bytes,
                        .len = sizeof out->bytes};
    int type = run(s, &j, type_of);
    if (type <= NVS_NONE)
        return type < 0 ? type : WIPY_ENOENT;
    out->is_int = type == NVS_INT;
    int result = run(s, &j, out->is_int ? get_int : get_bytes);
    out->number = j.number;
    out->len = result > 0 ? (size_t)result : 0;
    return result < 0 ? result : 0;
}

int settings_user_set(struct settings *s, const char *key,
                      const struct vm_value *in)
{
    struct setting j = {.space = NVS_PYTHON,
                        .key = key,
                        .in = in->bytes,
                        .len = in->len,
                        .number = in->number};
    return run(s, &j, in->is_int ? set_int : set_bytes);
}

int settings_user_erase(struct settings *s, const char *key)
{
    struct setting j = {.space = NVS_PYTHON, .key = key};
    return run(s, &j, erase);
}

int settings_user_erase_all(struct settings *s)
{
    struct setting j = {.space = NVS_PYTHON};
    return run(s, &j, erase_all);
}
