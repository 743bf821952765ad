#include "script.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "loader_args.h"

/* ---- reading ---- */

static bool copy_text(char *to, size_t size, const json_t *from)
{
    const char *text = json_string_value(from);
    if (!text || !*text || strlen(text) >= size)
        return false;
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool hex_value(const json_t *from, uint32_t *value)
{
    const char *text = json_string_value(from);
    return text && parse_number(text, value);
}

static const char *step_fault(struct script_step *step, const json_t *json)
{
    const char *op = json_string_value(json_array_get(json, 0));
    size_t words = json_array_size(json);
    if (!json_is_array(json) || !op || op[0] == 0 || op[1] != 0)
        return "is no list that begins with a letter";
    if (!strchr("ewo", op[0]))
        return "is of a kind that is not known (e, w and o are)";
    step->op = op[0] == 'e'   ? SCRIPT_ERASE
               : op[0] == 'w' ? SCRIPT_WRITE
                              : SCRIPT_RAW;
    if (!copy_text(step->target, sizeof step->target, json_array_get(json, 1)))
        return "has no proper target";
    if (step->op != SCRIPT_ERASE)
        return words == 3 && copy_text(step->file, sizeof step->file,
                                       json_array_get(json, 2))
                   ? NULL
                   : "wants a target and a file";
    step->has_size = words == 3;
    if (words == 3 && !hex_value(json_array_get(json, 2), &step->size))
        return "has no proper size";
    return words == 2 || words == 3 ? NULL : "has too many words";
}

static int read_steps(struct script *s, const json_t *list, char *why)
{
    size_t i;
    json_t *json;
    if (json_array_size(list) == 0 ||
        json_array_size(list) > SCRIPT_STEPS_MAX) {
        snprintf(why, 160, "it has no steps, or more than %d",
                 SCRIPT_STEPS_MAX);
        return WIPY_EFORMAT;
    }
    json_array_foreach(list, i, json)
    {
        const char *fault = step_fault(&s->step[s->steps++], json);
        if (!fault)
            continue;
        snprintf(why, 160, "step %zu %s", i + 1, fault);
        return WIPY_EFORMAT;
    }
    return 0;
}

static int read_places(struct script *s, json_t *map, char *why)
{
    const char *name;
    json_t *json;
    json_object_foreach(map, name, json)
    {
        uint32_t off, size;
        if (json_array_size(json) == 2 &&
            hex_value(json_array_get(json, 0), &off) &&
            hex_value(json_array_get(json, 1), &size) &&
            script_add_place(s, name, off, size))
            continue;
        snprintf(why, 160, "partition '%.40s' is not [offset, size]", name);
        return WIPY_EFORMAT;
    }
    return 0;
}

static int read_object(struct script *s, json_t *json, char *why)
{
    const char *version = json_string_value(json_object_get(json, "version"));
    json_t *map = json_object_get(json, "partitions");
    if (!version || strncmp(version, "2.", 2) != 0) {
        snprintf(why, 160, "its version '%.20s' is not 2.1",
                 version ? version : "");
        return WIPY_EFORMAT;
    }
    if (map && !json_is_object(map)) {
        snprintf(why, 160, "its partitions are no object");
        return WIPY_EFORMAT;
    }
    copy_text(s->board, sizeof s->board, json_object_get(json, "board"));
    copy_text(s->machine, sizeof s->machine, json_object_get(json, "machine"));
    int err = read_places(s, map, why);
    return err ? err : read_steps(s, json_object_get(json, "script"), why);
}

int script_parse(struct script *s, const char *text, size_t len, char why[160])
{
    json_error_t error;
    memset(s, 0, sizeof *s);
    if (len > SCRIPT_LEN_MAX) {
        snprintf(why, 160, "it is longer than %d bytes", SCRIPT_LEN_MAX);
        return WIPY_EFORMAT;
    }
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        snprintf(why, 160, "it is no JSON: line %d: %.100s", error.line,
                 error.text);
        return WIPY_EFORMAT;
    }
    s->legacy = json_is_array(json);
    int err = s->legacy ? read_steps(s, json, why) : read_object(s, json, why);
    json_decref(json);
    return err;
}

const struct script_place *script_place(const struct script *s,
                                        const char *name)
{
    for (unsigned i = 0; i < s->places; i++)
        if (strcmp(s->place[i].name, name) == 0)
            return &s->place[i];
    return NULL;
}

/* ---- writing ---- */

bool script_add_step(struct script *s, enum script_op op, const char *target,
                     const char *file)
{
    if (s->steps == SCRIPT_STEPS_MAX || strlen(target) >= SCRIPT_NAME_MAX ||
        strlen(file) >= SCRIPT_FILE_MAX)
        return false;
    struct script_step *step = &s->step[s->steps++];
    *step = (struct script_step){.op = op};
    memcpy(step->target, target, strlen(target));
    memcpy(step->file, file, strlen(file));
    return true;
}

bool script_add_place(struct script *s, const char *name, uint32_t off,
                      uint32_t size)
{
    if (s->places == SCRIPT_PLACES_MAX || strlen(name) >= SCRIPT_NAME_MAX)
        return false;
    struct script_place *place = &s->place[s->places++];
    *place = (struct script_place){.off = off, .size = size};
    memcpy(place->name, name, strlen(name));
    return true;
}

static json_t *hex_text(uint32_t value)
{
    char text[16];
    snprintf(text, sizeof text, "0x%X", (unsigned)value);
    return json_string(text);
}

static json_t *step_json(const struct script_step *step)
{
    static const char *const letters[] = {"e", "w", "o"};
    json_t *json = json_pack("[s, s]", letters[step->op], step->target);
    if (step->has_size)
        json_array_append_new(json, hex_text(step->size));
    if (step->file[0])
        json_array_append_new(json, json_string(step->file));
    return json;
}

char *script_text(const struct script *s)
{
    json_t *steps = json_array(), *all = steps;
    for (unsigned i = 0; i < s->steps; i++)
        json_array_append_new(steps, step_json(&s->step[i]));
    if (!s->legacy) {
        json_t *map = json_object();
        for (unsigned i = 0; i < s->places; i++)
            json_object_set_new(map, s->place[i].name,
                                json_pack("[o, o]", hex_text(s->place[i].off),
                                          hex_text(s->place[i].size)));
        all = json_pack("{s:s, s:s, s:s, s:o, s:o}", "version", "2.1", "board",
                        s->board, "machine", s->machine, "partitions", map,
                        "script", steps);
    }
    char *text = json_dumps(all, JSON_PRESERVE_ORDER);
    json_decref(all);
    return text;
}
