/* Which port is meant when none was named. */
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "port.h"

enum { CONTROL_ANSWER_MS = 2000, HOW_MAX = 1024 };

static int control_connect(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = CONTROL_ANSWER_MS / 1000};
    if (strlen(path) >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

/* One line each way; NULL when the board does not answer. */
static json_t *control_ask(int fd, const char *request)
{
    static char line[65536];
    size_t len = 0;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return NULL;
    while (len < sizeof line - 1) {
        ssize_t got = recv(fd, line + len, sizeof line - 1 - len, 0);
        if (got <= 0)
            return NULL;
        len += (size_t)got;
        if (line[len - 1] == '\n')
            break;
    }
    return json_loadb(line, len, 0, NULL);
}

static const char *serial_of(const json_t *answer)
{
    const json_t *status = json_object_get(answer, "result");
    const json_t *addresses = json_object_get(status, "addresses");
    return json_string_value(json_object_get(addresses, "serial"));
}

static bool board_port(const char *flash, char *name)
{
    char path[PORT_NAME_MAX];
    snprintf(path, sizeof path, "%s.ctl", flash);
    int fd = control_connect(path);
    if (fd < 0)
        return false;
    json_t *answer = control_ask(fd, "{\"op\": \"status\"}\n");
    const char *serial = serial_of(answer);
    if (serial)
        snprintf(name, PORT_NAME_MAX, "rfc2217://%s", serial);
    json_decref(answer);
    close(fd);
    return serial != NULL;
}

static void list(const glob_t *found, char how[HOW_MAX])
{
    static const char end[] = "; name one with --port";
    size_t len = (size_t)snprintf(how, HOW_MAX, "which port? there are ");
    for (size_t i = 0; i < found->gl_pathc && len < HOW_MAX - 200; i++)
        len += (size_t)snprintf(how + len, HOW_MAX - 200 - len, "%s%s",
                                i ? ", " : "", found->gl_pathv[i]);
    if (len > HOW_MAX - 200)
        len = HOW_MAX - 200;
    snprintf(how + len, HOW_MAX - len, "%s", end);
}

static int usb_port(char *name, char how[HOW_MAX])
{
    static const char *const patterns[] = {"/dev/ttyUSB*", "/dev/ttyACM*",
                                           "/dev/cu.usb*"};
    glob_t found = {0};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
    int err = found.gl_pathc == 0  ? WIPY_ENOENT
              : found.gl_pathc > 1 ? WIPY_EEXIST
                                   : 0;
    if (err == WIPY_EEXIST)
        list(&found, how);
    if (!err) {
        snprintf(name, PORT_NAME_MAX, "%s", found.gl_pathv[0]);
        snprintf(how, HOW_MAX, "the only serial port of this machine");
    }
    globfree(&found);
    return err;
}

int port_find(const char *flash, char name[PORT_NAME_MAX], char how[1024])
{
    const char *wanted = getenv("WIPY_PORT");
    if (!wanted || !*wanted)
        wanted = getenv("ESPPORT");
    how[0] = 0;
    if (wanted && *wanted) {
        snprintf(name, PORT_NAME_MAX, "%s", wanted);
        snprintf(how, HOW_MAX, "from the environment");
        return 0;
    }
    if (!flash)
        flash = "wipy.flash";
    if (board_port(flash, name)) {
        snprintf(how, HOW_MAX, "the running board of %s", flash);
        return 0;
    }
    int err = usb_port(name, how);
    if (err == WIPY_ENOENT)
        snprintf(how, HOW_MAX,
                 "no board found: none runs on %.800s (--flash FILE names "
                 "another) and there is no USB serial port; start one with "
                 "'wipy run', or name a port with --port",
                 flash);
    return err;
}
