#include "err.h"

const char *wipy_strerror(int err)
{
    static const char *const text[] = {
        "success",
        "the device failed",
        "argument out of range",
        "no such entry",
        "it exists already",
        "no room left",
        "buffer too small",
        "in use",
        "locked until reset",
        "stored data is damaged",
        "not the format expected",
        "past the end",
        "code of another machine",
        "signature missing or wrong",
        "timed out",
        "connection closed",
        "protocol error",
        "not allowed now",
        "not supported",
        "interrupted",
    };
    int index = err < 0 ? -err : 0;
    int count = (int)(sizeof text / sizeof text[0]);
    return index < count ? text[index] : "unknown error";
}
