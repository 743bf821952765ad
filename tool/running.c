#include "running.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "commands.h"
#include "control.h"

/* A socket file may be left over: only one that answers counts. */
static bool somebody_listens(const char *flash)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s.ctl",
                     flash ? flash : "wipy.flash");
    if (n < 0 || (size_t)n >= sizeof address.sun_path)
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool listens = fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                                      sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return listens;
}

json_t *running_status(const char *flash)
{
    struct control_target target = {.flash = flash};
    json_t *status = NULL;
    if (!somebody_listens(flash) ||
        control_call(&target, json_pack("{s:s}", "op", "status"), &status) !=
            EXIT_OK)
        return NULL;
    return status;
}

const char *running_text(const json_t *status, const char *object,
                         const char *name)
{
    return json_string_value(
        json_object_get(json_object_get(status, object), name));
}
