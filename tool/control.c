#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "commands.h"
#include "outcome.h"

/* ---- the socket ---- */

static int no_board(const char *path)
{
    complain("wipy: no board answers at %s (%s). Start one with 'wipy run', or "
             "name its chip file with --flash\n",
             path, strerror(errno));
    return EXIT_BOARD;
}

/* A stream to the board, or NULL with the exit code in `*code`. */
static FILE *connect_to(const struct control_target *target, int *code)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *flash = target->flash ? target->flash : "wipy.flash";
    char path[4200];
    int len = target->control
                  ? snprintf(path, sizeof path, "%s", target->control)
                  : snprintf(path, sizeof path, "%s.ctl", flash);
    *code = EXIT_USAGE;
    if (len < 0 || (size_t)len >= sizeof at.sun_path) {
        complain("wipy: %s is too long for a socket's name\n", path);
        return NULL;
    }
    memcpy(at.sun_path, path, (size_t)len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        *code = no_board(path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    FILE *stream = fdopen(fd, "r+");
    if (!stream)
        close(fd);
    return stream;
}

static int send_request(FILE *stream, json_t *request)
{
    int err = json_dumpf(request, stream, JSON_COMPACT);
    json_decref(request);
    fputc('\n', stream);
    return err == 0 && fflush(stream) == 0 ? 0 : -1;
}

/* One object, or NULL when the board is gone or talks nonsense. */
static json_t *receive(FILE *stream)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len = getline(&line, &size, stream);
    json_t *json = len > 0 ? json_loadb(line, (size_t)len, 0, NULL) : NULL;
    free(line);
    return json;
}

static int exit_code_of(const char *code)
{
    if (strcmp(code, "invalid") == 0)
        return EXIT_USAGE;
    if (strcmp(code, "busy") == 0)
        return EXIT_BUSY;
    return strcmp(code, "not found") == 0 ? EXIT_FILE : EXIT_FAILED;
}

static int refused(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    const char *code = json_string_value(json_object_get(error, "code"));
    complain("wipy: %s\n", text ? text : "the board refused");
    return exit_code_of(code ? code : "");
}

/* The answer among events, which come when the same connection watches. */
static int await_answer(FILE *stream, json_t **result)
{
    for (;;) {
        json_t *answer = receive(stream);
        if (!answer) {
            complain("wipy: the board went away without an answer\n");
            return EXIT_BOARD;
        }
        if (!json_object_get(answer, "event")) {
            bool ok = json_is_true(json_object_get(answer, "ok"));
            int code = ok ? EXIT_OK : refused(answer);
            *result =
                ok ? json_incref(json_object_get(answer, "result")) : NULL;
            json_decref(answer);
            return code;
        }
        json_decref(answer);
    }
}

static int ask(FILE *stream, json_t *request, json_t **result)
{
    if (send_request(stream, request) != 0) {
        complain("wipy: the board went away: %s\n", strerror(errno));
        return EXIT_BOARD;
    }
    return await_answer(stream, result);
}

/* ---- calls ---- */

int control_call(const struct control_target *target, json_t *request,
                 json_t **result)
{
    int code;
    *result = NULL;
    FILE *stream = connect_to(target, &code);
    if (!stream) {
        json_decref(request);
        return code;
    }
    code = ask(stream, request, result);
    fclose(stream);
    return code;
}

int control_watch(const struct control_target *target,
                  bool (*on)(void *ctx, const json_t *event), void *ctx)
{
    int code;
    json_t *result, *event;
    FILE *stream = connect_to(target, &code);
    if (!stream)
        return code;
    code = ask(stream, json_pack("{s:s}", "op", "watch"), &result);
    json_decref(result);
    bool more = code == EXIT_OK;
    while (more && (event = receive(stream))) {
        more = on(ctx, event);
        json_decref(event);
    }
    fclose(stream);
    return code;
}

const char *control_text(const json_t *from, const char *name)
{
    const char *text = json_string_value(json_object_get(from, name));
    return text ? text : "none";
}

int control_do(const struct control_target *target, json_t *request)
{
    json_t *result;
    int code = control_call(target, request, &result);
    if (code == EXIT_OK && target->json)
        print_json(result);
    else
        json_decref(result);
    return code;
}

int control_args(struct control_target *target, struct args *a,
                 const struct args_option *own, size_t count, const char **word,
                 unsigned *words)
{
    struct args_option options[3 + CONTROL_OWN_MAX] = {
        {"flash", "", NULL, &target->flash},
        {"control", "", NULL, &target->control},
        {"json", "", &target->json, NULL},
    };
    for (size_t i = 0; i < count; i++)
        options[3 + i] = own[i];
    return args_read(a, options, 3 + count, word, words);
}

int control_show(const struct control_target *target, json_t *request,
                 void (*show)(const json_t *result))
{
    json_t *result;
    int code = control_call(target, request, &result);
    if (code == EXIT_OK && target->json) {
        print_json(result);
        return EXIT_OK;
    }
    if (code == EXIT_OK)
        show(result);
    json_decref(result);
    return code;
}

bool control_duration(const char *text, uint32_t *ms)
{
    char *unit;
    double value = strtod(text, &unit);
    double factor = strcmp(unit, "ms") == 0                ? 1
                    : strcmp(unit, "s") == 0 || *unit == 0 ? 1000
                    : strcmp(unit, "m") == 0               ? 60000
                                                           : 0;
    if (unit == text || factor == 0 || !(value >= 0) ||
        value * factor > 86400000)
        return false;
    *ms = (uint32_t)(value * factor + 0.5);
    return true;
}
